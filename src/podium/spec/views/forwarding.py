"""Documents about forwarding the audit trail."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field, SecretStr

from podium.domain.forwarding import ForwardKind
from podium.spec.views.base import View


class ForwardRequest(View):
    """Makes a receiver of the audit trail, or changes one, which goes on where it was."""

    address: str = Field(
        max_length=2000,
        description="udp://, tcp:// or tls://HOST:PORT for syslog; https://… for a webhook.",
        examples=["tls://siem.example.com:6514"],
    )
    secret: SecretStr | None = Field(
        None,
        max_length=1000,
        description="What batches for a webhook are signed with. Left out, it stays; an empty one "
        "is removed. It is never answered.",
    )
    ca: str | None = Field(
        None,
        max_length=200_000,
        description="Certificates (PEM) to trust in place of the server machine's own. Left out, "
        "they stay; an empty text removes them.",
    )
    from_start: bool = Field(
        False, description="Of a new one: send all of the trail, not only what comes from now on."
    )


class ForwardView(View):
    """A receiver of the audit trail, and how far it has got."""

    name: str
    kind: ForwardKind
    address: str
    signed: bool
    own_ca: bool
    created_at: datetime
    created_by: str
    sent_seq: int = Field(description="The last entry that it has.")
    sent_at: datetime | None
    behind: int = Field(description="How many entries it does not have yet.")
    behind_since: datetime | None = Field(description="When the first of those was written.")
    skipped: int = Field(description="Entries that retention removed before they could be sent.")
    failing_since: datetime | None
    fault: str = Field(description="What is wrong, in words; empty while all is well.")
    next_try_at: datetime | None = Field(
        None, description="Where sending fails: when it is tried again, if this server sends."
    )


class ForwardsView(View):
    items: list[ForwardView] = Field(description="By name; there are few.")


class ForwardTrialView(View):
    """What came of sending an entry that is none."""

    ok: bool
    took_ms: float
    fault: str
