"""Gangs that lose a replica with its machine: replaced, or begun anew beside what is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa

from podium.domain.lifecycle import ReplicaState
from podium.domain.node import NodeState
from podium.domain.reason import Cause
from podium.scheduling.plan import Plan, Preemption
from podium.scheduling.snapshot import Demand, Snapshot
from podium.store import tables
from podium.store.database import Database
from podium.store.demands import demanding_ids
from podium.store.snapshot import snapshot
from turned_clock import TurnedClock
from unit.house import House, document, node
from unit.store.laws import Laws

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> AsyncIterator[House]:
    made = House(database, clock)
    await made.furnish(*(node(f"n{number}", gpus=1, rack="r1") for number in range(1, 6)))
    yield made
    await database.read(Laws().check)


def gang(name: str = "gang", replicas: object = 3, **fields: Any) -> dict[str, object]:
    """One GPU and so one node for each replica."""
    return document(name, resources={"gpus": 1}, replicas=replicas, **fields)


def replacing(name: str = "gang", **fields: Any) -> dict[str, object]:
    return gang(name, **{"recovery": "replace", **fields})


async def seen(house: House) -> Snapshot:
    return await house.database.read(lambda tx: snapshot(tx, house.now_ms))


async def demand(house: House) -> Demand | None:
    found = (await seen(house)).demands
    return found[0] if found else None


async def lose(house: House, workload: str, *ranks: int, cause: Cause = Cause.NODE_LOST) -> None:
    held = [row["id"] for row in await house.held(workload) if row["rank"] in ranks]
    assert len(held) == len(ranks)
    await house.end(held, cause)
    await house.database.read(Laws().check)


async def node_becomes(house: House, name: str, state: NodeState) -> None:
    table = tables.nodes
    changed = sa.update(table).where(table.c.name == name).values(state=state.value)
    await house.write(lambda tx, _: tx.execute(changed))


async def nodes_of(house: House, workload: str) -> dict[int, str]:
    return {row["rank"]: row["node"] for row in await house.held(workload)}


async def ranks_of(house: House, workload: str) -> list[str]:
    table = tables.replicas
    rows = await house.rows(
        sa.select(table).where(table.c.workload_id == workload).order_by(table.c.rank)
    )
    return [row["state"] for row in rows]


async def test_only_what_was_lost_is_queued_again(house: House) -> None:
    made = await house.start(replacing(topology={"within": "rack"}))
    before = await nodes_of(house, made)
    await node_becomes(house, before[1], NodeState.LOST)
    await lose(house, made, 1)
    assert await house.states(made) == ["running"]
    assert await ranks_of(house, made) == ["running", "waiting", "running"]
    wanted = await demand(house)
    assert wanted is not None
    assert (wanted.pending_ranks, wanted.minimum) == ((1,), 1)
    assert (wanted.elastic, wanted.preempts) == (False, True), "it cannot do without"
    assert wanted.stood == (), "its node is lost"
    assert (await house.cycle()).placed == 1
    ids = await house.held_ids(made, ReplicaState.SCHEDULED)
    await house.launch(ids)
    await house.run(ids)
    after = await nodes_of(house, made)
    assert (after[0], after[2]) == (before[0], before[2])
    assert after[1] not in before.values()
    found = await house.workload(made)
    assert (found.state, found.attempt) == ("running", 1)
    assert await demand(house) is None
    await house.end(await house.held_ids(made))
    assert await house.states(made) == ["succeeded"]


async def test_several_are_replaced_at_once_or_not_yet(house: House) -> None:
    made = await house.start(replacing(replicas=4, retries=1))
    await lose(house, made, 3, cause=Cause.LOST)
    await lose(house, made, 1)
    wanted = await demand(house)
    assert wanted is not None
    assert (wanted.pending_ranks, wanted.minimum) == ((1, 3), 2)
    assert [rank for rank, _ in wanted.stood] == [1, 3], "their nodes are well"
    await house.start(gang("greedy", replicas=2, priority=90))
    assert (await house.cycle()).placed == 0, "one free node is too little for two"
    assert await house.states(made) == ["running"]


async def test_without_the_rank_where_they_meet_all_begin_anew(house: House) -> None:
    made = await house.start(replacing())
    await lose(house, made, 0)
    assert await house.states(made) == ["stopping"]
    await house.end(await house.held_ids(made), Cause.CANCELLED)
    found = await house.workload(made)
    assert (found.state, found.attempt) == ("queued", 2)
    assert Counter(await ranks_of(house, made)) == {"waiting": 3}


async def test_all_lost_at_once_begin_anew(house: House) -> None:
    made = await house.start(replacing())
    await lose(house, made, 0, 1, 2)
    assert await house.states(made) == ["queued"]
    assert Counter(await ranks_of(house, made)) == {"waiting": 3}


async def test_what_fails_by_itself_fails_the_gang(house: House) -> None:
    made = await house.start(replacing())
    await lose(house, made, 2, cause=Cause.EXIT_CODE)
    assert await house.states(made) == ["stopping"]


async def test_lost_more_often_than_it_has_retries(house: House) -> None:
    made = await house.start(replacing(retries=1))
    await lose(house, made, 2, cause=Cause.LOST)
    assert await house.states(made) == ["running"]
    await house.cycle()
    await lose(house, made, 2, cause=Cause.LOST)
    assert await house.states(made) == ["stopping"]


async def test_a_gang_that_is_about_to_end_gets_no_replica(house: House) -> None:
    made = await house.start(replacing())
    await lose(house, made, 1)
    first, last = await house.held_ids(made)
    await house.end([first])
    assert await demand(house) is None
    await house.end([last])
    assert await house.states(made) == ["succeeded"], "it went on without"


async def test_it_gives_way_whole_also_while_it_misses_one(house: House) -> None:
    made = await house.start(replacing(priority=10))
    await lose(house, made, 1)
    holds = [each for each in (await seen(house)).holds if each.workload_id == made]
    assert [each.minimum for each in holds] == [3, 3]
    urgent = await house.submit(gang("urgent", replicas=5, priority=90))
    part = Preemption(made, (2,), urgent, "it is cheap")
    assert "only some" in (await house.commit(Plan(preemptions=(part,)))).rejected[0][1]
    told = await house.commit(Plan(preemptions=(Preemption(made, (0, 2), urgent, "cheap"),)))
    assert (told.preempted, told.rejected) == (1, ())
    await house.end(await house.held_ids(made), Cause.CANCELLED, stop_seen=True)
    assert await house.states(made) == ["queued"]
    assert Counter(await ranks_of(house, made)) == {"waiting": 3}


async def test_others_may_give_way_to_what_was_lost(house: House) -> None:
    made = await house.start(replacing())
    await lose(house, made, 1)
    victim = await house.start(gang("victim", replicas=1, priority=10))
    ids = await house.database.read(
        lambda tx: (
            demanding_ids(tx, [made, victim]),
            demanding_ids(tx, [made, victim], growing=False),
        )
    )
    assert ids == ({made}, {made})


async def test_a_gang_returns_to_the_nodes_that_are_left(house: House) -> None:
    made = await house.start(gang())
    before = await nodes_of(house, made)
    fresh = await house.submit(gang("fresh", replicas=5, priority=10))
    await node_becomes(house, before[1], NodeState.LOST)
    await lose(house, made, 1)
    await house.end(await house.held_ids(made), Cause.CANCELLED)
    again, new = (await seen(house)).demands
    assert (again.workload_id, new.workload_id) == (made, fresh)
    assert again.stood == ((0, before[0]), (2, before[2]))
    assert (again.pending_ranks, again.minimum) == ((0, 1, 2), 3)
    assert new.stood == ()


async def test_work_that_gave_way_returns_too_but_single_work_does_not_ask(house: House) -> None:
    made, single = await house.start(gang(), gang("single", replicas=1))
    before = await nodes_of(house, made)
    urgent = await house.submit(gang("urgent", replicas=5, priority=90))
    asked = tuple(
        Preemption(key, ranks, urgent, "cheap")
        for key, ranks in ((made, (0, 1, 2)), (single, (0,)))
    )
    assert (await house.commit(Plan(preemptions=asked))).preempted == 2
    await house.end(await house.held_ids(), Cause.CANCELLED, stop_seen=True)
    stood = {each.workload_id: each.stood for each in (await seen(house)).demands}
    assert stood == {urgent: (), made: tuple(sorted(before.items())), single: ()}
