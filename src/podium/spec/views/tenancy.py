"""People, projects and tokens: what the API takes and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field, SecretStr

from podium.domain.identity import NAME_PATTERN
from podium.domain.rights import Action
from podium.domain.tenancy import TokenKind, UserKind, UserSource
from podium.spec.views.access import PathView
from podium.spec.views.base import View
from podium.spec.views.workload import UsageView


class LoginRequest(View):
    """Signs in with a password."""

    username: str = Field(max_length=63)
    password: SecretStr = Field(max_length=1024)
    token_name: str = Field("sign-in", max_length=100)
    kind: Literal["session", "device"] = Field(
        "session",
        description="A sign-in of the console, or one of a command line, which lasts longer.",
    )


class TicketRequest(View):
    """Signs in with the one-time ticket of a sign-in link."""

    ticket: SecretStr = Field(max_length=200)


class SessionView(View):
    """A sign-in. `token` goes into the `Authorization: Bearer` header; it is shown once."""

    token: str
    expires_at: datetime | None
    username: str
    must_change_password: bool


class IdentityView(View):
    """Who is signed in and what they are."""

    username: str
    display_name: str = ""
    kind: UserKind = UserKind.PERSON
    source: UserSource = UserSource.LOCAL
    administrator: bool = Field(description="May do everything, everywhere.")
    roles: dict[str, str] = Field(description="The name of a role, by project.")
    everywhere: list[Action] = Field([], description="What may be done in the whole organisation.")
    teams: dict[str, list[Action]] = Field(
        {}, description="What may be done in a team, beside that."
    )
    projects: dict[str, list[Action]] = Field(
        {}, description="What may be done in a project, beside that."
    )
    must_change_password: bool


class PasswordRequest(View):
    """Sets your own password."""

    current: SecretStr | None = Field(
        None, max_length=1024, description="May be left out in place of a one-time password."
    )
    new: SecretStr = Field(min_length=10, max_length=1024)


class UserRequest(View):
    """Makes a user."""

    username: str = Field(pattern=NAME_PATTERN)
    password: SecretStr | None = Field(
        None, max_length=1024, description="Left out, a one-time password is made and answered."
    )
    administrator: bool = False
    display_name: str = Field("", max_length=200)
    email: str = Field("", max_length=254)


class UserChangeRequest(View):
    """Changes a person; what is left out stays."""

    display_name: str | None = Field(None, max_length=200)
    email: str | None = Field(None, max_length=254)
    disabled: bool | None = Field(
        None, description="True ends all sign-ins and tokens, and lets nobody sign in again."
    )


class SignOutRequest(View):
    """Ends sign-ins."""

    tokens: bool = Field(False, description="End the person's tokens for programs, too.")


class SignedOutView(View):
    """How many sign-ins and tokens came to their end."""

    ended: int


class OneTimePasswordView(View):
    """A new password, told once; whoever signs in with it sets their own."""

    username: str
    one_time_password: str


class UserView(View):
    """A person who can sign in, unless they are disabled."""

    username: str
    display_name: str = ""
    email: str = ""
    source: UserSource = Field(
        UserSource.LOCAL, description="Who keeps the record: Podium, or a directory."
    )
    administrator: bool
    created_at: datetime
    disabled_at: datetime | None = None
    last_sign_in_at: datetime | None = None


class UserCreatedView(UserView):
    """A new user; the one-time password is told once."""

    one_time_password: str | None = None


class MembershipView(View):
    """A group that somebody is in."""

    name: str
    source: UserSource = Field(description="Who put them in.")


class UserDetailView(UserView):
    """One person, with all that they are in and have."""

    groups: list[MembershipView]
    paths: list[PathView] = Field(description="Their roles, by name and through groups.")
    sign_ins: int = Field(description="How many are open.")
    tokens: int = Field(description="How many tokens for programs they have.")


class AccountRequest(View):
    """Makes a service account."""

    name: str = Field(pattern=NAME_PATTERN, description="No person may have it.")
    project: str | None = Field(
        None,
        max_length=63,
        description="Where it belongs and gets all its roles; none for the organisation.",
    )
    display_name: str = Field("", max_length=200)


class AccountChangeRequest(View):
    """Changes a service account; what is left out stays."""

    display_name: str | None = Field(None, max_length=200)
    disabled: bool | None = Field(None, description="True: its tokens do nothing.")


class AccountView(View):
    """Who a program is."""

    name: str
    project: str | None = Field(description="None: it belongs to the organisation.")
    display_name: str
    created_at: datetime
    disabled_at: datetime | None
    tokens: int
    paths: list[PathView] = Field(description="Its roles.")


class AccountTokenRequest(View):
    """Makes a token of a service account."""

    name: str = Field(min_length=1, max_length=100)
    expires_in_days: int = Field(ge=1, le=366)
    actions: list[Action] | None = Field(
        None, min_length=1, description="Leave out for all that the account may do."
    )
    projects: list[str] | None = Field(
        None, min_length=1, max_length=1000, description="Leave out for all that it can reach."
    )


class TeamRequest(View):
    """Makes a team."""

    name: str = Field(pattern=NAME_PATTERN)
    cost_centre: str = Field("", max_length=63)


class CostCentreRequest(View):
    """Changes where a team is billed."""

    cost_centre: str = Field(max_length=63)


class ProjectChangeRequest(View):
    """Changes a project; what is left out stays."""

    cost_centre: str | None = Field(
        None, max_length=63, description="Where it is billed; empty for where its team is."
    )
    team: str | None = Field(
        None, max_length=63, description="Moves it, with its quota and the work that goes on."
    )


class TeamView(View):
    """Who owns projects."""

    name: str
    cost_centre: str
    created_at: datetime
    archived_at: datetime | None = None


class ProjectRequest(View):
    """Makes a project."""

    name: str = Field(pattern=NAME_PATTERN)
    team: str = Field(pattern=NAME_PATTERN)
    cost_centre: str = Field("", max_length=63)


class ProjectView(View):
    """A project and the team that owns it."""

    name: str
    team: str
    created_at: datetime
    cost_centre: str = Field("", description="Its own; empty where that of the team holds.")
    moved_at: datetime | None = Field(None, description="When it came into this team, if it moved.")
    archived_at: datetime | None = Field(None, description="Since then nothing in it changes.")


class ProjectArchivedView(View):
    """What came to its end with a project. Its record stays."""

    project: str
    cancelled: int = Field(description="Workloads that had not ended.")
    secrets: list[str]
    bookings: list[str]
    roles: int = Field(description="How many had been given in the project.")
    accounts: list[str] = Field(description="Service accounts that are disabled now.")
    tokens: int


class MemberRequest(View):
    """Gives a role."""

    role: str = Field(max_length=63)


class MemberView(View):
    """One person's role in a project."""

    project: str
    username: str
    role: str


class TokenRequest(View):
    """Makes a token."""

    name: str = Field(min_length=1, max_length=100)
    expires_in_days: int | None = Field(90, ge=1, le=3650)
    actions: list[Action] | None = Field(
        None, min_length=1, description="Leave out for all that you may do."
    )
    projects: list[str] | None = Field(
        None, min_length=1, max_length=1000, description="Leave out for all that you can reach."
    )


class TokenView(View):
    """A token's record, without its secret."""

    id: str
    name: str
    kind: TokenKind = TokenKind.TOKEN
    created_at: datetime
    created_by: str = ""
    expires_at: datetime | None
    last_used_at: datetime | None
    idle_hours: float | None = Field(None, description="It ends when it is not used for so long.")
    actions: list[Action] | None = Field(None, description="It may do no more than these.")
    projects: list[str] | None = Field(None, description="It reaches no other projects.")
    source: str = Field("", description="The address that it was made from.")
    user_agent: str = Field("", description="The program that made it, by its own word.")
    provider: str = Field("", description="The provider that a sign-in came through, if any.")
    made_with: str | None = Field(None, description="The token it was made with, and ends with.")
    current: bool = Field(False, description="The one that this request came with.")


class TokenCreatedView(TokenView):
    """A new token with its secret."""

    token: str = Field(description="Shown once; only its hash is kept.")


class ProjectUsageView(View):
    """What a project has used."""

    project: str
    team: str
    workloads: int
    usage: UsageView


class UploadView(View):
    """A stored source archive; name it in a spec as `source: {upload: SHA256}`."""

    sha256: str
    size_bytes: int
