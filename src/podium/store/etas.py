"""When work that waits is expected to start: `control/expect` writes it, people read it.

What was forecast first stays when the work starts, so that the next forecasts learn from it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.lifecycle import WorkloadState
from podium.domain.tenancy import Scope
from podium.scheduling.forecast.calibration import Told
from podium.scheduling.forecast.eta import Eta
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.database import Transaction
from podium.store.scoping import within

_TOLD_MAX = 50_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What is said now, and what was forecast when the workload was looked at first."""

    said: Eta
    asked_at_ms: int
    first: Eta


def etas_of(tx: Transaction, scope: Scope, ids: Collection[str]) -> dict[str, Eta]:
    """What was said last of those of `ids` that may be seen, also where they have started since."""
    table, workload = tables.etas, tables.workloads
    found: dict[str, Eta] = {}
    for chunk in chunks(ids):
        rows = tx.execute(
            sa.select(table.c.workload_id, table.c.early_ms, table.c.likely_ms, table.c.late_ms)
            .join(workload, workload.c.id == table.c.workload_id)
            .where(
                table.c.workload_id.in_(chunk),
                within(scope, workload.c.project),
            )
        )
        found.update((row[0], Eta(*row[1:])) for row in rows)
    return found


def etas_waiting(tx: Transaction) -> dict[str, Asked]:
    """Of all that wait, for a server that begins to lead."""
    table, workload = tables.etas, tables.workloads
    rows = tx.execute(
        sa.select(table)
        .join(workload, workload.c.id == table.c.workload_id)
        .where(workload.c.state == sa.literal_column(f"'{WorkloadState.QUEUED}'"))
        .order_by(table.c.asked_at_ms, table.c.workload_id)
    )
    return {
        row.workload_id: Asked(
            Eta(row.early_ms, row.likely_ms, row.late_ms),
            row.asked_at_ms,
            Eta(row.asked_early_ms, row.asked_likely_ms, row.asked_late_ms),
        )
        for row in rows
    }


def etas_held(
    tx: Transaction, *, latest: int | None = None, ids: Collection[str] | None = None
) -> list[tuple[int, Eta, int]]:
    """When it was asked, what was forecast, and when it started: of `ids` that have started, or of
    the latest that were asked about, oldest first."""
    table, workload = tables.etas, tables.workloads
    statement = (
        sa.select(
            table.c.asked_at_ms,
            table.c.asked_early_ms,
            table.c.asked_likely_ms,
            table.c.asked_late_ms,
            workload.c.started_at_ms,
        )
        .join(workload, workload.c.id == table.c.workload_id)
        .where(workload.c.started_at_ms >= table.c.asked_at_ms)
        .order_by(table.c.asked_at_ms.desc(), table.c.workload_id)
    )
    if latest is not None:
        statement = statement.limit(latest)
    parts = [statement] if ids is None else []
    parts += [statement.where(table.c.workload_id.in_(chunk)) for chunk in chunks(ids or ())]
    rows = [row for part in parts for row in tx.execute(part)]
    return [(row[0], Eta(row[1], row[2], row[3]), row[4]) for row in sorted(rows)]


def etas_told(tx: Transaction, since_ms: int) -> list[Told]:
    """Of work that was first told a time since then: what it was told, and when it started."""
    table, workload = tables.etas, tables.workloads
    rows = tx.execute(
        sa.select(table, workload.c.started_at_ms, workload.c.state)
        .join(workload, workload.c.id == table.c.workload_id)
        .where(table.c.asked_at_ms >= since_ms)
        .order_by(table.c.asked_at_ms.desc(), table.c.workload_id)
        .limit(_TOLD_MAX)
    )
    found: list[Told] = []
    for row in rows:
        started = row.started_at_ms is not None and row.started_at_ms >= row.asked_at_ms
        if started or row.state == WorkloadState.QUEUED.value:
            said = Eta(row.early_ms, row.likely_ms, row.late_ms)
            first = Eta(row.asked_early_ms, row.asked_likely_ms, row.asked_late_ms)
            found.append(Told(row.asked_at_ms, said, first, row.started_at_ms if started else None))
    return found


def etas_write(tx: Transaction, changed: Mapping[str, Asked], gone: Iterable[str]) -> None:
    """Store what is said of some workloads, where they still wait, and of others no more."""
    table, workload = tables.etas, tables.workloads
    for chunk in chunks([*changed, *gone]):
        # Also what is written anew: one statement less to keep alike on both databases.
        tx.execute(sa.delete(table).where(table.c.workload_id.in_(chunk)))
    for chunk in chunks(changed):
        waiting = tx.scalars(
            sa.select(workload.c.id)
            .where(workload.c.id.in_(chunk), workload.c.state == WorkloadState.QUEUED.value)
            .with_for_update(read=True)
        ).all()
        rows = [_row(each, changed[each]) for each in sorted(waiting)]
        if rows:
            tx.execute(sa.insert(table), rows)


def _row(workload_id: str, asked: Asked) -> dict[str, object]:
    said, first = asked.said, asked.first
    return {
        "workload_id": workload_id,
        "early_ms": said.early_ms,
        "likely_ms": said.likely_ms,
        "late_ms": said.late_ms,
        "asked_at_ms": asked.asked_at_ms,
        "asked_early_ms": first.early_ms,
        "asked_likely_ms": first.likely_ms,
        "asked_late_ms": first.late_ms,
    }
