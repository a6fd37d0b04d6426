"""Submitting and cancelling: all or nothing, once for each key, by whom it may be."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from podium.domain.errors import ConflictError, ForbiddenError, NotFoundError, UserError
from podium.domain.rights import VIEWER
from podium.intake.workloads import workload_cancel, workload_submit
from podium.store import tables
from podium.store.database import Database
from turned_clock import TurnedClock
from unit.house import House, document, node, person
from unit.store.laws import Laws

pytestmark = pytest.mark.anyio

ADA = person("ada")
BOB = person("bob", project="speech")


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> AsyncIterator[House]:
    made = House(database, clock)
    await made.furnish(node())
    yield made
    await database.read(Laws().check)


async def stored(house: House) -> int:
    return len(await house.rows(sa.select(tables.workloads)))


async def audited(house: House) -> list[tuple[str, str]]:
    rows = await house.rows(sa.select(tables.audit).order_by(tables.audit.c.seq))
    return [(row["actor"], row["action"]) for row in rows]


async def test_the_same_key_at_once_makes_one(house: House) -> None:
    found = await asyncio.gather(
        *(workload_submit(house.office, ADA, [document()], key="k") for _ in range(10))
    )
    assert len({each[0].id for each in found}) == 1
    assert sum(each[0].created for each in found) == 1
    assert await stored(house) == 1
    with pytest.raises(ConflictError):
        await workload_submit(house.office, ADA, [document("other")], key="k")
    (bobs,) = await workload_submit(
        house.office, BOB, [{**document(), "project": "speech"}], key="k"
    )
    assert bobs.created, "keys are one's own"


async def test_one_wrong_document_keeps_all_out(house: House) -> None:
    good = [document(f"job-{n}") for n in range(5)]
    with pytest.raises(UserError) as caught:
        await house.submit(*good, document("last", depends_on=["nothing"]), who=ADA)
    assert [fault.field for fault in caught.value.faults] == ["workloads.5.depends_on.0"]
    assert (await stored(house), await audited(house)) == (0, [])


async def test_other_projects_are_not_known_and_viewers_may_not(house: House) -> None:
    with pytest.raises(NotFoundError):
        await house.submit({**document(), "project": "speech"}, who=ADA)
    with pytest.raises(ForbiddenError):
        await house.submit(who=person("eve", VIEWER))
    workload = await house.submit(who=ADA)
    with pytest.raises(NotFoundError):
        await workload_cancel(house.office, BOB, workload)
    with pytest.raises(ForbiddenError):
        await workload_cancel(house.office, person("eve", VIEWER), workload)
    assert (await house.workload(workload)).state == "queued"


async def test_another_projects_work_cannot_be_depended_on(house: House) -> None:
    need = await house.submit(document("secret-plan"), who=ADA)
    for name in ("secret-plan", need):
        wanted = {**document("mine"), "project": "speech", "depends_on": [name]}
        with pytest.raises(UserError, match="has no workload"):
            await house.submit(wanted, who=BOB)


async def test_the_newest_of_a_name_is_meant(house: House) -> None:
    await house.start(document("train"))
    await house.end(await house.held_ids())
    after = await house.submit(document("after", depends_on=["train"]))
    newest = await house.submit(document("train"))
    last = await house.submit(document("last", depends_on=["train"]))
    rows = await house.rows(sa.select(tables.dependencies))
    needs = {row["workload_id"]: row["needs_id"] for row in rows}
    assert needs[last] == newest
    assert needs[after] != newest
    found = await house.rows(sa.select(tables.workloads).where(tables.workloads.c.id == after))
    assert found[0]["dependencies_open"] == 0


async def test_cancelling_a_chain_ends_it_and_once_only(house: House) -> None:
    chain = [document(f"job-{n}") for n in range(200)]
    for before, after in itertools.pairwise(chain):
        after["depends_on"] = [before["name"]]
    ids = await house.submit(*chain, who=ADA)
    for _ in range(2):
        found = await workload_cancel(house.office, ADA, ids[0], reason="Wrong data.")
    assert (found.state, found.message) == ("cancelled", "Cancelled by ada. Wrong data.")
    assert await house.states(*ids[1:]) == ["failed"] * 199
    assert (await audited(house)).count(("ada", "workload:control")) == 1


async def test_what_a_database_cannot_hold_is_the_senders_to_change(house: House) -> None:
    """SQLite holds a NUL character, PostgreSQL does not."""
    workload = await house.submit(who=ADA)
    cancel = workload_cancel(house.office, ADA, workload, reason="a\0b")
    if house.database.dialect == "postgresql":
        with pytest.raises(UserError, match="NUL"):
            await cancel
        assert await house.states(workload) == ["queued"]
    else:
        assert (await cancel).message == "Cancelled by ada. a\0b"
