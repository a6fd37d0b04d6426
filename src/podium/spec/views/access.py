"""Roles, bindings, groups, and who may do what: what the API takes and answers."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from podium.domain.identity import NAME_PATTERN
from podium.domain.rights import Action, Level, SubjectKind
from podium.domain.tenancy import UserKind, UserSource
from podium.spec.views.base import View


class KnownActionView(View):
    """Something that can be done."""

    action: Action
    resource: str = Field(description="What is before the colon.")
    about: str = Field(description="One sentence.")
    with_any_role: bool = Field(description="Every role includes it, where it holds.")


class ActionsView(View):
    """All that can be done."""

    items: list[KnownActionView]


class RoleRequest(View):
    """Makes a role, or changes it for everybody who has it."""

    description: str = Field("", max_length=300)
    actions: list[Action]


class RoleView(View):
    """A named set of actions."""

    name: str
    description: str
    actions: list[Action]
    built_in: bool = Field(description="It stays as it is.")
    bindings: int | None = Field(
        description="How often it is given; told to who may see all bindings."
    )


class RolesView(View):
    """All roles, built-in ones first."""

    items: list[RoleView]


class BindingRequest(View):
    """Gives a role to somebody somewhere."""

    subject_kind: SubjectKind = SubjectKind.USER
    subject: str = Field(max_length=63, description="A person, service account or group.")
    role: str = Field(max_length=63)
    level: Level
    target: str = Field(
        "", max_length=63, description="The team or project; empty for the organisation."
    )


class BindingView(View):
    """Somebody has a role somewhere."""

    id: str
    subject_kind: SubjectKind
    subject: str
    role: str
    level: Level
    target: str = Field(description="The team or project; empty for the organisation.")
    created_at: datetime
    created_by: str


class PathView(BindingView):
    """One way by which somebody may do something: a binding, and the group between."""

    group: str | None = Field(description="The group that the role is given to, if it is one.")


class FoundPersonView(View):
    """Somebody to give a role to."""

    username: str
    display_name: str


class FoundPeopleView(View):
    """The first that fit, by name."""

    items: list[FoundPersonView]


class AccessHolderView(View):
    """Somebody who may do what was asked about."""

    username: str
    kind: UserKind
    display_name: str
    paths: list[PathView] = Field(description="All ways by which they may.")


class UserAccessView(View):
    """What one person may do, and by which roles. Who may not see all of it sees what is about
    their own projects and teams."""

    username: str
    paths: list[PathView]
    everywhere: list[Action] = Field(description="What may be done in the whole organisation.")
    teams: dict[str, list[Action]] = Field(description="What may be done in a team, beside that.")
    projects: dict[str, list[Action]] = Field(
        description="What may be done in a project, beside that."
    )


class UserGroupRequest(View):
    """Makes a group."""

    name: str = Field(pattern=NAME_PATTERN)


class UserGroupView(View):
    """People who are given roles together."""

    name: str
    source: UserSource = Field(description="Who keeps it: Podium (`local`), or a directory.")
    members: int
    created_at: datetime


class GroupMemberView(View):
    """One person in a group."""

    group: str
    username: str
    display_name: str
    disabled: bool
    source: UserSource = Field(description="Who put them in, and alone takes them out.")
