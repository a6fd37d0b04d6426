"""Allocations: what is held where, and how each attempt went."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from podium.domain.allocation import Allocation
from podium.domain.holdup import HoldUp
from podium.domain.lifecycle import ReplicaState
from podium.domain.reason import Cause
from podium.domain.resources import DeviceShare
from podium.domain.tenancy import Scope
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.codec import Row
from podium.store.database import Transaction
from podium.store.scoping import within
from podium.store.workloads import workload_fetch


@dataclass(frozen=True, slots=True)
class RankFacts:
    """One rank now: its state and attempt, and its latest allocation if it ever had one."""

    rank: int
    state: ReplicaState
    attempt: int
    allocation: Allocation | None


def allocation_insert(
    tx: Transaction, rows: Sequence[dict[str, Any]], shares: Sequence[dict[str, Any]]
) -> None:
    tx.execute(sa.insert(tables.allocations), rows)
    if shares:
        tx.execute(sa.insert(tables.allocation_devices), shares)


def allocation_list_open(
    tx: Transaction, *, nodes: Collection[str], states: Collection[ReplicaState], limit: int
) -> list[Allocation]:
    """Open allocations on `nodes` in one of `states`, oldest first."""
    table = tables.allocations
    statement = (
        sa.select(table)
        .where(
            table.c.released_at_ms.is_(None),
            table.c.state.in_(sorted(each.value for each in states)),
            table.c.node.in_(sorted(nodes)),
        )
        .order_by(table.c.id)
        .limit(limit)
    )
    return _with_devices(tx, list(tx.execute(statement).mappings()))


def rank_list(
    tx: Transaction,
    scope: Scope,
    workload_id: str,
    *,
    limit: int,
    after: int = -1,
    attempt: int | None = None,
) -> list[RankFacts]:
    """Ranks above `after` in order, each with its latest allocation, or that of `attempt`."""
    workload_fetch(tx, scope, workload_id)
    replica = tables.replicas
    ranks = tx.execute(
        sa.select(replica)
        .where(replica.c.workload_id == workload_id, replica.c.rank > after)
        .order_by(replica.c.rank)
        .limit(limit)
    ).all()
    if not ranks:
        return []
    table = tables.allocations
    newest = (
        sa.select(table.c.rank, sa.func.max(table.c.attempt).label("attempt"))
        .where(
            table.c.workload_id == workload_id,
            table.c.rank.between(ranks[0].rank, ranks[-1].rank),
            *([table.c.attempt == attempt] if attempt is not None else []),
        )
        .group_by(table.c.rank)
        .subquery()
    )
    rows = tx.execute(
        sa.select(table)
        .join(newest, (newest.c.rank == table.c.rank) & (newest.c.attempt == table.c.attempt))
        .where(table.c.workload_id == workload_id)
    ).mappings()
    by_rank = {each.rank: each for each in _with_devices(tx, list(rows))}
    return [
        RankFacts(row.rank, ReplicaState(row.state), row.attempt, by_rank.get(row.rank))
        for row in ranks
    ]


def master_nodes(tx: Transaction, workload_ids: Collection[str]) -> dict[str, str]:
    """The node of each workload's lowest rank that holds something, where a gang meets."""
    table = tables.allocations
    found: dict[str, str] = {}
    for chunk in chunks(workload_ids):
        rows = tx.execute(
            sa.select(table.c.workload_id, table.c.node)
            .where(
                table.c.workload_id.in_(chunk),
                table.c.released_at_ms.is_(None),
            )
            .order_by(table.c.rank.desc())
        )
        found.update((row.workload_id, row.node) for row in rows)
    return found


def saves_record(tx: Transaction, saved_at_ms: Mapping[str, int], now_ms: int) -> None:
    """When open allocations last saved what they did. Nothing is saved before its start, nor in
    the future."""
    if not saved_at_ms:
        return
    table = tables.allocations
    begun_ms = sa.func.coalesce(table.c.started_at_ms, table.c.created_at_ms)
    told_ms = sa.bindparam("told_ms", type_=sa.BigInteger)
    tx.execute(
        sa.update(table)
        .where(table.c.id == sa.bindparam("key"), table.c.released_at_ms.is_(None))
        .values(saved_at_ms=sa.case((begun_ms > told_ms, begun_ms), else_=told_ms)),
        [{"key": key, "told_ms": min(at_ms, now_ms)} for key, at_ms in sorted(saved_at_ms.items())],
    )


def saved_last_ms(tx: Transaction, scope: Scope, workload_id: str) -> int | None:
    """When anything of it was last said to be saved, in this attempt or before."""
    table = tables.allocations
    found: int | None = tx.scalar(
        sa.select(sa.func.max(table.c.saved_at_ms)).where(
            table.c.workload_id == workload_id, within(scope, table.c.project)
        )
    )
    return found


def allocation_removable(
    tx: Transaction, before_ms: int, limit: int, *, nodes: Collection[str]
) -> list[str]:
    """Ids of allocations on `nodes` released before `before_ms` whose logs are still kept."""
    table = tables.allocations
    return list(
        tx.scalars(
            sa.select(table.c.id)
            .where(
                table.c.released_at_ms < before_ms,
                table.c.removed.is_(False),
                table.c.given_up.is_(False),  # it may still write its log
                table.c.node.in_(sorted(nodes)),
            )
            .order_by(table.c.released_at_ms)
            .limit(limit)
        )
    )


def allocation_mark_removed(tx: Transaction, ids: Sequence[str]) -> None:
    table = tables.allocations
    tx.execute(sa.update(table).where(table.c.id.in_(ids)).values(removed=True))


def allocation_released(tx: Transaction, ids: Collection[str]) -> set[str]:
    """Those of `ids` that are released, or that the store never knew."""
    wanted = sorted(set(ids))
    open_ids: set[str] = set()
    table = tables.allocations
    for chunk in chunks(ids):
        open_ids.update(
            tx.scalars(
                sa.select(table.c.id).where(
                    table.c.id.in_(chunk),
                    table.c.released_at_ms.is_(None),
                )
            )
        )
    return set(wanted) - open_ids


def _with_devices(tx: Transaction, rows: Sequence[Row]) -> list[Allocation]:
    shares: dict[str, list[DeviceShare]] = {}
    ids = [row["id"] for row in rows if row["gpu_milli"]]
    table = tables.allocation_devices
    for chunk in chunks(ids):
        found = tx.execute(
            sa.select(table)
            .where(table.c.allocation_id.in_(chunk))
            .order_by(table.c.allocation_id, table.c.device_id, table.c.mig_start)
        )
        for each in found:
            shares.setdefault(each.allocation_id, []).append(
                DeviceShare(
                    each.device_id,
                    each.gpu_milli,
                    each.memory_bytes,
                    each.mig_profile,
                    each.mig_start,
                )
            )
    return [_from_row(row, tuple(shares.get(row["id"], ()))) for row in rows]


def _from_row(row: Row, devices: tuple[DeviceShare, ...]) -> Allocation:
    return Allocation(
        id=row["id"],
        workload_id=row["workload_id"],
        project=row["project"],
        rank=row["rank"],
        attempt=row["attempt"],
        node=row["node"],
        state=ReplicaState(row["state"]),
        cpu_milli=row["cpu_milli"],
        memory_bytes=row["memory_bytes"],
        devices=devices,
        created_at_ms=row["created_at_ms"],
        started_at_ms=row["started_at_ms"],
        released_at_ms=row["released_at_ms"],
        cause=Cause(row["cause"]) if row["cause"] else None,
        message=row["message"],
        exit_code=row["exit_code"],
        signal=row["signal"],
        runtime_ms=row["runtime_ms"],
        cpu_time_ms=row["cpu_time_ms"],
        memory_peak_bytes=row["memory_peak_bytes"],
        saved_at_ms=row["saved_at_ms"],
        hold_up=_hold_up(row),
    )


def _hold_up(row: Row) -> HoldUp | None:
    begins = (ReplicaState.SCHEDULED, ReplicaState.STARTING)
    if not row["holdup_message"] or row["state"] not in begins:
        return None
    cause = row["holdup_cause"]
    return HoldUp(
        message=row["holdup_message"],
        cause=Cause(cause) if cause else None,
        since_ms=row["holdup_since_ms"],
    )
