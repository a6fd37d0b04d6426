"""The queue as it is stored: why each workload waits, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import sqlalchemy as sa

from podium.domain.lifecycle import WORKLOAD_ENDS, WorkloadState
from podium.domain.quantity import GPU_MILLI
from podium.domain.reason import Refusal, WaitReason
from podium.domain.tenancy import Scope
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.codec import refusal_to_columns
from podium.store.database import Transaction
from podium.store.scoping import within_project

_NOT_WAITING = frozenset({*WORKLOAD_ENDS, WorkloadState.STOPPING})


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many wait for one reason. `message` is the sentence of the one that waits longest, empty
    while nobody has looked at it."""

    reason: WaitReason
    count: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSummary:
    """Waits in milliseconds up to now; None when nothing waits."""

    waiting: int
    wait_median_ms: int | None
    wait_max_ms: int | None
    gpu_milli_wanted: int
    reasons: tuple[ReasonCount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectQueue:
    """What one project waits for and holds, in thousandths of a GPU."""

    project: str
    team: str
    waiting: int
    running: int
    gpu_milli_wanted: int
    gpu_milli_held: int
    oldest_queued_at_ms: int | None


def refusal_update(tx: Transaction, refusals: Sequence[tuple[str, Refusal]], now_ms: int) -> int:
    """Store why workloads wait, where that changed. `refused_since_ms` keeps the first time of
    the same reason. Returns how many changed."""
    table = tables.workloads
    changed: list[dict[str, Any]] = []
    told = dict(refusals)
    for chunk in chunks(told):
        rows = tx.execute(
            sa.select(
                table.c.id,
                table.c.refusal_reason,
                table.c.refusal_message,
                table.c.refusal_remedy,
                table.c.refusal_evidence,
                table.c.refused_since_ms,
                table.c.state,
                table.c.version,
            )
            .where(table.c.id.in_(chunk))
            .order_by(table.c.id)
            .with_for_update()
        ).mappings()
        for row in rows:
            if row["state"] in _NOT_WAITING:
                continue  # ended or stopped while the plan was made
            columns = refusal_to_columns(told[row["id"]])
            if all(row[name] == value for name, value in columns.items()):
                continue
            same = row["refusal_reason"] == columns["refusal_reason"]
            since = row["refused_since_ms"] if same else now_ms
            changed.append(
                {
                    "key": row["id"],
                    **columns,
                    "refused_since_ms": since,
                    "version": row["version"] + 1,
                }
            )
    if changed:
        tx.execute(sa.update(table).where(table.c.id == sa.bindparam("key")), changed)
    return len(changed)


def queue_position(tx: Transaction, workload_id: str) -> tuple[int, int]:
    """The place of a queued workload, 1 being next, and the length of the queue. Everyone's work
    counts; only numbers are told."""
    table = tables.workloads
    me = tx.execute(
        sa.select(table.c.priority, table.c.submitted_at_ms).where(table.c.id == workload_id)
    ).one()
    queued = table.c.state == WorkloadState.QUEUED.value
    older = (table.c.submitted_at_ms < me.submitted_at_ms) | (
        (table.c.submitted_at_ms == me.submitted_at_ms) & (table.c.id < workload_id)
    )
    ahead = (table.c.priority > me.priority) | ((table.c.priority == me.priority) & older)
    row = tx.execute(
        sa.select(sa.func.count(), sa.func.count(sa.case((ahead, 1)))).where(queued)
    ).one()
    return row[1] + 1, row[0]


def in_state(
    state: Literal["queued", "running", "failed"], *columns: sa.ColumnElement[Any]
) -> sa.Select[Any]:
    """Of workloads in one state. The state is written out, as the indexes over it have it:
    SQLite does not use them for a parameter."""
    table = tables.workloads
    return (
        sa.select(*columns)
        .select_from(table)
        .where(table.c.state == sa.literal_column(f"'{state}'"))
    )


def queue_length(tx: Transaction, scope: Scope, project: str | None = None) -> int:
    """How many workloads wait."""
    seen = within_project(scope, project, tables.workloads.c.project)
    return tx.scalar(in_state("queued", sa.func.count()).where(seen)) or 0


def queue_page(
    tx: Transaction, scope: Scope, project: str | None = None, *, limit: int, after: int = 0
) -> list[tuple[int, str]]:
    """Up to `limit` positions above `after` with the ids that wait there, in the order of service.
    Positions count everyone's work, entries are those of the scope.

    Works through one priority after the other, so that each step is a stretch of one index.
    """
    table = tables.workloads
    levels = tx.execute(
        in_state("queued", table.c.priority, sa.func.count())
        .group_by(table.c.priority)
        .order_by(table.c.priority.desc())
    ).all()
    found: list[tuple[int, str]] = []
    ahead = 0
    for priority, count in levels:
        if ahead + count > after:
            seen = within_project(scope, project, table.c.project)
            skipped = max(0, after - ahead)
            found += _level_page(tx, priority, seen, ahead, skipped, limit - len(found))
            if len(found) == limit:
                break
        ahead += count
    return found


def _level_page(
    tx: Transaction,
    priority: int,
    seen: sa.ColumnElement[bool],
    ahead: int,
    skipped: int,
    limit: int,
) -> list[tuple[int, str]]:
    """Those of one priority after its first `skipped`; `ahead` are of higher priorities."""
    table = tables.workloads
    level = table.c.priority == priority
    order = (table.c.submitted_at_ms, table.c.id)
    statement = in_state("queued", *order).where(level).order_by(*order)
    if skipped:
        last = tx.execute(statement.limit(1).offset(skipped - 1)).one()
        statement = statement.where(sa.tuple_(*order) > sa.tuple_(*last))
    rows = tx.execute(statement.where(seen).limit(limit)).all()
    if not rows:
        return []
    steps = _steps(tx, level, [(0, "") if not skipped else tuple(last), *map(tuple, rows)])
    position = ahead + skipped
    found = []
    for step, row in zip(steps, rows, strict=True):
        position += step
        found.append((position, row.id))
    return found


def _steps(
    tx: Transaction, level: sa.ColumnElement[bool], places: Sequence[tuple[Any, ...]]
) -> list[int]:
    """How many of the level stand after each of `places` up to the next, that one included."""
    table = tables.workloads
    names = ("at", "after_ms", "after_id", "upto_ms", "upto_id")
    kinds = (sa.Integer, sa.BigInteger, sa.Text, sa.BigInteger, sa.Text)
    columns: list[sa.ColumnClause[Any]] = [
        sa.column(name, kind) for name, kind in zip(names, kinds, strict=True)
    ]
    pairs = pairwise(places)
    spans = (
        sa.values(*columns, name="spans")
        .data([(at, *after, *upto) for at, (after, upto) in enumerate(pairs)])
        .cte("spans")
    )
    place = sa.tuple_(table.c.submitted_at_ms, table.c.id)
    between = (place > sa.tuple_(spans.c.after_ms, spans.c.after_id)) & (
        place <= sa.tuple_(spans.c.upto_ms, spans.c.upto_id)
    )
    count = in_state("queued", sa.func.count()).where(level, between)
    rows = tx.execute(sa.select(spans.c.at, count.scalar_subquery()).order_by(spans.c.at))
    return [row[1] for row in rows]


def queue_summary(tx: Transaction, scope: Scope, project: str | None, now_ms: int) -> QueueSummary:
    """The queue of the scope in figures."""
    table = tables.workloads
    seen = within_project(scope, project, table.c.project)
    row = tx.execute(
        in_state("queued", sa.func.count(), sa.func.min(table.c.queued_at_ms)).where(seen)
    ).one()
    waiting, oldest_ms = row
    if not waiting:
        return QueueSummary(
            waiting=0, wait_median_ms=None, wait_max_ms=None, gpu_milli_wanted=0, reasons=()
        )
    middle = tx.scalars(
        in_state("queued", table.c.queued_at_ms)
        .where(seen)
        .order_by(table.c.queued_at_ms)
        .limit(2 - waiting % 2)
        .offset((waiting - 1) // 2)
    ).all()
    return QueueSummary(
        waiting=waiting,
        wait_median_ms=max(0, now_ms - sum(middle) // len(middle)),
        wait_max_ms=max(0, now_ms - oldest_ms),
        gpu_milli_wanted=sum(_wanted(tx, seen).values()),
        reasons=_reasons(tx, seen),
    )


def queue_projects(tx: Transaction, scope: Scope, project: str | None = None) -> list[ProjectQueue]:
    """Projects of the scope that wait for or hold something, in name order."""
    table, held = tables.workloads, tables.allocations
    chosen = within_project(scope, project, table.c.project)
    waiting = {
        row[0]: (row[1], row[2])
        for row in tx.execute(
            in_state("queued", table.c.project, sa.func.count(), sa.func.min(table.c.queued_at_ms))
            .where(chosen)
            .group_by(table.c.project)
        )
    }
    running: dict[str, int] = {
        row[0]: row[1]
        for row in tx.execute(
            in_state("running", table.c.project, sa.func.count())
            .where(chosen)
            .group_by(table.c.project)
        )
    }
    holds: dict[str, int] = {
        row[0]: int(row[1])
        for row in tx.execute(
            sa.select(held.c.project, sa.func.sum(held.c.gpu_milli))
            .where(held.c.released_at_ms.is_(None), within_project(scope, project, held.c.project))
            .group_by(held.c.project)
        )
    }
    wanted = _wanted(tx, chosen)
    names = tables.projects
    rows = tx.execute(
        sa.select(names.c.name, names.c.team)
        .where(within_project(scope, project, names.c.name))
        .order_by(names.c.name)
    )
    return [
        ProjectQueue(
            project=row.name,
            team=row.team,
            waiting=waiting.get(row.name, (0, None))[0],
            running=running.get(row.name, 0),
            gpu_milli_wanted=wanted.get(row.name, 0),
            gpu_milli_held=holds.get(row.name, 0),
            oldest_queued_at_ms=waiting.get(row.name, (0, None))[1],
        )
        for row in rows
        if row.name in waiting or row.name in running or row.name in holds
    ]


def _wanted(tx: Transaction, chosen: sa.ColumnElement[bool]) -> dict[str, int]:
    """Thousandths of a GPU that waiting workloads ask for, by project. A share by memory counts
    as the part that it is of the largest device."""
    rows = _asked(tx, chosen, tables.workloads.c.project)
    return {row[0]: milli for row, milli in rows}


def wanted_by_type(tx: Transaction) -> dict[str, dict[str, int]]:
    """As `_wanted` over everyone's work, by project and GPU type; what may be of several types,
    or of any, under ""."""
    table = tables.workloads
    found: dict[str, dict[str, int]] = {}
    for (project, gpu_types), milli in _asked(tx, sa.true(), table.c.project, table.c.gpu_types):
        gpu_type = "" if "," in gpu_types else gpu_types
        types = found.setdefault(project, {})
        types[gpu_type] = types.get(gpu_type, 0) + milli
    return found


def _asked(
    tx: Transaction, chosen: sa.ColumnElement[bool], *keys: sa.Column[str]
) -> list[tuple[tuple[str, ...], int]]:
    """The keys, and the thousandths of a GPU that work with them waits for."""
    table, replica, group = tables.workloads, tables.replicas, tables.replica_groups
    tasks = sa.select(sa.func.count()).where(
        replica.c.workload_id == table.c.id, replica.c.state == sa.literal_column("'waiting'")
    )
    # Of an array that was queued again, some tasks may have ended.
    count = sa.case((table.c.is_array, tasks.scalar_subquery()), else_=table.c.replicas_max)
    alike = tx.execute(
        in_state(
            "queued",
            *keys,
            sa.func.sum((table.c.gpu_milli + table.c.mig_count * GPU_MILLI) * count),
            sa.func.sum(table.c.gpu_share_bytes * count),
        )
        .where(chosen, table.c.group_count == 0)
        .group_by(*keys)
    )
    own = [group.c.gpu_types if key is table.c.gpu_types else key for key in keys]
    unlike = tx.execute(
        sa.select(
            *own,
            sa.func.sum((group.c.gpu_milli + group.c.mig_count * GPU_MILLI) * group.c.replicas),
            sa.func.sum(group.c.gpu_share_bytes * group.c.replicas),
        )
        .select_from(table)
        .join(group, group.c.workload_id == table.c.id)
        .where(
            chosen,
            # A list, or SQLite goes through all that is queued for the few that have groups.
            table.c.state.in_([WorkloadState.QUEUED.value]),
            table.c.group_count > sa.literal_column("0"),
        )
        .group_by(*own)
    )
    found: dict[tuple[str, ...], tuple[int, int]] = {}
    for *key, gpu_milli, share_bytes in (*alike, *unlike):
        before = found.get(tuple(key), (0, 0))
        found[tuple(key)] = (before[0] + int(gpu_milli), before[1] + int(share_bytes))
    largest_bytes = 0
    if any(share_bytes for _, share_bytes in found.values()):
        largest_bytes = tx.scalar(sa.select(sa.func.max(tables.devices.c.memory_bytes))) or 0
    return [
        (key, gpu_milli + (share_bytes * GPU_MILLI // largest_bytes if largest_bytes else 0))
        for key, (gpu_milli, share_bytes) in found.items()
    ]


def _reasons(tx: Transaction, seen: sa.ColumnElement[bool]) -> tuple[ReasonCount, ...]:
    """Most frequent first."""
    table = tables.workloads
    # Times of these centuries all have thirteen digits, so they sort as text, too.
    longest = sa.func.min(sa.cast(table.c.queued_at_ms, sa.Text) + table.c.id)
    reason = sa.func.coalesce(table.c.refusal_reason, sa.literal_column(f"'{WaitReason.NEW}'"))
    rows = tx.execute(
        in_state("queued", reason, sa.func.count(), longest).where(seen).group_by(reason)
    ).all()
    ids = [row[2][_TIME_DIGITS:] for row in rows]
    messages: dict[str, str | None] = {
        row.id: row.refusal_message
        for row in tx.execute(
            sa.select(table.c.id, table.c.refusal_message).where(table.c.id.in_(ids))
        )
    }
    found = [
        ReasonCount(WaitReason(row[0]), row[1], messages[workload_id] or "")
        for row, workload_id in zip(rows, ids, strict=True)
    ]
    return tuple(sorted(found, key=lambda each: (-each.count, each.reason)))


_TIME_DIGITS = 13
