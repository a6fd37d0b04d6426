"""Bookings of nodes: what is checked, who sees what, and what the scheduler is shown."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from podium.domain.booking import Reserved
from podium.domain.errors import ConflictError, ForbiddenError, NotFoundError, UserError
from podium.intake.bookings import booking_create, booking_remove
from podium.spec.views.booking import BookingRequest
from podium.store import bookings, tables
from podium.store.database import Database
from podium.store.snapshot import snapshot
from turned_clock import TurnedClock
from unit.house import ADMINISTRATOR, House, node, person

pytestmark = pytest.mark.anyio

HOUR_MS = 3_600_000


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    made = House(database, clock)
    await made.furnish(node("n1"), node("n2"), node("n3"))
    return made


async def book(house: House, **fields: Any) -> Reserved:
    plain: dict[str, Any] = {"nodes": ["n1"], "from_at": "1h", "until_at": "2h"}
    if "project" not in fields:
        plain["maintenance"] = True
    return await booking_create(house.office, ADMINISTRATOR, BookingRequest(**{**plain, **fields}))


async def test_the_scheduler_is_shown_what_is_not_over(house: House) -> None:
    now_ms = house.now_ms
    await book(house, name="firmware", nodes=["n2", "n1", "n2"])
    await book(house, name="paper", nodes=["n3"], project="vision", from_at="now", until_at="30m")
    found = await house.database.read(lambda tx: snapshot(tx, house.now_ms).bookings)
    assert [(each.name, each.nodes, each.project) for each in found] == [
        ("paper", ("n3",), "vision"),
        ("firmware", ("n1", "n2"), None),
    ]
    assert (found[1].from_ms, found[1].until_ms) == (now_ms + HOUR_MS, now_ms + 3 * HOUR_MS)
    house.clock.advance(HOUR_MS)
    found = await house.database.read(lambda tx: snapshot(tx, house.now_ms).bookings)
    assert [each.name for each in found] == ["firmware"]
    all_of_them = await house.database.read(
        lambda tx: bookings.booking_list(tx, house.now_ms, past=True)
    )
    assert len(all_of_them) == 2


async def test_a_booking_of_another_project_shows_only_where_and_when(house: House) -> None:
    await book(house, name="secret-paper", project="speech", note="do not tell")
    await book(house, name="firmware", nodes=["n2"], note="BIOS", from_at="2h")
    (hidden, open_one) = await house.database.read(
        lambda tx: bookings.booking_list(tx, house.now_ms, scope=person().scope)
    )
    assert (hidden.nodes, hidden.name, hidden.project, hidden.note) == (("n1",), "", "", "")
    assert hidden.created_by == ""
    assert (open_one.name, open_one.note) == ("firmware", "BIOS")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"nodes": ["n1", "n9"]}, "nodes.1"),
        ({"until_at": "2020-01-01T00:00:00Z"}, "until_at"),
        ({"until_at": "soon"}, "until_at"),
        ({"from_at": "2031-01-01 10:00"}, "from_at"),
        ({"from_at": "3649d", "until_at": "3649d"}, "until_at"),
        ({"name": "Not A Name"}, "name"),
        ({"maintenance": False}, "project"),
        ({"maintenance": True, "project": "vision"}, "project"),
    ],
)
async def test_wrong_values_name_their_field(
    house: House, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(UserError) as raised:
        await book(house, **fields)
    assert [fault.field for fault in raised.value.faults] == [field]


async def test_a_node_is_booked_once_at_a_time(house: House) -> None:
    await book(house, name="first", nodes=["n1", "n2"])
    with pytest.raises(ConflictError, match=r"Node n2 .* by first"):
        await book(house, nodes=["n3", "n2"], from_at="2h", until_at="5h")
    with pytest.raises(ConflictError, match="first already"):
        await book(house, name="first", nodes=["n3"])
    await book(house, name="after", nodes=["n2"], from_at="3h", until_at="1h")
    await booking_remove(house.office, ADMINISTRATOR, "first")
    await book(house, name="again", nodes=["n1"])
    with pytest.raises(NotFoundError, match="first"):
        await booking_remove(house.office, ADMINISTRATOR, "first")
    left = await house.rows(sa.select(tables.booking_nodes.c.booking).distinct())
    assert sorted(row["booking"] for row in left) == ["after", "again"]


async def test_only_administrators_book(house: House) -> None:
    request = BookingRequest(nodes=["n1"], from_at="now", until_at="1h", maintenance=True)
    with pytest.raises(ForbiddenError):
        await booking_create(house.office, person(), request)
    with pytest.raises(ForbiddenError):
        await booking_remove(house.office, person(), "any")
    with pytest.raises(NotFoundError, match="nowhere"):
        await book(house, project="nowhere")
