"""Preemption through the loops: asked for in the store, carried out by the engine, come back."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from podium.domain.lifecycle import ReplicaState
from podium.domain.reason import Cause
from podium.scheduling.plan import Plan, Preemption
from podium.store import tables
from unit.control.fake_engine import CrashError, FakeEngine
from unit.control.servers import Server
from unit.house import House, document

pytestmark = pytest.mark.anyio


async def give_way(house: House, victim: str, *ranks: int, to: str) -> None:
    plan = Plan(preemptions=(Preemption(victim, ranks, to, "it is cheaper"),))
    told = await house.commit(plan)
    assert told.preempted == 1, told


async def full(house: House, server: Server, **fields: object) -> tuple[str, str]:
    """Something that holds everything, and something urgent that waits."""
    victim = await house.submit(document("victim", **{"resources": {"gpus": 4}, **fields}))
    await server.round()
    urgent = await house.submit(document("urgent", priority=90, resources={"gpus": 4}))
    return victim, urgent


async def test_it_gets_its_grace_and_comes_back(
    house: House, engine: FakeEngine, server: Server
) -> None:
    engine.stubborn = True
    victim, urgent = await full(house, server, replicas=2, grace="20s")
    await give_way(house, victim, 0, 1, to=urgent)
    await server.round()
    assert {seconds for _, seconds in engine.stops} == {20}
    assert await house.states(victim, urgent) == ["stopping", "queued"]
    house.clock.advance(20_000)
    engine.stubborn = False
    await server.leadership.renew()
    await server.observer.step()
    assert await house.states(victim) == ["queued"]
    await server.round()
    assert await house.states(victim, urgent) == ["queued", "running"]
    (held,) = await house.held_ids(urgent)
    engine.finish(held)
    await server.round()
    await server.round()
    assert await house.states(victim, urgent) == ["running", "succeeded"]
    env = [dict(each.launch.env) for each in engine.processes.values()]
    assert {each["PODIUM_ATTEMPT"] for each in env} == {"1", "2"}
    assert len(await house.rows(sa.select(tables.bill_lines))) == 3


@pytest.mark.parametrize("moment", ["before the stop", "before the end is written", "settling"])
async def test_a_server_that_dies_in_between(
    house: House, engine: FakeEngine, server: Server, moment: str
) -> None:
    victim, urgent = await full(house, server, replicas=2)
    ids = await house.held_ids(victim)
    await give_way(house, victim, 0, 1, to=urgent)
    if moment == "before the end is written":
        await server.stopper.step()
    elif moment == "settling":
        await server.stopper.step()
        engine.crash_in_settle = True
        with pytest.raises(CrashError):
            await server.observer.step()
        engine.crash_in_settle = False
    again = await Server.up(house, engine)
    for _ in range(3):
        await again.round()
    assert await house.states(urgent) == ["running"]
    found = await house.workload(victim)
    assert (found.state, found.attempt, found.cause) == ("queued", 2, Cause.PREEMPTED)
    assert {engine.starts[each] for each in ids} == {1}
    rows = await house.rows(sa.select(tables.bill_lines))
    assert sorted(row["allocation_id"] for row in rows) == sorted(ids), "billed once"


async def test_what_was_never_started_gives_way(
    house: House, engine: FakeEngine, server: Server
) -> None:
    victim = await house.submit(document("victim", resources={"gpus": 4}, replicas=2))
    await server.scheduler.step()
    urgent = await house.submit(document("urgent", priority=90, resources={"gpus": 4}))
    await give_way(house, victim, 0, 1, to=urgent)
    for _ in range(2):
        await server.round()
    assert await house.states(victim, urgent) == ["queued", "running"]
    assert len(engine.starts) == 1


async def test_members_of_an_elastic_gang_meet_at_the_same_place(
    house: House, engine: FakeEngine, server: Server
) -> None:
    other = await house.submit(document("other", resources={"gpus": 4}))
    await server.round()
    gang = await house.submit(
        document("gang", replicas={"min": 2, "max": 8}, resources={"gpus": 1})
    )
    await server.round()
    assert len(await house.held_ids(gang)) == 4
    engine.finish((await house.held_ids(other))[0])
    for _ in range(2):
        await server.round()
    assert len(await house.held_ids(gang, ReplicaState.RUNNING)) == 8
    env = [dict(each.launch.env) for each in engine.processes.values()]
    members = [each for each in env if each["PODIUM_WORKLOAD_NAME"] == "gang"]
    assert sorted(int(each["RANK"]) for each in members) == list(range(8))
    assert {each["WORLD_SIZE"] for each in members} == {"4", "8"}
    for name in ("MASTER_ADDR", "MASTER_PORT", "PET_RDZV_ENDPOINT", "PET_RDZV_ID"):
        assert len({each[name] for each in members}) == 1, name
    assert {each["PET_NNODES"] for each in members} == {"2:8"}
    engine.lose(next(each for each in engine.processes if engine.processes[each].launch.rank == 5))
    await server.observer.step()
    assert await house.states(gang) == ["stopping"], "no retries: LOST may be its own doing"
