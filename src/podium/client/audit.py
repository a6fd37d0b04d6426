"""The audit trail. Reached as `client.audit`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from podium.client import paging
from podium.client.transport import Parameter, Transport, path_of
from podium.spec.views.audit import (
    AuditActionsView,
    AuditBreakView,
    AuditEntryView,
    AuditKeyView,
    AuditStateView,
    AuditVerdictView,
)
from podium.spec.views.base import Page

VERIFY_SECONDS = 3600.0


class Audit:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(
        self,
        *,
        actor: str | None = None,
        action: str | None = None,
        subject: str | None = None,
        project: str | None = None,
        outcome: str | None = None,
        source: str | None = None,
        request_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        q: str | None = None,
        limit: int | None = None,
    ) -> Iterator[AuditEntryView]:
        """Entries that you may read, newest first. `action` ending in `:` is all of a resource."""
        params: dict[str, Parameter] = {
            "actor": actor,
            "action": action,
            "subject": subject,
            "project": project,
            "outcome": outcome,
            "source": source,
            "request_id": request_id,
            "since": _iso(since),
            "until": _iso(until),
            "q": q,
        }
        return paging.items(
            self._transport, Page[AuditEntryView], "/audit", params=params, limit=limit
        )

    def entry(self, seq: int) -> AuditEntryView:
        """One entry. Raises NotFoundError."""
        return self._transport.fetch(AuditEntryView, path_of("audit", str(seq)))

    def actions(self) -> Sequence[str]:
        """The actions that occur."""
        return self._transport.fetch(AuditActionsView, "/audit/actions").items

    def key(self) -> AuditKeyView:
        """The public key of the seals. Keep a copy elsewhere."""
        return self._transport.fetch(AuditKeyView, "/audit/key")

    def state(self) -> AuditStateView:
        """How far the trail is sealed, and whether something is wrong with it."""
        return self._transport.fetch(AuditStateView, "/audit/state")

    def verify(self) -> AuditVerdictView:
        """Have the server look at every entry. For a file: `podium.domain.audit_export`."""
        answer = self._transport.send(
            "POST", "/audit/verify", repeatable=True, timeout_seconds=VERIFY_SECONDS
        )
        return self._transport.parse(AuditVerdictView, answer)

    def declare_break(self, reason: str) -> AuditBreakView:
        """Let the chain go on in spite of what was found. Raises UserError for an empty reason."""
        answer = self._transport.send("POST", "/audit/break", body={"reason": reason})
        return self._transport.parse(AuditBreakView, answer)

    def export(
        self,
        path: Path,
        *,
        actor: str | None = None,
        action: str | None = None,
        subject: str | None = None,
        project: str | None = None,
        outcome: str | None = None,
        source: str | None = None,
        request_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        q: str | None = None,
    ) -> int:
        """Write the trail to a file, whole or not at all. Returns its size in bytes. With any
        filter but time it is an extract, which cannot be verified."""
        other = path.with_name(f"{path.name}.part")
        size_bytes = 0
        params: dict[str, Parameter] = {
            "actor": actor,
            "action": action,
            "subject": subject,
            "project": project,
            "outcome": outcome,
            "source": source,
            "request_id": request_id,
            "since": _iso(since),
            "until": _iso(until),
            "q": q,
        }
        try:
            with other.open("wb") as file:
                for chunk in self._transport.download("/audit/export", params=params):
                    file.write(chunk)
                    size_bytes += len(chunk)
            other.replace(path)
        except BaseException:
            other.unlink(missing_ok=True)
            raise
        return size_bytes


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
