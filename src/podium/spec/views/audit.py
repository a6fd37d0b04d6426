"""The documents of the audit trail: entries, what is sealed, and what verifying has shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from podium.spec.views.base import View


class AuditEntryView(View):
    """Who did what, when, to which thing, from where, and whether they were let."""

    seq: int = Field(description="Its place in the chain.")
    at: datetime
    actor: str = Field(description="Empty where nobody was signed in.")
    action: str = Field(examples=["quota:set"])
    subject: str = Field(description="What it was done to.")
    project: str | None
    outcome: str = Field(description="`allowed` or `refused`.")
    detail: dict[str, Any] = Field(
        description="With `before` and `after` where something was changed, `times` where several "
        "of the same were merged."
    )
    source: str = Field(description="The address that the request came from; empty for Podium.")
    token_id: str = Field(description="The token that came with the request.")
    user_agent: str = Field(description="Its first 100 characters.")
    request_id: str = Field(description="What the answer had as X-Request-ID.")
    hash: str = Field(description="SHA-256 over the entry and the hash before it.")


class AuditActionsView(View):
    items: list[str] = Field(description="The actions that occur, in order of name.")


class AuditKeyView(View):
    """The public key that seals are verified with. Keep a copy elsewhere."""

    key_id: str
    algorithm: str = Field(examples=["Ed25519"])
    public_key: str = Field(description="In base 64.")


class AuditRemovalView(View):
    """What retention took from the beginning of the trail, signed."""

    first_seq: int
    last_seq: int
    entries: int
    at: datetime


class AuditStateView(View):
    """How far the trail is sealed, and what is wrong with it, if anything."""

    last_seq: int
    sealed_seq: int
    sealed_at: datetime | None
    alarm: str = Field(description="What the notary found to be changed; empty while nothing is.")
    kept_days: int = Field(description="Older entries are removed, with a signed record of it.")
    removal: AuditRemovalView | None
    key: AuditKeyView


class AuditFaultView(View):
    """Something that was done to the trail behind Podium's back."""

    kind: str = Field(
        description="`changed`, `missing`, `inserted`, `truncated`, `rewritten`, `unsigned` or "
        "`seal_removed`."
    )
    first_seq: int
    last_seq: int
    sentence: str


class AuditBreakView(View):
    """Where an administrator let the chain go on, and why."""

    seq: int
    at: datetime
    by: str
    reason: str
    first_seq: int = Field(description="In these entries something was wrong then; 0 for none.")
    last_seq: int


class AuditVerdictView(View):
    """What verifying has shown. `first_fault_seq` is the first entry that may be wrong."""

    ok: bool
    entries: int
    first_seq: int
    last_seq: int
    sealed_seq: int
    unsealed: int = Field(
        description="Entries after the last seal, for which only the chain speaks."
    )
    seals: int
    first_fault_seq: int | None
    fault_count: int
    faults: list[AuditFaultView] = Field(description="The first hundred.")
    excused: list[AuditFaultView] = Field(description="From before a declared break.")
    breaks: list[AuditBreakView]
    removal: AuditRemovalView | None
    key_ids: list[str] = Field(description="Whose seals counted.")
    took_ms: float


class AuditBreakRequest(View):
    """Let the chain go on in spite of what was found."""

    reason: str = Field(
        max_length=500, description="What happened.", examples=["Restored the backup of 3 May."]
    )
