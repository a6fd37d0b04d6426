"""What open allocations keep from others, as the scheduler has to know it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import sqlalchemy as sa

from podium.domain.lifecycle import ReplicaState
from podium.domain.policies import Policies
from podium.domain.policy import Order
from podium.domain.resources import DeviceShare
from podium.domain.workload import Kind
from podium.scheduling.snapshot import Expected, Hold
from podium.store import tables
from podium.store.codec import Row
from podium.store.database import Transaction
from podium.store.learning import Learnt, attained, like_milli

_SPARED_MAX = 8


def hold_list(
    tx: Transaction,
    policies: Policies,
    *,
    only: Collection[str] | None = None,
    learnt: Learnt | None = None,
) -> tuple[Hold, ...]:
    """In the order of their ids; of all workloads or of some. What was `learnt` of runtimes stands
    in where the work says nothing."""
    held, workload = tables.allocations, tables.workloads
    chosen: sa.ColumnElement[bool] = held.c.released_at_ms.is_(None)
    if only is not None:
        chosen &= held.c.workload_id.in_(sorted(only))
    shares, spared = _shares(tx, chosen), _spared(tx, chosen)
    rows = tx.execute(
        sa.select(
            held.c.id,
            held.c.workload_id,
            held.c.project,
            held.c.rank,
            held.c.state,
            held.c.node,
            held.c.cpu_milli,
            held.c.memory_bytes,
            held.c.created_at_ms,
            held.c.started_at_ms,
            workload.c.priority,
            workload.c.kind,
            workload.c.preemptible,
            workload.c.replicas_min,
            workload.c.replicas_max,
            workload.c.replicas_resize,
            workload.c.is_array,
            workload.c.max_runtime_seconds,
            workload.c.expected_runtime_seconds,
            workload.c.submitted_at_ms,
            workload.c.attempt.label("workload_attempt"),
            workload.c.gpu_milli,
            workload.c.mig_count,
            workload.c.owner,
            workload.c.name,
        )
        .join(workload, workload.c.id == held.c.workload_id)
        .where(chosen)
        .order_by(held.c.id)
    )
    found = rows.mappings().all()
    had: Mapping[str, int] = {}
    if policies.scheduling.order is Order.ATTAINED:
        again = (row for row in found if row["is_array"] or row["workload_attempt"] > 1)
        had = attained(tx, [row["workload_id"] for row in again])
    return tuple(
        replace(
            _hold(row, shares.get(row["id"], ()), policies, spared.get(row["workload_id"], 0)),
            expected=_expected(row, learnt),
            attained_milli_ms=had.get(row["workload_id"], 0),
        )
        for row in found
    )


def _expected(row: Row, learnt: Learnt | None) -> Expected | None:
    limit_seconds, expected_seconds = row["max_runtime_seconds"], row["expected_runtime_seconds"]
    if expected_seconds is not None:
        return expectation(expected_seconds, limit_seconds)
    if learnt is None:
        return None
    return learnt.expected(
        project=row["project"],
        kind=row["kind"],
        gpu_milli=like_milli(
            row["gpu_milli"], row["mig_count"], row["replicas_max"], is_array=row["is_array"]
        ),
        owner=row["owner"],
        name=row["name"],
        limit_seconds=limit_seconds,
    )


def expectation(seconds: int, limit_seconds: int | None) -> Expected:
    """From what the spec says: rarely more than twice as long, and never beyond its limit."""
    likely_ms, most_ms = seconds * 1000, seconds * 2000
    if limit_seconds is not None:
        likely_ms, most_ms = (min(each, limit_seconds * 1000) for each in (likely_ms, most_ms))
    return Expected(likely_ms, most_ms)


def _hold(row: Row, devices: tuple[DeviceShare, ...], policies: Policies, gave_way: int) -> Hold:
    kind = Kind(row["kind"])
    limit_seconds = row["max_runtime_seconds"]
    started_at_ms = row["started_at_ms"]
    least_ms = policies.of(kind, row["project"]).minimum_runtime_ms
    if least_ms is None:
        least_ms = policies.scheduling.minimum_runtime_ms
    # Longer each time, so that work which gave way often gets somewhere in the end.
    least_ms *= min(_SPARED_MAX, 1 + gave_way)
    ending = row["state"] == ReplicaState.STOPPING
    return Hold(
        allocation_id=row["id"],
        workload_id=row["workload_id"],
        project=row["project"],
        priority=row["priority"],
        kind=kind,
        rank=row["rank"],
        node=row["node"],
        cpu_milli=row["cpu_milli"],
        memory_bytes=row["memory_bytes"],
        devices=devices,
        started_at_ms=started_at_ms,
        ends_at_ms=None
        if started_at_ms is None or limit_seconds is None
        else started_at_ms + limit_seconds * 1000,
        queued_at_ms=row["submitted_at_ms"],
        ending=ending,
        preemptible=row["preemptible"] and not ending,
        minimum=_minimum(row),
        safe_until_ms=(row["created_at_ms"] if started_at_ms is None else started_at_ms) + least_ms,
    )


def _minimum(row: Row) -> int:
    """Of a gang that cannot shrink all must go, also of one that began with fewer than its most."""
    if row["is_array"]:
        return 0
    return int(row["replicas_min"] if row["replicas_resize"] else row["replicas_max"])


def _shares(tx: Transaction, chosen: sa.ColumnElement[bool]) -> dict[str, tuple[DeviceShare, ...]]:
    held, part = tables.allocations, tables.allocation_devices
    found: dict[str, list[DeviceShare]] = {}
    rows = tx.execute(
        sa.select(part.c.allocation_id, part.c.device_id, part.c.gpu_milli, part.c.memory_bytes)
        .join(held, held.c.id == part.c.allocation_id)
        .where(chosen)
        .order_by(part.c.allocation_id, part.c.device_id)
    )
    for row in rows:
        found.setdefault(row[0], []).append(DeviceShare(row[1], row[2], row[3]))
    return {key: tuple(shares) for key, shares in found.items()}


def _spared(tx: Transaction, chosen: sa.ColumnElement[bool]) -> dict[str, int]:
    """How often work that holds something gave way as a whole before."""
    table, held = tables.preemptions, tables.allocations
    holding = sa.select(held.c.workload_id).where(chosen)
    rows = tx.execute(
        sa.select(table.c.workload_id, sa.func.count())
        .where(table.c.whole, table.c.workload_id.in_(holding))
        .group_by(table.c.workload_id)
    )
    return {row[0]: row[1] for row in rows}
