"""Bills: written when an allocation is released, in that transaction (`store/replicas`), as lines
and as sums by day. What is held now is told in the same terms by `store/running`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from podium.domain.metering import Metered, Part, lines_of
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.codec import Row
from podium.store.database import Transaction
from podium.store.prices import tariff_fetch

_OF_ALL = ("project", "team", "cost_centre", "owner", "kind")
_SUMMED = (
    "gpu_milli_ms",
    "borrowed_milli_ms",
    "measured_milli_ms",
    "idle_milli_ms",
    "unbilled_milli_ms",
    "cpu_milli_ms",
    "cpu_used_ms",
)


@dataclass(frozen=True, slots=True)
class Released:
    """A row of `allocations` as it is after its release, and where on the calendar it ended."""

    row: Row
    ended_at_ms: int


@dataclass(frozen=True, slots=True)
class Busy:
    """For how long work was measured, and what its GPUs did meanwhile, in milli-GPU x
    milliseconds."""

    measured_ms: int = 0
    busy_milli_ms: int = 0


def cost_centre() -> sa.ColumnElement[str]:
    """Of a project joined with its team: its own, or else the team's."""
    project, team = tables.projects, tables.teams
    return sa.func.coalesce(sa.func.nullif(project.c.cost_centre, ""), team.c.cost_centre)


def bills_insert(
    tx: Transaction, released: Sequence[Released], parts: Mapping[str, tuple[Part, ...]]
) -> None:
    """Bill each of them. Its key is the allocation's, so it is billed once. `parts` is what they
    held, by id (`parts_of`)."""
    if not released:
        return
    tariff = tariff_fetch(tx)
    owners = _owners(tx, {each.row["workload_id"] for each in released})
    busy = busy_of(tx, [each.row["id"] for each in released if each.row["gpu_milli"]])
    lines: list[dict[str, Any]] = []
    days: dict[tuple[Any, ...], dict[str, Any]] = {}
    for each in released:
        row = each.row
        known = busy.get(row["id"], Busy())
        found = lines_of(
            Metered(
                parts=parts.get(row["id"], ()),
                runtime_ms=row["runtime_ms"],
                ended_ms=each.ended_at_ms,
                held_from_ms=row["created_at_ms"],
                held_until_ms=max(row["released_at_ms"], row["created_at_ms"]),
                cpu_milli=row["cpu_milli"],
                cpu_used_ms=row["cpu_time_ms"],
                measured_ms=known.measured_ms,
                busy_milli_ms=known.busy_milli_ms,
            ),
            tariff,
        )
        about = owners[row["workload_id"]]
        for line in found:
            values = {**asdict(line), **about, "memory_peak_bytes": row["memory_peak_bytes"]}
            lines.append({**values, "allocation_id": row["id"], "workload_id": row["workload_id"]})
            _add(days, values, replicas=line is found[-1])
    tx.execute(sa.insert(tables.bill_lines), lines)
    _days_add(tx, [days[key] for key in sorted(days)])
    meter = tables.busy_meters
    for chunk in chunks(busy):
        tx.execute(sa.delete(meter).where(meter.c.allocation_id.in_(chunk)))


def parts_of(tx: Transaction, ids: Collection[str]) -> dict[str, tuple[Part, ...]]:
    """What each of these allocations holds, by GPU type in order; those without GPUs are left
    out."""
    table = tables.allocation_devices
    found: dict[str, tuple[Part, ...]] = {}
    for chunk in chunks(ids):
        rows = tx.execute(
            sa.select(
                table.c.allocation_id,
                table.c.gpu_type,
                sa.func.sum(table.c.gpu_milli),
                sa.func.sum(table.c.borrowed_milli),
            )
            .where(table.c.allocation_id.in_(chunk))
            .group_by(table.c.allocation_id, table.c.gpu_type)
            .order_by(table.c.allocation_id, table.c.gpu_type)
        )
        for key, gpu_type, milli, borrowed in rows:
            found[key] = (*found.get(key, ()), Part(gpu_type, int(milli), int(borrowed)))
    return found


def busy_of(tx: Transaction, ids: Collection[str]) -> dict[str, Busy]:
    """Of those that were measured."""
    table = tables.busy_meters
    found: dict[str, Busy] = {}
    for chunk in chunks(ids):
        rows = tx.execute(sa.select(table).where(table.c.allocation_id.in_(chunk)))
        found.update((row.allocation_id, Busy(row.measured_ms, row.busy_milli_ms)) for row in rows)
    return found


def busy_add(tx: Transaction, measured: Sequence[Mapping[str, Any]]) -> None:
    """Count samples of one round, of what is held, for its bill. Those without GPUs, or of GPUs
    that do not tell, are passed over."""
    rows = [
        {
            "allocation_id": each["allocation_id"],
            "measured_ms": each["span_ms"],
            "busy_milli_ms": each["gpu_busy_milli"] * each["span_ms"],
        }
        for each in measured
        if each.get("gpu_busy_milli") is not None
    ]
    if not rows:
        return
    meter = tables.busy_meters
    insert = _upsert(tx)(meter)
    counted = ("measured_ms", "busy_milli_ms")
    tx.execute(
        insert.on_conflict_do_update(
            index_elements=[meter.c.allocation_id],
            set_={name: meter.c[name] + insert.excluded[name] for name in counted},
        ),
        sorted(rows, key=lambda row: str(row["allocation_id"])),
    )


def _owners(tx: Transaction, workload_ids: Collection[str]) -> dict[str, dict[str, str]]:
    """Whose work these are, as it is now."""
    workload, project, team = tables.workloads, tables.projects, tables.teams
    found: dict[str, dict[str, str]] = {}
    for chunk in chunks(workload_ids):
        rows = tx.execute(
            sa.select(
                workload.c.id,
                workload.c.project,
                project.c.team,
                cost_centre().label("cost_centre"),
                workload.c.owner,
                workload.c.kind,
            )
            .join(project, project.c.name == workload.c.project)
            .join(team, team.c.name == project.c.team)
            .where(workload.c.id.in_(chunk))
        ).mappings()
        found.update((row["id"], {name: row[name] for name in _OF_ALL}) for row in rows)
    return found


def _add(
    days: dict[tuple[Any, ...], dict[str, Any]], values: Mapping[str, Any], *, replicas: bool
) -> None:
    names = ("day_ms", *_OF_ALL, "gpu_type", "rate_ms")
    key = tuple(values[name] for name in names)
    day = days.get(key)
    if day is None:
        named = {name: values[name] for name in names}
        day = days[key] = {**named, **dict.fromkeys(_SUMMED, 0)}
        day |= {"memory_peak_bytes": 0, "replicas": 0}
    for name in _SUMMED:
        day[name] += values[name]
    day["memory_peak_bytes"] = max(day["memory_peak_bytes"], values["memory_peak_bytes"])
    day["replicas"] += replicas


def _days_add(tx: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    """In the order of their keys, so that two who add to the same days wait for each other once."""
    table = tables.usage_days
    insert = _upsert(tx)(table)
    more, before = insert.excluded.memory_peak_bytes, table.c.memory_peak_bytes
    summed = {name: table.c[name] + insert.excluded[name] for name in (*_SUMMED, "replicas")}
    tx.execute(
        insert.on_conflict_do_update(
            index_elements=list(table.primary_key.columns),
            set_={**summed, "memory_peak_bytes": sa.case((more > before, more), else_=before)},
        ),
        rows,
    )


def _upsert(tx: Transaction) -> Any:
    return postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
