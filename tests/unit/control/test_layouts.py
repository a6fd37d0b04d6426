"""Wanted layouts from the wish to the machine: who gets work meanwhile, what is waited for."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa

from podium.control.layouts import Layouts
from podium.domain.errors import ConflictError, ForbiddenError, NotFoundError
from podium.domain.lifecycle import ReplicaState
from podium.domain.node import MigInstance, Node
from podium.engines.contract import LayoutAnswer, LayoutState
from podium.intake import layouts as intake
from podium.store import layouts, nodes, tables
from podium.store.allocations import saves_record
from podium.store.database import Transaction
from podium.store.layouts import WantedLayout
from unit.control.fake_engine import FakeEngine
from unit.control.servers import Server
from unit.house import ADMINISTRATOR, House, document, node, person

pytestmark = pytest.mark.anyio

GPU = "n1-gpu0"
SMALL = MigInstance("1g.10gb", 0, "MIG-1")
HALF = MigInstance("3g.40gb", 4, "MIG-2")
CHANGED = LayoutAnswer(LayoutState.CHANGED, "Make 3g.40gb at slice 4.")
WAITS = LayoutAnswer(
    LayoutState.WAITS, "Wait for the work in 1g.10gb at slice 0 to end.", (("1g.10gb", 0),)
)


def machine(*instances: MigInstance, board: str = "H100-80GB", **facts: object) -> Node:
    plain = node(gpus=1)
    gpu = replace(
        plain.devices[0], type="H100", model="H100", board=board, instances=instances, **facts
    )  # type: ignore[arg-type]
    return replace(plain, devices=(gpu,))


@pytest.fixture
def loop(server: Server) -> Layouts:
    return Layouts(server.machine)


async def cut(server: Server, engine: FakeEngine, *instances: MigInstance, **facts: object) -> None:
    engine.nodes = (machine(*instances, **facts),)  # type: ignore[arg-type]
    await server.inventory.step()


async def want(house: House, layout: str | None, *, keep: bool = True, move: bool = False) -> None:
    await intake.layout_set(house.office, ADMINISTRATOR, "n1", 0, layout, keep=keep, move=move)


async def wanted(house: House) -> WantedLayout | None:
    found = await house.database.read(lambda tx: layouts.layouts_fetch(tx, [GPU]))
    return found.get(GPU)


async def pinned(house: House) -> bool:
    def read(tx: Transaction) -> bool:
        return nodes.node_fetch(tx, "n1").devices[0].pinned

    return await house.database.read(read)


async def test_only_what_is_wanted_gets_work_meanwhile(
    house: House, engine: FakeEngine, server: Server, loop: Layouts
) -> None:
    await cut(server, engine, SMALL, HALF)
    await want(house, "3g.40gb@4,2g.20gb@0")
    small = await house.submit(document("small", resources={"mig": "1g.10gb"}))
    half = await house.submit(document("half", resources={"mig": "3g.40gb"}))
    await server.scheduler.step()
    assert await house.held(small) == [], "its instance is to go"
    assert len(await house.held(half)) == 1
    await loop.step()
    (order,) = engine.orders
    assert (order.gpu, order.wanted) == ("n1-gpu0", (("2g.20gb", 0), ("3g.40gb", 4)))
    assert (order.held, order.busy) == (frozenset({("3g.40gb", 4)}), False)


async def test_one_step_at_a_time_until_it_stands(
    house: House, engine: FakeEngine, server: Server, loop: Layouts
) -> None:
    await cut(server, engine)
    await want(house, "3g.40gb@4")
    engine.answers = [CHANGED, WAITS]
    assert await loop.step()
    found = await wanted(house)
    assert found is not None
    assert (found.message, found.stands_at_ms) == ("", None)
    assert not await loop.step()
    found = await wanted(house)
    assert found is not None
    assert found.message == WAITS.words
    engine.nodes = (machine(HALF),)
    assert not await loop.step()
    found = await wanted(house)
    assert found is not None
    assert (found.message, found.stands_at_ms) == ("", house.now_ms)
    assert len(engine.orders) == 3
    await loop.step()
    assert len(engine.orders) == 3, "the machine is not asked while the inventory agrees"
    await cut(server, engine)  # somebody ended it
    await loop.step()
    assert len(engine.orders) == 4


async def test_once_is_forgotten_and_pinned_is_kept_over_a_restart(
    house: House, engine: FakeEngine, server: Server, loop: Layouts
) -> None:
    await cut(server, engine)
    await want(house, "3g.40gb@4", keep=False)
    assert await pinned(house)
    await loop.step()
    assert await wanted(house) is None
    assert not await pinned(house)
    await want(house, "3g.40gb@4")
    engine.nodes = (node(gpus=0),)  # the driver is not there yet
    await server.inventory.step()
    await cut(server, engine, board="")
    assert not await pinned(house)
    await loop.step()
    assert await pinned(house)
    assert engine.orders[-1].wanted == (("3g.40gb", 4),)


async def test_a_newer_wish_is_not_answered_by_an_older_step(
    house: House, engine: FakeEngine, server: Server
) -> None:
    await cut(server, engine)
    await want(house, "3g.40gb@4", keep=False)
    older = await wanted(house)
    assert older is not None
    house.clock.advance(1)
    await want(house, "7g.80gb", keep=False)
    await house.write(
        lambda tx, now_ms: layouts.layout_answered(
            tx, older, stands=True, message="", now_ms=now_ms
        )
    )
    found = await wanted(house)
    assert found is not None
    assert found.instances == (("7g.80gb", 0),)


@pytest.mark.parametrize("saved", [False, True])
async def test_saved_work_moves_where_that_is_asked(
    house: House, engine: FakeEngine, server: Server, loop: Layouts, saved: bool
) -> None:
    await cut(server, engine, SMALL)
    workload = await house.submit(document(resources={"mig": "1g.10gb"}))
    await server.round()
    (held,) = await house.held(workload)
    if saved:
        await house.write(lambda tx, now_ms: saves_record(tx, {held["id"]: now_ms}, now_ms))
    await want(house, "3g.40gb@0", move=True)
    start = await house.database.read(
        lambda tx: tx.scalars(sa.select(tables.allocation_devices.c.mig_start)).one()
    )
    engine.answers = [replace(WAITS, blocked=(("1g.10gb", start),))]
    await loop.step()
    (held,) = await house.held(workload)
    assert held["state"] == (ReplicaState.STOPPING if saved else ReplicaState.RUNNING)
    if not saved:
        return
    await server.stopper.step()
    await server.observer.step()
    found = await house.workload(workload)
    assert (found.state, found.attempt) == ("queued", 2)
    told = await house.database.read(
        lambda tx: tx.scalars(sa.select(tables.preemptions.c.justification)).all()
    )
    assert told == ["the MIG layout of its GPU changes"]


async def test_the_mode_is_changed_by_the_loop_and_waited_for(
    house: House, engine: FakeEngine, server: Server, loop: Layouts
) -> None:
    await cut(server, engine, board="")

    async def turn(enabled: bool) -> None:
        change = intake.mode_set(house.office, ADMINISTRATOR, "n1", 0, enabled=enabled)
        task = asyncio.ensure_future(change)
        while not engine.modes and not task.done():
            await asyncio.sleep(0.001)
            await loop.step()
        await task
        engine.modes.clear()

    await turn(True)
    engine.mode_refusal = ConflictError("The GPU is in use. (NVML_ERROR_IN_USE)")
    with pytest.raises(ConflictError, match=r"not turned off on GPU 0 of n1: .*IN_USE"):
        await turn(False)
    engine.modes.clear()
    await want(house, "7g.80gb")
    with pytest.raises(ConflictError, match="Unpin it first"):
        await turn(False)
    await loop.step()
    assert engine.modes == [], "what was answered is not done again"


async def test_who_may_and_what_is_refused(
    house: House, engine: FakeEngine, server: Server
) -> None:
    await cut(server, engine, SMALL)
    office = house.office
    for who in (person(), person("bob")):
        with pytest.raises(ForbiddenError):
            await intake.layout_set(office, who, "n1", 0, None, keep=True, move=False)
        with pytest.raises(ForbiddenError):
            await intake.layout_unset(office, who, "n1", 0)
        with pytest.raises(ForbiddenError):
            await intake.mode_set(office, who, "n1", 0, enabled=False)
        with pytest.raises(ForbiddenError):
            await intake.pack_apply(office, who)
    with pytest.raises(NotFoundError, match="no GPU 7"):
        await intake.layout_set(office, ADMINISTRATOR, "n1", 7, None, keep=True, move=False)
    with pytest.raises(NotFoundError, match="No layout"):
        await intake.layout_unset(office, ADMINISTRATOR, "n1", 0)
    await want(house, None)
    found = await wanted(house)
    assert found is not None
    assert (found.instances, found.set_by) == ((("1g.10gb", 0),), "root")
    await intake.layout_unset(office, ADMINISTRATOR, "n1", 0)
    table = tables.audit
    told = await house.database.read(
        lambda tx: tx.execute(
            sa.select(table.c.actor, table.c.subject)
            .where(table.c.action == "layout:set")
            .order_by(table.c.seq)
        ).all()
    )
    assert [tuple(row) for row in told] == [("root", "n1/0")] * 2


async def test_drift_is_kept_with_its_time(
    house: House, engine: FakeEngine, server: Server
) -> None:
    await cut(server, engine, SMALL, drift="1g.10gb at slice 0 appeared", drift_at_ms=7)
    (device,) = (await house.database.read(lambda tx: nodes.node_fetch(tx, "n1"))).devices
    assert (device.drift, device.drift_at_ms) == ("1g.10gb at slice 0 appeared", 7)


async def test_packing_asks_saved_work_to_start_again(
    house: House, engine: FakeEngine, server: Server
) -> None:
    await cut(server, engine)
    plain = engine.nodes[0]
    two = tuple(replace(plain.devices[0], id=f"n1-gpu{at}", index=at) for at in (0, 1))
    engine.nodes = (replace(plain, devices=two),)
    await server.inventory.step()
    keys = [
        await house.submit(document(f"w{number}", resources={"mig": "3g.40gb"}))
        for number in range(4)
    ]
    await server.round()
    by_gpu = await house.database.read(
        lambda tx: tx.execute(
            sa.select(tables.allocations.c.workload_id, tables.allocation_devices.c.device_id).join(
                tables.allocation_devices,
                tables.allocation_devices.c.allocation_id == tables.allocations.c.id,
            )
        ).all()
    )
    left = {gpu: key for key, gpu in by_gpu}  # one of each GPU goes on
    for key in keys:
        if key not in left.values():
            engine.finish((await house.held(key))[0]["id"])
    await server.observer.step()
    held = [(await house.held(key))[0] for key in left.values()]
    assert (await intake.pack_apply(house.office, ADMINISTRATOR)).shifts == ()
    await house.write(lambda tx, now_ms: saves_record(tx, {held[0]["id"]: now_ms}, now_ms))
    house.clock.advance(86_400_000)
    await server.leadership.renew()
    dry = await house.database.read(lambda tx: intake.pack_plan(tx, house.now_ms, 8))
    packed = await intake.pack_apply(house.office, ADMINISTRATOR)
    assert packed == dry
    (shift,) = packed.shifts
    assert shift.workload_id == held[0]["workload_id"]
    assert ("H100-80GB", "7g.80gb", 0, 1) in packed.rooms
    (row,) = await house.held(shift.workload_id)
    assert row["state"] == ReplicaState.STOPPING
