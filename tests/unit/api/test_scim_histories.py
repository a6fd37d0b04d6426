"""Whatever a directory sends, what must hold holds: through the protocol, on the store."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scim2_models import SCIMException
from scim2_server.handler import ScimHandler
from scim2_server.requests import ScimRequest

from podium.api.problems import status_of
from podium.api.scim.models import provider
from podium.api.scim.service import DirectoryService
from podium.api.scim.storage import DirectoryStorage
from podium.domain.errors import PodiumError
from podium.domain.rights import Binding, Level, SubjectKind
from podium.domain.tenancy import Group, Token, User, UserSource
from podium.intake.provisioning import Provisioning
from podium.store import audit_trail, directory, roles, tables, tokens, user_groups, users
from podium.store.database import Database, Transaction
from turned_clock import TurnedClock
from unit.house import ADMINISTRATOR, House

pytestmark = pytest.mark.anyio

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SERVICE = DirectoryService(provider())
NAMES = ("Ada@example.com", "ada@example.com", "ada@other.org", "bob", "Örn", "admin")


@dataclass
class Desk:
    """A directory's connection; `ids` are those that it was told."""

    house: House
    users: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)

    async def ask(
        self, method: str, path: str, body: Any = None, **query: str
    ) -> tuple[int, dict[str, Any]]:
        """Status and body."""
        headers = {}
        if isinstance(body, dict) and "If-Match" in body:
            headers["If-Match"] = body.pop("If-Match")
        asked = ScimRequest(
            method, "https://podium/scim/v2", path, query, headers,
            b"" if body is None else json.dumps(body).encode(),
        )  # fmt: skip

        def run(tx: Transaction) -> tuple[int, dict[str, Any]]:
            provisioning = Provisioning(self.house.office, ADMINISTRATOR, tx)
            answer = ScimHandler(SERVICE, DirectoryStorage(tx, provisioning)).handle(asked)
            return int(answer.status), answer.body or {}

        try:
            return await self.house.database.write(run)
        except SCIMException as error:
            return error.status, {"scimType": error.scim_type, "detail": error.detail}
        except PodiumError as error:
            return status_of(error), {"detail": error.message}

    async def user(self, user_name: str, **fields: Any) -> str:
        status, body = await self.ask(
            "POST", "/Users", {"schemas": [USER], "userName": user_name, **fields}
        )
        assert status == 201, body
        self.users.append(body["id"])
        return str(body["id"])

    async def group(self, name: str, *members: str) -> str:
        body = {
            "schemas": [GROUP], "displayName": name,
            "members": [{"value": each} for each in members],
        }  # fmt: skip
        status, body = await self.ask("POST", "/Groups", body)
        assert status == 201, body
        self.groups.append(body["id"])
        return str(body["id"])

    async def patch(self, path: str, *operations: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return await self.ask("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)})

    async def account(self, user_id: str) -> User:
        def read(tx: Transaction) -> User:
            person = directory.user_find(tx, user_id)
            assert person is not None
            return users.user_fetch(tx, person.username)

        return await self.house.database.read(read)


@pytest.fixture
async def desk(database: Database, clock: TurnedClock) -> Desk:
    made = Desk(House(database, clock))
    admin = User(username="admin", created_at_ms=0)
    await database.write(lambda tx: users.user_insert(tx, admin, ""))
    await administer(made, SubjectKind.USER, "admin")
    return made


async def administer(desk: Desk, kind: SubjectKind, subject: str) -> None:
    """Make somebody an administrator, and nobody else."""
    binding = Binding(
        id=desk.house.office.ids.new("b"), subject_kind=kind, subject=subject,
        role="administrator", level=Level.ORGANISATION, target="", created_at_ms=0, created_by="",
    )  # fmt: skip

    def write(tx: Transaction) -> None:
        tx.execute(sa.delete(tables.bindings))
        roles.binding_insert(tx, binding)

    await desk.house.database.write(write)


async def test_a_person_gets_a_legal_name_of_their_own(desk: Desk) -> None:
    made = [await desk.account(await desk.user(name)) for name in NAMES if name != NAMES[1]]
    assert [each.username for each in made] == ["ada", "ada-2", "bob", "rn", "admin-2"]
    assert {each.source for each in made} == {UserSource.SCIM}


async def test_names_are_unique_whatever_their_case(desk: Desk) -> None:
    await desk.user("Ada@example.com")
    status, body = await desk.ask(
        "POST", "/Users", {"schemas": [USER], "userName": "ada@EXAMPLE.com"}
    )
    assert status == 409
    assert "already a user" in body["detail"]


async def test_who_is_disabled_loses_access_at_once(desk: Desk) -> None:
    user_id = await desk.user("ada@example.com")
    username = (await desk.account(user_id)).username
    token = Token(
        id="t-1", username=username, name="n", created_at_ms=0, expires_at_ms=None,
        last_used_at_ms=None,
    )  # fmt: skip
    await desk.house.database.write(lambda tx: tokens.token_insert(tx, token, "hash"))
    status, _ = await desk.patch(
        f"/Users/{user_id}", {"op": "Replace", "path": "active", "value": "False"}
    )
    assert status == 204
    assert await desk.house.database.read(lambda tx: tokens.token_list(tx, username, limit=9)) == []
    await desk.patch(f"/Users/{user_id}", {"op": "replace", "value": {"active": True}})
    assert (await desk.account(user_id)).disabled_at_ms is None
    assert await desk.house.database.read(lambda tx: tokens.token_list(tx, username, limit=9)) == []


@pytest.mark.parametrize("way", ["disable", "delete", "leave", "group", "empty"])
async def test_the_last_administrator_stays(desk: Desk, way: str) -> None:
    user_id = await desk.user("ada@example.com")
    group_id = await desk.group("Bosses", user_id)
    account = await desk.account(user_id)
    if way in ("disable", "delete"):
        await administer(desk, SubjectKind.USER, account.username)
    else:
        await administer(desk, SubjectKind.GROUP, "bosses")
    asked = {
        "disable": ("PATCH", f"/Users/{user_id}",
                    {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "active",
                                                         "value": False}]}),
        "delete": ("DELETE", f"/Users/{user_id}", None),
        "leave": ("PATCH", f"/Groups/{group_id}",
                  {"schemas": [PATCH], "Operations": [
                      {"op": "remove", "path": f'members[value eq "{user_id}"]'}]}),
        "group": ("DELETE", f"/Groups/{group_id}", None),
        "empty": ("PUT", f"/Groups/{group_id}", {"schemas": [GROUP], "displayName": "Bosses"}),
    }[way]  # fmt: skip
    status, body = await desk.ask(*asked)
    assert status == 409, body
    assert "administer" in body["detail"]
    assert await desk.house.database.read(roles.administrators) == {account.username}


async def test_a_directory_takes_over_nothing_that_was_there(desk: Desk) -> None:
    local = Group(name="bosses", source=UserSource.LOCAL, created_at_ms=0)
    await desk.house.database.write(lambda tx: user_groups.group_insert(tx, local))
    status, body = await desk.ask(
        "POST", "/Groups", {"schemas": [GROUP], "displayName": "Bosses", "members": []}
    )
    assert status == 409
    assert "already a group bosses" in body["detail"]
    assert (await desk.ask("GET", "/Users", filter='userName eq "admin"'))[1]["totalResults"] == 0


async def test_who_was_deleted_comes_back_without_rights(desk: Desk) -> None:
    user_id = await desk.user("ada@example.com", externalId="e-1")
    await desk.group("Bosses", user_id)
    await administer(desk, SubjectKind.USER, "admin")
    assert (await desk.ask("DELETE", f"/Users/{user_id}"))[0] == 204
    assert (await desk.ask("GET", f"/Users/{user_id}"))[0] == 404
    other = await desk.user("ada@example.com", externalId="e-2")
    assert (await desk.account(other)).username == "ada-2"
    await desk.ask("DELETE", f"/Users/{other}")
    again = await desk.user("ada@example.com", externalId="e-1")
    assert again == user_id
    assert (await desk.account(again)).username == "ada"
    held = await desk.house.database.read(lambda tx: roles.rights_fetch(tx, "ada"))
    assert not held.rights.any
    assert await desk.house.database.read(lambda tx: user_groups.groups_of(tx, "ada")) == {}


async def test_pages_hold_each_person_once(desk: Desk) -> None:
    made = [await desk.user(f"p{number}@example.com") for number in range(7)]
    seen: list[str] = []
    for start in (1, 4, 7, 10):
        _, body = await desk.ask("GET", "/Users", startIndex=str(start), count="3")
        assert body["totalResults"] == 7
        seen += [each["id"] for each in body["Resources"]]
    assert seen == made
    for query, count in (
        ('userName sw "p1"', 1),
        ('userName co "EXAMPLE" and not (userName eq "p3@example.com")', 6),
        ('userName eq "p1@example.com" or userName eq "p2@example.com"', 2),
        ('userName eq "P1@EXAMPLE.COM" and active eq true', 1),
        (f'id eq "{made[0]}" and userName eq "p1@example.com"', 0),
        ("externalId pr", 0),
    ):
        status, body = await desk.ask("GET", "/Users", filter=query, count="1")
        assert (status, body.get("totalResults")) == (200, count), (query, body)


async def test_a_change_of_an_older_version_is_refused(desk: Desk) -> None:
    user_id = await desk.user("ada@example.com")
    _, body = await desk.ask("GET", f"/Users/{user_id}")
    version = body["meta"]["version"]
    change = {"schemas": [USER], "userName": "ada@example.com", "displayName": "Ada"}
    assert (await desk.ask("PUT", f"/Users/{user_id}", {**change, "If-Match": version}))[0] == 200
    change["displayName"] = "Eve"
    assert (await desk.ask("PUT", f"/Users/{user_id}", {**change, "If-Match": version}))[0] == 412
    assert (await desk.account(user_id)).display_name == "Ada"


OPERATIONS = st.one_of(
    st.tuples(st.just("create"), st.sampled_from(NAMES), st.booleans()),
    st.tuples(st.just("rename"), st.integers(0, 3), st.sampled_from(NAMES)),
    st.tuples(st.just("active"), st.integers(0, 3), st.booleans()),
    st.tuples(st.just("delete"), st.integers(0, 3), st.none()),
    st.tuples(st.just("group"), st.sampled_from(["Bosses", "bosses", "Local", "ML–Team"]),
              st.lists(st.integers(0, 3), max_size=3)),
    st.tuples(st.just("join"), st.integers(0, 2), st.integers(0, 3)),
    st.tuples(st.just("leave"), st.integers(0, 2), st.integers(0, 3)),
    st.tuples(st.just("members"), st.integers(0, 2), st.lists(st.integers(0, 3), max_size=3)),
    st.tuples(st.just("dissolve"), st.integers(0, 2), st.none()),
    st.tuples(st.just("bind"), st.integers(0, 2), st.none()),
)  # fmt: skip


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(history=st.lists(OPERATIONS, min_size=1, max_size=14))
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_histories(desk: Desk, history: list[tuple[str, Any, Any]]) -> None:
    await empty(desk)
    for operation in history:
        await apply(desk, *operation)
        await assert_sound(desk)


async def empty(desk: Desk) -> None:
    def clear(tx: Transaction) -> None:
        for table in (tables.directory_users, tables.group_members, tables.groups,
                      tables.bindings):  # fmt: skip
            tx.execute(sa.delete(table))
        tx.execute(sa.delete(tables.tokens).where(tables.tokens.c.username != "admin"))
        tx.execute(sa.delete(tables.users).where(tables.users.c.username != "admin"))
        local = Group(name="local", source=UserSource.LOCAL, created_at_ms=0)
        user_groups.group_insert(tx, local)

    await desk.house.database.write(clear)
    await administer(desk, SubjectKind.USER, "admin")
    desk.users.clear()
    desk.groups.clear()


async def apply(desk: Desk, what: str, one: Any, other: Any) -> None:
    """One request; what fails changes nothing, which `assert_sound` sees."""

    def picked(ids: list[str], index: int) -> str:
        return ids[index % len(ids)] if ids else "u-none"

    status, body = 0, dict[str, Any]()
    if what == "create":
        status, body = await desk.ask(
            "POST", "/Users",
            {"schemas": [USER], "userName": one, "active": other, "externalId": one.lower()},
        )  # fmt: skip
        if status == 201:
            desk.users.append(body["id"])
    elif what == "rename":
        operation = {"op": "replace", "path": "userName", "value": other}
        status, body = await desk.patch(f"/Users/{picked(desk.users, one)}", operation)
    elif what == "active":
        operation = {"op": "Replace", "path": "active", "value": str(other)}
        status, body = await desk.patch(f"/Users/{picked(desk.users, one)}", operation)
    elif what == "delete":
        status, body = await desk.ask("DELETE", f"/Users/{picked(desk.users, one)}")
    elif what == "group":
        members = [{"value": picked(desk.users, each)} for each in other]
        status, body = await desk.ask(
            "POST", "/Groups", {"schemas": [GROUP], "displayName": one, "members": members}
        )
        if status == 201:
            desk.groups.append(body["id"])
    elif what in ("join", "leave"):
        member = picked(desk.users, other)
        operation = (
            {"op": "Add", "path": "members", "value": [{"value": member}]}
            if what == "join"
            else {"op": "Remove", "path": f'members[value eq "{member}"]'}
        )
        status, body = await desk.patch(f"/Groups/{picked(desk.groups, one)}", operation)
    elif what == "members":
        operation = {
            "op": "replace", "path": "members",
            "value": [{"value": picked(desk.users, each)} for each in other],
        }  # fmt: skip
        status, body = await desk.patch(f"/Groups/{picked(desk.groups, one)}", operation)
    elif what == "dissolve":
        status, body = await desk.ask("DELETE", f"/Groups/{picked(desk.groups, one)}")
    elif what == "bind" and desk.groups:
        found = await desk.house.database.read(
            lambda tx: directory.group_find(tx, picked(desk.groups, one))
        )
        if found is not None:
            await bind_if_held(desk, found.group)
    assert status < 500, (what, one, other, body)


async def bind_if_held(desk: Desk, group: str) -> None:
    """Make the members of a group the only administrators, where one of them can be."""
    before = await desk.house.database.read(
        lambda tx: tx.execute(sa.select(tables.bindings)).mappings().all()
    )
    await administer(desk, SubjectKind.GROUP, group)
    if not await desk.house.database.read(roles.administrators):

        def back(tx: Transaction) -> None:
            tx.execute(sa.delete(tables.bindings))
            tx.execute(sa.insert(tables.bindings), [dict(each) for each in before])

        await desk.house.database.write(back)


async def assert_sound(desk: Desk) -> None:
    def look(tx: Transaction) -> None:
        assert roles.administrators(tx), "somebody administers"
        kept = directory.user_list(tx, limit=1000)
        names = [directory.name_key(each.user_name) for each in kept]
        assert len(names) == len(set(names)), "names are unique"
        assert len({each.username for each in kept}) == len(kept)
        for person in kept:
            user = users.user_fetch(tx, person.username)
            assert user.source is UserSource.SCIM
            assert person.active == (user.disabled_at_ms is None)
        admin = users.user_fetch(tx, "admin")
        assert (admin.source, admin.disabled_at_ms) == (UserSource.LOCAL, None)
        gone = set(
            tx.scalars(
                sa.select(tables.directory_users.c.username).where(
                    tables.directory_users.c.deleted_at_ms.is_not(None)
                )
            )
        )
        for username in gone:
            assert users.user_fetch(tx, username).disabled_at_ms is not None
            assert not user_groups.groups_of(tx, username)
            assert not roles.rights_fetch(tx, username).rights.any
        groups = {each.group for each in directory.group_list(tx, limit=1000)}
        for row in tx.execute(sa.select(tables.group_members)):
            assert row.source == "scim"
            assert row.group in groups
            assert row.username in {each.username for each in kept}
        assert user_groups.group_fetch(tx, "local").source is UserSource.LOCAL
        assert not user_groups.group_members(tx, "local", limit=1)

    await desk.house.database.read(look)


async def test_each_change_is_told_with_before_and_after(desk: Desk) -> None:
    user_id = await desk.user("ada@example.com")
    await desk.patch(f"/Users/{user_id}", {"op": "replace", "path": "active", "value": False})
    await desk.patch(f"/Users/{user_id}", {"op": "replace", "path": "active", "value": False})
    links = await desk.house.database.read(lambda tx: audit_trail.entries_after(tx, 0, 1000))
    told = [json.loads(link[7]) for link in links if link[3] == "directory:write"]
    assert [each["operation"] for each in told] == ["user:create", "user:change"]
    assert told[1]["before"]["active"] is True
    assert told[1]["after"]["active"] is False
