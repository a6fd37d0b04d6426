"""Rounds of measuring: at their times, by the leader, and never in the way of others."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from podium.control.measure import Measurer
from podium.store import samples, tables
from podium.store.samples import Capacity, DeviceLoad
from unit.control.fake_engine import FakeEngine
from unit.control.servers import Server
from unit.house import House, document

pytestmark = pytest.mark.anyio
USED = sa.select(tables.allocation_samples).order_by(tables.allocation_samples.c.at_ms)
CAPACITY = sa.select(tables.capacity_samples).order_by(tables.capacity_samples.c.at_ms)


async def test_rounds_are_at_whole_multiples(house: House, server: Server) -> None:
    await house.submit(document(resources={"gpus": 2}))
    await server.round()
    for _ in range(25):
        house.clock.advance(1000)
        await server.leadership.renew()
        await server.measurer.step()
    rows = await house.rows(USED)
    assert len(rows) in (2, 3)
    assert {row["at_ms"] % 10_000 for row in rows} == {0}
    assert rows[1]["at_ms"] - rows[0]["at_ms"] == 10_000
    assert (rows[0]["cpu_milli"], rows[0]["gpu_busy_milli"]) == (500, 1000)
    latest = await house.database.read(lambda tx: samples.device_latest(tx, house.now_ms))
    assert len(latest) == 8
    assert sorted(each.busy_milli or 0 for each in latest.values()) == [0] * 6 + [500] * 2
    plain = DeviceLoad(
        busy_milli=500, memory_bytes=None, power_milliwatts=None, temperature_celsius=None
    )
    assert plain in latest.values()
    house.clock.advance(120_000)
    assert not await house.database.read(lambda tx: samples.device_latest(tx, house.now_ms))


async def test_who_does_not_lead_writes_nothing(
    house: House, engine: FakeEngine, server: Server
) -> None:
    await house.submit(document(resources={"gpus": 1}))
    await server.round()
    second = await Server.up(house, engine, holder="server-2")
    second.machine.nodes = server.machine.nodes
    house.clock.advance(10_000)
    await second.measurer.step()
    assert not await house.rows(USED)
    await server.measurer.step()
    assert len(await house.rows(USED)) == 1


async def test_a_failure_costs_one_round(house: House, engine: FakeEngine, server: Server) -> None:
    await house.submit(document(resources={"gpus": 1}))
    await server.round()
    engine.unmeasured = RuntimeError("a sensor broke")
    house.clock.advance(10_000)
    with pytest.raises(RuntimeError):
        await server.measurer.step()
    await server.measurer.step()  # the loop tries again at once: not this round
    engine.unmeasured = None
    await server.measurer.step()
    assert not await house.rows(USED)
    await server.leadership.renew()
    house.clock.advance(10_000)
    await server.measurer.step()
    assert len(await house.rows(USED)) == 1


async def test_what_ended_meanwhile_is_passed_over(
    house: House, engine: FakeEngine, server: Server
) -> None:
    await house.submit(document(resources={"gpus": 1}))
    await server.round()
    (held,) = await house.held_ids()
    await house.end([held])
    house.clock.advance(10_000)
    await server.measurer.step()
    assert not await house.rows(USED)
    assert len(await house.rows(sa.select(tables.device_samples))) == 8
    engine.finish(held)
    await server.observer.step()


async def test_capacity_once_a_minute(house: House, server: Server) -> None:
    await house.submit(document("held", resources={"gpus": 3}))
    await server.round()
    await house.submit(document("waiting", replicas=3, resources={"gpus": 4}))
    await house.submit(document("later", resources={"gpus": 4}, depends_on=["waiting"]))
    await server.round()
    for _ in range(12):
        house.clock.advance(10_000)
        await server.leadership.renew()
        await server.inventory.step()
        await server.measurer.step()
    rows = await house.rows(CAPACITY)
    assert len(rows) == 2
    assert rows[1]["at_ms"] - rows[0]["at_ms"] == 60_000 == rows[0]["span_ms"]
    last = rows[1]
    assert (last["devices_milli"], last["held_milli"]) == (8000, 3000)
    assert (last["busy_milli"], last["wanted_milli"]) == (1500, 12_000)


async def test_what_is_stranded_is_noted_beside_it(house: House, server: Server) -> None:
    await house.submit(document("held", resources={"gpus": 3}))
    await house.submit(document("usual", replicas=3, resources={"gpus": 4}))
    for _ in range(3):
        await server.round()
    for _ in range(7):
        house.clock.advance(10_000)
        await server.leadership.renew()
        await server.inventory.step()
        await server.measurer.step()
    rows = await house.rows(sa.select(tables.fragmentation_samples))
    (row,) = rows
    assert (row["span_ms"], row["stock"]) == (60_000, "/A100")
    # Five are free: three of four requests ask for 4 together, one for 3 (and once more for 2).
    assert (row["free_milli"], row["split_milli"]) == (5000, 0)
    assert row["stranded_milli"] == round(5000 * (3 * 0.2 + 0.4) / 4)


async def test_capacity_without_anything_measured(house: House) -> None:
    found = await house.database.read(lambda tx: samples.capacity_now(tx, house.now_ms))
    assert found == Capacity(devices_milli=8000, held_milli=0, busy_milli=None, wanted_milli=0)


async def test_a_new_server_waits_for_the_next_round(house: House, server: Server) -> None:
    await house.submit(document(resources={"gpus": 1}))
    await server.round()
    fresh = Measurer(server.machine)
    await fresh.step()
    assert not await house.rows(USED)
