"""Old samples become fewer, and nothing that was used gets lost."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from podium.store import samples, tables
from podium.store.database import Database, Transaction
from podium.store.thinning import MINUTE_MS, TIERS, merged, samples_thin
from turned_clock import TurnedClock
from unit.house import House, document, node

COLUMNS = ("cpu_milli", "gpu_busy_milli")
SAMPLES = st.lists(
    st.fixed_dictionaries(
        {
            "allocation_id": st.sampled_from("ab"),
            "at_ms": st.integers(1, 40).map(lambda place: place * 10_000),
            "span_ms": st.integers(1, 20_000),
            "cpu_milli": st.integers(0, 128_000),
            "gpu_busy_milli": st.none() | st.integers(0, 8000),
        }
    ),
    unique_by=lambda each: (each["allocation_id"], each["at_ms"]),
    max_size=60,
).map(lambda found: sorted(found, key=lambda each: (each["allocation_id"], each["at_ms"])))


def integrals(found: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    total: Counter[tuple[str, str]] = Counter()
    for each in found:
        total[each["allocation_id"], "span"] += each["span_ms"]
        for column in COLUMNS:
            if each[column] is not None:
                total[each["allocation_id"], column] += each[column] * each["span_ms"]
                total[each["allocation_id"], f"{column} span"] += each["span_ms"]
    return total


@given(SAMPLES)
def test_the_integral_is_kept(found: list[dict[str, Any]]) -> None:
    thin = list(merged(found, "allocation_id", MINUTE_MS))
    before, after = integrals(found), integrals(thin)
    for key, value in before.items():
        if key[1] in COLUMNS:
            # A mean is a whole number, so each sample is off by half of one over its span at most.
            spans = sum(each["span_ms"] for each in thin if each["allocation_id"] == key[0])
            assert abs(after[key] - value) * 2 <= spans
        else:
            assert after[key] == value
    keys = [(each["allocation_id"], each["at_ms"]) for each in thin]
    assert len(set(keys)) == len(keys)
    assert set(keys) <= {(each["allocation_id"], each["at_ms"]) for each in found}
    places = Counter(
        (each["allocation_id"], (each["at_ms"] - 1) // MINUTE_MS, each["gpu_busy_milli"] is None)
        for each in thin
    )
    assert max(places.values(), default=0) <= 1
    assert list(merged(thin, "allocation_id", MINUTE_MS)) == thin, "once is enough"


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    made = House(database, clock)
    await made.furnish(node())
    return made


async def filled(house: House, hours: int) -> list[str]:
    """Two allocations with a sample each 10 s for so many hours up to now."""
    await house.start(document(replicas=2, resources={"gpus": 1}))
    ids = await house.held_ids()
    begin_ms = house.now_ms // 10_000 * 10_000
    rounds = hours * 360

    def fill(tx: Transaction, _: int) -> None:
        for number in range(1, rounds + 1):
            used = [
                {"allocation_id": each, "span_ms": 10_000, "cpu_milli": number % 7 * 100,
                 "memory_bytes": number << 20}
                for each in ids
            ]  # fmt: skip
            did = [{"device_id": "n1-gpu0", "span_ms": 10_000, "busy_milli": number % 1000}]
            at_ms = begin_ms + number * 10_000
            samples.samples_insert(tx, at_ms, nodes=["n1"], allocations=used, devices=did)

    await house.write(fill)
    house.clock.advance(rounds * 10_000)
    return ids


async def spans(house: House, table: sa.Table) -> Counter[int]:
    found = await house.rows(sa.select(table.c.span_ms))
    return Counter(each["span_ms"] for each in found)


@pytest.mark.anyio
@pytest.mark.parametrize("rows_max", [20, 10_000])
async def test_tier_after_tier_in_slices(house: House, rows_max: int) -> None:
    await filled(house, 3)
    table = tables.allocation_samples

    async def thin() -> int:
        looks = 0
        while await house.write(lambda tx, now_ms: samples_thin(tx, now_ms, rows_max=rows_max)):
            looks += 1
        return looks

    total = sa.select(
        sa.func.sum(table.c.cpu_milli * table.c.span_ms).label("used"),
        sa.func.sum(table.c.span_ms).label("time"),
    )
    (before,) = await house.rows(total)
    looks = await thin()
    assert (looks > 50) == (rows_max == 20)
    found = await spans(house, table)
    assert 2 * 720 <= found[10_000] <= 2 * (720 + 6), "two hours stay as they were"
    assert found[60_000] >= 2 * 58
    (after,) = await house.rows(total)
    assert int(after["time"]) == int(before["time"])
    assert abs(int(after["used"]) - int(before["used"])) <= int(before["time"])
    assert await thin() == 0
    house.clock.advance(TIERS[1].age_ms)
    await thin()
    found = await spans(house, table)
    assert set(found) <= {900_000} | {part * 10_000 for part in range(1, 90)}
    # Of each one a quarter of an hour that is not over yet may be left in minutes.
    assert sum(found.values()) <= 2 * (3 * 4 + 1 + 14)
    assert found[900_000] >= 2 * 10
    (last,) = await house.rows(total)
    assert int(last["time"]) == int(before["time"])
    assert sum((await spans(house, tables.device_samples)).values()) <= 3 * 4 + 1 + 14


@pytest.mark.anyio
async def test_a_sample_that_is_told_twice_stays_as_it_was(house: House) -> None:
    (first, _) = await filled(house, 1)
    (row, *_) = await house.rows(sa.select(tables.allocation_samples).limit(1))
    again = {"allocation_id": first, "span_ms": 1, "cpu_milli": 1, "memory_bytes": 1}
    gone = {**again, "allocation_id": "a-unknown"}

    def repeat(tx: Transaction, _: int) -> None:
        samples.samples_insert(
            tx, row["at_ms"], nodes=["n1"], allocations=[again, gone], devices=[]
        )

    await house.write(repeat)
    assert 1 not in await spans(house, tables.allocation_samples)
