"""Reads the one consistent picture that the scheduler decides on. Called by `control/schedule`
and, in the same transaction as the commit, by `store/plans.py`."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from podium.domain.lifecycle import WORKLOAD_UNDER_WAY, ReplicaState, WorkloadState
from podium.domain.reason import Evidence, Refusal, WaitReason
from podium.domain.resources import DeviceShare
from podium.domain.workload import Kind
from podium.scheduling.snapshot import Demand, Hold, Snapshot
from podium.store import tables
from podium.store.codec import Row, request_from_row, topology_from_row
from podium.store.database import Transaction
from podium.store.nodes import node_list


def placeable(workload: sa.Table) -> sa.ColumnElement[bool]:
    """True for queued workloads, and for arrays under way, whose other tasks may follow."""
    under_way = workload.c.state.in_(sorted(WORKLOAD_UNDER_WAY))
    return (workload.c.state == WorkloadState.QUEUED.value) | (workload.c.is_array & under_way)


def snapshot(tx: Transaction, *, only: Collection[str] | None = None) -> Snapshot:
    """Nodes, holds and demands now. `only` narrows the demands to some workloads, for a commit
    that checks a plan for these alone."""
    return Snapshot(nodes=node_list(tx), holds=_holds(tx), demands=_demands(tx, only))


def _holds(tx: Transaction) -> tuple[Hold, ...]:
    held, part, workload = tables.allocations, tables.allocation_devices, tables.workloads
    shares: dict[str, list[DeviceShare]] = {}
    rows = tx.execute(
        sa.select(part.c.allocation_id, part.c.device_id, part.c.gpu_milli, part.c.memory_bytes)
        .join(held, held.c.id == part.c.allocation_id)
        .where(held.c.released_at_ms.is_(None))
        .order_by(part.c.allocation_id, part.c.device_id)
    )
    for row in rows:
        shares.setdefault(row[0], []).append(DeviceShare(row[1], row[2], row[3]))
    found = tx.execute(
        sa.select(
            held.c.id,
            held.c.workload_id,
            held.c.project,
            workload.c.priority,
            workload.c.kind,
            held.c.node,
            held.c.cpu_milli,
            held.c.memory_bytes,
            held.c.started_at_ms,
            workload.c.max_runtime_seconds,
        )
        .join(workload, workload.c.id == held.c.workload_id)
        .where(held.c.released_at_ms.is_(None))
        .order_by(held.c.id)
    )
    return tuple(
        Hold(
            allocation_id=row.id,
            workload_id=row.workload_id,
            project=row.project,
            priority=row.priority,
            kind=Kind(row.kind),
            node=row.node,
            cpu_milli=row.cpu_milli,
            memory_bytes=row.memory_bytes,
            devices=tuple(shares.get(row.id, ())),
            started_at_ms=row.started_at_ms,
            ends_at_ms=None
            if row.started_at_ms is None or row.max_runtime_seconds is None
            else row.started_at_ms + row.max_runtime_seconds * 1000,
        )
        for row in found
    )


def _demands(tx: Transaction, only: Collection[str] | None) -> tuple[Demand, ...]:
    """Queued workloads, and arrays under way that have tasks left, in the order of the queue."""
    table, replica = tables.workloads, tables.replicas
    wanted = placeable(table)
    pending = (
        sa.select(replica.c.workload_id, replica.c.rank)
        .join(table, table.c.id == replica.c.workload_id)
        .where(replica.c.state == ReplicaState.WAITING.value, wanted)
        .order_by(replica.c.workload_id, replica.c.rank)
    )
    columns = [table.c[name] for name in _DEMAND_COLUMNS]
    statement = (
        sa.select(*columns)
        .where(wanted)
        .order_by(table.c.priority.desc(), table.c.submitted_at_ms, table.c.id)
    )
    if only is not None:
        ids = sorted(only)
        statement = statement.where(table.c.id.in_(ids)).with_for_update()
        pending = pending.where(replica.c.workload_id.in_(ids))
    ranks: dict[str, list[int]] = {}
    for workload_id, rank in tx.execute(pending):
        ranks.setdefault(workload_id, []).append(rank)
    rows = tx.execute(statement).mappings()
    return tuple(_demand(row, ranks[row["id"]]) for row in rows if row["id"] in ranks)


_DEMAND_COLUMNS = (
    "id",
    "project",
    "kind",
    "priority",
    "submitted_at_ms",
    "cpu_milli",
    "memory_bytes",
    "gpu_milli",
    "gpu_share_bytes",
    "gpu_types",
    "gpu_memory_min_bytes",
    "gpu_memory_max_bytes",
    "mig_profile",
    "mig_count",
    "node_labels",
    "topology_within",
    "topology_prefer",
    "replicas_min",
    "is_array",
    "dependencies_open",
)


def _demand(row: Row, ranks: list[int]) -> Demand:
    blocked = None
    if row["dependencies_open"]:
        count = row["dependencies_open"]
        blocked = Refusal(
            WaitReason.DEPENDENCY,
            f"Waits for {count} workload{'s' if count > 1 else ''} that it depends on.",
            "It is placed as soon as they have succeeded.",
            (Evidence("dependencies_open", str(count)),),
        )
    return Demand(
        workload_id=row["id"],
        project=row["project"],
        kind=Kind(row["kind"]),
        priority=row["priority"],
        # Work that was queued again keeps the place that its age gives it.
        queued_at_ms=row["submitted_at_ms"],
        request=request_from_row(row),
        pending_ranks=tuple(ranks),
        minimum=1 if row["is_array"] else min(row["replicas_min"], len(ranks)),
        topology=topology_from_row(row),
        blocked=blocked,
    )
