"""Work that gives way as a plan asks: what is written, what is refused, and how it comes back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa

from podium.domain.lifecycle import ReplicaState
from podium.domain.reason import Cause
from podium.intake.workloads import workload_cancel
from podium.scheduling.plan import Plan, Preemption
from podium.store import tables
from podium.store.database import Database
from podium.store.plans import Committed
from turned_clock import TurnedClock
from unit.house import ADMINISTRATOR, House, document, node
from unit.store.laws import Laws

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> AsyncIterator[House]:
    made = House(database, clock)
    await made.furnish(node(gpus=4))
    yield made
    await database.read(Laws().check)


def gpus(name: str, count: float = 1, **fields: Any) -> dict[str, object]:
    return document(name, resources={"gpus": count}, **fields)


async def urgent(house: House, **fields: Any) -> str:
    """Something that waits because everything is taken."""
    made: str = await house.submit(gpus("urgent", **{"priority": 90, **fields}))
    return made


async def give_way(house: House, workload: str, *ranks: int, to: str) -> Committed:
    asked = Preemption(workload, ranks, to, f"{workload} is cheaper", 5)
    told = await house.commit(Plan(preemptions=(asked,)))
    await house.database.read(Laws().check)
    return told


async def ranks_of(house: House, workload: str) -> dict[int, str]:
    table = tables.replicas
    rows = await house.rows(sa.select(table).where(table.c.workload_id == workload))
    return {row["rank"]: row["state"] for row in rows}


async def stopped(house: House, *, cause: Cause = Cause.CANCELLED, stop_seen: bool = True) -> None:
    """The engine has ended what it was asked to."""
    ids = await house.held_ids(None, ReplicaState.STOPPING)
    await house.end(ids, cause, stop_seen=stop_seen)
    await house.database.read(Laws().check)


async def test_a_whole_workload_gives_way_and_comes_back(house: House) -> None:
    victim = await house.start(gpus("victim", 4))
    before = await house.workload(victim)
    first = await urgent(house)
    told = await give_way(house, victim, 0, to=first)
    assert (told.preempted, told.rejected) == (1, ())
    assert await house.states(victim) == ["stopping"]
    (held,) = await house.held()
    assert held["state"] == "stopping", "what it holds stays held until it has ended"
    house.clock.advance(1000)
    await stopped(house)
    after = await house.workload(victim)
    assert (after.state, after.cause, after.attempt) == ("queued", Cause.PREEMPTED, 2)
    assert after.submitted_at_ms == before.submitted_at_ms
    assert "urgent" in after.message, "the same project, so it is named"
    row = (await house.rows(sa.select(tables.workloads).where(tables.workloads.c.id == victim)))[0]
    assert row["failures"] == 0
    assert len(await house.rows(sa.select(tables.bill_lines))) == 1, "what it ran is billed"
    (evidence,) = await house.rows(sa.select(tables.preemptions))
    assert (evidence["in_favour_of"], json.loads(evidence["ranks"])) == (first, [0])
    assert evidence["lost_milli_ms"] == 5
    await workload_cancel(house.office, ADMINISTRATOR, first)
    assert (await house.cycle()).placed == 1
    (again,) = await house.held(victim)
    assert again["attempt"] == 2


async def test_people_of_other_projects_learn_nothing_of_each_other(house: House) -> None:
    victim = await house.start(gpus("victim", 4))
    secret = await house.submit(
        document("secret-plan", project="speech", priority=90, resources={"gpus": 4})
    )
    await give_way(house, victim, 0, to=secret)
    await stopped(house)
    told = await house.rows(
        sa.select(tables.events.c.message).where(tables.events.c.workload_id == victim)
    )
    told += await house.rows(sa.select(tables.notices.c.sentence))
    words = " ".join(next(iter(row.values())) for row in told)
    assert "higher priority" in words
    for hidden in ("secret-plan", secret, "speech"):
        assert hidden not in words


async def test_reclaim_says_what_it_is(house: House) -> None:
    victim = await house.start(gpus("victim", 4, priority=80))
    owner = await house.submit(document("mine", project="speech", priority=20))
    await give_way(house, victim, 0, to=owner)
    assert "guaranteed" in (await house.workload(victim)).message


@pytest.mark.parametrize(
    ("fields", "ranks", "objection"),
    [
        ({"kind": "service"}, (0,), "may not be stopped for others"),
        ({"replicas": 2}, (1,), "only some of a gang"),
        ({"replicas": {"min": 1, "max": 2, "resize": False}}, (1,), "only some of a gang"),
        ({"replicas": {"min": 2, "max": 3}}, (1, 2), "1 replicas would be left"),
        ({"replicas": {"min": 1, "max": 3}}, (0, 1), "meet at rank 0"),
        ({"replicas": {"min": 1, "max": 3}}, (7,), "rank 7 holds nothing"),
        ({}, (), "no rank"),
    ],
)
async def test_what_must_not_be_stopped_is_left_alone(
    house: House, fields: dict[str, Any], ranks: tuple[int, ...], objection: str
) -> None:
    victim = await house.start(gpus("victim", **fields))
    told = await give_way(house, victim, *ranks, to=await urgent(house))
    assert told.preempted == 0
    assert objection in told.rejected[0][1]
    assert await house.states(victim) == ["running"]
    assert await house.held_ids(None, ReplicaState.STOPPING) == []


async def test_nothing_gives_way_to_what_does_not_wait(house: House) -> None:
    victim = await house.start(gpus("victim"))
    gone = await house.submit(gpus("gone", 8))
    await workload_cancel(house.office, ADMINISTRATOR, gone)
    for whom in (gone, "w-0000000000000000", victim):
        told = await give_way(house, victim, 0, to=whom)
        assert "does not wait any more" in told.rejected[0][1]


async def test_what_ended_meanwhile_makes_the_others_stay(house: House) -> None:
    """The room would not be enough without it, so nobody gives way for nothing."""
    one, two = await house.start(gpus("one", 2), gpus("two", 2))
    first = await urgent(house)
    plan = Plan(
        preemptions=tuple(Preemption(each, (0,), first, "it is cheap") for each in (one, two))
    )
    await house.end(await house.held_ids(one))
    told = await house.commit(plan)
    assert told.preempted == 0
    assert sorted(key for key, _ in told.rejected) == sorted([one, two])
    assert await house.states(two) == ["running"]


async def test_a_plan_committed_twice_stops_once(house: House) -> None:
    victim = await house.start(gpus("victim", 4))
    first = await urgent(house)
    await give_way(house, victim, 0, to=first)
    told = await give_way(house, victim, 0, to=first)
    assert "does not run any more" in told.rejected[0][1]
    assert len(await house.rows(sa.select(tables.preemptions))) == 1


async def test_an_elastic_gang_shrinks_and_grows_again(house: House) -> None:
    victim = await house.start(gpus("victim", replicas={"min": 2, "max": 4}))
    first = await urgent(house, priority=30)
    await give_way(house, victim, 2, 3, to=first)
    assert await house.states(victim) == ["running"]
    assert Counter((await ranks_of(house, victim)).values()) == {"running": 2, "stopping": 2}
    await stopped(house)
    assert await house.states(victim) == ["running"]
    assert Counter((await ranks_of(house, victim)).values()) == {"running": 2, "waiting": 2}
    assert (await house.workload(victim)).attempt == 1
    await house.cycle()
    (placed,) = await house.held(first)
    await house.launch([placed["id"]])
    await house.end([placed["id"]])
    assert (await house.cycle()).placed + len(await house.held(victim)) >= 4
    ids = await house.held_ids(victim, ReplicaState.SCHEDULED)
    await house.launch(ids)
    await house.run(ids)
    assert set((await ranks_of(house, victim)).values()) == {"running"}
    assert {row["attempt"] for row in await house.held(victim)} == {1, 2}
    await house.end(await house.held_ids(victim))
    assert await house.states(victim) == ["succeeded"]


async def test_a_shrunken_gang_that_succeeds_is_done(house: House) -> None:
    """Those that had to leave are not missed, even when they end last."""
    victim = await house.start(gpus("victim", replicas={"min": 1, "max": 4}))
    await give_way(house, victim, 3, to=await urgent(house))
    await house.end(await house.held_ids(victim, ReplicaState.RUNNING))
    await stopped(house)
    assert await house.states(victim) == ["succeeded"]


async def test_a_shrinking_gang_that_fails_fails(house: House) -> None:
    victim = await house.start(gpus("victim", replicas={"min": 1, "max": 4}))
    await give_way(house, victim, 3, to=await urgent(house))
    await house.end((await house.held_ids(victim, ReplicaState.RUNNING))[:1], Cause.EXIT_CODE)
    assert await house.states(victim) == ["stopping"]
    await stopped(house)
    found = await house.workload(victim)
    assert (found.state, found.cause) == ("failed", Cause.EXIT_CODE)


async def test_tasks_of_an_array_give_way_alone(house: House) -> None:
    victim = await house.start(gpus("victim", array=6))
    first = await urgent(house, array=2)
    await give_way(house, victim, 1, 3, to=first)
    await stopped(house)
    assert await house.states(victim) == ["running"]
    states = await ranks_of(house, victim)
    assert Counter(states.values()) == {"running": 2, "waiting": 4}
    assert states[1] == states[3] == "waiting"
    failures = await house.rows(sa.select(tables.replicas.c.failures))
    assert {row["failures"] for row in failures} == {0}


async def test_an_array_that_gives_way_with_all_its_tasks_waits_as_a_whole(house: House) -> None:
    victim = await house.start(gpus("victim", array=6))
    await give_way(house, victim, 0, 1, 2, 3, to=await urgent(house))
    await stopped(house)
    assert await house.states(victim) == ["queued"]
    assert Counter((await ranks_of(house, victim)).values()) == {"waiting": 6}


@pytest.mark.parametrize(
    ("stop_seen", "state"), [(True, "queued"), (False, "succeeded")], ids=["saved", "done"]
)
async def test_exit_code_0_after_the_signal_means_saved_not_done(
    house: House, stop_seen: bool, state: str
) -> None:
    victim = await house.start(gpus("victim", 4))
    await give_way(house, victim, 0, to=await urgent(house))
    await stopped(house, cause=Cause.COMPLETED, stop_seen=stop_seen)
    assert await house.states(victim) == [state]


async def test_exit_code_0_of_a_task_that_gave_way(house: House) -> None:
    victim = await house.start(gpus("victim", array=4))
    await give_way(house, victim, 2, to=await urgent(house))
    await stopped(house, cause=Cause.COMPLETED)
    assert (await ranks_of(house, victim))[2] == "waiting"


async def test_who_cancels_what_gives_way_does_not_see_it_again(house: House) -> None:
    victim = await house.start(gpus("victim", 4))
    await give_way(house, victim, 0, to=await urgent(house))
    await workload_cancel(house.office, ADMINISTRATOR, victim)
    await stopped(house)
    found = await house.workload(victim)
    assert (found.state, found.message) == ("cancelled", "Cancelled by root.")


async def test_what_was_placed_but_never_started_gives_way_too(house: House) -> None:
    victim = await house.submit(gpus("victim", 4))
    await house.cycle()
    await give_way(house, victim, 0, to=await urgent(house))
    await stopped(house)
    assert await house.states(victim) == ["queued"]


@pytest.mark.parametrize("cause", [Cause.NODE_LOST, Cause.LOST])
async def test_lost_replicas_of_an_elastic_gang_are_replaced(house: House, cause: Cause) -> None:
    gang = await house.start(gpus("gang", replicas={"min": 2, "max": 4}, retries=1))
    ids = await house.held_ids(gang)
    await house.end(ids[2:], cause)
    assert await house.states(gang) == ["running"]
    assert (await house.cycle()).placed == 2
    await house.launch(await house.held_ids(gang, ReplicaState.SCHEDULED))
    await house.run(await house.held_ids(gang, ReplicaState.STARTING))
    found = await house.workload(gang)
    assert (found.state, found.attempt) == ("running", 1)
    assert len(await house.held_ids(gang, ReplicaState.RUNNING)) == 4


@pytest.mark.parametrize(
    ("replicas", "lost"),
    [
        (4, slice(3, 4)),
        ({"min": 1, "max": 4, "resize": False}, slice(3, 4)),
        ({"min": 2, "max": 4}, slice(1, 4)),
        ({"min": 2, "max": 4}, slice(0, 1)),
    ],
    ids=["fixed", "of one size", "too few left", "where they meet"],
)
async def test_other_gangs_begin_anew_as_a_whole(
    house: House, replicas: object, lost: slice
) -> None:
    gang = await house.start(gpus("gang", replicas=replicas))
    await house.end((await house.held_ids(gang))[lost], Cause.NODE_LOST)
    assert await house.states(gang) == ["stopping"]
    await stopped(house)
    found = await house.workload(gang)
    assert (found.state, found.attempt) == ("queued", 2)
    assert Counter((await ranks_of(house, gang)).values()) == {"waiting": 4}


async def test_a_replica_that_is_lost_again_and_again_ends_its_gang(house: House) -> None:
    gang = await house.start(gpus("gang", replicas={"min": 2, "max": 4}, retries=1))
    for _ in range(2):
        await house.end((await house.held_ids(gang))[-1:], Cause.LOST)
        await house.cycle()
        await house.launch(await house.held_ids(gang, ReplicaState.SCHEDULED))
        await house.run(await house.held_ids(gang, ReplicaState.STARTING))
    assert await house.states(gang) == ["stopping"]
