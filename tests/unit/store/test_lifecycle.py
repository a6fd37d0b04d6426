"""What follows for a workload when its replicas end, where random histories seldom come by."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from podium.domain.lifecycle import ReplicaState
from podium.domain.reason import Cause
from podium.store import lifecycle, tables
from podium.store.database import Database, Transaction
from turned_clock import TurnedClock
from unit.house import House, document, node
from unit.store.laws import Laws

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> AsyncIterator[House]:
    made = House(database, clock)
    await made.furnish(node(gpus=2))
    yield made
    await database.read(Laws().check)


async def replica_states(house: House) -> Counter[str]:
    return Counter(row["state"] for row in await house.rows(sa.select(tables.replicas)))


async def preempt(house: House, workload: str) -> None:
    def stop(tx: Transaction, now_ms: int) -> None:
        row = lifecycle.workload_rows(tx, [workload])[workload]
        lifecycle.workload_stop(tx, row, Cause.PREEMPTED, now_ms, message="Gives way.")

    await house.write(stop)


async def test_replicas_that_never_came_end_with_their_elastic_gang(house: House) -> None:
    elastic = document(replicas={"min": 1, "max": 4}, resources={"gpus": 1})
    workload = await house.start(elastic)
    await house.end(await house.held_ids(), Cause.EXIT_CODE)
    assert await house.states(workload) == ["failed"]
    assert await replica_states(house) == {"failed": 2, "cancelled": 2}


async def test_an_elastic_gang_that_gave_way_comes_back_whole(house: House) -> None:
    elastic = document(replicas={"min": 1, "max": 4}, resources={"gpus": 1})
    workload = await house.start(elastic)
    await preempt(house, workload)
    await house.end(await house.held_ids(), Cause.CANCELLED)
    assert await house.states(workload) == ["queued"]
    assert await replica_states(house) == {"waiting": 4}
    assert (await house.cycle()).placed == 2


async def test_an_array_that_gave_way_repeats_only_what_was_stopped(house: House) -> None:
    workload = await house.start(document(array=5, resources={"gpus": 1}))
    first, second = await house.held_ids()
    await house.end([first])
    await house.end([second], Cause.EXIT_CODE)
    await house.cycle()
    await house.launch(await house.held_ids())
    await preempt(house, workload)
    await house.end(await house.held_ids(), Cause.CANCELLED)
    assert await house.states(workload) == ["queued"]
    assert await replica_states(house) == {"succeeded": 1, "failed": 1, "waiting": 3}


async def test_an_array_that_ended_before_the_stop_reached_it(house: House) -> None:
    workload = await house.start(document(array=2, resources={"gpus": 1}))
    await preempt(house, workload)
    await house.end(await house.held_ids())
    assert await house.states(workload) == ["succeeded"]


async def test_of_an_array_only_failures_were_left_when_it_gave_way(house: House) -> None:
    """Nothing of it can be repeated, so it must not wait in the queue for ever."""
    workload = await house.start(document(array=2, resources={"gpus": 1}))
    first, second = await house.held_ids()
    await house.end([first], Cause.EXIT_CODE)
    await preempt(house, workload)
    await house.end([second])
    assert await house.states(workload) == ["failed"]


async def test_ends_told_twice_are_billed_once(house: House) -> None:
    workload = await house.start(document(replicas=2, resources={"gpus": 1}))
    ids = await house.held_ids()
    for _ in range(3):
        await house.end(ids, runtime_ms=2000)
    rows = await house.rows(sa.select(tables.bill_lines))
    assert [row["gpu_milli_ms"] for row in rows] == [2_000_000, 2_000_000]
    assert await house.states(workload) == ["succeeded"]


async def test_reports_about_what_nobody_knows_change_nothing(house: House) -> None:
    workload = await house.submit()
    for report in (house.launch, house.run, house.end):
        await report(["a-0000000000000000"])
    assert await house.states(workload) == ["queued"]
    assert await house.held_ids(None, ReplicaState.RUNNING) == []


async def test_what_fails_within_moments_has_started_all_the_same(house: House) -> None:
    workload = await house.submit(document())
    await house.cycle()
    ids = await house.held_ids()
    await house.launch(ids)
    house.clock.advance(500)
    await house.end(ids, Cause.EXIT_CODE, runtime_ms=20)
    ended = await house.workload(workload)
    assert ended.started_at_ms == house.now_ms - 20


async def test_what_never_came_to_run_has_not_started(house: House) -> None:
    workload = await house.submit(document())
    await house.cycle()
    await house.end(await house.held_ids(), Cause.START_FAILED, runtime_ms=0)
    assert (await house.workload(workload)).started_at_ms is None
