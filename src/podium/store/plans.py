"""Commits a plan: verified on fresh rows, then allocations, states, events and refusals, all in
the transaction of the caller (`control/schedule`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from podium.domain.lifecycle import ReplicaEvent, ReplicaState, WorkloadEvent, replica_next
from podium.domain.quantity import format_milli
from podium.domain.reason import Cause
from podium.scheduling.plan import Placement, Plan
from podium.scheduling.snapshot import Snapshot
from podium.scheduling.verify import verify
from podium.store import tables
from podium.store.allocations import allocation_insert
from podium.store.borrowing import borrowed_of
from podium.store.chunks import chunks
from podium.store.codec import Row
from podium.store.database import Transaction
from podium.store.demands import demanding_ids
from podium.store.lifecycle import event_insert, event_row, workload_apply, workload_rows
from podium.store.preemptions import preemptions_apply
from podium.store.queue import refusal_update
from podium.store.snapshot import snapshot


@dataclass(frozen=True, slots=True)
class Committed:
    """What became of a plan. `rejected` names workloads of which a placement or a preemption was
    stale; `preempted` counts those that were asked to give way."""

    placed: int
    rejected: tuple[tuple[str, str], ...]
    preempted: int = 0


def commit_plan(
    tx: Transaction, plan: Plan, now_ms: int, *, new_id: Callable[[], str]
) -> Committed:
    """Write what still holds of the plan. Stale parts are left for the next decision."""
    accepted: Sequence[Placement] = ()
    rejected: tuple[tuple[str, str], ...] = ()
    if plan.placements:
        fresh = snapshot(tx, now_ms, only={each.workload_id for each in plan.placements})
        verdict = verify(fresh, plan)
        accepted, rejected = verdict.accepted, verdict.rejected
        _place(tx, fresh, accepted, now_ms, new_id)
    preempted = preemptions_apply(tx, plan.preemptions, now_ms)
    refusals = [(key, each.refusal) for each in plan.refusals for key in each.workload_ids]
    waiting = demanding_ids(tx, [key for key, _ in refusals], growing=False)
    refusal_update(tx, [each for each in refusals if each[0] in waiting], now_ms)
    return Committed(len(accepted), rejected + preempted.rejected, len(preempted.stopped))


def _place(
    tx: Transaction,
    fresh: Snapshot,
    accepted: Sequence[Placement],
    now_ms: int,
    new_id: Callable[[], str],
) -> None:
    by_workload: dict[str, list[Placement]] = {}
    for placement in accepted:
        by_workload.setdefault(placement.workload_id, []).append(placement)
    workloads = workload_rows(tx, by_workload)
    projects = {key: row["project"] for key, row in workloads.items()}
    borrowed = dict(zip(accepted, borrowed_of(fresh, accepted, projects), strict=True))
    types = {device.id: device.priced for node in fresh.nodes for device in node.devices}
    attempts = _attempts(tx, list(by_workload))
    allocations: list[dict[str, Any]] = []
    shares: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    moves: list[dict[str, Any]] = []
    scheduled = replica_next(ReplicaState.WAITING, ReplicaEvent.SCHEDULED)
    for workload_id, placements in by_workload.items():
        workload = workloads[workload_id]
        for placement in placements:
            allocation_id = new_id()
            attempt = attempts[workload_id, placement.rank]
            allocations.append(
                _allocation(allocation_id, placement, workload, attempt, scheduled, now_ms)
            )
            shares.extend(
                {
                    "allocation_id": allocation_id,
                    "device_id": share.device_id,
                    "gpu_milli": share.gpu_milli,
                    "memory_bytes": share.memory_bytes,
                    "mig_profile": share.mig_profile,
                    "mig_start": share.mig_start,
                    "gpu_type": types[share.device_id],
                    "borrowed_milli": beyond,
                }
                for share, beyond in zip(placement.devices, borrowed[placement], strict=True)
            )
            moves.append({"of": workload_id, "at": placement.rank})
            if workload["replicas_max"] > 1:
                events.append(
                    event_row(
                        workload,
                        ReplicaEvent.SCHEDULED,
                        scheduled,
                        Cause.PLACED,
                        now_ms,
                        message=f"On {placement.node}.",
                        rank=placement.rank,
                    )
                )
        if workload["state"] == "queued":
            workload_apply(
                tx,
                workload,
                WorkloadEvent.SCHEDULED,
                Cause.PLACED,
                now_ms,
                message=_where(placements),
            )
    if not allocations:
        return
    allocation_insert(tx, allocations, shares)
    replica = tables.replicas
    tx.execute(
        sa.update(replica)
        .where(replica.c.workload_id == sa.bindparam("of"), replica.c.rank == sa.bindparam("at"))
        .values(state=scheduled.value),
        moves,
    )
    event_insert(tx, events)


def _allocation(
    allocation_id: str,
    placement: Placement,
    workload: Row,
    attempt: int,
    state: ReplicaState,
    now_ms: int,
) -> dict[str, Any]:
    return {
        "id": allocation_id,
        "workload_id": placement.workload_id,
        "project": workload["project"],
        "rank": placement.rank,
        "attempt": attempt,
        "node": placement.node,
        "state": state.value,
        "cpu_milli": placement.cpu_milli,
        "memory_bytes": placement.memory_bytes,
        "gpu_milli": sum(share.gpu_milli for share in placement.devices),
        "created_at_ms": now_ms,
        "message": "",
        "runtime_ms": 0,
        "cpu_time_ms": 0,
        "memory_peak_bytes": 0,
        "removed": False,
    }


def _attempts(tx: Transaction, ids: Sequence[str]) -> dict[tuple[str, int], int]:
    replica = tables.replicas
    found: dict[tuple[str, int], int] = {}
    for chunk in chunks(ids):
        rows = tx.execute(
            sa.select(replica.c.workload_id, replica.c.rank, replica.c.attempt).where(
                replica.c.workload_id.in_(chunk),
                replica.c.state == ReplicaState.WAITING.value,
            )
        )
        found.update(((row.workload_id, row.rank), row.attempt) for row in rows)
    return found


def _where(placements: Sequence[Placement]) -> str:
    nodes = sorted({each.node for each in placements})
    gpu_milli = sum(share.gpu_milli for each in placements for share in each.devices)
    place = nodes[0] if len(nodes) == 1 else f"{len(nodes)} nodes"
    if not gpu_milli:
        return f"Placed on {place}."
    unit = "GPU" if gpu_milli <= 1000 else "GPUs"
    return f"Placed on {place} with {format_milli(gpu_milli)} {unit}."
