"""Costs are exact: whole numbers, split where a price changes, rounded once."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from podium.domain.tariff import HOUR_MS, MICROS, Cost, GpuTime, Price, Tariff


def price(since_ms: int, per_hour: str, gpu_type: str = "H100", currency: str = "EUR") -> Price:
    return Price(
        gpu_type=gpu_type,
        since_ms=since_ms,
        micros_per_gpu_hour=int(Decimal(per_hour) * MICROS),
        currency=currency,
    )


def hours(count: int, start_ms: int = 0, gpu_type: str = "H100", gpus: int = 1) -> GpuTime:
    length_ms = count * HOUR_MS
    return GpuTime(
        gpu_type=gpu_type,
        gpu_ms=gpus * length_ms,
        start_ms=start_ms,
        end_ms=start_ms + length_ms,
    )


def amount(tariff: Tariff, *times: GpuTime) -> str | None:
    cost = tariff.cost(times)
    return None if cost is None else f"{cost.amount} {cost.currency}"


def test_a_price_times_the_hours() -> None:
    tariff = Tariff([price(0, "2.50")])
    assert amount(tariff, hours(2)) == "5.00 EUR"
    assert amount(tariff, hours(2), hours(1, gpus=8)) == "25.00 EUR"
    assert amount(tariff) == "0.00 EUR", "nothing was used"


def test_a_change_of_price_divides_the_time() -> None:
    tariff = Tariff([price(0, "1"), price(2 * HOUR_MS, "3"), price(3 * HOUR_MS, "10")])
    assert amount(tariff, hours(4)) == "15.00 EUR"
    assert amount(tariff, hours(1, start_ms=2 * HOUR_MS)) == "3.00 EUR"
    assert amount(tariff, hours(1, start_ms=HOUR_MS)) == "1.00 EUR"


def test_the_first_price_holds_for_what_came_before() -> None:
    assert amount(Tariff([price(9 * HOUR_MS, "2")]), hours(1)) == "2.00 EUR"


def test_without_a_price_there_is_no_cost() -> None:
    assert amount(Tariff()) is None
    assert amount(Tariff(), hours(1)) is None
    tariff = Tariff([price(0, "1")])
    assert amount(tariff, hours(1), hours(1, gpu_type="L4")) is None
    assert amount(tariff, hours(1), hours(0, gpu_type="L4")) == "1.00 EUR", "it used none of it"


def test_currencies_are_not_mixed() -> None:
    tariff = Tariff([price(0, "1"), price(HOUR_MS, "2", currency="USD")])
    assert tariff.currency == "USD"
    assert amount(tariff, hours(1, start_ms=HOUR_MS)) == "2.00 USD"
    assert amount(tariff, hours(1)) is None


def test_cents_are_rounded_once_and_half_a_cent_counts() -> None:
    per_cent = HOUR_MS * MICROS // 100
    for micro_ms, cents in (
        (per_cent // 2 - 1, "0.00"),
        (per_cent // 2, "0.01"),
        (per_cent, "0.01"),
    ):
        assert str(Cost(micro_ms=micro_ms, currency="EUR").amount) == cents
    third = Tariff([price(0, "0.01")])
    part = GpuTime(gpu_type="H100", gpu_ms=HOUR_MS // 3, start_ms=0, end_ms=HOUR_MS // 3)
    assert amount(third, part) == "0.00 EUR"
    assert amount(third, part, part, part) == "0.01 EUR"


PRICES = st.lists(
    st.tuples(st.integers(0, 10**6), st.integers(0, 10**9)), min_size=1, max_size=6,
    unique_by=lambda each: each[0],
)  # fmt: skip
TIMES = st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**9))


def tariff_of(prices: list[tuple[int, int]]) -> Tariff:
    return Tariff(
        Price(gpu_type="H100", since_ms=at_ms, micros_per_gpu_hour=micros, currency="EUR")
        for at_ms, micros in prices
    )


@given(PRICES, TIMES)
def test_the_parts_add_up_and_each_has_its_share(
    prices: list[tuple[int, int]], time: tuple[int, int, int]
) -> None:
    start_ms, length_ms, gpu_ms = time
    end_ms = start_ms + length_ms
    tariff = tariff_of(prices)
    whole = GpuTime(gpu_type="H100", gpu_ms=gpu_ms, start_ms=start_ms, end_ms=end_ms)
    parts = list(tariff.split(whole))
    assert sum(part for _, part in parts) == gpu_ms
    assert all(part >= 0 for _, part in parts)
    cost = tariff.cost([whole])
    assert cost is not None
    if length_ms:
        # The same by brute force: each price over its part of the time, without any rounding.
        marks = sorted(at_ms for at_ms, _ in prices)
        exact = Fraction(0)
        for at_ms, micros in prices:
            later = [mark for mark in marks if mark > at_ms]
            begin = start_ms if at_ms == marks[0] else max(start_ms, at_ms)
            finish = min(end_ms, later[0]) if later else end_ms
            exact += Fraction(max(0, finish - begin), length_ms) * gpu_ms * micros
        assert abs(cost.micro_ms - exact) <= len(prices) * max(micros for _, micros in prices)


@given(PRICES, st.lists(TIMES, max_size=5), st.data())
def test_time_that_is_cut_at_a_change_costs_the_same(
    prices: list[tuple[int, int]], times: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    """Cut where the price changes, work costs to the last millionth what it costs in one piece."""
    tariff = tariff_of(prices)
    whole, pieces = [], []
    for start_ms, length_ms, gpus in times:
        gpu_ms = gpus % 9 * length_ms  # whole GPUs, so that each cut is a whole number
        end_ms = start_ms + length_ms
        whole.append(GpuTime(gpu_type="H100", gpu_ms=gpu_ms, start_ms=start_ms, end_ms=end_ms))
        cuts = data.draw(st.lists(st.integers(start_ms, end_ms), max_size=3))
        marks = sorted({start_ms, end_ms, *cuts, *(
            each for each in tariff.changes_ms if start_ms < each < end_ms
        )})  # fmt: skip
        pieces += [
            GpuTime(gpu_type="H100", gpu_ms=gpus % 9 * (end - start), start_ms=start, end_ms=end)
            for start, end in pairwise(marks)
        ]
    assert tariff.cost(whole) == tariff.cost(pieces)
