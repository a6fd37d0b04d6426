"""Who owns what and who may do what: teams, projects, users, roles, and the scope of a read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What a person is in one project. Administrators are a property of the user."""

    LEAD = "lead"
    DEVELOPER = "developer"
    VIEWER = "viewer"


class Action(StrEnum):
    """What can be done, as `resource:verb`."""

    WORKLOAD_READ = "workload:read"
    WORKLOAD_SUBMIT = "workload:submit"
    WORKLOAD_CONTROL = "workload:control"  # cancel, change
    SECRET_WRITE = "secret:write"  # noqa: S105 - an action, not a secret
    PROJECT_READ = "project:read"
    PROJECT_MEMBERS = "project:members"
    PROJECT_CREATE = "project:create"
    USER_ADMINISTER = "user:administer"
    NODE_READ = "node:read"
    NODE_CONTROL = "node:control"
    NODE_RELEASE = "node:release"
    PRICE_SET = "price:set"
    QUOTA_SET = "quota:set"
    POLICY_SET = "policy:set"
    BOOKING_SET = "booking:set"
    POOL_SET = "pool:set"
    LAYOUT_SET = "layout:set"
    SCHEDULER_READ = "scheduler:read"  # its cycles, with the names of everyone's work
    CYCLE_EXPORT = "cycle:export"


ROLE_ACTIONS: Mapping[Role, frozenset[Action]] = MappingProxyType(
    {
        Role.VIEWER: frozenset({Action.WORKLOAD_READ, Action.PROJECT_READ}),
        Role.DEVELOPER: frozenset(
            {
                Action.WORKLOAD_READ,
                Action.WORKLOAD_SUBMIT,
                Action.WORKLOAD_CONTROL,
                Action.SECRET_WRITE,
                Action.PROJECT_READ,
            }
        ),
        Role.LEAD: frozenset(
            {
                Action.WORKLOAD_READ,
                Action.WORKLOAD_SUBMIT,
                Action.WORKLOAD_CONTROL,
                Action.SECRET_WRITE,
                Action.PROJECT_READ,
                Action.PROJECT_MEMBERS,
            }
        ),
    }
)

EVERYONE_ACTIONS = frozenset({Action.NODE_READ})
"""What every signed-in person may do: see the machines, though not who works on them."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a reader may see. `projects=None` is everything; only `Identity.scope` and the
    control loops make one."""

    projects: frozenset[str] | None

    def admits(self, project: str) -> bool:
        return self.projects is None or project in self.projects


WHOLE = Scope(None)
"""The scope of the control loops, which serve everyone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A signed-in person: name, whether they administer, and their role in each project."""

    username: str
    administrator: bool
    roles: Mapping[str, Role]
    token_id: str

    @property
    def scope(self) -> Scope:
        return WHOLE if self.administrator else Scope(frozenset(self.roles))

    def may(self, action: Action, project: str | None = None) -> bool:
        if self.administrator or action in EVERYONE_ACTIONS:
            return True
        role = self.roles.get(project) if project is not None else None
        return role is not None and action in ROLE_ACTIONS[role]


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    username: str
    administrator: bool
    created_at_ms: int
    must_change_password: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    name: str
    team: str
    created_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    project: str
    username: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A credential's record; the secret itself is stored as a hash and shown once."""

    id: str
    username: str
    name: str
    created_at_ms: int
    expires_at_ms: int | None
    last_used_at_ms: int | None
