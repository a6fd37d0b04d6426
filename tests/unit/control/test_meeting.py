"""A gang over nodes of two engines: one of them chooses where it meets, and the other waits."""

from __future__ import annotations

import pytest

from turned_clock import TurnedClock
from unit.control.fake_engine import FakeEngine
from unit.control.servers import Server
from unit.house import House, document, node

pytestmark = pytest.mark.anyio


async def test_others_wait_until_the_engine_of_the_first_rank_has_chosen(
    house: House, engine: FakeEngine, server: Server, clock: TurnedClock
) -> None:
    far = FakeEngine(clock, (node("m1", gpus=4, engine="far"),), name="far", ports=50_000)
    second = await Server.up(house, far, holder="server-2")
    gang = await house.submit(document("gang", resources={"gpus": 4}, replicas=3))
    await server.scheduler.step()
    held = {each["rank"]: each["node"] for each in await house.held(gang)}
    assert set(held.values()) == {"n1", "n2", "m1"}
    sides = [(server, engine, {"n1", "n2"}), (second, far, {"m1"})]
    if held[0] == "m1":
        sides.reverse()
    (meets, its_engine, _), (waits, other_engine, _) = sides
    alone = await house.submit(document("alone", resources={"cpus": 1}))
    await server.scheduler.step()

    await waits.launcher.step()
    started = {each.launch.workload_id for each in other_engine.processes.values()}
    assert started <= {alone}, "no replica of the gang starts before it is known where they meet"

    await meets.launcher.step()
    await waits.launcher.step()
    launches = [
        each.launch
        for one in (its_engine, other_engine)
        for each in one.processes.values()
        if each.launch.workload_id == gang
    ]
    assert sorted(each.rank for each in launches) == [0, 1, 2]
    (port,) = {dict(each.env)["MASTER_PORT"] for each in launches}
    assert int(port) == its_engine.ports
    assert alone in {
        each.launch.workload_id
        for one in (its_engine, other_engine)
        for each in one.processes.values()
    }
