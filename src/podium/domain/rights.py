"""What can be done, which role includes it, and what one person may do where.

Roles are data: six are built in, an organisation adds its own. A binding gives a role to a person
or a group for the organisation, a team or a project; `Rights` is what all bindings of one person
come to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Action(StrEnum):
    """What can be done, as `resource:verb`."""

    WORKLOAD_READ = "workload:read"
    WORKLOAD_SUBMIT = "workload:submit"
    WORKLOAD_CONTROL = "workload:control"  # cancel, change
    LOG_READ = "log:read"
    SECRET_READ = "secret:read"  # noqa: S105 - an action; names alone, never values
    SECRET_WRITE = "secret:write"  # noqa: S105 - an action, not a secret
    SECRET_ROTATE = "secret:rotate"  # noqa: S105 - an action, not a secret
    PROJECT_READ = "project:read"
    PROJECT_CREATE = "project:create"
    PROJECT_CHANGE = "project:change"  # its team and cost centre; teams, too
    PROJECT_ARCHIVE = "project:archive"  # and take it back; teams, too
    BINDING_READ = "binding:read"
    BINDING_SET = "binding:set"
    ROLE_SET = "role:set"
    ACCOUNT_MANAGE = "account:manage"  # service accounts and their tokens
    USER_READ = "user:read"
    USER_ADMINISTER = "user:administer"
    PROVIDER_SET = "provider:set"  # single sign-on and provisioning
    DIRECTORY_WRITE = "directory:write"  # what a directory does by SCIM
    USAGE_READ = "usage:read"
    NODE_READ = "node:read"
    NODE_CONTROL = "node:control"
    NODE_RELEASE = "node:release"
    CLUSTER_MANAGE = "cluster:manage"
    PRICE_SET = "price:set"
    QUOTA_SET = "quota:set"
    BUDGET_SET = "budget:set"  # of what stands below: nobody sets their own
    POLICY_SET = "policy:set"
    BOOKING_SET = "booking:set"
    POOL_SET = "pool:set"
    LAYOUT_SET = "layout:set"
    SCHEDULER_READ = "scheduler:read"  # its cycles, with the names of everyone's work
    CYCLE_EXPORT = "cycle:export"
    DATA_VIEW = "data:view"
    DATA_ADMINISTER = "data:administer"
    DATA_GRANT = "data:grant"
    AUDIT_READ = "audit:read"
    AUDIT_EXPORT = "audit:export"
    AUDIT_ADMINISTER = "audit:administer"  # retention and forwarding


SENTENCES: Mapping[Action, str] = MappingProxyType(
    {
        Action.WORKLOAD_READ: "See work: what it is, where it runs, and why it waits.",
        Action.WORKLOAD_SUBMIT: "Submit work, and upload code for it.",
        Action.WORKLOAD_CONTROL: "Cancel work and change it.",
        Action.LOG_READ: "Read what work writes to its log.",
        Action.SECRET_READ: "See which secrets there are; values are never shown.",
        Action.SECRET_WRITE: "Set and remove secrets.",
        Action.SECRET_ROTATE: "Renew the keys that all secrets are sealed with.",
        Action.PROJECT_READ: "Know of a project, its team and its members.",
        Action.PROJECT_CREATE: "Make projects and teams.",
        Action.PROJECT_CHANGE: "Change the cost centre of a project or team; move projects.",
        Action.PROJECT_ARCHIVE: "Archive projects and teams, and take them back.",
        Action.BINDING_READ: "See who has which role, and who can do what.",
        Action.BINDING_SET: "Give and take roles, up to what one holds oneself.",
        Action.ROLE_SET: "Make, change and remove roles of the organisation's own.",
        Action.ACCOUNT_MANAGE: "Manage service accounts and their tokens.",
        Action.USER_READ: "See people and groups.",
        Action.USER_ADMINISTER: "Add, change and disable people, and manage groups.",
        Action.PROVIDER_SET: "Set up single sign-on and provisioning.",
        Action.DIRECTORY_WRITE: "Keep people and groups as a directory says, by SCIM.",
        Action.USAGE_READ: "See what was used and what it cost.",
        Action.NODE_READ: "See nodes and GPUs, though not who works on them.",
        Action.NODE_CONTROL: "Cordon nodes and open them again.",
        Action.NODE_RELEASE: "Give up the work of a lost node.",
        Action.CLUSTER_MANAGE: "Add, change and remove clusters.",
        Action.PRICE_SET: "Set prices.",
        Action.QUOTA_SET: "Set guarantees, limits and weights.",
        Action.BUDGET_SET: "Set budgets; in a team, those of its projects.",
        Action.POLICY_SET: "Set defaults and limits for each kind of work.",
        Action.BOOKING_SET: "Book nodes for a time, and cancel bookings.",
        Action.POOL_SET: "Make pools of nodes, and say whose work may stand there.",
        Action.LAYOUT_SET: "Decide how GPUs are cut by MIG.",
        Action.SCHEDULER_READ: "See the scheduler's cycles, with the names of everyone's work.",
        Action.CYCLE_EXPORT: "Take a cycle's record away, to decide it again elsewhere.",
        Action.DATA_VIEW: "See the data sources that one's projects may use.",
        Action.DATA_ADMINISTER: "Make, change and remove data sources.",
        Action.DATA_GRANT: "Say who may use a data source, and see who did.",
        Action.AUDIT_READ: "Read the audit trail.",
        Action.AUDIT_EXPORT: "Take the audit trail away as a file.",
        Action.AUDIT_ADMINISTER: "Decide how long the audit trail is kept, and where it is sent.",
    }
)
"""Each action in a sentence, for people who give roles."""


class Level(StrEnum):
    """Where a role holds: everywhere, in the projects of one team, or in one project."""

    ORGANISATION = "organisation"
    TEAM = "team"
    PROJECT = "project"


class SubjectKind(StrEnum):
    """Who a binding is for. Service accounts are users."""

    USER = "user"
    GROUP = "group"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A named set of actions."""

    name: str
    description: str
    actions: frozenset[Action]
    built_in: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """Somebody is something somewhere. `target` names the team or project; it is empty for the
    organisation."""

    id: str
    subject_kind: SubjectKind
    subject: str
    role: str
    level: Level
    target: str
    created_at_ms: int
    created_by: str


ADMINISTRATOR = "administrator"
OPERATOR = "operator"
LEAD = "lead"
DEVELOPER = "developer"
VIEWER = "viewer"
AUDITOR = "auditor"
PROVISIONER = "provisioner"

GRANTED_WITH_ANY = frozenset({Action.PROJECT_READ, Action.NODE_READ})
"""What every role includes: to know of the project that it holds in, and to see the machines
(though not who works on them). Who has no role at all sees nothing."""

_VIEW = frozenset({Action.WORKLOAD_READ, Action.LOG_READ, Action.USAGE_READ, Action.DATA_VIEW})
_DEVELOP = _VIEW | {
    Action.WORKLOAD_SUBMIT,
    Action.WORKLOAD_CONTROL,
    Action.SECRET_READ,
    Action.SECRET_WRITE,
}
_LEAD = _DEVELOP | {
    Action.BUDGET_SET,
    Action.BINDING_READ,
    Action.BINDING_SET,
    Action.ACCOUNT_MANAGE,
    Action.AUDIT_READ,
    Action.DATA_ADMINISTER,
    Action.DATA_GRANT,
}
_OPERATE = frozenset(
    {
        Action.WORKLOAD_READ,
        Action.WORKLOAD_CONTROL,
        Action.LOG_READ,
        Action.USAGE_READ,
        Action.NODE_CONTROL,
        Action.NODE_RELEASE,
        Action.POLICY_SET,
        Action.BOOKING_SET,
        Action.POOL_SET,
        Action.LAYOUT_SET,
        Action.SCHEDULER_READ,
        Action.CYCLE_EXPORT,
    }
)
_AUDIT = frozenset(
    {
        Action.DATA_VIEW,
        Action.WORKLOAD_READ,
        Action.SECRET_READ,
        Action.BINDING_READ,
        Action.USER_READ,
        Action.USAGE_READ,
        Action.SCHEDULER_READ,
        Action.AUDIT_READ,
        Action.AUDIT_EXPORT,
    }
)


def _built_in(name: str, description: str, actions: Iterable[Action]) -> Role:
    return Role(
        name=name,
        description=description,
        actions=frozenset(actions) | GRANTED_WITH_ANY,
        built_in=True,
    )


BUILT_IN_ROLES: Mapping[str, Role] = MappingProxyType(
    {
        role.name: role
        for role in (
            _built_in(ADMINISTRATOR, "Everything.", Action),
            _built_in(
                OPERATOR,
                "Runs the cluster: nodes, GPUs, pools, bookings and the scheduler; sees and "
                "stops work, but neither people nor secrets.",
                _OPERATE,
            ),
            _built_in(
                LEAD,
                "Submits and controls work, and decides who is in the project or team.",
                _LEAD,
            ),
            _built_in(DEVELOPER, "Submits and controls work.", _DEVELOP),
            _built_in(VIEWER, "Sees work, its logs and its usage.", _VIEW),
            _built_in(
                AUDITOR,
                "Sees work, people, usage and the audit trail; changes nothing and reads no logs.",
                _AUDIT,
            ),
            _built_in(
                PROVISIONER,
                "Keeps people and groups as a directory says; for the account that it comes with.",
                {Action.DIRECTORY_WRITE},
            ),
        )
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What all bindings of one person come to. `projects` includes what team bindings give in the
    team's projects; what holds for the whole organisation is in `everywhere` alone."""

    everywhere: frozenset[Action] = frozenset()
    teams: Mapping[str, frozenset[Action]] = field(default_factory=dict)
    projects: Mapping[str, frozenset[Action]] = field(default_factory=dict)

    def allow(self, action: Action, *, project: str | None = None, team: str | None = None) -> bool:
        """Whether the action may be done in the project or team, or, with neither, everywhere."""
        if action in self.everywhere:
            return True
        if project is not None:
            return action in self.projects.get(project, ())
        return team is not None and action in self.teams.get(team, ())

    def at(self, level: Level, target: str) -> frozenset[Action]:
        """All that may be done there."""
        if level is Level.ORGANISATION:
            return self.everywhere
        held = self.teams if level is Level.TEAM else self.projects
        return self.everywhere | held.get(target, frozenset())

    def lacks(self, other: Rights) -> frozenset[Action]:
        """What `other` allows somewhere and these rights do not allow there."""
        found = other.everywhere - self.everywhere
        for name, held in other.teams.items():
            found |= held - self.at(Level.TEAM, name)
        for name, held in other.projects.items():
            found |= held - self.at(Level.PROJECT, name)
        return found

    def limited(self, actions: frozenset[Action] | None, projects: frozenset[str] | None) -> Rights:
        """These rights, for a token that was made for less: for some actions, for some projects.
        None leaves all of them."""

        def kept(held: frozenset[Action]) -> frozenset[Action]:
            return held if actions is None else held & (actions | GRANTED_WITH_ANY)

        if projects is None:
            return Rights(
                everywhere=kept(self.everywhere),
                teams={name: kept(held) for name, held in self.teams.items()},
                projects={name: kept(held) for name, held in self.projects.items()},
            )
        return Rights(
            projects={
                name: kept(held)
                for name in sorted(projects)
                if (held := self.at(Level.PROJECT, name))
            }
        )

    @property
    def any(self) -> bool:
        """Whether there is anything at all that this person may do."""
        return bool(self.everywhere or self.teams or self.projects)


def rights_of(
    bindings: Iterable[Binding], roles: Mapping[str, Role], projects_of: Mapping[str, Iterable[str]]
) -> Rights:
    """What the bindings come to. `projects_of` gives the projects of each team; a role that is
    not known (any more) gives nothing."""
    everywhere: set[Action] = set()
    teams: dict[str, set[Action]] = {}
    projects: dict[str, set[Action]] = {}
    for binding in bindings:
        role = roles.get(binding.role)
        if role is None:
            continue
        actions = role.actions | GRANTED_WITH_ANY
        if binding.level is Level.ORGANISATION:
            everywhere |= actions
        elif binding.level is Level.TEAM:
            teams.setdefault(binding.target, set()).update(actions)
            for project in projects_of.get(binding.target, ()):
                projects.setdefault(project, set()).update(actions)
        else:
            projects.setdefault(binding.target, set()).update(actions)
    return Rights(
        everywhere=frozenset(everywhere),
        teams={name: frozenset(actions) for name, actions in sorted(teams.items())},
        projects={name: frozenset(actions) for name, actions in sorted(projects.items())},
    )
