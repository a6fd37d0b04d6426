"""GPUs in MIG mode in the store: their instances, pins, and what is held of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from podium.domain.lifecycle import ReplicaState, WorkloadState
from podium.domain.node import MigInstance, Node
from podium.domain.reason import Cause
from podium.domain.resources import Isolation
from podium.scheduling.snapshot import Snapshot
from podium.scheduling.view import view_of
from podium.store import layouts, nodes, tables
from podium.store.allocations import saves_record
from podium.store.database import Database, Transaction
from podium.store.picture import Picture
from podium.store.replicas import End, replicas_ended, replicas_launched
from podium.store.snapshot import snapshot
from turned_clock import TurnedClock
from unit.house import ENGINE, House, document, node
from unit.store.laws import Laws

pytestmark = pytest.mark.anyio

IDLE = MigInstance("1g.10gb", 0, "MIG-1")
BUSY = MigInstance("3g.40gb", 4, "MIG-2", busy=True)


def cut_node(*instances: MigInstance, name: str = "n1", gpus: int = 2) -> Node:
    """Its first GPU is in MIG mode."""
    plain = node(name, gpus=gpus)
    first = replace(plain.devices[0], type="H100", board="H100-80GB", instances=tuple(instances))
    return replace(plain, devices=(first, *plain.devices[1:]))


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> AsyncIterator[House]:
    made = House(database, clock)
    await made.furnish(cut_node())
    yield made
    await database.read(Laws().check)


async def report(house: House, *instances: MigInstance) -> bool:
    return await house.write(
        lambda tx, now_ms: nodes.node_report(tx, ENGINE, [cut_node(*instances)], now_ms)
    )


async def pin(house: House, *, on: bool) -> None:
    """The first GPU as it stands."""

    def write(tx: Transaction, now_ms: int) -> None:
        if not on:
            layouts.layout_delete(tx, "n1-gpu0")
            return
        device = nodes.node_fetch(tx, "n1").devices[0]
        wanted = layouts.WantedLayout(
            device_id=device.id,
            node="n1",
            instances=tuple((each.profile, each.start) for each in device.instances),
            kept=True,
            moves=False,
            set_by="ada",
            set_at_ms=now_ms,
        )
        layouts.layout_put(tx, wanted)

    await house.write(write)


async def seen(house: House) -> tuple[MigInstance, ...]:
    """As the API sees them."""
    found = await house.database.read(lambda tx: nodes.node_fetch(tx, "n1"))
    return found.devices[0].instances


async def bound(house: House) -> tuple[MigInstance, ...]:
    """As the scheduler sees them."""
    (found,) = await house.database.read(nodes.node_list)
    return found.devices[0].instances


def small(name: str, **resources: Any) -> dict[str, object]:
    return document(name, resources={"mig": "1g.10gb", **resources})


async def test_the_scheduler_sees_what_binds_it(house: House) -> None:
    assert not await report(house, IDLE), "an idle instance changes nothing"
    assert await report(house, IDLE, BUSY)
    assert await seen(house) == (IDLE, BUSY)
    assert await bound(house) == (BUSY,)
    await pin(house, on=True)
    assert await bound(house) == (IDLE, BUSY)
    assert await report(house, BUSY), "of a pinned layout every instance counts"
    await pin(house, on=False)
    assert await bound(house) == (BUSY,)


async def test_pins_are_the_operators(house: House) -> None:
    await pin(house, on=True)
    await report(house, IDLE)
    found = await house.database.read(lambda tx: nodes.node_fetch(tx, "n1"))
    assert found.devices[0].pinned


async def test_the_picture_is_made_anew_for_what_binds_alone(house: House) -> None:
    picture = Picture()

    async def look() -> Snapshot:
        return await house.database.read(lambda tx: picture.look(tx, house.now_ms))

    first = await look()
    await report(house, IDLE)
    assert (await look()).nodes is first.nodes
    assert picture.reads_of_all == 1
    await report(house, IDLE, BUSY)
    assert (await look()).nodes[0].devices[0].instances == (BUSY,)
    await pin(house, on=True)
    assert (await look()).nodes[0].devices[0].pinned
    assert picture.reads_of_all == 3


async def test_marks_for_the_console_tell_every_cut(house: House) -> None:
    before = await house.database.read(nodes.node_marks)
    await report(house, IDLE)
    cut = await house.database.read(nodes.node_marks)
    await pin(house, on=True)
    pinned = await house.database.read(nodes.node_marks)
    assert len({repr(before), repr(cut), repr(pinned)}) == 3


async def test_slots_are_kept_with_the_allocation(house: House) -> None:
    several = document("several", resources={"mig": {"profile": "1g.10gb", "count": 3}})
    for wanted in (several, small("one")):
        await house.submit(wanted)
    await house.cycle()
    found = await house.database.read(lambda tx: snapshot(tx, house.now_ms))
    shares = [share for hold in found.holds for share in hold.devices]
    assert {(each.device_id, each.mig_profile, each.gpu_milli) for each in shares} == {
        ("n1-gpu0", "1g.10gb", 125)
    }
    assert len({each.mig_start for each in shares}) == 4
    rows = await house.rows(sa.select(tables.allocations.c.gpu_milli))
    assert sorted(row["gpu_milli"] for row in rows) == [125, 375]


async def test_bills_name_the_type_and_count_slices(house: House) -> None:
    wanted = {"gpus": 0.25, "isolation": "mig"}
    await house.submit(document("share", resources=wanted))
    await house.cycle()
    (key,) = await house.held_ids()
    await house.write(lambda tx, now_ms: replicas_launched(tx, [key], now_ms))
    end = End(allocation_id=key, cause=Cause.COMPLETED, exit_code=0, runtime_ms=1000)
    await house.write(lambda tx, now_ms: replicas_ended(tx, [end], now_ms))
    (bill,) = await house.rows(sa.select(tables.bill_lines))
    assert (bill["gpu_type"], bill["gpu_milli_ms"]) == ("H100", 250_000)


async def test_isolation_is_kept_and_waits_for_what_it_asks(house: House) -> None:
    mps = document("mps", resources={"gpu_memory": "10GiB", "isolation": "mps"})
    mig = document("mig", resources={"gpu_memory": "9GiB", "isolation": "mig"})
    gang = document(
        "gang",
        groups=[
            {"name": "a", "resources": {"gpus": 0.1, "isolation": "mig"}},
            {"name": "b", "resources": {"gpus": 1}},
        ],
    )
    keys = await house.submit(mps, mig, gang)
    found = await house.database.read(lambda tx: snapshot(tx, house.now_ms))
    asked = {demand.workload_id: demand for demand in found.demands}
    assert [asked[key].request.isolation for key in keys[:2]] == [Isolation.MPS, Isolation.MIG]
    assert asked[keys[0]].request.node_labels == (("podium.io/mps", "true"),)
    isolations = {part.request.isolation for part in asked[keys[2]].parts}
    assert isolations == {Isolation.MIG, Isolation.NONE}
    await house.cycle()
    states = {row["id"]: row["state"] for row in await house.rows(sa.select(tables.workloads))}
    assert [states[key] for key in keys] == ["queued", "scheduled", "scheduled"]


async def test_misplaced_work_is_placed_elsewhere_at_no_cost(house: House) -> None:
    key = await house.submit(small("w"))
    await house.cycle()
    (held,) = await house.held_ids()
    end = End(allocation_id=held, cause=Cause.MISPLACED, message="1g.10gb … is in use.")
    await house.write(lambda tx, now_ms: replicas_ended(tx, [end], now_ms))
    (row,) = await house.rows(sa.select(tables.workloads).where(tables.workloads.c.id == key))
    assert (row["state"], row["attempt"]) == (WorkloadState.QUEUED, 2)
    await house.cycle()
    assert len(await house.held_ids(key, ReplicaState.SCHEDULED)) == 1


async def test_only_what_may_be_moved_has_its_request(house: House) -> None:
    moves = {"kind": "batch", "preemptible": True}
    wanted = [
        document("moves", resources={"gpus": 0.1}, **moves),
        document("unsaved", resources={"gpus": 0.1}, **moves),
        document("stays", resources={"gpus": 0.1}, preemptible=False),
        document("gang", replicas=2, **moves),
        document("array", array=1, **moves),
    ]
    keys = [await house.start(each) for each in wanted]
    saved = [row["id"] for row in await house.held() if row["workload_id"] != keys[1]]
    await house.write(lambda tx, now_ms: saves_record(tx, dict.fromkeys(saved, now_ms), now_ms))
    found = await house.database.read(lambda tx: snapshot(tx, house.now_ms))
    told = {hold.workload_id for hold in view_of(found).holds.values() if hold.request is not None}
    assert told == {keys[0]}
    (hold,) = [each for each in found.holds if each.workload_id == keys[0]]
    assert hold.request is not None
    assert hold.request.gpu_milli == 100


async def test_an_engine_pins_what_it_cannot_cut_as_work_asks(house: House) -> None:
    standing = cut_node(replace(IDLE, uuid="a"))
    device = replace(standing.devices[0], pinned=True)
    reported = replace(standing, devices=(device, *standing.devices[1:]))
    await house.write(lambda tx, now_ms: nodes.node_report(tx, ENGINE, [reported], now_ms))
    seen = await house.database.read(lambda tx: snapshot(tx, house.now_ms))
    (first, _) = seen.nodes[0].devices
    assert first.pinned
    assert [(each.profile, each.start) for each in first.instances] == [("1g.10gb", 0)]


async def test_what_a_share_takes_is_known_to_the_scheduler(house: House) -> None:
    picture = Picture()
    await house.database.read(lambda tx: picture.look(tx, house.now_ms))
    shared = cut_node()
    devices = (shared.devices[0], replace(shared.devices[1], share_milli=250))
    changed = await house.write(
        lambda tx, now_ms: nodes.node_report(tx, ENGINE, [replace(shared, devices=devices)], now_ms)
    )
    assert changed
    seen = await house.database.read(lambda tx: picture.look(tx, house.now_ms))
    assert [each.share_milli for each in seen.nodes[0].devices] == [0, 250]
