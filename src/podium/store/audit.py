"""The audit trail's one way in: entries gather while a transaction runs, and are chained to those
before them as the last thing before its commit (`store/database`). Append-only.

Who appends locks the head of the chain until the commit, so nothing else may come after that; it
also makes entries visible in the order of their seq, which readers that go on from a place rely on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from podium.domain.audit import ALLOWED, Origin, chained
from podium.store import tables

ORIGIN: ContextVar[Origin | None] = ContextVar("podium_origin", default=None)
"""The request that is being answered; None in loops. The API sets it."""

Gathered = list[tuple[Any, ...]]
_PENDING = "podium.audit"
_COLUMNS = (
    "at_ms", "actor", "action", "subject", "project", "outcome", "detail",
    "source", "token_id", "user_agent", "request_id",
)  # fmt: skip
_NOWHERE = Origin()
# Of oneself alone, or only to find an earlier answer again.
_PERSONAL = frozenset({"saved_views", "idempotency"})
_TRAIL = frozenset({"audit", "audit_head", "audit_seals", "audit_removals"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who did what to which thing, and whether they were let."""

    actor: str
    action: str
    subject: str
    project: str | None = None
    outcome: str = ALLOWED
    detail: dict[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class _Pending:
    entries: list[tuple[int, AuditEntry]] = field(default_factory=list)
    written: set[str] = field(default_factory=set)


class UnauditedError(Exception):
    """A request's transaction changed something and has no entry. It is a fault of Podium."""


def audit_append(tx: sa.Connection, entries: Sequence[AuditEntry], now_ms: int) -> None:
    """To be written with the commit of this transaction, if there is one."""
    _pending(tx).entries.extend((now_ms, each) for each in entries)


def audit_begin(tx: sa.Connection) -> None:
    """Forget what an earlier function on this connection left."""
    tx.info[_PENDING] = _Pending()


def audit_gathered(tx: sa.Connection, origin: Origin | None, *, quiet: bool = False) -> Gathered:
    """What the function appended, ready to be chained.

    Raises UnauditedError when it belongs to a request, changed something and appended nothing, so
    that no command can be written that leaves no trace; `quiet` allows that.
    """
    pending = _pending(tx)
    tx.info[_PENDING] = _Pending()
    if origin is not None and not pending.entries and pending.written and not quiet:
        raise UnauditedError(f"No audit entry for a change of {', '.join(sorted(pending.written))}")
    where = origin or _NOWHERE
    return [
        (
            at_ms, each.actor, str(each.action), each.subject, each.project, each.outcome,
            json.dumps(each.detail, sort_keys=True) if each.detail else "",
            where.source, where.token_id, where.user_agent, where.request_id,
        )
        for at_ms, each in pending.entries
    ]  # fmt: skip


def audit_chain(tx: sa.Connection, gathered: Gathered) -> None:
    """Write them at the end of the chain. The last thing that a transaction does."""
    if not gathered:
        return
    head = tables.audit_head
    seq, digest = tx.execute(_HEAD_LOCKED).one()
    rows = []
    for fields in gathered:
        seq += 1
        digest = chained(digest, seq, *fields)
        rows.append(dict(zip(_COLUMNS, fields, strict=True), seq=seq, hash=digest))
    tx.execute(_INSERT, rows)
    tx.execute(sa.update(head).values(seq=seq, hash=digest))


def watch_writes(engine: sa.Engine) -> None:
    """Note which tables a function writes to, for `audit_gathered`."""

    def note(
        tx: sa.Connection,
        statement: object,
        _many: object,
        _params: object,
        _options: object,
        result: sa.CursorResult[Any],
    ) -> None:
        if isinstance(statement, sa.UpdateBase) and result.rowcount:
            name = getattr(statement.table, "name", "")
            if name not in _PERSONAL and name not in _TRAIL:
                _pending(tx).written.add(name)

    sa.event.listen(engine, "after_execute", note)


_HEAD_LOCKED = sa.select(tables.audit_head.c.seq, tables.audit_head.c.hash).with_for_update()
_INSERT = sa.insert(tables.audit)


def _pending(tx: sa.Connection) -> _Pending:
    found: _Pending = tx.info.setdefault(_PENDING, _Pending())
    return found
