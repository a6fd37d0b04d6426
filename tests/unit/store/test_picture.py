"""The scheduler's picture: carried on while little changes, read anew when it has to be."""

from __future__ import annotations

import pytest

from podium.domain.policies import SCHEDULING, Override, PolicyLevel
from podium.domain.policy import Order
from podium.intake.bookings import booking_create, booking_remove
from podium.scheduling.snapshot import Snapshot
from podium.scheduling.view import view_of
from podium.spec.views.booking import BookingRequest
from podium.store import nodes, policies
from podium.store.database import Database
from podium.store.picture import ANEW_MS, Picture
from turned_clock import TurnedClock
from unit.house import ADMINISTRATOR, ENGINE, House, document, node

pytestmark = pytest.mark.anyio


class Watched:
    """A house and the picture of it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.picture = Picture()

    async def look(self) -> Snapshot:
        now_ms = self.house.now_ms
        return await self.house.database.read(lambda tx: self.picture.look(tx, now_ms))

    @property
    def reads_of_all(self) -> int:
        return self.picture.reads_of_all


@pytest.fixture
async def watched(database: Database, clock: TurnedClock) -> Watched:
    house = House(database, clock)
    await house.furnish(node("n1", gpus=4), node("n2", gpus=4))
    return Watched(house)


async def test_what_is_unchanged_is_the_same_object(watched: Watched) -> None:
    await watched.house.submit(document("one"), document("two"))
    first = await watched.look()
    await watched.house.submit(document("three"))
    second = await watched.look()
    assert watched.reads_of_all == 1
    assert second.demands[0] is first.demands[0]
    assert len(second.demands) == 3
    assert second.demands[2].request is first.demands[0].request
    assert view_of(second) is view_of(second)
    assert (await watched.look()).demands == second.demands


async def test_what_depends_on_something_waits_no_longer(watched: Watched) -> None:
    house = watched.house
    await house.start(document("first"))
    second = await house.submit(document("second", depends_on=["first"]))
    assert (await watched.look()).demands[0].blocked is not None
    await house.end(await house.held_ids())
    (demand,) = (await watched.look()).demands
    assert (demand.workload_id, demand.blocked) == (second, None)
    assert watched.reads_of_all == 1


async def test_time_alone_opens_a_start(watched: Watched) -> None:
    await watched.house.submit(document("later", start={"not_before": "10s"}))
    assert (await watched.look()).demands[0].blocked is not None
    watched.house.clock.advance(9_999)
    assert (await watched.look()).demands[0].blocked is not None
    watched.house.clock.advance(1)
    assert (await watched.look()).demands[0].blocked is None
    assert watched.reads_of_all == 1


async def test_other_nodes_policies_and_projects_are_seen_at_once(watched: Watched) -> None:
    house = watched.house
    await watched.look()
    await house.write(lambda tx, _: nodes.node_cordon(tx, "n1", cordoned=True))
    assert (await watched.look()).nodes[0].state == "cordoned"
    seen = (node("n1", gpus=4), node("n2", gpus=3))
    await house.write(lambda tx, now_ms: nodes.node_report(tx, ENGINE, seen, now_ms))
    assert [len(each.devices) for each in (await watched.look()).nodes] == [4, 3]
    order = Override(
        level=PolicyLevel.CLUSTER, part=SCHEDULING, field="order", value=Order.FIFO.value
    )
    await house.write(lambda tx, now_ms: policies.override_set(tx, order, now_ms, "root"))
    assert (await watched.look()).policy.order is Order.FIFO
    assert watched.reads_of_all == 4


async def test_reports_alone_change_nothing(watched: Watched) -> None:
    await watched.look()
    seen = (node("n1", gpus=4), node("n2", gpus=4))
    for _ in range(3):
        watched.house.clock.advance(5_000)
        await watched.house.write(lambda tx, now_ms: nodes.node_report(tx, ENGINE, seen, now_ms))
        await watched.look()
    assert watched.reads_of_all == 1


async def test_bookings_come_and_go(watched: Watched) -> None:
    house = watched.house
    await watched.look()
    request = BookingRequest(name="b", nodes=["n1"], from_at="1h", until_at="1h", maintenance=True)
    await booking_create(house.office, ADMINISTRATOR, request)
    assert [each.name for each in (await watched.look()).bookings] == ["b"]
    await booking_remove(house.office, ADMINISTRATOR, "b")
    assert (await watched.look()).bookings == ()


async def test_everything_is_read_again_now_and_then(watched: Watched) -> None:
    await watched.look()
    watched.house.clock.advance(ANEW_MS)
    await watched.look()
    assert watched.reads_of_all == 2
    watched.picture.forget()
    await watched.look()
    assert watched.reads_of_all == 3
