"""Two who change who may do what in the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path

import pytest
import sqlalchemy as sa

from podium.domain.errors import ConflictError, NotFoundError
from podium.domain.rights import ADMINISTRATOR as ADMINISTRATOR_ROLE
from podium.domain.rights import Level, SubjectKind
from podium.domain.tenancy import administrator_identity
from podium.intake import archiving, bindings, groups, projects, users
from podium.intake.sign_in import SignIn
from podium.store import roles, tables
from podium.store.database import Database
from turned_clock import TurnedClock
from unit.house import ADMINISTRATOR, House, document

pytestmark = pytest.mark.anyio
ROUNDS = 6


@pytest.fixture
async def house(database: Database, clock: TurnedClock, tmp_path: Path) -> House:
    made = House(database, clock, tmp_path)
    await made.furnish()
    return made


@pytest.fixture
def sign_in(house: House) -> SignIn:
    return SignIn(house.office)


async def both(*tries: Awaitable[object]) -> list[type[BaseException]]:
    """What they ended with, but for those that were done."""
    done = await asyncio.gather(*tries, return_exceptions=True)
    return [type(each) for each in done if isinstance(each, BaseException)]


async def administrator(house: House, sign_in: SignIn, username: str) -> str:
    made = await bindings.binding_create(
        house.office,
        sign_in,
        ADMINISTRATOR,
        subject_kind=SubjectKind.USER,
        subject=username,
        role=ADMINISTRATOR_ROLE,
        level=Level.ORGANISATION,
        target="",
    )
    return made.id


async def told(house: House, action: str) -> int:
    table = tables.audit
    return len(await house.rows(sa.select(table.c.seq).where(table.c.action == action)))


async def test_two_administrators_take_each_others_role(house: House, sign_in: SignIn) -> None:
    ada, bob = administrator_identity("ada"), administrator_identity("bob")
    of_bob = await administrator(house, sign_in, "bob")
    for _ in range(ROUNDS):
        of_ada = await administrator(house, sign_in, "ada")
        of_bob = await administrator(house, sign_in, "bob")
        for root in await house.database.read(
            lambda tx: roles.binding_list(tx, limit=9, subject="root")
        ):
            await bindings.binding_remove(house.office, sign_in, ADMINISTRATOR, root.id)
        failed = await both(
            bindings.binding_remove(house.office, sign_in, ada, of_bob),
            bindings.binding_remove(house.office, sign_in, bob, of_ada),
        )
        assert failed == [ConflictError]
        left = await house.database.read(roles.administrators)
        assert len(left) == 1
        assert left < {"ada", "bob"}


async def test_two_administrators_disable_each_other(house: House, sign_in: SignIn) -> None:
    ada = administrator_identity("ada")
    await administrator(house, sign_in, "ada")
    failed = await both(
        users.user_change(house.office, sign_in, ada, "root", disabled=True),
        users.user_change(house.office, sign_in, ADMINISTRATOR, "ada", disabled=True),
    )
    assert failed == [ConflictError]
    assert len(await house.database.read(roles.administrators)) == 1


async def test_the_same_is_taken_twice_at_once(house: House, sign_in: SignIn) -> None:
    office = house.office
    await administrator(house, sign_in, "ada")
    before = await told(house, "binding:set")
    for _ in range(ROUNDS):
        given = await administrator(house, sign_in, "bob")
        failed = await both(
            *(bindings.binding_remove(office, sign_in, ADMINISTRATOR, given) for _ in range(3))
        )
        assert failed == [NotFoundError] * 2
        await groups.group_create(office, ADMINISTRATOR, "scientists")
        failed = await both(
            *(groups.group_delete(office, sign_in, ADMINISTRATOR, "scientists") for _ in range(3))
        )
        assert failed == [NotFoundError] * 2
    assert await told(house, "binding:set") == before + 2 * ROUNDS, "what was not done is not told"


async def test_work_and_the_end_of_its_project(house: House, sign_in: SignIn) -> None:
    """Either the work is first, and is in the way, or it is refused: none is left in an archived
    project, or counted for the team that the project left."""
    office = house.office
    for _ in range(ROUNDS):
        await both(
            house.submit(document()),
            archiving.project_archive(office, sign_in, ADMINISTRATOR, "vision"),
            house.submit(document()),
        )
        work, project = tables.workloads, tables.projects
        wrong = (
            sa.select(work.c.id)
            .join(project, project.c.name == work.c.project)
            .where(project.c.archived_at_ms.is_not(None), work.c.ended_at_ms.is_(None))
        )
        assert await house.rows(wrong) == []
        await archiving.project_archive(office, sign_in, ADMINISTRATOR, "vision", force=True)
        await archiving.project_restore(office, sign_in, ADMINISTRATOR, "vision")
    for turn in range(ROUNDS):
        team = ("product", "research")[turn % 2]
        failed = await both(
            house.submit(document()),
            projects.project_change(office, sign_in, ADMINISTRATOR, "vision", team=team),
            house.submit(document()),
        )
        assert failed == []
        elsewhere = sa.select(work.c.id).where(work.c.team != team, work.c.ended_at_ms.is_(None))
        assert await house.rows(elsewhere) == []
