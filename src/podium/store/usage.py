"""What workloads and projects have used since ever, and its cost: what was billed when allocations
were released, plus what is held now. `store/reports` tells of days and months."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from podium.domain.allocation import Usage
from podium.domain.metering import Line
from podium.domain.tariff import Cost, GpuTime, Tariff
from podium.domain.tenancy import Scope
from podium.store import tables
from podium.store.database import Transaction
from podium.store.prices import tariff_fetch
from podium.store.running import running_list
from podium.store.scoping import within


@dataclass(frozen=True, slots=True)
class Bill:
    """What was used and what that cost; no cost where a GPU type that was used has no price."""

    usage: Usage
    cost: Cost | None


@dataclass(frozen=True, slots=True)
class ProjectUsage:
    project: str
    team: str
    workloads: int
    bill: Bill


def usage_of_workload(tx: Transaction, scope: Scope, workload_id: str, now_ms: int) -> Bill:
    """Billed and still running, up to now."""
    tariff = tariff_fetch(tx)
    line, held = tables.bill_lines, tables.allocations
    known = _billed(tx, line, within(scope, line.c.project) & (line.c.workload_id == workload_id))
    mine = within(scope, held.c.project) & (held.c.workload_id == workload_id)
    _add_held(tx, known, mine, tariff, now_ms)
    return next(iter(known.values()), _Sum()).bill(tariff)


def usage_by_project(tx: Transaction, scope: Scope, now_ms: int) -> list[ProjectUsage]:
    """Every project of the scope in name order, idle ones included."""
    tariff = tariff_fetch(tx)
    days = tables.usage_days
    known = _billed(tx, days, within(scope, days.c.project))
    _add_held(tx, known, within(scope, tables.allocations.c.project), tariff, now_ms)
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
            known.get(row.name, _Sum()).bill(tariff),
        )
        for row in rows
    ]


class _Sum:
    """Grows by what is added; the cost is worked out at the end."""

    def __init__(self) -> None:
        self.usage = Usage()
        self.times: list[GpuTime] = []

    def add(self, amounts: Line | sa.Row[*tuple[Any, ...]], memory_peak_bytes: int) -> None:
        self.usage += Usage(
            gpu_milli_ms=int(amounts.gpu_milli_ms),
            cpu_milli_ms=int(amounts.cpu_milli_ms),
            cpu_used_ms=int(amounts.cpu_used_ms),
            memory_peak_bytes=memory_peak_bytes,
        )
        self.times.append(gpu_time(amounts))

    def bill(self, tariff: Tariff) -> Bill:
        return Bill(self.usage, tariff.cost(self.times))


def gpu_time(amounts: Line | sa.Row[*tuple[Any, ...]]) -> GpuTime:
    """Of a line of a bill, or of a sum of such lines of one type and price."""
    return GpuTime(
        gpu_type=amounts.gpu_type,
        rate_ms=amounts.rate_ms,
        gpu_milli_ms=int(amounts.gpu_milli_ms),
        borrowed_milli_ms=int(amounts.borrowed_milli_ms),
        idle_milli_ms=int(amounts.idle_milli_ms),
    )


def _billed(tx: Transaction, table: sa.Table, seen: sa.ColumnElement[bool]) -> dict[str, _Sum]:
    """By project, from lines of bills or from their sums by day."""
    key = (table.c.project, table.c.gpu_type, table.c.rate_ms)
    summed = ("gpu_milli_ms", "borrowed_milli_ms", "idle_milli_ms", "cpu_milli_ms", "cpu_used_ms")
    rows = tx.execute(
        sa.select(
            *key,
            *(sa.func.sum(table.c[name]).label(name) for name in summed),
            sa.func.max(table.c.memory_peak_bytes).label("memory_peak_bytes"),
        )
        .where(seen)
        .group_by(*key)
    )
    found: dict[str, _Sum] = {}
    for row in rows:
        found.setdefault(row.project, _Sum()).add(row, row.memory_peak_bytes)
    return found


def _add_held(
    tx: Transaction,
    known: dict[str, _Sum],
    seen: sa.ColumnElement[bool],
    tariff: Tariff,
    now_ms: int,
) -> None:
    for each in running_list(tx, now_ms, seen):
        for line in each.lines(tariff, cuts_ms=()):
            known.setdefault(each.project, _Sum()).add(line, 0)
