"""Several engines under one server: clusters come, are worked on, fall silent, come back and go,
and never hold up each other. The engines are real ones, each with a home of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from podium.control import deadlines, schedule
from podium.control.engine_loops import engine_loops, relay
from podium.control.fleet import Fleet
from podium.control.leadership import Leadership
from podium.control.loop import Loop
from podium.control.machine import Machine, lease_name
from podium.control.node_watch import NodeWatch
from podium.control.schedule import Scheduler
from podium.domain.cluster import Cluster, ClusterFindings, ClusterState
from podium.domain.errors import TemporaryError
from podium.domain.node import Node, NodeState
from podium.domain.tenancy import WHOLE
from podium.engines.contract import Engine, Phase
from podium.engines.devices.boards import virtual_boards
from podium.engines.local.engine import LocalEngine
from podium.intake.clusters import cluster_add, cluster_change, cluster_remove
from podium.intake.pools import pool_set
from podium.spec.views.pool import PoolRequest
from podium.store import nodes, tables, workloads
from podium.store.database import Database
from podium.store.retention import Retention
from unit import kubeconfigs
from unit.house import ADMINISTRATOR, House

pytestmark = pytest.mark.anyio

PATIENCE_SECONDS = 40


class ClusterEngine(LocalEngine):
    """The engine of a machine that stands for a cluster. While `away` it answers nothing."""

    def __init__(self, home: Path, cluster: Cluster) -> None:
        self._cluster = cluster
        super().__init__(
            home / cluster.name,
            node_name=f"{cluster.name}.one",
            virtual_gpus=virtual_boards("2", "H100"),
        )
        self.away = False

    @property
    def name(self) -> str:
        return self._cluster.engine

    async def inventory(self) -> list[Node]:
        if self.away:
            raise TemporaryError("The cluster does not answer.")
        found = await super().inventory()
        labels = self._cluster.node_labels
        return [replace(each, labels=(*each.labels, *labels)) for each in found]


@dataclass
class Site:
    """One server: a local engine of its own, and a fleet."""

    house: House
    leadership: Leadership
    fleet: Fleet
    made: dict[str, ClusterEngine]
    refused: set[str] = field(default_factory=set)
    texts: list[str | None] = field(default_factory=list)

    async def add(self, name: str, **fields: Any) -> None:
        text = kubeconfigs.text()
        await cluster_add(self.house.office, ADMINISTRATOR, name=name, kubeconfig=text, **fields)

    async def until(self, holds: Callable[[], Any], what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    found = holds()
                    if asyncio.iscoroutine(found):
                        found = await found
                    if found:
                        return
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{what} did not come about: {self.fleet.sights}") from None

    async def state_of(self, workload_id: str) -> str:
        found = await self.house.database.read(
            lambda tx: workloads.workload_fetch(tx, WHOLE, workload_id)
        )
        return found.state.value

    async def is_state(self, workload_id: str, state: str) -> bool:
        return await self.state_of(workload_id) == state

    async def node_of(self, workload_id: str) -> str:
        table = tables.allocations
        rows = await self.house.rows(
            sa.select(table.c.node)
            .where(table.c.workload_id == workload_id)
            .order_by(table.c.id.desc())
        )
        return str(rows[0]["node"]) if rows else ""

    async def node_is(self, name: str, state: NodeState) -> bool:
        known = {each.name: each.state for each in await self.house.database.read(nodes.node_list)}
        return known.get(name) is state

    def is_state_of(self, name: str, state: ClusterState) -> bool:
        sight = self.fleet.sight(name)
        return sight is not None and sight.state is state


@asynccontextmanager
async def running(loops: list[Loop], *more: Any) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each.run()) for each in loops]
    tasks += [asyncio.create_task(each) for each in more]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def server(database: Database, folder: Path, holder: str = "one") -> AsyncIterator[Site]:
    house = House(database, database.clock, folder)  # type: ignore[arg-type]
    office, hints = house.office, house.office.hints
    leadership = Leadership(database, holder, [schedule.LEASE, deadlines.LEASE])
    made: dict[str, ClusterEngine] = {}

    async def make(cluster: Cluster, text: str | None) -> Engine:
        site.texts.append(text)
        if cluster.name in site.refused:
            raise TemporaryError(f"The cluster at {cluster.server} does not answer.")
        made[cluster.name] = ClusterEngine(folder / holder, cluster)
        return made[cluster.name]

    async def probe(_text: str | None, _context: str) -> ClusterFindings:
        return ClusterFindings(version="v1.30.1", missing=("create pods/exec",))

    fleet = Fleet(
        database,
        hints,
        leadership,
        office.sealer,
        office.uploads_path,
        make,
        probe=probe,
    )
    site = Site(house, leadership, fleet, made)
    own = LocalEngine(
        folder / holder / "own", node_name=f"{holder}-own", virtual_gpus=virtual_boards("2", "A100")
    )
    await own.open()
    fleet.own(own)
    leadership.add(lease_name(own))
    await leadership.renew()
    machine = Machine(own, database, hints, leadership)
    scheduler = Scheduler(database, hints, leadership, office.ids)

    async def renew() -> bool:
        await leadership.renew()
        return False

    loops = [
        Loop("lease", renew, hints, period_seconds=5),
        Loop("fleet", fleet.step, hints, wake_on=("clusters",), period_seconds=5),
        Loop("schedule", scheduler.step, hints, wake_on=("schedule",), period_seconds=2),
        Loop("nodes", NodeWatch(database, hints, leadership).step, hints, period_seconds=5),
        *engine_loops(machine, office.sealer, office.uploads_path, Retention()),
    ]
    try:
        async with running(loops, relay(own, hints)):
            yield site
            assert all(loop.failures == 0 for loop in loops)
    finally:
        await fleet.close()
        await leadership.release()
        for engine in (own, *(ClusterEngine(folder / holder, e._cluster) for e in made.values())):
            await ended(engine, opened=engine is own)


async def opened_again(engine: LocalEngine) -> None:
    """The one before may be about to let go of its home."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                await engine.open()
            except TemporaryError:
                await asyncio.sleep(0.1)
            else:
                return


async def ended(engine: LocalEngine, *, opened: bool) -> None:
    """Nothing of a test is left running."""
    if not opened:
        await opened_again(engine)
    for each in await engine.observe():
        if each.phase is not Phase.ENDED:
            await engine.stop(each.allocation_id, grace_seconds=0)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while any(each.phase is not Phase.ENDED for each in await engine.observe()):
            await asyncio.sleep(0.05)
    await engine.close()


@pytest.fixture
async def steady(database_url: str) -> AsyncIterator[Database]:
    """A store on the machine's own clock: real engines measure time themselves."""
    opened = Database(database_url)
    await opened.open()
    yield opened
    await opened.close()


def wanting(
    name: str, gpu_type: str, script: str = "echo hello", **fields: Any
) -> dict[str, object]:
    resources = {"gpus": 1, "gpu_type": gpu_type, "cpus": 0.1, "memory": "32MiB"}
    fields = {"project": "vision", "resources": resources, **fields}
    return {"name": name, "script": script, **fields}


async def test_a_cluster_comes_is_worked_on_and_goes(steady: Database, tmp_path: Path) -> None:
    async with server(steady, tmp_path) as site:
        house = site.house
        await house.furnish()
        await site.add("munich", region="eu-central", labels={"zone": "secure"})
        await site.until(lambda: site.is_state_of("munich", ClusterState.READY), "ready")
        assert "sesame-token" in (site.texts[0] or "")
        await site.until(lambda: site.node_is("munich.one", NodeState.READY), "its node")
        node = await house.database.read(lambda tx: nodes.node_fetch(tx, "munich.one"))
        assert {("cluster", "munich"), ("region", "eu-central"), ("zone", "secure")} <= set(
            node.labels
        )
        assert sorted(site.fleet.engines) == ["kubernetes/munich", "local/one-own"]
        sight = site.fleet.sight("munich")
        assert sight is not None
        assert (sight.version, sight.missing) == ("v1.30.1", ("create pods/exec",))
        # A pool selects by the cluster's label; work goes where what it wants is.
        await pool_set(
            house.office, ADMINISTRATOR, "bavaria", PoolRequest(labels={"cluster": "munich"})
        )
        here = await house.submit(wanting("here", "A100"))
        there = await house.submit(wanting("there", "H100"))
        for each, where in ((here, "one-own"), (there, "munich.one")):
            await site.until(lambda each=each: site.is_state(each, "succeeded"), "its end")
            assert await site.node_of(each) == where
        # What holds its node holds it; then it goes with its node, and others go on.
        long = await house.submit(wanting("long", "H100", "sleep 600"))
        await site.until(lambda: site.is_state(long, "running"), "running")
        engine = site.made["munich"]
        with pytest.raises(Exception, match="still placed in cluster munich"):
            await cluster_remove(house.office, ADMINISTRATOR, "munich")
        await cluster_remove(house.office, ADMINISTRATOR, "munich", force=True)
        await site.until(lambda: site.fleet.sight("munich") is None, "the end of it")
        await site.until(lambda: "kubernetes/munich" not in site.fleet.engines, "closed")
        assert [each.name for each in await house.database.read(nodes.node_list)] == ["one-own"]
        assert engine is site.made["munich"]
        again = await house.submit(wanting("again", "A100"))
        await site.until(lambda: site.is_state(again, "succeeded"), "work goes on")
        # It goes on there; a new cluster of the name ends what was given up.
        await site.add("munich")
        await site.until(lambda: site.is_state(long, "running"), "it runs again")


async def test_one_that_does_not_answer_holds_up_no_other(steady: Database, tmp_path: Path) -> None:
    async with server(steady, tmp_path) as site:
        house = site.house
        await house.furnish()
        site.refused.add("gone")
        await site.add("gone")
        await site.add("munich")
        await site.until(lambda: site.is_state_of("munich", ClusterState.READY), "ready")
        await site.until(lambda: site.is_state_of("gone", ClusterState.UNREACHABLE), "told")
        sight = site.fleet.sight("gone")
        assert sight is not None
        assert sight.words == "The cluster at https://10.1.2.3:6443 does not answer."
        work = await house.submit(wanting("work", "H100", "sleep 600"))
        await site.until(lambda: site.is_state(work, "running"), "running")
        # One that was there falls silent: its nodes become lost, its work stays held.
        site.made["munich"].away = True
        await site.until(lambda: site.is_state_of("munich", ClusterState.UNREACHABLE), "silence")
        await site.until(lambda: site.node_is("munich.one", NodeState.LOST), "its node is lost")
        here = await house.submit(wanting("here", "A100"))
        await site.until(lambda: site.is_state(here, "succeeded"), "others go on")
        assert await site.state_of(work) == "running"
        site.made["munich"].away = False
        await site.until(lambda: site.node_is("munich.one", NodeState.READY), "it is back")
        assert site.is_state_of("munich", ClusterState.READY)
        # The other one answers at last, too; nobody has to do anything.
        site.refused.clear()
        await site.until(lambda: site.is_state_of("gone", ClusterState.READY), "it came")


async def test_a_change_is_taken_up_and_what_runs_goes_on(steady: Database, tmp_path: Path) -> None:
    async with server(steady, tmp_path) as site:
        house = site.house
        await house.furnish()
        await site.add("munich")
        await site.until(lambda: site.node_is("munich.one", NodeState.READY), "its node")
        work = await house.submit(wanting("work", "H100", "sleep 600"))
        await site.until(lambda: site.is_state(work, "running"), "running")
        before = site.made["munich"]
        await cluster_change(house.office, ADMINISTRATOR, name="munich", region="eu-west")
        await site.until(lambda: site.made["munich"] is not before, "a new engine")

        async def carries() -> bool:
            node = await house.database.read(lambda tx: nodes.node_fetch(tx, "munich.one"))
            return ("region", "eu-west") in node.labels

        await site.until(carries, "the new label")
        assert await site.state_of(work) == "running"
        rows = await house.rows(sa.select(tables.allocations))
        assert len(rows) == 1  # it was started once


async def test_of_two_servers_one_works_on_a_cluster(steady: Database, tmp_path: Path) -> None:
    async with server(steady, tmp_path, "one") as first:
        await first.house.furnish()
        await first.add("munich")
        lease = "engine kubernetes/munich"
        await first.until(lambda: first.leadership.leads(lease), "the first leads")
        async with server(steady, tmp_path, "two") as second:
            await second.until(
                lambda: second.is_state_of("munich", ClusterState.READY), "both see it"
            )
            assert not second.leadership.leads(lease)
            assert "kubernetes/munich" in second.fleet.engines  # logs may be read there, too
            await cluster_remove(first.house.office, ADMINISTRATOR, "munich")
            await second.until(lambda: second.fleet.sight("munich") is None, "gone on both")
            assert not second.leadership.leads(lease)
