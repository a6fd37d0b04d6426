"""Work that people hand to an engine without Podium becomes work like any other, once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from podium.control.guests import Guests
from podium.domain.cluster import Cluster
from podium.domain.lifecycle import WorkloadState
from podium.domain.reason import Cause
from podium.domain.workload import Workload
from podium.engines.contract import Observation, Phase
from podium.engines.guests import Guest
from podium.intake.workloads import workload_cancel
from podium.store import tables
from podium.store.clusters import cluster_put
from turned_clock import TurnedClock
from unit.control.fake_engine import FakeEngine
from unit.control.servers import Server
from unit.house import ADMINISTRATOR, House, node

pytestmark = pytest.mark.anyio

ENGINE = "kubernetes/lab"
MINUTE_MS = 60_000


def machine(name: str) -> Any:
    return node(name, gpus=4, engine=ENGINE, labels=(("cluster", "lab"),))


def guest(name: str, **facts: Any) -> Guest:
    plain = Guest(
        uid=f"uid-{name}", name=name, project="vision", made_at_ms=0, cpu_milli=100,
        memory_bytes=1 << 26, gpus=1, nodes=(("cluster", "lab"),), image="a:1", command=("train",),
    )  # fmt: skip
    return replace(plain, **facts)


@pytest.fixture
def engine(clock: TurnedClock) -> FakeEngine:
    return FakeEngine(clock, (machine("lab.n1"), machine("lab.n2")), name=ENGINE)


@pytest.fixture
async def server(house: House, engine: FakeEngine) -> Server:
    lab = Cluster(name="lab", in_cluster=True, added_at_ms=0, added_by="root", updated_at_ms=0)
    await house.write(lambda tx, now_ms: cluster_put(tx, lab, None, house.office.sealer, now_ms))
    return await Server.up(house, engine)


@pytest.fixture
def loop(server: Server) -> Guests:
    return Guests(server.machine)


def ask(engine: FakeEngine, *guests: Guest) -> None:
    engine.asking |= {each.uid: each for each in guests}


async def all_work(house: House) -> list[Workload]:
    rows = await house.rows(sa.select(tables.workloads.c.id).order_by(tables.workloads.c.id))
    return [await house.workload(row["id"]) for row in rows]


async def test_it_is_stored_once_and_runs_as_itself(
    house: House, engine: FakeEngine, server: Server, loop: Guests
) -> None:
    ask(engine, guest("train", priority="high", expected_seconds=600))
    for _ in range(3):
        await loop.step()
    await Guests(server.machine).step()  # the next server
    (work,) = await all_work(house)
    assert (work.name, work.owner, work.project, work.team, work.retries, work.priority) == (
        "train", "kubectl@lab", "vision", "research", 0, 75,
    )  # fmt: skip
    assert (work.request.gpu_milli, work.request.cpu_milli) == (1000, 100)
    await server.round()
    (process,) = engine.processes.values()
    assert process.launch.guest == "uid-train"
    assert process.launch.node.startswith("lab.")
    audited = await house.rows(sa.select(tables.audit).where(tables.audit.c.actor == "kubectl@lab"))
    assert [each["subject"] for each in audited] == [work.id]
    await loop.step()
    assert (await house.workload(work.id)).state is WorkloadState.RUNNING
    assert engine.told == {}


async def test_taken_back_before_it_starts_it_is_cancelled(
    house: House, engine: FakeEngine, loop: Guests
) -> None:
    ask(engine, guest("gone"))
    await loop.step()
    engine.asking.clear()
    await loop.step()
    (work,) = await all_work(house)
    assert (work.state, work.cause) == (WorkloadState.CANCELLED, Cause.CANCELLED)
    assert "deleted in the cluster" in work.message
    assert await loop.step() is False


async def test_cancelled_in_podium_it_is_removed(
    house: House, engine: FakeEngine, loop: Guests
) -> None:
    ask(engine, guest("stop"))
    await loop.step()
    (work,) = await all_work(house)
    await workload_cancel(house.office, ADMINISTRATOR, work.id)
    await loop.step()
    assert engine.asking == {}
    assert engine.told["uid-stop"] == "Cancelled by root."


async def test_a_group_is_one_gang_and_is_made_when_it_is_whole(
    house: House, engine: FakeEngine, server: Server, loop: Guests
) -> None:
    members = [guest(f"g-{n}", group="g", group_size=3, gpus=1 + (n == 1)) for n in range(3)]
    ask(engine, *members[:2])
    await loop.step()
    assert await all_work(house) == []
    assert "2 of 3" in engine.told["uid-g-0"]
    ask(engine, members[2])
    await loop.step()
    (work,) = await all_work(house)
    assert (work.name, [(each.count, each.request.gpu_milli) for each in work.groups]) == (
        "g", [(2, 1000), (1, 2000)],
    )  # fmt: skip
    await server.round()
    started = {each.launch.rank: each.launch for each in engine.processes.values()}
    assert {rank: each.guest for rank, each in started.items()} == {
        0: "uid-g-0", 1: "uid-g-2", 2: "uid-g-1",
    }  # fmt: skip
    assert {rank: len(each.devices) for rank, each in started.items()} == {0: 1, 1: 1, 2: 2}


async def test_what_is_left_of_a_gang_waits_for_another_member(
    house: House, engine: FakeEngine, loop: Guests
) -> None:
    ask(engine, *(guest(f"g-{n}", group="g", group_size=2) for n in range(2)))
    await loop.step()
    del engine.asking["uid-g-0"]
    await loop.step()
    await loop.step()
    (work,) = await all_work(house)
    assert work.state is WorkloadState.CANCELLED
    assert "1 of 2" in engine.told["uid-g-1"]
    ask(engine, guest("g-0b", group="g", group_size=2))
    await loop.step()
    _, again = await all_work(house)
    assert (again.state, again.replicas.maximum) == (WorkloadState.QUEUED, 2)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"project": "nowhere"}, "no project nowhere"),
        ({"fault": "It asks for rdma/hca."}, "rdma/hca"),
        ({"priority": "soon"}, "priority"),
        ({"gpus": 4096}, "gpus"),
    ],
)
async def test_what_cannot_be_work_is_told_once_a_minute(
    house: House,
    engine: FakeEngine,
    server: Server,
    loop: Guests,
    clock: TurnedClock,
    changes: dict[str, Any],
    words: str,
) -> None:
    ask(engine, guest("bad", **changes))
    await loop.step()
    assert words in engine.told["uid-bad"]
    assert await all_work(house) == []
    engine.told["uid-bad"] = "something else"
    await loop.step()
    assert engine.told["uid-bad"] == "something else"
    clock.advance(MINUTE_MS)
    await server.leadership.renew()
    await loop.step()
    assert words in engine.told["uid-bad"]


async def test_where_its_place_is_nobodys_only_who_has_the_project_speaks(
    house: House, engine: FakeEngine, loop: Guests
) -> None:
    ask(engine, guest("ours", unclaimed="Label it."))
    ask(engine, guest("theirs", project="elsewhere", unclaimed="Label it."))
    await loop.step()
    assert engine.told == {"uid-ours": "Label it."}
    assert await all_work(house) == []
    ask(engine, guest("ours"))
    await loop.step()
    assert len(await all_work(house)) == 1


async def test_why_it_waits_is_told(
    house: House, engine: FakeEngine, server: Server, loop: Guests
) -> None:
    ask(engine, guest("large", gpus=5))
    await loop.step()
    await server.scheduler.step()
    await loop.step()
    (work,) = await all_work(house)
    assert work.refusal is not None
    assert engine.told["uid-large"].startswith(work.refusal.message)


async def test_what_was_used_by_an_attempt_does_not_wait_for_another(
    house: House, engine: FakeEngine, server: Server, loop: Guests
) -> None:
    ask(engine, guest("lost"))
    await loop.step()
    await server.round()
    ((key, process),) = engine.processes.items()
    process.end = Observation(
        allocation_id=key, phase=Phase.ENDED, cause=Cause.NODE_LOST, message="Its node is gone."
    )
    await server.observer.step()
    (work,) = await all_work(house)
    assert work.state is WorkloadState.QUEUED
    await loop.step()
    (work,) = await all_work(house)
    assert work.state is WorkloadState.CANCELLED
    assert "used up" in work.message


async def test_without_its_pod_it_never_starts_as_one_of_podiums_own(
    house: House, engine: FakeEngine, server: Server, loop: Guests
) -> None:
    ask(engine, guest("shy"))
    await loop.step()
    await house.database.write(lambda tx: tx.execute(sa.delete(tables.guests)))
    await server.round()
    assert engine.processes == {}
    (work,) = await all_work(house)
    assert work.state is WorkloadState.FAILED
