"""What stands on the nodes of a booking without belonging to it. `api/bookings` asks."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.booking import Reserved
from podium.domain.lifecycle import ReplicaState
from podium.domain.tenancy import Scope
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.codec import Row
from podium.store.database import Transaction
from podium.store.scoping import within

WORKLOADS_MAX = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedWork:
    """One workload; without its id, name and project where the reader may not see it. `stays`: it
    may not be stopped for others. `ending`: all of it that is there was asked to end. `until_ms`
    is when it will be stopped at the latest; None: nobody knows."""

    workload_id: str | None
    name: str | None
    project: str | None
    nodes: tuple[str, ...]
    replicas: int
    stays: bool
    ending: bool
    until_ms: int | None


def booked_work(tx: Transaction, scope: Scope, booking: Reserved) -> list[BookedWork]:
    """The first 1,000 by id. Of a booking for a project, that project's own work is left out."""
    held, workload = tables.allocations, tables.workloads
    found: dict[str, list[Row]] = {}
    for chunk in chunks(booking.nodes):
        chosen = (
            sa.select(
                held.c.workload_id,
                held.c.node,
                held.c.state,
                held.c.started_at_ms,
                workload.c.name,
                workload.c.project,
                workload.c.preemptible,
                workload.c.max_runtime_seconds,
                within(scope, workload.c.project).label("seen"),
            )
            .join(workload, workload.c.id == held.c.workload_id)
            .where(held.c.released_at_ms.is_(None), held.c.node.in_(chunk))
            .order_by(held.c.workload_id)
        )
        if booking.project is not None:
            chosen = chosen.where(workload.c.project != booking.project)
        for row in tx.execute(chosen).mappings():
            found.setdefault(row["workload_id"], []).append(row)
    return [_work(found[key]) for key in sorted(found)[:WORKLOADS_MAX]]


def _work(rows: list[Row]) -> BookedWork:
    first = rows[0]
    seen = bool(first["seen"])
    limit_seconds = first["max_runtime_seconds"]
    until_ms: int | None = None
    if limit_seconds is not None and all(row["started_at_ms"] is not None for row in rows):
        until_ms = max(row["started_at_ms"] for row in rows) + limit_seconds * 1000
    ending = all(row["state"] == ReplicaState.STOPPING for row in rows)
    return BookedWork(
        workload_id=first["workload_id"] if seen else None,
        name=first["name"] if seen else None,
        project=first["project"] if seen else None,
        nodes=tuple(sorted({row["node"] for row in rows})),
        replicas=len(rows),
        stays=not first["preemptible"] and not ending,
        ending=ending,
        until_ms=until_ms,
    )
