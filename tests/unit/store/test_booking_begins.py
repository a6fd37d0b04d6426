"""Bookings that begin: what leaves, what stays, and who is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa

from podium.domain.booking import Reserved
from podium.domain.errors import NotFoundError
from podium.domain.reason import Cause
from podium.domain.tenancy import WHOLE, Scope
from podium.intake.bookings import booking_create, booking_remove
from podium.scheduling.plan import Plan
from podium.scheduling.waiting.clearing import clearing
from podium.spec.views.booking import BookingRequest
from podium.store import tables
from podium.store.booked_work import BookedWork, booked_work
from podium.store.bookings import booking_fetch
from podium.store.database import Database
from podium.store.plans import Committed
from podium.store.preemptions import GaveWay, preemption_list
from podium.store.snapshot import snapshot
from turned_clock import TurnedClock
from unit.house import ADMINISTRATOR, House, document, node
from unit.store.laws import Laws

pytestmark = pytest.mark.anyio

HOUR_MS = 3_600_000
VISION, SPEECH = Scope(frozenset({"vision"})), Scope(frozenset({"speech"}))


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> AsyncIterator[House]:
    made = House(database, clock)
    await made.furnish(node("n1", gpus=4), node("n2", gpus=4))
    yield made
    await database.read(Laws().check)


def gpus(name: str, count: int = 1, **fields: Any) -> dict[str, object]:
    return document(name, resources={"gpus": count}, **fields)


async def book(house: House, name: str = "firmware", **fields: Any) -> Reserved:
    plain: dict[str, Any] = {
        "name": name, "nodes": ["n1"], "from_at": "1h", "until_at": "2h",
        "maintenance": "project" not in fields,
    }  # fmt: skip
    return await booking_create(house.office, ADMINISTRATOR, BookingRequest(**{**plain, **fields}))


async def clear(house: House) -> Committed:
    now_ms = house.now_ms
    asked = await house.database.read(lambda tx: clearing(snapshot(tx, now_ms), now_ms))
    return await house.commit(Plan(preemptions=asked))


async def gave_way(house: House, scope: Scope) -> list[GaveWay]:
    return await house.database.read(lambda tx: preemption_list(tx, scope, limit=9))


async def standing(house: House, scope: Scope = WHOLE, name: str = "firmware") -> list[BookedWork]:
    return await house.database.read(
        lambda tx: booked_work(tx, scope, booking_fetch(tx, scope, name))
    )


async def full(house: House) -> tuple[str, str, str]:
    """A gang over both nodes, a service on the first, and an array in what is left of that."""
    made: tuple[str, str, str] = await house.start(
        gpus("gang", 3, replicas=2), gpus("service", kind="service"), gpus("tasks", array=1)
    )
    return made


async def test_what_may_gives_way_and_what_may_not_stays(house: House) -> None:
    gang, service, tasks = await full(house)
    await book(house, nodes=["n1", "n2"])
    assert (await clear(house)).preempted == 0, "it has not begun"
    house.clock.advance(HOUR_MS)
    told = await clear(house)
    assert (told.preempted, told.rejected) == (2, ())
    assert await house.states(gang, service, tasks) == ["stopping", "running", "stopping"]
    assert (await clear(house)).preempted == 0, "nobody is asked twice"
    message = (await house.workload(gang)).message
    assert message.startswith("It gives way, because its nodes n1, n2 are booked for maintenance")
    (seen,) = [each for each in await standing(house) if each.stays]
    assert (seen.workload_id, seen.ending) == (service, False)
    ids = [row["id"] for row in await house.held() if row["workload_id"] != service]
    await house.end(ids, Cause.CANCELLED, stop_seen=True)
    found = await house.workload(gang)
    assert (found.state, found.attempt, found.cause) == ("queued", 2, Cause.PREEMPTED)
    assert await house.states(tasks) == ["queued"]
    assert [each.name for each in await standing(house)] == ["service"]


async def test_a_booking_that_is_gone_takes_nothing(house: House) -> None:
    gang, _, _ = await full(house)
    await book(house, nodes=["n1", "n2"], from_at="now")
    now_ms = house.now_ms
    asked = await house.database.read(lambda tx: clearing(snapshot(tx, now_ms), now_ms))
    await booking_remove(house.office, ADMINISTRATOR, "firmware")
    told = await house.commit(Plan(preemptions=asked))
    assert told.preempted == 0
    assert {words for _, words in told.rejected} == {
        "the booking that it would give way to does not hold now"
    }
    assert await house.states(gang) == ["running"]


async def test_one_that_cannot_leave_any_more_keeps_nobody_else(house: House) -> None:
    gang, _, tasks = await full(house)
    await book(house, nodes=["n1", "n2"], from_at="now")
    now_ms = house.now_ms
    asked = await house.database.read(lambda tx: clearing(snapshot(tx, now_ms), now_ms))
    await house.end(await house.held_ids(tasks))
    told = await house.commit(Plan(preemptions=asked))
    assert told.preempted == 1
    assert [key for key, _ in told.rejected] == [tasks]
    assert await house.states(gang) == ["stopping"]


async def test_who_learns_for_which_booking(house: House) -> None:
    one = await house.start(gpus("one"))
    (held,) = await house.held(one)
    await book(house, "secret-paper", nodes=[held["node"]], project="speech", from_at="now")
    assert (await clear(house)).preempted == 1
    for scope, victim, booking in (
        (WHOLE, one, "secret-paper"), (VISION, one, ""), (SPEECH, None, "secret-paper"),
    ):  # fmt: skip
        (seen,) = await gave_way(house, scope)
        assert (seen.workload_id, seen.in_favour_of, seen.booking) == (victim, None, booking)
    told = await house.rows(sa.select(tables.events.c.message))
    assert not [row for row in told if "secret" in row["message"] or "speech" in row["message"]]
    assert "speech" not in (await gave_way(house, VISION))[0].justification
    await booking_remove(house.office, ADMINISTRATOR, "secret-paper")
    assert [each.booking for each in await gave_way(house, WHOLE)] == [""], "it is gone"
    assert await gave_way(house, SPEECH) == []


async def test_what_stands_there_is_listed(house: House) -> None:
    await house.start(
        gpus("gang", 3, replicas=2, max_runtime="3h"),
        document("theirs", project="speech", resources={"gpus": 1}),
    )
    (theirs,) = [row for row in await house.held() if row["project"] == "speech"]
    await book(house, nodes=[theirs["node"]])
    gang, other = sorted(await standing(house), key=lambda each: str(each.name))
    assert (gang.name, gang.replicas, gang.nodes) == ("gang", 1, (theirs["node"],))
    assert (gang.stays, gang.ending, gang.until_ms) == (False, False, house.now_ms + 3 * HOUR_MS)
    assert (other.name, other.project, other.until_ms) == ("theirs", "speech", None)
    hidden = [each for each in await standing(house, VISION) if each.workload_id is None]
    assert [(each.name, each.project, each.replicas) for each in hidden] == [(None, None, 1)]
    await booking_remove(house.office, ADMINISTRATOR, "firmware")
    await book(house, "paper", nodes=[theirs["node"]], project="speech")
    assert [each.name for each in await standing(house, name="paper")] == ["gang"]
    with pytest.raises(NotFoundError):
        await standing(house, VISION, "paper")
