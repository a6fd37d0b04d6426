"""Where nodes are in several clusters, work whose members have to meet is bound to one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from podium.domain.resources import ANYWHERE, Topology, TopologyLevel
from podium.store.database import Database
from podium.store.nodes import node_report
from podium.store.picture import Picture
from podium.store.snapshot import snapshot
from turned_clock import TurnedClock
from unit.house import ENGINE, House, document, node

pytestmark = pytest.mark.anyio

ONE_CLUSTER = Topology(TopologyLevel.CLUSTER)


@pytest.mark.parametrize("carried", [False, True])
async def test_a_gang_is_bound_to_one_cluster_as_soon_as_there_are_two(
    database: Database, clock: TurnedClock, *, carried: bool
) -> None:
    house, picture = House(database, clock), Picture()
    first = node("here", gpus=1)
    await house.furnish(first)
    await house.submit(document("gang", replicas=4, resources={"gpus": 1}))
    await house.submit(document("rack", replicas=4, topology={"within": "rack"}))
    await house.submit(document("array", array=4, resources={"gpus": 1}))
    await house.submit(document("one", resources={"gpus": 4}))

    async def bound() -> list[Topology]:
        look = picture.look if carried else snapshot
        found = await database.read(lambda tx: look(tx, house.now_ms))
        return [each.topology for each in found.demands]

    rack = Topology(TopologyLevel.RACK)
    assert await bound() == [ANYWHERE, rack, ANYWHERE, ANYWHERE]
    there = replace(node("there", gpus=1), labels=(("cluster", "munich"),))
    machines = [first, there]
    await house.write(lambda tx, now_ms: node_report(tx, ENGINE, machines, now_ms))
    assert await bound() == [ONE_CLUSTER, rack, ANYWHERE, ANYWHERE]
    await house.submit(document("later", replicas=2))
    assert (await bound())[4:] == [ONE_CLUSTER]
