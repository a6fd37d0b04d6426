"""Nodes that are lost: when their work is given up by itself, and what is found of it when they
are back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from podium.control import deadlines
from podium.control.node_watch import QUIET_SECONDS, NodeWatch
from podium.domain.lifecycle import ReplicaState
from podium.domain.node import NodeState
from podium.domain.policies import PolicyLevel
from podium.domain.reason import Cause
from podium.intake.nodes import node_release
from podium.intake.policies import policy_set
from podium.store import lost_nodes, nodes, tables
from podium.store.database import Database
from turned_clock import TurnedClock
from unit.control.fake_engine import CrashError, FakeEngine
from unit.control.servers import Server
from unit.house import ADMINISTRATOR, House, document, node
from unit.store.laws import Laws

pytestmark = pytest.mark.anyio


@dataclass
class Cluster:
    """Two machines, each with its engine and its server; the second one leads."""

    house: House
    engines: dict[str, FakeEngine]
    servers: dict[str, Server]
    watch: NodeWatch

    async def rounds(self, *names: str, count: int = 1) -> None:
        for _ in range(count):
            for name in names:
                await self.servers[name].round()

    async def back(self, name: str) -> Server:
        """Its server starts again."""
        self.servers[name] = await Server.up(self.house, self.engines[name], name)
        return self.servers[name]

    async def quiet(self, seconds: int) -> None:
        """Only the second machine is heard of meanwhile, and its server watches."""
        for _ in range(seconds // 5):
            self.house.clock.advance(5_000)
            await self.servers["n2"].leadership.renew()
            await self.servers["n2"].inventory.step()
            await self.watch.step()

    async def states(self) -> dict[str, NodeState]:
        found = await self.house.database.read(nodes.node_list)
        return {each.name: each.state for each in found}

    async def notes(self) -> list[str]:
        table = tables.events
        rows = await self.house.rows(sa.select(table).where(table.c.kind == "WorkloadNoted"))
        return [row["message"] for row in rows]


@pytest.fixture
async def cluster(database: Database, clock: TurnedClock, tmp_path: Path) -> AsyncIterator[Cluster]:
    house = House(database, clock, tmp_path)
    await house.furnish()
    engines = {
        name: FakeEngine(clock, (node(name, gpus=2, engine=name),), name=name)
        for name in ("n2", "n1")
    }
    servers = {name: await Server.up(house, each, name) for name, each in engines.items()}
    assert servers["n2"].leadership.leads(deadlines.LEASE)
    watch = NodeWatch(database, house.office.hints, servers["n2"].leadership)
    yield Cluster(house, engines, servers, watch)
    await database.read(Laws().check)


async def placed_on_n1(cluster: Cluster, **fields: Any) -> str:
    """A workload that runs on the machine that will be lost."""
    house = cluster.house
    await house.write(lambda tx, _: nodes.node_cordon(tx, "n2", cordoned=True))
    made: str = await house.submit(document(resources={"gpus": 2}, **fields))
    await cluster.rounds("n2", "n1", count=2)
    assert [(row["node"], row["state"]) for row in await house.held(made)] == [("n1", "running")]
    await house.write(lambda tx, _: nodes.node_cordon(tx, "n2", cordoned=False))
    return made


async def test_work_goes_on_elsewhere_and_the_old_is_stopped_when_the_node_is_back(
    cluster: Cluster,
) -> None:
    house, old = cluster.house, cluster.engines["n1"]
    old.stubborn = True
    job = await placed_on_n1(cluster, grace="20s")
    (first,) = await house.held_ids(job)
    await cluster.quiet(30)
    assert (await cluster.states())["n1"] is NodeState.LOST
    await node_release(house.office, ADMINISTRATOR, "n1")
    await cluster.rounds("n2", count=3)
    (second,) = await house.held(job)
    assert (second["node"], second["attempt"], second["state"]) == ("n2", 2, "running")
    bills = await house.rows(sa.select(tables.bill_lines))

    server = await cluster.back("n1")
    assert (await cluster.states())["n1"] is NodeState.CORDONED
    later = await house.submit(document("later", resources={"gpus": 2}))
    await cluster.rounds("n2", "n1", count=2)
    assert old.stops[0] == (first, 20)
    assert await house.held_ids(later) == [], "the old process still uses the GPUs"
    house.clock.advance(21_000)
    old.crash_in_settle = True
    await server.leadership.renew()
    with pytest.raises(CrashError):
        await server.observer.step()
    old.crash_in_settle = False
    server = await cluster.back("n1")
    await cluster.rounds("n2", "n1", count=2)
    assert old.processes[first].settled
    assert (await cluster.states())["n1"] is NodeState.READY
    assert await cluster.notes() == ["Attempt 1 ended on n1 after it had been given up there."]
    assert {row["node"] for row in await house.held(later)} == {"n1"}
    (again,) = await house.held(job)
    assert (again["id"], again["state"]) == (second["id"], "running")
    assert await house.rows(sa.select(tables.bill_lines)) == bills
    assert [key for key, _ in cluster.engines["n2"].stops] == []


async def test_what_ended_by_itself_meanwhile_is_told_and_settled(cluster: Cluster) -> None:
    job = await placed_on_n1(cluster)
    (first,) = await cluster.house.held_ids(job)
    await cluster.quiet(30)
    await node_release(cluster.house.office, ADMINISTRATOR, "n1")
    cluster.engines["n1"].finish(first)
    await cluster.back("n1")
    await cluster.rounds("n1")
    assert cluster.engines["n1"].processes[first].settled
    assert cluster.engines["n1"].stops == []
    assert len(await cluster.notes()) == 1
    assert await cluster.house.states(job) == ["queued"]


async def test_a_machine_that_comes_back_empty_takes_work_at_once(cluster: Cluster) -> None:
    job = await placed_on_n1(cluster)
    (first,) = await cluster.house.held_ids(job)
    await cluster.quiet(30)
    await node_release(cluster.house.office, ADMINISTRATOR, "n1")
    cluster.engines["n1"].lose(first)
    await cluster.back("n1")
    await cluster.rounds("n1", count=2)
    assert (await cluster.states())["n1"] is NodeState.READY
    assert await cluster.notes() == [], "nobody saw an end"


async def test_what_runs_although_it_is_released_is_stopped(cluster: Cluster) -> None:
    job = await placed_on_n1(cluster)
    (first,) = await cluster.house.held_ids(job)
    await cluster.house.end([first], Cause.START_FAILED)
    await cluster.rounds("n1", count=2)
    assert [key for key, _ in cluster.engines["n1"].stops] == [first]
    assert cluster.engines["n1"].processes[first].settled
    assert len(await cluster.notes()) == 1


async def set_after(cluster: Cluster, value: str) -> None:
    await policy_set(
        cluster.house.office,
        ADMINISTRATOR,
        level=PolicyLevel.CLUSTER,
        name="",
        part="scheduling",
        values={"lost_node_after": value},
    )


async def test_nothing_is_given_up_by_itself_unless_told_so(cluster: Cluster) -> None:
    job = await placed_on_n1(cluster)
    await cluster.quiet(3_600)
    assert await cluster.house.states(job) == ["running"]


async def test_it_is_given_up_so_long_after_the_node_was_marked(cluster: Cluster) -> None:
    await set_after(cluster, "10m")
    job = await placed_on_n1(cluster)
    await cluster.quiet(QUIET_SECONDS + 4)
    lost_at_ms = (
        await cluster.house.database.read(lambda tx: nodes.node_fetch(tx, "n1"))
    ).lost_at_ms
    assert lost_at_ms == cluster.house.now_ms
    await cluster.quiet(595)
    assert await cluster.house.states(job) == ["running"]
    await cluster.quiet(5)
    assert await cluster.house.states(job) == ["queued"]
    table = tables.audit
    (row,) = await cluster.house.rows(sa.select(table).where(table.c.action == "node:release"))
    assert (row["actor"], row["subject"]) == ("podium", "n1")
    await cluster.quiet(60)
    assert len(await cluster.house.rows(sa.select(table).where(table.c.subject == "n1"))) == 1


async def test_an_outage_of_the_database_gives_up_nothing(cluster: Cluster) -> None:
    """All are late after it; and who was lost before it gets the time to report."""
    await set_after(cluster, "1m")
    job = await placed_on_n1(cluster)
    await cluster.quiet(20)
    assert (await cluster.states())["n1"] is NodeState.LOST
    cluster.house.clock.advance(3_600_000)
    await cluster.servers["n2"].leadership.renew()
    await cluster.watch.step()
    assert await cluster.states() == {"n1": NodeState.LOST, "n2": NodeState.LOST}
    await cluster.quiet(15)
    assert await cluster.house.states(job) == ["running"]
    await cluster.back("n1")
    await cluster.quiet(10)
    assert await cluster.house.states(job) == ["running"]
    assert (await cluster.states())["n1"] is NodeState.READY


async def test_who_does_not_lead_gives_up_nothing(cluster: Cluster) -> None:
    await set_after(cluster, "1m")
    job = await placed_on_n1(cluster)
    other = NodeWatch(
        cluster.house.database, cluster.house.office.hints, cluster.servers["n1"].leadership
    )
    for _ in range(40):
        cluster.house.clock.advance(5_000)
        await cluster.servers["n2"].leadership.renew()
        await cluster.servers["n2"].inventory.step()
        assert not await other.step()
    assert await cluster.house.states(job) == ["running"]


async def test_logs_of_what_may_still_write_them_are_kept(cluster: Cluster) -> None:
    from podium.store.allocations import allocation_removable

    job = await placed_on_n1(cluster)
    (first,) = await cluster.house.held_ids(job)
    await cluster.quiet(30)
    await node_release(cluster.house.office, ADMINISTRATOR, "n1")
    cluster.house.clock.advance(1_000)
    now_ms = cluster.house.now_ms

    async def removable() -> list[str]:
        return await cluster.house.database.read(
            lambda tx: allocation_removable(tx, now_ms, 10, nodes=["n1"])
        )

    assert await removable() == []
    await cluster.house.write(lambda tx, at_ms: lost_nodes.given_up_over(tx, [first], [], at_ms))
    assert first in await removable()
    assert await cluster.house.held_ids(job, ReplicaState.RUNNING) == []
