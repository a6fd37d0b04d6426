"""Usage: what was billed when allocations were released, plus what is held now."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.allocation import Usage, usage_of_time
from podium.domain.tenancy import Scope
from podium.store import tables
from podium.store.database import Transaction
from podium.store.scoping import within


@dataclass(frozen=True, slots=True)
class ProjectUsage:
    project: str
    team: str
    workloads: int
    usage: Usage


def usage_of_workload(tx: Transaction, scope: Scope, workload_id: str, now_ms: int) -> Usage:
    """Billed and still running, up to now."""
    found = _billed(tx, within(scope, tables.usage.c.project), workload_id=workload_id)
    held = _held(tx, within(scope, tables.allocations.c.project), now_ms, workload_id=workload_id)
    return sum([*found.values(), *held.values()], Usage())


def usage_by_project(tx: Transaction, scope: Scope, now_ms: int) -> list[ProjectUsage]:
    """Every project of the scope in name order, idle ones included."""
    billed = _billed(tx, within(scope, tables.usage.c.project))
    held = _held(tx, within(scope, tables.allocations.c.project), now_ms)
    workload = tables.workloads
    counts: dict[str, int] = {
        row[0]: row[1]
        for row in tx.execute(
            sa.select(workload.c.project, sa.func.count())
            .where(within(scope, workload.c.project))
            .group_by(workload.c.project)
        )
    }
    project = tables.projects
    rows = tx.execute(
        sa.select(project).where(within(scope, project.c.name)).order_by(project.c.name)
    )
    return [
        ProjectUsage(
            row.name,
            row.team,
            counts.get(row.name, 0),
            billed.get(row.name, Usage()) + held.get(row.name, Usage()),
        )
        for row in rows
    ]


def _billed(
    tx: Transaction, seen: sa.ColumnElement[bool], *, workload_id: str | None = None
) -> dict[str, Usage]:
    table = tables.usage
    statement = (
        sa.select(
            table.c.project,
            sa.func.sum(table.c.gpu_ms),
            sa.func.sum(table.c.cpu_allocated_ms),
            sa.func.sum(table.c.cpu_used_ms),
            sa.func.max(table.c.memory_peak_bytes),
        )
        .where(seen)
        .group_by(table.c.project)
    )
    if workload_id is not None:
        statement = statement.where(table.c.workload_id == workload_id)
    return {
        row[0]: Usage(
            gpu_ms=int(row[1]),
            cpu_allocated_ms=int(row[2]),
            cpu_used_ms=int(row[3]),
            memory_peak_bytes=int(row[4]),
        )
        for row in tx.execute(statement)
    }


def _held(
    tx: Transaction, seen: sa.ColumnElement[bool], now_ms: int, *, workload_id: str | None = None
) -> dict[str, Usage]:
    table = tables.allocations
    statement = sa.select(
        table.c.project, table.c.gpu_milli, table.c.cpu_milli, table.c.started_at_ms
    ).where(seen, table.c.released_at_ms.is_(None), table.c.started_at_ms.is_not(None))
    if workload_id is not None:
        statement = statement.where(table.c.workload_id == workload_id)
    found: dict[str, Usage] = {}
    for row in tx.execute(statement):
        used = usage_of_time(
            max(0, now_ms - row.started_at_ms),
            gpu_milli=row.gpu_milli,
            cpu_milli=row.cpu_milli,
            cpu_used_ms=0,
            memory_peak_bytes=0,
        )
        found[row.project] = found.get(row.project, Usage()) + used
    return found
