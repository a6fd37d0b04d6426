"""Worths of rests of a device: bounds that the duals of cutting stock keep."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.scheduling.placing.leftovers import PARTS, SIZES_MAX, leftover_values
from podium.scheduling.space.room import Floats

demands = st.dictionaries(
    st.integers(1, 999), st.sampled_from([1, 2, 8, 32, PARTS]), min_size=1, max_size=10
)


def values_of(demand: dict[int, int]) -> Floats:
    sizes = np.array(list(demand), dtype=np.int64)
    return leftover_values(sizes, np.array(list(demand.values()), dtype=np.int64))


def devices_first_fit(demand: dict[int, int]) -> int:
    free: list[int] = []
    for size in sorted(
        (size for size, count in demand.items() for _ in range(count)), reverse=True
    ):
        at = next((at for at, left in enumerate(free) if left >= size), None)
        if at is None:
            free.append(1000 - size)
        else:
            free[at] -= size
    return len(free)


@settings(max_examples=60, deadline=None)
@given(demand=demands)
def test_worth_lies_between_the_size_and_the_devices_that_are_needed(
    demand: dict[int, int],
) -> None:
    demand[max(demand)] = PARTS
    value = values_of(demand)
    assert value[0] == 0
    assert value[1000] == 1000
    assert (np.diff(value) >= 0).all()
    assert (value == np.floor(value)).all()
    # No way to cut a rest is worth more than the rest.
    for size in demand:
        assert (value[size:] + 1 >= value[: 1001 - size] + value[size]).all()
    worth = sum(count * (value[size] + 1) for size, count in demand.items())
    assert worth >= sum(count * size for size, count in demand.items()) - 1
    assert sum(count * value[size] for size, count in demand.items()) <= 1000 * devices_first_fit(
        demand
    )


@pytest.mark.parametrize(
    ("demand", "worth"),
    [
        ({}, {999: 0, 1000: 1000}),
        ({810: 5}, {190: 0, 809: 0, 810: 1000}),
        ({500: 1}, {499: 0, 500: 500, 999: 500}),
        ({250: 7, 500: 3}, {250: 250, 749: 500, 750: 750}),
        # Rests of 300 are plenty, so what they are good for saves no device.
        ({700: 40, 300: 10}, {300: 0, 700: 1000}),
        # Here devices are opened for the small ones, and the large ones bring a place for one.
        ({700: 10, 300: 40}, {300: 333, 700: 666}),
    ],
)
def test_known_worths(demand: dict[int, int], worth: dict[int, int]) -> None:
    value = values_of(demand)
    assert {free: int(value[free]) for free in worth} == worth


def test_many_sizes_are_rounded_up_to_the_most_wanted() -> None:
    demand = dict.fromkeys(range(10, 1000), 1) | {500: 200}
    value = values_of(demand)
    assert value[1000] == 1000
    assert len(np.unique(value)) <= 1 << SIZES_MAX
    assert value[500] == 500
