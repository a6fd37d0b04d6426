"""What the scheduler is shown of the store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa

from podium.domain.lifecycle import ReplicaState
from podium.domain.policies import SCHEDULING, Override, PolicyLevel
from podium.domain.policy import Order
from podium.domain.reason import Cause, WaitReason
from podium.scheduling.plan import Plan, Preemption
from podium.scheduling.snapshot import Demand, Expected, Hold, Snapshot
from podium.store import policies, tables
from podium.store.database import Database
from podium.store.snapshot import snapshot
from turned_clock import TurnedClock
from unit.house import House, document, node
from unit.store.laws import Laws

pytestmark = pytest.mark.anyio

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> AsyncIterator[House]:
    made = House(database, clock)
    await made.furnish(node(gpus=4))
    yield made
    await database.read(Laws().check)


async def seen(house: House) -> Snapshot:
    return await house.database.read(lambda tx: snapshot(tx, house.now_ms))


async def demand(house: House, workload: str) -> Demand:
    return next(each for each in (await seen(house)).demands if each.workload_id == workload)


async def holds(house: House, workload: str) -> list[Hold]:
    return [each for each in (await seen(house)).holds if each.workload_id == workload]


def gpus(name: str, count: float = 1, **fields: Any) -> dict[str, object]:
    return document(name, resources={"gpus": count}, **fields)


async def override(house: House, level: PolicyLevel, name: str, part: str, **values: str) -> None:
    for field, value in values.items():
        one = Override(level=level, name=name, part=part, field=field, value=value)
        await house.write(
            lambda tx, now_ms, one=one: policies.override_set(tx, one, now_ms, "root")
        )


async def test_equal_requests_are_one_object(house: House) -> None:
    await house.submit(*(gpus(f"job-{n}", 1 + n % 2) for n in range(6)), gpus("gang", replicas=3))
    found = await seen(house)
    assert len({id(each.request) for each in found.demands}) == 2
    assert [each.pending_ranks for each in found.demands][-1] == (0, 1, 2)
    assert found.mix[0][1] == 6, "three jobs and three replicas asked for one GPU"
    assert {request.gpu_milli: count for request, count in found.mix} == {1000: 6, 2000: 3}


async def test_the_order_of_the_queue(house: House) -> None:
    sweep = await house.start(gpus("sweep", array=9, priority=60))
    made = await house.submit(
        *(gpus(f"job-{n}", priority=p) for n, p in enumerate([30, 90, 60, 60]))
    )
    found = [each.workload_id for each in (await seen(house)).demands]
    assert found == [made[1], sweep, made[2], made[3], made[0]]


async def test_a_running_elastic_gang_may_grow(house: House) -> None:
    gang = await house.start(gpus("gang", replicas={"min": 2, "max": 6}))
    found = await demand(house, gang)
    assert (found.pending_ranks, found.minimum, found.preempts) == ((4, 5), 1, False)
    assert {each.minimum for each in await holds(house, gang)} == {2}
    await house.end((await house.held_ids())[-1:])
    assert not (await seen(house)).demands, "one has succeeded: it is about to end"


async def test_what_does_not_grow(house: House) -> None:
    await house.start(
        gpus("fixed", replicas={"min": 1, "max": 4, "resize": False}, priority=90),
        gpus("single", priority=10),
    )
    assert [each.request.gpu_milli for each in (await seen(house)).demands] == [1000]
    fixed = next(each for each in (await seen(house)).holds)
    assert fixed.minimum == 4, "all of it or nothing"


async def test_holds_say_whether_they_may_be_stopped(house: House) -> None:
    batch, service, sweep = await house.start(
        gpus("batch", max_runtime="1h", expected_runtime="40m"),
        gpus("service", kind="service"),
        gpus("sweep", array=2),
    )
    (one,) = await holds(house, batch)
    assert one.started_at_ms is not None
    assert one.preemptible
    assert one.safe_until_ms == one.started_at_ms + 10 * MINUTE_MS
    assert one.expected == Expected(40 * MINUTE_MS, HOUR_MS), "never beyond its limit"
    assert one.ends_at_ms == one.started_at_ms + HOUR_MS
    assert not (await holds(house, service))[0].preemptible
    assert [(each.rank, each.minimum) for each in await holds(house, sweep)] == [(0, 0), (1, 0)]


async def test_work_that_gave_way_is_spared_longer_and_its_time_counts(house: House) -> None:
    victim = await house.start(gpus("victim", 4))
    first = await house.submit(gpus("first", 4, priority=90))
    table = tables.workloads
    behind = sa.update(table).where(table.c.id == first).values(priority=0)
    for spell in (1, 2):
        (hold,) = await holds(house, victim)
        assert hold.started_at_ms is not None
        assert hold.safe_until_ms == hold.started_at_ms + spell * 10 * MINUTE_MS
        asked = Preemption(victim, (0,), first, "why")
        assert (await house.commit(Plan(preemptions=(asked,)))).preempted == 1
        (hold,) = await holds(house, victim)
        assert (hold.ending, hold.preemptible) == (True, False)
        await house.end(await house.held_ids(), Cause.CANCELLED, runtime_ms=5000)
        assert (await demand(house, victim)).attained_milli_ms == spell * 5000 * 4000
        assert (await demand(house, first)).attained_milli_ms == 0
        await house.write(lambda tx, _: tx.execute(behind))
        await house.cycle()
        ids = await house.held_ids(victim, ReplicaState.SCHEDULED)
        await house.launch(ids)
        await house.run(ids)


async def test_a_start_that_was_asked_for_later(house: House) -> None:
    later, open_now = await house.submit(
        document("later", start={"not_before": "1h"}),
        document("open", start={"not_before": "2020-01-01T00:00:00Z"}),
    )
    found = await demand(house, later)
    assert found.blocked is not None
    assert found.blocked.reason is WaitReason.START_TIME
    assert found.blocked.evidence[0].value == str(house.now_ms + HOUR_MS)
    assert (await demand(house, open_now)).blocked is None
    assert (await house.cycle()).placed == 1
    house.clock.advance(HOUR_MS)
    assert (await demand(house, later)).blocked is None
    assert (await house.cycle()).placed == 1


async def test_policies_of_cluster_team_and_project(house: House) -> None:
    await override(
        house, PolicyLevel.CLUSTER, "", SCHEDULING, order="attained", half_life_ms="60000"
    )
    await override(house, PolicyLevel.CLUSTER, "", "batch", minimum_runtime_ms="1000")
    await override(house, PolicyLevel.TEAM, "research", "batch", minimum_runtime_ms="2000")
    await override(house, PolicyLevel.TEAM, "research", "batch", spread="true", preempts="false")
    await override(house, PolicyLevel.PROJECT, "vision", "batch", minimum_runtime_ms="3000")
    vision, speech = await house.start(gpus("one"), gpus("two", project="speech"))
    found = await seen(house)
    assert (found.policy.order, found.policy.half_life_ms) == (Order.ATTAINED, 60_000)
    for workload, least_ms in ((vision, 3000), (speech, 1000)):
        (hold,) = await holds(house, workload)
        assert hold.started_at_ms is not None
        assert hold.safe_until_ms == hold.started_at_ms + least_ms
    waiting = await house.submit(gpus("three", 8), gpus("four", 8, project="speech"))
    told = [await demand(house, each) for each in waiting]
    assert [(each.spread, each.preempts) for each in told] == [(True, False), (False, True)]
