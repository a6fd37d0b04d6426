"""Random histories of giving and taking: nobody gets more than somebody gave who held it, nobody
takes what they do not hold, no token exceeds its owner, and somebody can always administer."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from podium.domain.errors import ConflictError, ForbiddenError, NotFoundError, UserError
from podium.domain.rights import BUILT_IN_ROLES, Action, Level, Rights, SubjectKind
from podium.domain.tenancy import Identity, Project, User, administrator_identity
from podium.intake import accounts, bindings, groups, projects, roles, tokens, users
from podium.intake.sessions import secret_hash
from podium.intake.sign_in import SignIn
from podium.store import projects as project_store
from podium.store import roles as role_store
from podium.store import tokens as token_store
from podium.store import users as user_store
from podium.store.database import Database, Transaction
from postgresql import PostgresqlServer
from turned_clock import TurnedClock
from unit.house import House

Result = TypeVar("Result")

PEOPLE = ("ada", "bob", "cleo", "dan")
ACCOUNTS = ("bot", "bus")
GROUPS = ("g0", "g1")
PLACES = (
    (Level.ORGANISATION, ""),
    (Level.TEAM, "red"),
    (Level.TEAM, "blue"),
    (Level.PROJECT, "red-1"),
    (Level.PROJECT, "red-2"),
    (Level.PROJECT, "blue-1"),
)
# Those that open the way to others; and some that do not.
DANGEROUS = (
    Action.BINDING_SET,
    Action.ROLE_SET,
    Action.USER_ADMINISTER,
    Action.ACCOUNT_MANAGE,
    Action.BINDING_READ,
    Action.USER_READ,
    Action.WORKLOAD_SUBMIT,
    Action.QUOTA_SET,
)
OWN_ROLES = {
    "people": frozenset({Action.USER_ADMINISTER, Action.USER_READ}),
    "giver": frozenset({Action.BINDING_SET, Action.BINDING_READ, Action.ACCOUNT_MANAGE}),
    "maker": frozenset({Action.ROLE_SET}),
}
ACTORS = st.integers(0, 99)
SUBJECTS = st.sampled_from([*PEOPLE, *ACCOUNTS])
ROLES = st.sampled_from([*BUILT_IN_ROLES, *OWN_ROLES])
WHERE = st.sampled_from(PLACES)
SOME = st.frozensets(st.sampled_from(DANGEROUS), min_size=1, max_size=4)
PROJECTS = st.sampled_from(["red-1", "red-2", "blue-1"])
NARROW = st.none() | st.frozensets(PROJECTS, min_size=1, max_size=2)


class Giving(RuleBasedStateMachine):
    """Everyone acts through tokens, some of them narrow, as requests do."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.database = Database(self.new_store(), clock=TurnedClock())
        self.wait(self.database.open())
        self.house = House(self.database, TurnedClock())
        self.office = self.house.office
        self.sign_in = SignIn(self.office)
        self.secrets: list[str] = []

    def new_store(self) -> str:
        raise NotImplementedError

    def drop_store(self) -> None:
        raise NotImplementedError

    def wait(self, awaitable: Awaitable[Result]) -> Result:
        async def of() -> Result:
            return await awaitable

        return self.loop.run_until_complete(of())

    @initialize(
        given_=st.lists(st.tuples(SUBJECTS, ROLES, WHERE), max_size=4),
        members=st.lists(st.tuples(st.sampled_from(GROUPS), st.sampled_from(PEOPLE)), max_size=3),
        own=SOME,
        narrow=SOME,
    )
    def furnish(
        self,
        given_: list[tuple[str, str, tuple[Level, str]]],
        members: list[tuple[str, str]],
        own: frozenset[Action],
        narrow: frozenset[Action],
    ) -> None:
        """Many who may do a part of what would make them administrators; from then on they are on
        their own."""
        root = administrator_identity("root")
        now_ms = self.database.now_ms()

        def fill(tx: Transaction) -> None:
            for team, name in (("red", "red-1"), ("red", "red-2"), ("blue", "blue-1")):
                project = Project(name=name, team=team, created_at_ms=now_ms)
                project_store.project_insert(tx, project)
            for name in ("root", *PEOPLE):
                user_store.user_insert(tx, User(username=name, created_at_ms=now_ms), "no-hash")

        self.wait(self.database.write(fill))
        self.tried(accounts.account_create(self.office, root, name="bot", project="red-1"))
        self.tried(accounts.account_create(self.office, root, name="bus", project=None))
        for name in GROUPS:
            self.tried(groups.group_create(self.office, root, name))
        for name, actions in OWN_ROLES.items():
            self.make_role(root, name, own | actions)
        organisation, red = PLACES[0], PLACES[1]
        for subject, role, place in (
            ("root", "administrator", organisation),
            ("ada", "people", organisation),
            ("bob", "giver", red),
            ("cleo", "giver", organisation),
            ("cleo", "maker", organisation),
            ("dan", "lead", (Level.PROJECT, "red-1")),
            ("bot", "people", (Level.PROJECT, "red-1")),
            *given_,
        ):
            self.give(root, subject, role, place)
        self.give(root, "g0", "operator", organisation, SubjectKind.GROUP)
        self.give(root, "g1", "lead", red, SubjectKind.GROUP)
        for group, person in members:
            self.tried(groups.group_member_add(self.office, self.sign_in, root, group, person))
        for person in ("root", *PEOPLE):
            for actions in (None, narrow):
                made = self.sign_in.make_token(
                    administrator_identity(person), "sign-in", 10, actions=actions
                )
                self.secrets.append(self.wait(made)[1])

    def tried(self, command: Awaitable[Result]) -> Result | None:
        """A refusal is an answer, too."""
        with contextlib.suppress(ForbiddenError, NotFoundError, ConflictError, UserError):
            return self.wait(command)
        return None

    def give(
        self,
        who: Identity,
        subject: str,
        role: str,
        place: tuple[Level, str],
        kind: SubjectKind = SubjectKind.USER,
    ) -> None:
        self.tried(
            bindings.binding_create(
                self.office,
                self.sign_in,
                who,
                subject_kind=kind,
                subject=subject,
                role=role,
                level=place[0],
                target=place[1],
            )
        )

    def make_role(self, who: Identity, name: str, actions: frozenset[Action]) -> None:
        self.tried(
            roles.role_put(
                self.office, self.sign_in, who, name=name, description="", actions=actions
            )
        )

    def rights(self) -> dict[str, Rights]:
        def read(tx: Transaction) -> dict[str, Rights]:
            return {
                name: role_store.rights_fetch(tx, name).rights
                for name in ("root", *PEOPLE, *ACCOUNTS)
            }

        return self.wait(self.database.read(read))

    def identity(self, number: int) -> Identity | None:
        """Who a request with one of the tokens comes from; None when it is not valid any more."""
        secret = self.secrets[number % len(self.secrets)]
        with contextlib.suppress(Exception):
            return self.wait(self.sign_in.identify(secret))
        return None

    @contextlib.contextmanager
    def watched(self, number: int, *, may_take: bool = False) -> Iterator[Identity]:
        """What changes for anyone in between must be the request's own to give and to take."""
        who = self.identity(number)
        if who is None:
            yield Identity(username="nobody", rights=Rights(), token_id="")
            return
        before = self.rights()
        yield who
        after = self.rights()
        for name in before:
            for place in PLACES:
                there = who.rights.at(*place)
                gained = after[name].at(*place) - before[name].at(*place)
                assert gained <= there, (who, "gave", name, sorted(gained - there), place)
                lost = before[name].at(*place) - after[name].at(*place)
                assert may_take or lost <= there, (who, "took", name, sorted(lost - there), place)

    @rule(number=ACTORS, subject=SUBJECTS, role=ROLES, place=WHERE)
    def bind(self, number: int, subject: str, role: str, place: tuple[Level, str]) -> None:
        with self.watched(number) as who:
            self.give(who, subject, role, place)

    @rule(number=ACTORS, group=st.sampled_from(GROUPS), role=ROLES, place=WHERE)
    def bind_group(self, number: int, group: str, role: str, place: tuple[Level, str]) -> None:
        with self.watched(number) as who:
            self.give(who, group, role, place, SubjectKind.GROUP)

    @rule(number=ACTORS, which=st.integers(0, 30))
    def unbind(self, number: int, which: int) -> None:
        known = self.wait(self.database.read(lambda tx: role_store.binding_list(tx, limit=99)))
        if known:
            chosen = known[which % len(known)].id
            with self.watched(number) as who:
                self.tried(bindings.binding_remove(self.office, self.sign_in, who, chosen))

    @rule(number=ACTORS, subject=SUBJECTS, role=st.none() | ROLES, project=PROJECTS)
    def member(self, number: int, subject: str, role: str | None, project: str) -> None:
        with self.watched(number) as who:
            if role is None:
                command = projects.member_remove(
                    self.office, self.sign_in, who, project=project, username=subject
                )
                self.tried(command)
            else:
                self.tried(
                    projects.member_set(
                        self.office,
                        self.sign_in,
                        who,
                        project=project,
                        username=subject,
                        role=role,
                    )
                )

    @rule(
        number=ACTORS,
        group=st.sampled_from(GROUPS),
        subject=SUBJECTS,
        command=st.sampled_from([groups.group_member_add, groups.group_member_remove]),
    )
    def in_group(self, number: int, group: str, subject: str, command: object) -> None:
        with self.watched(number) as who:
            assert callable(command)
            self.tried(command(self.office, self.sign_in, who, group, subject))

    @rule(number=ACTORS, group=st.sampled_from(GROUPS), make=st.booleans())
    def group(self, number: int, group: str, make: bool) -> None:
        with self.watched(number) as who:
            if make:
                self.tried(groups.group_create(self.office, who, group))
            else:
                self.tried(groups.group_delete(self.office, self.sign_in, who, group))

    @rule(number=ACTORS, name=st.sampled_from([*OWN_ROLES]), actions=st.none() | SOME)
    def role(self, number: int, name: str, actions: frozenset[Action] | None) -> None:
        with self.watched(number) as who:
            if actions is None:
                self.tried(roles.role_remove(self.office, self.sign_in, who, name))
            else:
                self.make_role(who, name, actions)

    @rule(
        number=ACTORS,
        subject=st.sampled_from(["root", *PEOPLE]),
        disabled=st.sampled_from([True, False]),
    )
    def disable(self, number: int, subject: str, disabled: bool) -> None:
        with self.watched(number) as who:
            self.tried(
                users.user_change(self.office, self.sign_in, who, subject, disabled=disabled)
            )

    @rule(number=ACTORS, subject=st.sampled_from(["root", *PEOPLE]))
    def become(self, number: int, subject: str) -> None:
        """Who knows a person's new password, or sets their address, is that person."""
        theirs = self.rights()[subject]
        with self.watched(number) as who:
            changed = users.user_change(
                self.office, self.sign_in, who, subject, email=f"{who.username}@example.com"
            )
            allowed = True
            try:
                self.wait(changed)
            except (ForbiddenError, NotFoundError, ConflictError):
                allowed = False
            assert not (allowed and who.rights.lacks(theirs)), (who, "became", subject)

    @rule(number=ACTORS, actions=st.none() | SOME, within=NARROW)
    def token(
        self, number: int, actions: frozenset[Action] | None, within: frozenset[str] | None
    ) -> None:
        if self.identity(number) is None:
            return
        with self.watched(number) as who:
            made = self.tried(
                tokens.token_create(
                    self.office,
                    self.sign_in,
                    who,
                    name="made",
                    expires_in_days=5,
                    actions=actions,
                    projects=within,
                )
            )
            self.keep(who, made)

    @rule(
        number=ACTORS,
        account=st.sampled_from(ACCOUNTS),
        actions=st.none() | SOME,
        within=NARROW,
    )
    def account_token(
        self,
        number: int,
        account: str,
        actions: frozenset[Action] | None,
        within: frozenset[str] | None,
    ) -> None:
        with self.watched(number) as who:
            made = self.tried(
                accounts.account_token_create(
                    self.office,
                    self.sign_in,
                    who,
                    account,
                    name="made",
                    expires_in_days=5,
                    actions=actions,
                    projects=within,
                )
            )
            self.keep(who, made)

    def keep(self, who: Identity, made: tuple[object, str] | None) -> None:
        if made is None:
            return
        self.secrets.append(made[1])
        new = self.identity(len(self.secrets) - 1)
        assert new is not None
        assert not who.rights.lacks(new.rights), (who, "made", new)

    @rule(number=ACTORS, account=st.sampled_from(ACCOUNTS), disabled=st.booleans())
    def switch(self, number: int, account: str, disabled: bool) -> None:
        with self.watched(number) as who:
            self.tried(
                accounts.account_change(self.office, self.sign_in, who, account, disabled=disabled)
            )

    @rule(number=ACTORS, account=st.sampled_from(ACCOUNTS))
    def delete(self, number: int, account: str) -> None:
        with self.watched(number, may_take=True) as who:
            self.tried(accounts.account_delete(self.office, self.sign_in, who, account))

    @invariant()
    def somebody_administers(self) -> None:
        if self.secrets:
            assert self.wait(self.database.read(role_store.administrators))

    @invariant()
    def tokens_have_no_more_than_their_owners(self) -> None:
        now_ms = self.database.now_ms()

        def check(tx: Transaction) -> None:
            for secret in self.secrets:
                who = token_store.identity_fetch(tx, secret_hash(secret), now_ms)
                if who is None:
                    continue
                held = role_store.rights_fetch(tx, who.username).rights
                token = token_store.token_find(tx, who.token_id)
                assert token is not None
                assert not held.lacks(who.rights)
                assert who.rights == held.limited(token.actions, token.projects)

        self.wait(self.database.read(check))

    def teardown(self) -> None:
        self.wait(self.database.close())
        self.loop.close()
        self.drop_store()


def run(machine: type[Giving], *, examples: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=60,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_on_sqlite(sqlite_template: Path) -> None:
    class OnSqlite(Giving):
        def new_store(self) -> str:
            self.folder = Path(tempfile.mkdtemp(prefix="podium-giving-"))
            shutil.copy(sqlite_template, self.folder / "podium.db")
            return f"sqlite:///{self.folder / 'podium.db'}"

        def drop_store(self) -> None:
            shutil.rmtree(self.folder)

    run(OnSqlite, examples=10)


@pytest.mark.postgresql
def test_on_postgresql(postgresql_server: PostgresqlServer) -> None:
    class OnPostgresql(Giving):
        def new_store(self) -> str:
            self.name = postgresql_server.create("podium")
            return postgresql_server.url(self.name)

        def drop_store(self) -> None:
            postgresql_server.drop(self.name)

    run(OnPostgresql, examples=2)
