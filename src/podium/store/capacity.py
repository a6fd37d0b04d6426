"""How the cluster's GPUs were used over time, from what `control/measure` notes each minute."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from podium.store import tables
from podium.store.database import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityPoint:
    """Means over the step that ends at `at_ms`, in thousandths of a GPU. `busy_milli` is None
    where nothing was measured."""

    at_ms: int
    devices_milli: int
    held_milli: int
    busy_milli: int | None
    wanted_milli: int


def capacity_points(
    tx: Transaction, *, since_ms: int, until_ms: int, step_ms: int
) -> list[CapacityPoint]:
    """Oldest first; steps in which nothing was noted are left out. Each note counts for the time
    that it stands for."""
    table = tables.capacity_samples
    step = ((table.c.at_ms - 1) // step_ms).label("step")
    measured_ms = sa.func.sum(sa.case((table.c.busy_milli.is_not(None), table.c.span_ms)))
    rows = tx.execute(
        sa.select(
            step,
            sa.func.sum(table.c.span_ms),
            sa.func.sum(table.c.devices_milli * table.c.span_ms),
            sa.func.sum(table.c.held_milli * table.c.span_ms),
            sa.func.sum(table.c.wanted_milli * table.c.span_ms),
            sa.func.sum(table.c.busy_milli * table.c.span_ms),
            measured_ms,
        )
        .where(table.c.at_ms > since_ms, table.c.at_ms <= until_ms, table.c.span_ms > 0)
        .group_by(step)
        .order_by(step)
    )
    return [
        CapacityPoint(
            at_ms=(int(row[0]) + 1) * step_ms,
            devices_milli=_mean(row[2], row[1]),
            held_milli=_mean(row[3], row[1]),
            wanted_milli=_mean(row[4], row[1]),
            busy_milli=_mean(row[5], row[6]) if row[6] else None,
        )
        for row in rows
    ]


def _mean(weighted: int, weight: int) -> int:
    return (int(weighted) + int(weight) // 2) // int(weight)
