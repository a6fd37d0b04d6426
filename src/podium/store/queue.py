"""The queue as it is stored: why each workload waits, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from podium.domain.lifecycle import WORKLOAD_ENDS, WorkloadState
from podium.domain.reason import Refusal
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.codec import refusal_to_columns
from podium.store.database import Transaction

_NOT_WAITING = frozenset({*WORKLOAD_ENDS, WorkloadState.STOPPING})


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
