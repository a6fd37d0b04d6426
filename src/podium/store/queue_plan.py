"""What the scheduler planned last about those who wait: `control/schedule` writes it, the queue's
page reads it, and `store/node_lines` draws it beside what runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.lifecycle import WorkloadState
from podium.domain.quantity import GPU_MILLI
from podium.domain.tenancy import Scope
from podium.scheduling.plan import Reservation, Turn
from podium.store import tables
from podium.store.codec import Row
from podium.store.database import Transaction
from podium.store.scoping import within
from podium.store.shares import project_shares
from podium.store.standing import expectation

_LAST = "last"
_OVER = tuple(
    each.value
    for each in (
        WorkloadState.STOPPING,
        WorkloadState.SUCCEEDED,
        WorkloadState.FAILED,
        WorkloadState.CANCELLED,
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueTurn:
    """Without an id and a share where the reader may not see the workload."""

    workload_id: str | None
    inside: bool
    priority: int
    waits_ms: int
    share_ppm: int | None
    from_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueReservation:
    """`workload_id` is for the server; `seen` says whether the reader may have it. From `from_ms`
    on it is expected to need the nodes for `lasts_ms`; None where nobody knows."""

    workload_id: str
    seen: bool
    from_ms: int | None
    lasts_ms: int | None
    gpu_milli: int  # of `replicas` of them together, as the next
    gpu_share_bytes: int
    nodes: tuple[tuple[str, int], ...]  # and how many replicas each is kept for, by name
    replicas: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePlan:
    """`made_at_ms` is since when it is the plan; None before the first."""

    made_at_ms: int | None
    turns: tuple[QueueTurn, ...]
    reservations: tuple[QueueReservation, ...]


def queue_plan_replace(
    tx: Transaction,
    now_ms: int,
    *,
    turns: Sequence[Turn] | None,
    reservations: Sequence[Reservation] | None,
) -> None:
    """Put it in the place of what was planned before; None leaves that part as it is."""
    plan = tables.plans
    tx.execute(sa.delete(plan))
    tx.execute(sa.insert(plan).values(name=_LAST, made_at_ms=now_ms))
    if turns is not None:
        _replace(
            tx,
            tables.plan_turns,
            [
                {"position": at, "workload_id": each.workload_id, "inside": each.inside}
                for at, each in enumerate(turns, start=1)
            ],
        )
    if reservations is not None:
        tx.execute(sa.delete(tables.plan_nodes))
        _replace(
            tx,
            tables.plan_reservations,
            [
                {"workload_id": each.workload_id, "position": at, "from_ms": each.from_ms}
                for at, each in enumerate(reservations)
            ],
        )
        nodes = [
            {"workload_id": each.workload_id, "node": node, "replicas": count}
            for each in reservations
            for node, count in zip(each.nodes, each.replicas, strict=True)
        ]
        if nodes:
            tx.execute(sa.insert(tables.plan_nodes), nodes)


def queue_plan(tx: Transaction, scope: Scope, now_ms: int) -> QueuePlan:
    """Of those who still wait. Of others' work only amounts are told."""
    turn, booked, workload = tables.plan_turns, tables.plan_reservations, tables.workloads
    made_at_ms = tx.scalar(sa.select(tables.plans.c.made_at_ms))
    seen = within(scope, workload.c.project).label("seen")
    rows = tx.execute(
        sa.select(
            turn.c.workload_id,
            turn.c.inside,
            workload.c.project,
            workload.c.priority,
            workload.c.queued_at_ms,
            booked.c.from_ms,
            seen,
        )
        .join(workload, workload.c.id == turn.c.workload_id)
        .outerjoin(booked, booked.c.workload_id == turn.c.workload_id)
        .where(workload.c.state.not_in(_OVER))
        .order_by(turn.c.position)
    ).all()
    shares = project_shares(tx, scope, now_ms) if any(row.seen for row in rows) else {}
    return QueuePlan(
        made_at_ms=made_at_ms,
        turns=tuple(
            QueueTurn(
                workload_id=row.workload_id if row.seen else None,
                inside=row.inside,
                priority=row.priority,
                waits_ms=max(0, now_ms - row.queued_at_ms),
                share_ppm=shares.get(row.project) if row.seen else None,
                from_ms=row.from_ms,
            )
            for row in rows
        ),
        reservations=_reservations(tx, seen),
    )


def _replace(tx: Transaction, table: sa.Table, rows: list[dict[str, object]]) -> None:
    tx.execute(sa.delete(table))
    if rows:
        tx.execute(sa.insert(table), rows)


def _reservations(tx: Transaction, seen: sa.ColumnElement[bool]) -> tuple[QueueReservation, ...]:
    booked, part, workload = tables.plan_reservations, tables.plan_nodes, tables.workloads
    nodes: dict[str, list[tuple[str, int]]] = {}
    for row in tx.execute(sa.select(part).order_by(part.c.workload_id, part.c.node)):
        nodes.setdefault(row.workload_id, []).append((row.node, row.replicas))
    rows = tx.execute(
        sa.select(
            booked.c.workload_id,
            booked.c.from_ms,
            workload.c.max_runtime_seconds,
            workload.c.expected_runtime_seconds,
            workload.c.gpu_milli,
            workload.c.mig_count,
            workload.c.gpu_share_bytes,
            workload.c.group_count,
            workload.c.groups_gpu_milli,
            workload.c.replicas_max,
            seen,
        )
        .join(workload, workload.c.id == booked.c.workload_id)
        .where(workload.c.state.not_in(_OVER))
        .order_by(booked.c.position)
    ).mappings()
    return tuple(
        QueueReservation(
            workload_id=row["workload_id"],
            seen=bool(row["seen"]),
            from_ms=row["from_ms"],
            lasts_ms=_lasts_ms(row),
            nodes=tuple(nodes.get(row["workload_id"], ())),
            **_amounts(row),
        )
        for row in rows
    )


def _amounts(row: Row) -> dict[str, int]:
    """Of one replica; of unlike groups all together, because it is only known how many replicas a
    node is kept for, and not which."""
    if row["group_count"]:
        return {
            "gpu_milli": row["groups_gpu_milli"],
            "gpu_share_bytes": 0,
            "replicas": row["replicas_max"],
        }
    return {
        "gpu_milli": row["gpu_milli"] + row["mig_count"] * GPU_MILLI,
        "gpu_share_bytes": row["gpu_share_bytes"],
        "replicas": 1,
    }


def _lasts_ms(row: Row) -> int | None:
    """As the scheduler counts it for what runs: by its limit, or else by what is usual at most."""
    limit, expected = row["max_runtime_seconds"], row["expected_runtime_seconds"]
    if limit is not None:
        return int(limit) * 1000
    return None if expected is None else expectation(expected, None).most_ms
