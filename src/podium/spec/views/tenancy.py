"""People, projects and tokens: what the API takes and answers."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field, SecretStr

from podium.domain.identity import NAME_PATTERN
from podium.domain.tenancy import Role
from podium.spec.views.base import View
from podium.spec.views.workload import UsageView


class LoginRequest(View):
    """Signs in with a password."""

    username: str = Field(max_length=63)
    password: SecretStr = Field(max_length=1024)
    token_name: str = Field("sign-in", max_length=100)


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
    administrator: bool
    roles: dict[str, Role] = Field(description="Role by project.")
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


class UserView(View):
    """A person who can sign in."""

    username: str
    administrator: bool
    created_at: datetime


class UserCreatedView(UserView):
    """A new user; the one-time password is told once."""

    one_time_password: str | None = None


class ProjectRequest(View):
    """Makes a project."""

    name: str = Field(pattern=NAME_PATTERN)
    team: str = Field(pattern=NAME_PATTERN)


class ProjectView(View):
    """A project and the team that owns it."""

    name: str
    team: str
    created_at: datetime


class MemberRequest(View):
    """Gives a role."""

    role: Role


class MemberView(View):
    """One person's role in a project."""

    project: str
    username: str
    role: Role


class TokenRequest(View):
    """Makes a token."""

    name: str = Field(min_length=1, max_length=100)
    expires_in_days: int | None = Field(90, ge=1, le=3650)


class TokenView(View):
    """A token's record, without its secret."""

    id: str
    name: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class TokenCreatedView(TokenView):
    """A new token with its secret."""

    token: str = Field(description="Shown once; only its hash is kept.")


class SecretRequest(View):
    """Sets a secret."""

    value: SecretStr = Field(max_length=65536)


class SecretView(View):
    """A secret's name. Its value is never answered."""

    project: str
    name: str
    updated_at: datetime
    updated_by: str


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
