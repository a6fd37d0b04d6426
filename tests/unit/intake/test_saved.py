"""Saved views: one's own, replaced by name, and not without end."""

from __future__ import annotations

import pytest

from podium.domain.errors import ConflictError, NotFoundError, UserError
from podium.domain.tenancy import Identity
from podium.intake.saved import VIEWS_MAX, view_remove, view_save
from podium.store import saved
from podium.store.database import Database
from turned_clock import TurnedClock
from unit.house import House, node, person

pytestmark = pytest.mark.anyio

ADA, BOB = person("ada"), person("bob", project="speech")


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    made = House(database, clock)
    await made.furnish(node())
    return made


async def names(house: House, who: Identity, page: str | None = None) -> list[tuple[str, str]]:
    found = await house.database.read(lambda tx: saved.saved_list(tx, who.username, page))
    return [(each.page, each.name) for each in found]


async def test_each_person_has_their_own(house: House) -> None:
    for who, page, name in ((ADA, "workloads", "b"), (ADA, "nodes", "a"), (BOB, "nodes", "a")):
        await view_save(house.office, who, page=page, name=name, search="?state=failed")
    assert await names(house, ADA) == [("nodes", "a"), ("workloads", "b")]
    assert await names(house, ADA, "nodes") == [("nodes", "a")]
    house.clock.advance(5)
    again = await view_save(house.office, ADA, page="nodes", name="a", search="state=queued")
    (kept,) = await house.database.read(lambda tx: saved.saved_list(tx, "ada", "nodes"))
    assert kept == again
    assert (kept.search, kept.updated_at_ms) == ("state=queued", house.now_ms)
    await view_remove(house.office, ADA, page="nodes", name="a")
    assert await names(house, BOB) == [("nodes", "a")]
    with pytest.raises(NotFoundError):
        await view_remove(house.office, ADA, page="nodes", name="a")


async def test_a_hundred_and_no_more(house: House) -> None:
    for number in range(VIEWS_MAX):
        await view_save(house.office, ADA, page="nodes", name=f"{number}", search="")
    with pytest.raises(ConflictError, match="the limit"):
        await view_save(house.office, ADA, page="nodes", name="one more", search="")
    await view_save(house.office, ADA, page="nodes", name="7", search="x=1")
    await view_save(house.office, BOB, page="nodes", name="mine", search="")
    assert len(await names(house, ADA)) == VIEWS_MAX


@pytest.mark.parametrize(
    ("name", "search", "field"),
    [("a\0b", "", "name"), (" a", "", "name"), ("a", "x=\0", "search"), ("a", "\n", "search")],
)
async def test_what_cannot_be_kept(house: House, name: str, search: str, field: str) -> None:
    with pytest.raises(UserError) as raised:
        await view_save(house.office, ADA, page="nodes", name=name, search=search)
    assert raised.value.faults[0].field == field
