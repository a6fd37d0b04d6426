"""Notices: what a person is told of their own work, and of budgets that they answer for.
`store/lifecycle` and `store/budget_watch` write them in the transaction of what they tell;
`api/notices` and the live stream read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from podium.domain.event import SYSTEM_ACTOR
from podium.domain.lifecycle import WorkloadEvent
from podium.domain.quantity import format_duration
from podium.domain.reason import Cause
from podium.domain.tenancy import WHOLE, Scope
from podium.store import tables
from podium.store.codec import Row
from podium.store.database import Transaction
from podium.store.scoping import within

Level = Literal["good", "plain", "bad"]

LONG_WAIT_MS = 5 * 60_000
UNREAD_MAX = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One sentence to one person, about a workload of theirs or about a budget."""

    seq: int
    at_ms: int
    username: str
    level: Level
    sentence: str
    workload_id: str | None
    workload_name: str | None
    project: str | None
    budget: str | None
    read: bool


def notice_insert(tx: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        tx.execute(sa.insert(tables.notices), rows)


def notices_due(
    workload: Row, event: WorkloadEvent, cause: Cause, message: str, actor: str, now_ms: int
) -> list[dict[str, Any]]:
    """Rows for what the owner should hear of an event: at most one, and none of what they did
    themselves. `message` is the event's own sentence."""
    told = _told(workload, event, cause, message, actor, now_ms)
    if told is None:
        return []
    return [
        {
            "at_ms": now_ms,
            "username": workload["owner"],
            "workload_id": workload["id"],
            "level": told[0],
            "sentence": " ".join(part for part in told[1:] if part),
        }
    ]


def _told(
    workload: Row, event: WorkloadEvent, cause: Cause, message: str, actor: str, now_ms: int
) -> tuple[Level, str, str] | None:
    """Level, sentence, and what more there is to say."""
    name = workload["name"]
    by_another = actor not in (SYSTEM_ACTOR, workload["owner"])
    if event is WorkloadEvent.SUCCEEDED:
        return "good", f"{name} succeeded.", message
    if event is WorkloadEvent.FAILED:
        return "bad", f"{name} failed.", message
    if event is WorkloadEvent.REQUEUED:
        how = _HOW.get(cause)
        return "plain" if how else "bad", f"{name} {how or 'failed'}.", message
    if event is WorkloadEvent.RUNNING:
        waited_ms = now_ms - workload["queued_at_ms"]
        if waited_ms <= LONG_WAIT_MS:
            return None
        words = format_duration(waited_ms - waited_ms % 60_000)
        return "good", f"{name} started after waiting {words}.", ""
    if by_another and event is WorkloadEvent.CHANGED:
        return "plain", f"{name} was changed.", message
    if by_another and event in (WorkloadEvent.CANCELLED, WorkloadEvent.STOP_REQUESTED):
        reason = message.removeprefix(f"Cancelled by {actor}.").strip()
        return "plain", f"{actor} cancelled {name}.", reason
    return None


_HOW = {
    Cause.PREEMPTED: "gave way",
    Cause.NODE_LOST: "lost its node",
    Cause.EVICTED: "was moved off its node",
    Cause.MISPLACED: "found its GPU changed",
    Cause.DATA_DENIED: "may not have its data now",
}


def notice_page(
    tx: Transaction, scope: Scope, username: str, *, limit: int, before: int | None = None
) -> list[Notice]:
    """The person's notices about work that they may still see, newest first, older than the
    `seq` `before`."""
    table = tables.notices
    statement = _notices(scope).where(table.c.username == username)
    if before is not None:
        statement = statement.where(table.c.seq < before)
    rows = tx.execute(statement.order_by(table.c.seq.desc()).limit(limit))
    return [_notice(row) for row in rows.mappings()]


def notice_feed(
    tx: Transaction, *, after: int, limit: int, username: str | None = None
) -> list[Notice]:
    """Everyone's (or one person's) above `after`, oldest first, for the server's own fan-out."""
    table = tables.notices
    statement = _notices(WHOLE).where(table.c.seq > after).order_by(table.c.seq).limit(limit)
    if username is not None:
        statement = statement.where(table.c.username == username)
    return [_notice(row) for row in tx.execute(statement).mappings()]


def notice_last_seq(tx: Transaction) -> int:
    return tx.scalar(sa.select(sa.func.max(tables.notices.c.seq))) or 0


def notice_unread(tx: Transaction, scope: Scope, username: str) -> int:
    """How many the person has not read; 1,000 stands for more."""
    table, user = tables.notices, tables.users
    unread = (
        _notices(scope)
        .where(table.c.username == username, table.c.seq > user.c.notices_read_seq)
        .limit(UNREAD_MAX)
        .subquery()
    )
    return tx.scalar(sa.select(sa.func.count()).select_from(unread)) or 0


def notice_mark_read(tx: Transaction, username: str, through: int) -> None:
    """Everything up to `through` has been read. What is read stays so, and what has not happened
    yet is not read."""
    user, table = tables.users, tables.notices
    newest = tx.scalar(sa.select(sa.func.max(table.c.seq)).where(table.c.username == username))
    seq = min(through, newest or 0)
    tx.execute(
        sa.update(user)
        .where(user.c.username == username, user.c.notices_read_seq < seq)
        .values(notices_read_seq=seq)
    )


def _notices(scope: Scope) -> sa.Select[Any]:
    table, workload, user = tables.notices, tables.workloads, tables.users
    return (
        sa.select(
            table,
            workload.c.name.label("workload_name"),
            workload.c.project,
            user.c.notices_read_seq,
        )
        .outerjoin(workload, workload.c.id == table.c.workload_id)
        .join(user, user.c.username == table.c.username)
        .where(table.c.budget.is_not(None) | within(scope, workload.c.project))
    )


def _notice(row: Row) -> Notice:
    return Notice(
        seq=row["seq"],
        at_ms=row["at_ms"],
        username=row["username"],
        level=row["level"],
        sentence=row["sentence"],
        workload_id=row["workload_id"],
        workload_name=row["workload_name"],
        project=row["project"],
        budget=row["budget"],
        read=row["seq"] <= row["notices_read_seq"],
    )
