"""Documents about secrets and their keys. None of them tells a value."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field, SecretStr

from podium.domain.lifecycle import WorkloadState
from podium.spec.views.base import View


class SecretRequest(View):
    """Sets a secret."""

    value: SecretStr = Field(max_length=65536)


class SecretUserView(View):
    """A workload that names a secret and has not ended."""

    id: str
    name: str
    state: WorkloadState
    owner: str


class SecretView(View):
    """A secret's name. Its value is never answered."""

    project: str
    name: str
    updated_at: datetime
    updated_by: str
    last_used_at: datetime | None = Field(
        None, description="When a workload got it last; null before the first."
    )
    locked: bool = Field(
        False, description="The server has not the key that opens it; work that asks for it fails."
    )
    used_by_count: int = Field(0, description="Workloads that name it and have not ended.")
    used_by: list[SecretUserView] = Field(
        [], description="The newest of them, at most 20; empty where you may not see work."
    )


class SealingKeyView(View):
    """A key that seals secrets, by an id that tells nothing of it."""

    id: str
    here: bool = Field(description="Whether this server has it.")
    seals: bool = Field(description="Whether it is the one that seals now.")
    secrets: int = Field(description="How many secrets it seals.")


class SealingKeysView(View):
    """The keys of this server, and what is left of a rotation."""

    keys: list[SealingKeyView]
    since: datetime | None = Field(description="Since when the key that seals does so.")
    set_by: str = Field(description="Who put it in; empty for Podium itself.")
    left: int = Field(description="Secrets that are yet to be sealed with it.")
    locked: int = Field(description="Secrets that no key of this server opens.")
    place: str = Field(description="Where the keys are.")
    writable: bool = Field(description="Whether a new key can be made there.")
