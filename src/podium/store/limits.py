"""Limits in time: deadlines of workloads, and the longest that each may run."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from podium.domain.lifecycle import WorkloadState
from podium.domain.quantity import format_duration
from podium.domain.reason import Cause
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.database import Transaction
from podium.store.lifecycle import workload_rows, workload_stop
from podium.store.replicas import replicas_stop


def workload_overdue(tx: Transaction, now_ms: int, limit: int) -> list[str]:
    """Ids of workloads that have not ended and whose deadline has passed."""
    table = tables.workloads
    return list(
        tx.scalars(
            sa.select(table.c.id)
            .where(
                table.c.deadline_ms <= now_ms,
                table.c.ended_at_ms.is_(None),
                table.c.state != WorkloadState.STOPPING.value,
            )
            .order_by(table.c.deadline_ms, table.c.id)
            .limit(limit)
        )
    )


def runtime_limits(tx: Transaction, ids: Collection[str]) -> dict[str, int]:
    """The longest, in seconds, that replicas of those of `ids` may run which have a limit."""
    table = tables.workloads
    found: dict[str, int] = {}
    for chunk in chunks(ids):
        rows = tx.execute(
            sa.select(table.c.id, table.c.max_runtime_seconds).where(
                table.c.id.in_(chunk),
                table.c.max_runtime_seconds.is_not(None),
            )
        )
        found.update((row.id, row.max_runtime_seconds) for row in rows)
    return found


def runtime_stop(tx: Transaction, over: Collection[tuple[str, str]], now_ms: int) -> None:
    """Stop what has run for too long, given as workload and allocation: the task of an array
    alone, any other workload as a whole."""
    for row in workload_rows(tx, {workload_id for workload_id, _ in over}).values():
        if row["state"] not in (WorkloadState.STARTING, WorkloadState.RUNNING):
            continue
        message = (
            f"It ran for its max_runtime of {format_duration(row['max_runtime_seconds'] * 1000)}."
        )
        if row["is_array"]:
            mine = [allocation for workload_id, allocation in over if workload_id == row["id"]]
            replicas_stop(tx, mine, Cause.MAX_RUNTIME, now_ms, message=message)
        else:
            workload_stop(tx, row, Cause.MAX_RUNTIME, now_ms, message=message)
