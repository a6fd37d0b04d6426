"""Who there is and who owns what: people, groups, teams, projects, and the scope of a read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from podium.domain.rights import GRANTED_WITH_ANY, Action, Level, Rights


@dataclass(frozen=True, slots=True)
class Scope:
    """What a reader may see. `projects=None` is everything; only `Identity` and the control loops
    make one."""

    projects: frozenset[str] | None

    def admits(self, project: str) -> bool:
        return self.projects is None or project in self.projects


WHOLE = Scope(None)
"""The scope of the control loops, which serve everyone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A signed-in person or service account, and what they may do with the token that they came
    with. `roles` names one role for each project that is theirs, to be told in words. A `narrowed`
    token was made for less than its owner may do. Who `must_change_password` came with a one-time
    password, and does nothing else before."""

    username: str
    rights: Rights
    token_id: str
    roles: Mapping[str, str] = field(default_factory=dict)
    narrowed: bool = False
    must_change_password: bool = False

    @property
    def administrator(self) -> bool:
        return self.rights.everywhere.issuperset(Action)

    @property
    def scope(self) -> Scope:
        """The projects whose work this person may see."""
        return self.scope_of(Action.WORKLOAD_READ)

    @property
    def known(self) -> Scope:
        """The projects that this person may know of."""
        return self.scope_of(Action.PROJECT_READ)

    def scope_of(self, action: Action) -> Scope:
        """The projects in which this person may do `action`."""
        if action in self.rights.everywhere:
            return WHOLE
        return Scope(
            frozenset(name for name, held in self.rights.projects.items() if action in held)
        )

    def may(self, action: Action, project: str | None = None, *, team: str | None = None) -> bool:
        if action in GRANTED_WITH_ANY and project is None and team is None:
            return self.rights.any
        return self.rights.allow(action, project=project, team=team)

    def places(self, action: Action) -> list[tuple[Level, str]] | None:
        """The teams and projects in which this person may do `action`; None: everywhere."""
        if action in self.rights.everywhere:
            return None
        return [
            (level, name)
            for level, held in (
                (Level.TEAM, self.rights.teams),
                (Level.PROJECT, self.rights.projects),
            )
            for name, actions in held.items()
            if action in actions
        ]

    def may_at(self, action: Action, level: Level, target: str) -> bool:
        return action in self.rights.at(level, target)


def administrator_identity(username: str, token_id: str = "") -> Identity:
    """Somebody who may do everything, as the first start of a server and its tools need one."""
    return Identity(
        username=username,
        rights=Rights(everywhere=frozenset(Action)),
        token_id=token_id,
        roles={},
    )


class UserKind(StrEnum):
    PERSON = "person"
    SERVICE = "service"


class UserSource(StrEnum):
    """Who keeps the record of a person or a group."""

    LOCAL = "local"
    OIDC = "oidc"
    SCIM = "scim"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person, or a service account, which belongs to `project` or (None) to the organisation.
    Who is disabled cannot sign in; their work and their name stay."""

    username: str
    created_at_ms: int
    must_change_password: bool = False
    kind: UserKind = UserKind.PERSON
    source: UserSource = UserSource.LOCAL
    display_name: str = ""
    email: str = ""
    project: str | None = None
    disabled_at_ms: int | None = None
    last_sign_in_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """People who are bound to roles together."""

    name: str
    source: UserSource
    created_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """One that is archived has no projects but archived ones."""

    name: str
    created_at_ms: int
    cost_centre: str = ""
    archived_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """`cost_centre` is empty where the team's holds. One that is archived can be looked at; nothing
    in it changes any more. It is in its team since `moved_at_ms`, or since it was made."""

    name: str
    team: str
    created_at_ms: int
    cost_centre: str = ""
    moved_at_ms: int | None = None
    archived_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """One person's role in one project, bound to them by name."""

    project: str
    username: str
    role: str


class TokenKind(StrEnum):
    """A sign-in of the console, one of the command line, or a token for programs."""

    SESSION = "session"
    DEVICE = "device"
    TOKEN = "token"  # noqa: S105 - a kind, not a secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A credential's record; the secret itself is stored as a hash and shown once.

    It ends at `expires_at_ms`, and when it was not used for `idle_ms`. `actions` and `projects`
    narrow what its owner may do with it; None leaves all. `source` and `user_agent` are of the
    request that made it, `provider` is the one that a sign-in came through, if any. What was made
    with a token for programs, its `mother`, ends with that one.
    """

    id: str
    username: str
    name: str
    created_at_ms: int
    expires_at_ms: int | None
    last_used_at_ms: int | None
    kind: TokenKind = TokenKind.TOKEN
    idle_ms: int | None = None
    actions: frozenset[Action] | None = None
    projects: frozenset[str] | None = None
    created_by: str = ""
    source: str = ""
    user_agent: str = ""
    provider: str = ""
    mother: str | None = None
