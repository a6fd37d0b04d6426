"""Documents about provisioning by SCIM: what a directory keeps here, and its tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from podium.domain.identity import NAME_PATTERN
from podium.spec.views.base import View
from podium.spec.views.tenancy import TokenCreatedView


class DirectoryTokenView(View):
    """A token that a directory comes with."""

    id: str
    account: str
    created_at: datetime
    created_by: str = ""
    expires_at: datetime | None
    last_used_at: datetime | None


class DirectoryChangeView(View):
    """A person or a group that a directory keeps, or a person whom it deleted."""

    kind: Literal["person", "group"]
    name: str = Field(description="The account or the group here.")
    told_name: str = Field(description="What the directory calls it.")
    state: Literal["active", "disabled", "deleted"]
    changed_at: datetime


class DirectoryView(View):
    """What a directory keeps here by SCIM."""

    path: str = Field(description="Of the SCIM endpoint, behind the server's address.")
    address: str = Field("", description="The whole address of the SCIM endpoint.")
    users: int
    groups: int
    changed_at: datetime | None = Field(description="When it last changed something.")
    tokens: list[DirectoryTokenView] = Field(description="At most 100.")
    newest: list[DirectoryChangeView] = Field(
        default_factory=list, description="What it changed last, newest first; at most 20."
    )


class DirectoryTokenRequest(View):
    """Makes a token for a directory."""

    account: str = Field(
        "scim", pattern=NAME_PATTERN, description="The service account; made if it is missing."
    )
    expires_in_days: int = Field(365, ge=1, le=366)


class DirectoryTokenCreatedView(TokenCreatedView):
    """A new token with its secret, and where it is used."""

    account: str
    path: str
