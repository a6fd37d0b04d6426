"""Usage and its cost: what was billed when allocations were released, plus what is held now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.allocation import Usage, usage_of_time
from podium.domain.tariff import Cost, GpuTime, Tariff
from podium.domain.tenancy import Scope
from podium.store import tables
from podium.store.database import Transaction
from podium.store.prices import tariff_fetch
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
    billed = within(scope, tables.usage.c.project) & (tables.usage.c.workload_id == workload_id)
    held = within(scope, tables.allocations.c.project) & (
        tables.allocations.c.workload_id == workload_id
    )
    known = _billed(tx, billed, tariff)
    for project, more in _held(tx, held, now_ms).items():
        known.setdefault(project, _Sum()).add(more)
    return next(iter(known.values()), _Sum()).bill(tariff)


def usage_by_project(tx: Transaction, scope: Scope, now_ms: int) -> list[ProjectUsage]:
    """Every project of the scope in name order, idle ones included."""
    tariff = tariff_fetch(tx)
    known = _billed(tx, within(scope, tables.usage.c.project), tariff)
    for name, more in _held(tx, within(scope, tables.allocations.c.project), now_ms).items():
        known.setdefault(name, _Sum()).add(more)
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


def held_gpu_type(allocation_id: sa.ColumnElement[str] | str) -> sa.ScalarSelect[str]:
    """The name under which an allocation's GPUs have a price: their type, with the profile of
    MIG instances; `A100 + H100` when it holds several. Empty without any."""
    device, part = tables.devices, tables.allocation_devices
    name = sa.case(
        (device.c.mig_profile.is_not(None), device.c.type + " " + device.c.mig_profile),
        else_=device.c.type,
    )
    least, most = sa.func.min(name), sa.func.max(name)
    return (
        sa.select(sa.func.coalesce(sa.case((least == most, least), else_=least + " + " + most), ""))
        .select_from(part.join(device, device.c.id == part.c.device_id))
        .where(part.c.allocation_id == allocation_id)
        .scalar_subquery()
    )


class _Sum:
    """Grows by what is added; the cost is worked out at the end."""

    def __init__(self, usage: Usage | None = None, times: Iterable[GpuTime] = ()) -> None:
        self.usage = usage or Usage()
        self.times = list(times)

    def add(self, other: _Sum) -> None:
        self.usage += other.usage
        self.times += other.times

    def bill(self, tariff: Tariff) -> Bill:
        return Bill(self.usage, tariff.cost(self.times))


def _billed(tx: Transaction, seen: sa.ColumnElement[bool], tariff: Tariff) -> dict[str, _Sum]:
    """By project. Bills of one price are summed by the database; only those over a change of
    price are read one by one."""
    table = tables.usage
    started_ms = table.c.ended_at_ms - table.c.runtime_ms
    changes = tariff.changes_ms
    first = _prices_before(started_ms, changes, inclusive=True)
    last = _prices_before(table.c.ended_at_ms, changes, inclusive=False)
    rows = tx.execute(
        sa.select(
            table.c.project,
            table.c.gpu_type,
            first.label("first"),
            last.label("last"),
            sa.func.sum(table.c.gpu_ms),
            sa.func.sum(table.c.cpu_allocated_ms),
            sa.func.sum(table.c.cpu_used_ms),
            sa.func.max(table.c.memory_peak_bytes),
        )
        .where(seen)
        .group_by(table.c.project, table.c.gpu_type, sa.text("3"), sa.text("4"))
    ).all()
    found: dict[str, _Sum] = {}
    for project, gpu_type, first_price, last_price, *amounts in rows:
        gpu_ms, cpu_allocated_ms, cpu_used_ms, memory_peak_bytes = map(int, amounts)
        usage = Usage(
            gpu_ms=gpu_ms,
            cpu_allocated_ms=cpu_allocated_ms,
            cpu_used_ms=cpu_used_ms,
            memory_peak_bytes=memory_peak_bytes,
        )
        at_ms = changes[first_price - 1] if first_price else 0
        whole = GpuTime(gpu_type=gpu_type, gpu_ms=gpu_ms, start_ms=at_ms, end_ms=at_ms)
        times = [whole] if first_price >= last_price else []
        found.setdefault(project, _Sum()).add(_Sum(usage, times))
    if any(row.first < row.last for row in rows):
        divided = tx.execute(
            sa.select(
                table.c.project,
                table.c.gpu_type,
                table.c.gpu_ms,
                started_ms.label("start_ms"),
                table.c.ended_at_ms,
            ).where(seen, first < last)
        )
        for row in divided:
            time = GpuTime(
                gpu_type=row.gpu_type,
                gpu_ms=row.gpu_ms,
                start_ms=row.start_ms,
                end_ms=row.ended_at_ms,
            )
            found[row.project].times.append(time)
    return found


def _prices_before(
    moment_ms: sa.ColumnElement[int], changes_ms: Iterable[int], *, inclusive: bool
) -> sa.ColumnElement[int]:
    """How many of the changes came before a moment, or at it when `inclusive`."""
    numbered = [
        (
            (moment_ms >= sa.literal_column(str(at_ms), sa.BigInteger))
            if inclusive
            else (moment_ms > sa.literal_column(str(at_ms), sa.BigInteger)),
            sa.literal_column(str(number), sa.Integer),
        )
        for number, at_ms in enumerate(changes_ms, start=1)
    ]
    nothing = sa.literal_column("0", sa.Integer)
    # Not a bare 0, which databases take for the number of a column to group by.
    return sa.case(*reversed(numbered), else_=nothing) if numbered else nothing + nothing


def _held(tx: Transaction, seen: sa.ColumnElement[bool], now_ms: int) -> dict[str, _Sum]:
    """By project."""
    table = tables.allocations
    statement = sa.select(
        table.c.project,
        table.c.gpu_milli,
        table.c.cpu_milli,
        table.c.started_at_ms,
        sa.case((table.c.gpu_milli > 0, held_gpu_type(table.c.id)), else_="").label("gpu_type"),
    ).where(seen, table.c.released_at_ms.is_(None), table.c.started_at_ms.is_not(None))
    found: dict[str, _Sum] = {}
    for row in tx.execute(statement):
        used = usage_of_time(
            max(0, now_ms - row.started_at_ms),
            gpu_milli=row.gpu_milli,
            cpu_milli=row.cpu_milli,
            cpu_used_ms=0,
            memory_peak_bytes=0,
        )
        time = GpuTime(
            gpu_type=row.gpu_type,
            gpu_ms=used.gpu_ms,
            start_ms=row.started_at_ms,
            end_ms=max(now_ms, row.started_at_ms),
        )
        found.setdefault(row.project, _Sum()).add(_Sum(used, [time]))
    return found
