"""What the audit trail has about data: for the compliance report, and for who used a source."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from podium.domain.audit import Link
from podium.store import tables
from podium.store.audit_trail import start
from podium.store.database import Transaction

_LINK = tuple(
    tables.audit.c[name]
    for name in (
        "seq", "at_ms", "actor", "action", "subject", "project", "outcome", "detail", "source",
        "token_id", "user_agent", "request_id", "hash",
    )
)  # fmt: skip


def entries_of(
    tx: Transaction, actions: Collection[str], *, after_seq: int, limit: int
) -> list[Link]:
    """Up to `limit` entries of these actions after one, oldest first."""
    table = tables.audit
    first = max(after_seq, start(tx).seq)
    statement = (
        sa.select(*_LINK)
        .where(table.c.action.in_(sorted(actions)), table.c.seq > first)
        .order_by(table.c.seq)
        .limit(limit)
    )
    return [tuple(row) for row in tx.execute(statement)]


def entries_about(
    tx: Transaction, action: str, subject: str, *, before_seq: int, limit: int
) -> list[Link]:
    """Up to `limit` entries of an action on one subject before one, newest first."""
    table = tables.audit
    statement = (
        sa.select(*_LINK)
        .where(
            table.c.action == action,
            table.c.subject == subject,
            table.c.seq < before_seq,
            table.c.seq > start(tx).seq,
        )
        .order_by(table.c.seq.desc())
        .limit(limit)
    )
    return [tuple(row) for row in tx.execute(statement)]
