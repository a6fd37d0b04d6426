"""Projects that move and are archived: what goes along, what ends, and what stays on record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from podium.domain.errors import ConflictError, ForbiddenError, NotFoundError, UserError
from podium.domain.quota import Quota, QuotaLevel
from podium.domain.rights import Action, Level, Rights, SubjectKind
from podium.domain.tenancy import Identity, Scope
from podium.intake import accounts, archiving, bindings, projects, secrets, teams
from podium.intake.quotas import quota_set
from podium.intake.sign_in import SignIn
from podium.store import picture as pictures
from podium.store import projects as store
from podium.store import roles, shares, tables
from podium.store.database import Database
from turned_clock import TurnedClock
from unit.house import ADMINISTRATOR, House, document, node, person

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(database: Database, clock: TurnedClock, tmp_path: Path) -> House:
    made = House(database, clock, tmp_path)
    await made.furnish(node())
    return made


@pytest.fixture
def sign_in(house: House) -> SignIn:
    return SignIn(house.office)


async def entries(house: House, action: str) -> list[dict[str, Any]]:
    table = tables.audit
    found = await house.rows(sa.select(table).where(table.c.action == action).order_by(table.c.seq))
    return [json.loads(row["detail"]) for row in found]


async def test_a_project_moves_with_its_work_and_leaves_its_past(
    house: House, sign_in: SignIn
) -> None:
    ended = await house.start(document("ended"))
    await house.end(await house.held_ids())
    runs = await house.start(document("runs"))
    picture = pictures.Picture()
    await house.write(picture.look)
    moved = await projects.project_change(
        house.office, sign_in, ADMINISTRATOR, "vision", team="product"
    )
    assert (moved.team, moved.moved_at_ms) == ("product", house.now_ms)
    await house.write(picture.look)
    assert picture.reads_of_all == 2
    table = tables.workloads
    of = {row["id"]: row["team"] for row in await house.rows(sa.select(table.c.id, table.c.team))}
    assert of == {ended: "research", runs: "product"}
    (told,) = await entries(house, "project:change")
    assert told["before"] == {"team": "research"}
    assert told["after"] == {"team": "product", "work": 1}
    tree = await house.database.read(shares.tree)
    assert "product/vision" in [each.name for each in tree]


async def test_a_move_gives_nobody_more_than_the_mover_holds(house: House, sign_in: SignIn) -> None:
    mover = Identity(
        username="ada",
        rights=Rights(
            teams={"product": frozenset({Action.PROJECT_CREATE})},
            projects={"vision": frozenset({Action.PROJECT_CHANGE, Action.PROJECT_READ})},
        ),
        token_id="t-1",
    )
    await bindings.binding_create(
        house.office,
        sign_in,
        ADMINISTRATOR,
        subject_kind=SubjectKind.USER,
        subject="bob",
        role="developer",
        level=Level.TEAM,
        target="product",
    )
    with pytest.raises(ForbiddenError, match="developer"):
        await projects.project_change(house.office, sign_in, mover, "vision", team="product")
    with pytest.raises(ForbiddenError, match="project:create"):
        await projects.project_change(house.office, sign_in, mover, "vision", team="other")
    with pytest.raises(NotFoundError):
        await projects.project_change(house.office, sign_in, ADMINISTRATOR, "vision", team="none")
    await projects.project_change(house.office, sign_in, ADMINISTRATOR, "vision", team="product")
    held = await house.database.read(lambda tx: roles.rights_fetch(tx, "bob"))
    assert Action.WORKLOAD_SUBMIT in held.rights.projects["vision"]


async def test_a_move_that_breaks_promises_is_refused(house: House, sign_in: SignIn) -> None:
    for level, name in ((QuotaLevel.TEAM, "product"), (QuotaLevel.PROJECT, "speech")):
        quota = Quota(level=level, name=name, weight=1, guarantees=(("A100", 2000),), limits=())
        await quota_set(house.office, ADMINISTRATOR, quota)
    for level, name in ((QuotaLevel.TEAM, "research"), (QuotaLevel.PROJECT, "vision")):
        quota = Quota(level=level, name=name, weight=1, guarantees=(("A100", 1000),), limits=())
        await quota_set(house.office, ADMINISTRATOR, quota)
    with pytest.raises(UserError, match="guarantee"):
        await projects.project_change(
            house.office, sign_in, ADMINISTRATOR, "vision", team="product"
        )
    kept = await house.database.read(lambda tx: store.project_fetch(tx, Scope(None), "vision"))
    assert (kept.team, kept.moved_at_ms) == ("research", None)


async def test_archiving_says_what_is_in_the_way_and_ends_it_when_forced(
    house: House, sign_in: SignIn
) -> None:
    office = house.office
    runs, waits = await house.start(document("runs")), await house.submit(document("waits"))
    await secrets.secret_set(office, ADMINISTRATOR, project="vision", name="KEY", value="v")
    await accounts.account_create(office, ADMINISTRATOR, name="bot", project="vision")
    _, secret = await accounts.account_token_create(
        office, sign_in, ADMINISTRATOR, "bot", name="x", expires_in_days=3
    )
    quota = Quota(level=QuotaLevel.PROJECT, name="vision", weight=3, guarantees=(), limits=())
    await quota_set(office, ADMINISTRATOR, quota)
    with pytest.raises(ForbiddenError):
        await archiving.project_archive(office, sign_in, person(), "vision")
    with pytest.raises(NotFoundError):
        await archiving.project_archive(office, sign_in, person(), "speech")
    with pytest.raises(ConflictError, match=r"2 workloads .* and 1 secret \(KEY\)"):
        await archiving.project_archive(office, sign_in, ADMINISTRATOR, "vision")
    assert await entries(house, "project:archive") == []
    assert (await sign_in.identify(secret)).username == "bot"
    living, ended = await archiving.project_archive(
        office, sign_in, ADMINISTRATOR, "vision", force=True
    )
    assert set(living.work) == {runs, waits}
    assert await house.states(runs, waits) == ["stopping", "cancelled"]
    assert (ended.accounts, ended.tokens) == (["bot"], 1)
    assert ended.bindings == [("ada", "lead")]
    with pytest.raises(Exception, match="Sign in"):
        await sign_in.identify(secret)
    (told,) = await entries(house, "project:archive")
    assert told["before"]["bindings"] == [["ada", "lead"]]
    assert told["before"]["quota"]["weight"] == 3
    assert told["after"] == {"archived": True}
    again = await archiving.project_archive(office, sign_in, ADMINISTRATOR, "vision")
    assert not again[0].any


async def test_nothing_new_comes_into_an_archived_one(house: House, sign_in: SignIn) -> None:
    office = house.office
    await accounts.account_create(office, ADMINISTRATOR, name="bot", project="vision")
    await archiving.project_archive(office, sign_in, ADMINISTRATOR, "vision")
    seen = await house.database.read(lambda tx: store.project_list(tx, Scope(None), limit=9))
    assert [each.name for each in seen] == ["speech"]
    hidden = await house.database.read(
        lambda tx: store.project_list(tx, Scope(None), limit=9, archived=True)
    )
    assert [each.name for each in hidden] == ["vision"]
    tries = [
        house.submit(document("late")),
        secrets.secret_set(office, ADMINISTRATOR, project="vision", name="KEY", value="v"),
        accounts.account_create(office, ADMINISTRATOR, name="bus", project="vision"),
        accounts.account_change(office, sign_in, ADMINISTRATOR, "bot", disabled=False),
        projects.project_change(office, sign_in, ADMINISTRATOR, "vision", cost_centre="cc"),
        projects.member_set(
            office, sign_in, ADMINISTRATOR, project="vision", username="ada", role="viewer"
        ),
        bindings.binding_create(
            office,
            sign_in,
            ADMINISTRATOR,
            subject_kind=SubjectKind.USER,
            subject="ada",
            role="viewer",
            level=Level.PROJECT,
            target="vision",
        ),
        projects.project_create(office, sign_in, ADMINISTRATOR, name="vision", team="product"),
    ]
    for each in tries:
        with pytest.raises(ConflictError, match="podium project restore vision"):
            await each
    quota = Quota(level=QuotaLevel.PROJECT, name="vision", weight=1, guarantees=(), limits=())
    with pytest.raises(NotFoundError):
        await quota_set(office, ADMINISTRATOR, quota)


async def test_teams_go_when_they_are_empty_and_come_back(house: House, sign_in: SignIn) -> None:
    office = house.office
    with pytest.raises(ConflictError, match="vision"):
        await archiving.team_archive(office, sign_in, ADMINISTRATOR, "research")
    await archiving.project_archive(office, sign_in, ADMINISTRATOR, "vision")
    await bindings.binding_create(
        office,
        sign_in,
        ADMINISTRATOR,
        subject_kind=SubjectKind.USER,
        subject="ada",
        role="viewer",
        level=Level.TEAM,
        target="research",
    )
    await archiving.team_archive(office, sign_in, ADMINISTRATOR, "research")
    held = await house.database.read(lambda tx: roles.rights_fetch(tx, "ada"))
    assert not held.rights.any
    tries = [
        archiving.project_restore(office, sign_in, ADMINISTRATOR, "vision"),
        projects.project_create(office, sign_in, ADMINISTRATOR, name="new", team="research"),
        projects.project_change(office, sign_in, ADMINISTRATOR, "speech", team="research"),
        teams.team_create(office, ADMINISTRATOR, name="research"),
        teams.team_change(office, ADMINISTRATOR, "research", cost_centre="cc"),
    ]
    for each in tries:
        with pytest.raises(ConflictError, match="podium team restore research"):
            await each
    await archiving.team_restore(office, sign_in, ADMINISTRATOR, "research")
    back = await archiving.project_restore(office, sign_in, ADMINISTRATOR, "vision")
    assert back.archived_at_ms is None
    assert await house.submit(document("again"))
    assert [each.get("level") for each in await entries(house, "project:archive")] == [
        None, "team", "team", None,
    ]  # fmt: skip
