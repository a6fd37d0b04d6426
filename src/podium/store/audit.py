"""The audit trail: written in the same transaction as what it tells of. Append-only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from podium.store import tables
from podium.store.database import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who did what to which thing, and whether they were let."""

    actor: str
    action: str
    subject: str
    project: str | None = None
    outcome: str = "allowed"
    detail: dict[str, object] = field(default_factory=dict)


def audit_append(tx: Transaction, entries: Sequence[AuditEntry], now_ms: int) -> None:
    tx.execute(
        sa.insert(tables.audit),
        [
            {
                "at_ms": now_ms,
                "actor": each.actor,
                "action": each.action,
                "subject": each.subject,
                "project": each.project,
                "outcome": each.outcome,
                "detail": json.dumps(each.detail, sort_keys=True) if each.detail else "",
            }
            for each in entries
        ],
    )
