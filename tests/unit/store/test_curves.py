"""Curves: bounded, summed over ranks, with gaps where nothing was measured."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.domain.reason import Cause
from podium.domain.tenancy import WHOLE
from podium.store import curves, samples
from podium.store.curves import Curves, Line, step_for
from podium.store.database import Database, Transaction
from turned_clock import TurnedClock
from unit.house import House, document, node

ROUND_MS = 10_000
DAY_MS = 86_400_000


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    made = House(database, clock)
    await made.furnish(node())
    return made


class Meter:
    """Writes rounds of samples; `values` is cpu_milli by allocation."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.begin_ms = house.now_ms // DAY_MS * DAY_MS

    async def round(self, number: int, values: dict[str, int], **more: Any) -> None:
        used = [
            {"allocation_id": key, "span_ms": ROUND_MS, "cpu_milli": value,
             "memory_bytes": value << 20, **more}
            for key, value in values.items()
        ]  # fmt: skip
        did = [
            {"device_id": "n1-gpu1", "span_ms": ROUND_MS, "busy_milli": number * 100,
             "power_milliwatts": 70_000, "temperature_celsius": None}
        ]  # fmt: skip
        at_ms = self.begin_ms + number * ROUND_MS

        def write(tx: Transaction, _: int) -> None:
            samples.samples_insert(tx, at_ms, nodes=["n1"], allocations=used, devices=did)

        await self.house.write(write)

    async def curves(self, workload_id: str, *, step: int = 1, **how: Any) -> Curves:
        since_ms = self.begin_ms
        return await self.house.database.read(
            lambda tx: curves.workload_curves(
                tx,
                WHOLE,
                workload_id,
                since_ms=since_ms,
                until_ms=since_ms + DAY_MS,
                step_ms=step * ROUND_MS,
                **how,
            )
        )

    def steps(self, line: Line) -> list[tuple[float, ...]]:
        """Round at which each step ends, mean, least and most."""
        return [
            ((each.at_ms - self.begin_ms) / ROUND_MS, each.mean, each.low, each.high)
            for each in line.points
        ]


def line(found: Curves, column: str, rank: int | None = None) -> Line:
    (series,) = (each for each in found.series if each.column == column)
    (one,) = (each for each in series.lines if each.rank == rank)
    return one


def limits(found: Curves) -> dict[str, int | None]:
    return {each.column: each.limit for each in found.series}


@pytest.mark.anyio
async def test_ranks_are_summed_and_gaps_stay(house: House) -> None:
    workload = await house.start(document(replicas=2, resources={"gpus": 1, "cpus": 3}))
    first, second = await house.held_ids()
    meter = Meter(house)
    await meter.round(1, {first: 1000, second: 2000})
    await meter.round(2, {first: 3000, second: 2000})
    await meter.round(5, {first: 100, second: 100})
    found = await meter.curves(workload)
    assert meter.steps(line(found, "cpu_milli")) == [
        (1, 3000, 3000, 3000), (2, 5000, 5000, 5000), (5, 200, 200, 200)
    ]  # fmt: skip
    found = await meter.curves(workload, step=2)
    assert meter.steps(line(found, "cpu_milli")) == [(2, 4000, 3000, 5000), (6, 200, 200, 200)]
    assert {each.column for each in found.series} == {"cpu_milli", "memory_bytes"}
    assert limits(found)["cpu_milli"] == 2 * 3000
    each = await meter.curves(workload, each=True)
    assert [one[1] for one in meter.steps(line(each, "cpu_milli", 1))] == [2000, 2000, 100]
    assert limits(each)["cpu_milli"] == 3000


@pytest.mark.anyio
async def test_gpus_held_are_the_limit_and_what_is_not_measured_has_no_curve(house: House) -> None:
    workload = await house.start(document(resources={"gpus": 2}))
    (held,) = await house.held_ids()
    meter = Meter(house)
    await meter.round(1, {held: 1}, gpu_busy_milli=1500)
    await meter.round(2, {held: 1}, gpu_busy_milli=None)
    found = await meter.curves(workload)
    assert meter.steps(line(found, "gpu_busy_milli")) == [(1, 1500, 1500, 1500)]
    assert limits(found)["gpu_busy_milli"] == 2000
    assert "gpu_memory_bytes" not in limits(found)


@pytest.mark.anyio
async def test_attempts_of_a_rank_follow_each_other(house: House) -> None:
    workload = await house.start(document(retries=1, resources={"gpus": 1}))
    (first,) = await house.held_ids()
    meter = Meter(house)
    await meter.round(1, {first: 1000})
    await house.end([first], Cause.EXIT_CODE)
    await house.cycle()
    (second,) = await house.held_ids()
    assert second != first
    await meter.round(3, {second: 500})
    for found in (await meter.curves(workload), await meter.curves(workload, each=True)):
        rank = found.series[0].lines[0].rank
        steps = meter.steps(line(found, "cpu_milli", rank))
        assert [(at, mean) for at, mean, *_ in steps] == [(1, 1000), (3, 500)]


@pytest.mark.anyio
async def test_at_most_16_ranks_each(house: House) -> None:
    workload = await house.start(document(array=20, resources={"cpus": 0.1, "memory": "1MiB"}))
    ids = await house.held_ids()
    assert len(ids) == 20
    meter = Meter(house)
    await meter.round(1, dict.fromkeys(ids, 100))
    each = await meter.curves(workload, each=True)
    assert [one.rank for one in each.series[0].lines] == list(range(16))
    (together,) = line(await meter.curves(workload), "cpu_milli").points
    assert together.mean == 2000


@pytest.mark.anyio
async def test_devices_of_a_node(house: House) -> None:
    meter = Meter(house)
    for number in (1, 2):
        await meter.round(number, {})
    since_ms = meter.begin_ms
    found = await house.database.read(
        lambda tx: curves.node_curves(
            tx,
            "n1",
            since_ms=since_ms,
            until_ms=since_ms + 40_000,
            points=2,
            now_ms=since_ms + 40_000,
        )
    )
    assert found.step_ms == 20_000
    assert [each.column for each in found.series] == ["busy_milli", "power_milliwatts"]
    (one,) = found.series[0].lines
    assert one.index == 1
    assert meter.steps(one) == [(2, 150, 100, 200)]
    assert found.series[0].limit == 1000


@given(
    st.integers(0, 10**13), st.integers(1, 400 * DAY_MS), st.integers(2, 1000),
    st.integers(0, 60 * DAY_MS),
)  # fmt: skip
def test_steps_are_few_and_no_finer_than_the_samples(
    since_ms: int, length_ms: int, points: int, later_ms: int
) -> None:
    until_ms = since_ms + length_ms
    now_ms = until_ms + later_ms
    step_ms = step_for(since_ms, until_ms, points, now_ms)
    assert (until_ms - 1) // step_ms - since_ms // step_ms + 1 <= points
    age_ms = now_ms - since_ms
    finest_ms = 900_000 if age_ms > 2 * DAY_MS else 60_000 if age_ms > 7_200_000 else 10_000
    assert step_ms % finest_ms == 0
