"""What the engines report about replicas, written down: launched, running, ended.

Called by `control/launch`, `control/observe` and `control/stop` inside their transactions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from podium.domain.lifecycle import (
    WORKLOAD_UNDER_WAY,
    ReplicaEvent,
    ReplicaState,
    WorkloadEvent,
    WorkloadState,
    replica_next,
)
from podium.domain.outcome import (
    RETRY_IS_FREE,
    STOPS_OF_THE_WHOLE,
    TAKES_ONE_REPLICA,
    may_retry,
)
from podium.domain.reason import Cause
from podium.domain.workload import Recovery
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.codec import Row
from podium.store.database import Transaction
from podium.store.lifecycle import (
    event_insert,
    event_row,
    replica_counts,
    workload_apply,
    workload_conclude,
    workload_rows,
)
from podium.store.metering import Released, bills_insert, parts_of
from podium.store.past_use import past_use_add


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How one allocation ended, as its engine tells it. `ended_at_ms` where that was not now."""

    allocation_id: str
    cause: Cause
    stop_seen: bool = False
    message: str = ""
    exit_code: int | None = None
    signal: int | None = None
    runtime_ms: int = 0
    cpu_time_ms: int = 0
    memory_peak_bytes: int = 0
    ended_at_ms: int | None = None


def replicas_launched(tx: Transaction, ids: Sequence[str], now_ms: int) -> None:
    """The engine has accepted these allocations."""
    workloads = _locked(tx, ids)
    for row in _open_rows(tx, ids):
        if row["state"] != ReplicaState.SCHEDULED:
            continue  # stopped in the meantime
        _replica_apply(tx, row, ReplicaEvent.LAUNCHED, Cause.PLACED, now_ms)
    for workload in workloads.values():
        if workload["state"] == WorkloadState.SCHEDULED:
            workload_apply(tx, workload, WorkloadEvent.LAUNCHED, Cause.PLACED, now_ms)


def replicas_running(tx: Transaction, ids: Sequence[str], now_ms: int) -> None:
    """The processes of these allocations have started."""
    _locked(tx, ids)
    touched: set[str] = set()
    for row in _open_rows(tx, ids):
        if row["state"] != ReplicaState.STARTING:
            continue
        _replica_apply(
            tx, row, ReplicaEvent.RUNNING, Cause.STARTED, now_ms, {"started_at_ms": now_ms}
        )
        touched.add(row["workload_id"])
    for workload in workload_rows(tx, touched).values():
        workload_conclude(tx, workload, now_ms)


def replicas_ended(tx: Transaction, ends: Sequence[End], now_ms: int) -> None:
    """No process of these allocations is left: release what they held, bill it, and take the
    consequences for their workloads. Ends that are recorded already are passed over."""
    by_id = {end.allocation_id: end for end in ends}
    touched: set[str] = set()
    workloads = _locked(tx, list(by_id))
    released: list[Released] = []
    for row in _open_rows(tx, list(by_id)):
        workload = workloads[row["workload_id"]]
        if workload["state"] == WorkloadState.SCHEDULED:
            launched = WorkloadEvent.LAUNCHED
            workload = workload_apply(tx, workload, launched, Cause.PLACED, now_ms)
            workloads[row["workload_id"]] = workload
        end = by_id[row["id"]]
        gone = _replica_end(tx, row, workload, end, now_ms)
        released.append(Released(gone, now_ms if end.ended_at_ms is None else end.ended_at_ms))
        touched.add(row["workload_id"])
    _bill(tx, released, now_ms)
    for workload in workload_rows(tx, touched).values():
        workload_conclude(tx, workload, now_ms)


def replicas_stop(
    tx: Transaction, ids: Sequence[str], cause: Cause, now_ms: int, *, message: str
) -> None:
    """Ask single replicas of a workload that goes on to end, such as tasks of an array."""
    _locked(tx, ids)
    for row in _open_rows(tx, ids):
        if row["state"] != ReplicaState.STOPPING:
            facts = {"cause": cause.value, "message": message}
            _replica_apply(tx, row, ReplicaEvent.STOP_REQUESTED, cause, now_ms, facts, message)


def rendezvous_assign(tx: Transaction, workload_id: str, port: int) -> int:
    """Fix the port where this attempt's replicas meet; the first answer stays."""
    table = tables.workloads
    tx.execute(
        sa.update(table)
        .where(table.c.id == workload_id, table.c.rendezvous_port.is_(None))
        .values(rendezvous_port=port)
    )
    return int(
        tx.execute(sa.select(table.c.rendezvous_port).where(table.c.id == workload_id)).scalar_one()
    )


def _replica_end(tx: Transaction, row: Row, workload: Row, end: End, now_ms: int) -> Row:
    """The row as it is released."""
    facts: dict[str, Any] = {
        "released_at_ms": now_ms,
        "exit_code": end.exit_code,
        "signal": end.signal,
        "runtime_ms": end.runtime_ms,
        "cpu_time_ms": end.cpu_time_ms,
        "memory_peak_bytes": end.memory_peak_bytes,
        "message": end.message,
    }
    ran = end.runtime_ms or end.exit_code is not None or end.signal is not None
    if row["started_at_ms"] is None and ran:
        facts["started_at_ms"] = now_ms - end.runtime_ms
    if row["state"] == ReplicaState.SCHEDULED:
        row = _replica_apply(tx, row, ReplicaEvent.LAUNCHED, Cause.PLACED, now_ms)
    cause, event = end.cause, ReplicaEvent.FAILED
    if end.cause is Cause.COMPLETED and not (end.stop_seen and _gives_way(row, workload)):
        event = ReplicaEvent.SUCCEEDED
        if row["state"] == ReplicaState.STARTING:
            row = _replica_apply(tx, row, ReplicaEvent.RUNNING, Cause.STARTED, now_ms)
    elif row["state"] == ReplicaState.STOPPING and row["cause"] is not None:
        cause = Cause(row["cause"])  # it was stopped for itself, and its workload goes on
        facts["message"] = row["message"]
        if cause is Cause.PREEMPTED:
            event = ReplicaEvent.CANCELLED
    elif row["state"] == ReplicaState.STOPPING:
        event = ReplicaEvent.CANCELLED
        cause = Cause(workload["cause"])
        if cause not in STOPS_OF_THE_WHOLE:
            cause = Cause.GANG_MEMBER_ENDED  # the others were stopped because one had failed
    facts["cause"] = cause.value
    row = _replica_apply(tx, row, event, cause, now_ms, facts, facts["message"])
    under_way = workload["state"] in WORKLOAD_UNDER_WAY
    if event is ReplicaEvent.SUCCEEDED or (event is ReplicaEvent.CANCELLED and not under_way):
        return row
    if workload["is_array"] or (under_way and _goes_on_without(tx, row, workload, cause)):
        _retry_replica(tx, row, workload, cause, now_ms)
    return row


def _gives_way(row: Row, workload: Row) -> bool:
    """Whether it was asked to stop so that others can run. It may well save its work and end with
    exit code 0 then, which does not mean that it was done."""
    if row["state"] != ReplicaState.STOPPING:
        return False
    cause: str = row["cause"] or workload["cause"]
    return cause == Cause.PREEMPTED


def _goes_on_without(tx: Transaction, row: Row, workload: Row, cause: Cause) -> bool:
    """Whether a gang goes on while this replica is replaced: it is elastic and enough others
    stand, or it asked for that and any stands, but always with the lowest rank among them. That is
    where they all meet: its address is in the environment of the others, and what they agreed on
    there is lost with it."""
    replaces = workload["recovery"] == Recovery.REPLACE
    if not (workload["replicas_resize"] or replaces) or cause not in TAKES_ONE_REPLICA:
        return False
    counts = replica_counts(tx, row["workload_id"])
    if counts.get(ReplicaState.SUCCEEDED):
        # It is about to end; what had to give way before is not missed.
        return cause is Cause.PREEMPTED
    table = tables.allocations
    standing = tx.scalars(
        sa.select(table.c.rank).where(
            table.c.workload_id == row["workload_id"],
            table.c.released_at_ms.is_(None),
            table.c.state != ReplicaState.STOPPING.value,
        )
    ).all()
    least = workload["replicas_min"] if workload["replicas_resize"] else 1
    return len(standing) >= least and bool(min(standing) < row["rank"])


def _retry_replica(tx: Transaction, row: Row, workload: Row, cause: Cause, now_ms: int) -> None:
    """Queue one replica again, for itself, while it has retries left."""
    replica = tables.replicas
    mine = (replica.c.workload_id == row["workload_id"]) & (replica.c.rank == row["rank"])
    failures = tx.execute(sa.select(replica.c.failures).where(mine)).scalar_one()
    failures += cause not in RETRY_IS_FREE
    values: dict[str, Any] = {"failures": failures}
    under_way = workload["state"] in WORKLOAD_UNDER_WAY
    if under_way and may_retry(cause, failures=failures, retries=workload["retries"]):
        after = replica_next(ReplicaState(row["state"]), ReplicaEvent.REQUEUED)
        values |= {"state": after.value, "attempt": replica.c.attempt + 1}
        event_insert(
            tx,
            [
                event_row(
                    workload,
                    ReplicaEvent.REQUEUED,
                    after,
                    cause if cause in RETRY_IS_FREE else Cause.RETRY,
                    now_ms,
                    message=f"Queued again for attempt {row['attempt'] + 1}.",
                    rank=row["rank"],
                )
            ],
        )
    tx.execute(sa.update(replica).where(mine).values(values))


def _bill(tx: Transaction, released: Sequence[Released], now_ms: int) -> None:
    """What is free has been billed, in the same transaction."""
    held = [each.row for each in released if each.row["gpu_milli"]]
    bills_insert(tx, released, parts_of(tx, [row["id"] for row in held]))
    past_use_add(tx, held, now_ms)


def _replica_apply(
    tx: Transaction,
    row: Row,
    event: ReplicaEvent,
    cause: Cause,
    now_ms: int,
    facts: dict[str, Any] | None = None,
    message: str = "",
) -> Row:
    after = replica_next(
        ReplicaState(row["state"]), event, subject=f"{row['workload_id']} rank {row['rank']}"
    )
    changes = {"state": after.value, **(facts or {})}
    tx.execute(
        sa.update(tables.allocations).where(tables.allocations.c.id == row["id"]).values(changes)
    )
    tx.execute(
        sa.update(tables.replicas)
        .where(
            tables.replicas.c.workload_id == row["workload_id"],
            tables.replicas.c.rank == row["rank"],
        )
        .values(state=after.value)
    )
    if row["replicas_max"] > 1:
        about = {"project": row["project"], "id": row["workload_id"]}
        event_insert(
            tx,
            [event_row(about, event, after, cause, now_ms, message=message, rank=row["rank"])],
        )
    return {**row, **changes}


def _open_rows(tx: Transaction, ids: Sequence[str]) -> list[Row]:
    table, workload = tables.allocations, tables.workloads
    found: list[Row] = []
    for chunk in chunks(ids):
        statement = (
            sa.select(table, workload.c.replicas_max)
            .join(workload, workload.c.id == table.c.workload_id)
            .where(table.c.id.in_(chunk), table.c.released_at_ms.is_(None))
            .order_by(table.c.id)
        )
        found.extend(tx.execute(statement).mappings())
    return found


def _locked(tx: Transaction, ids: Sequence[str]) -> dict[str, Row]:
    """The workloads of these allocations. Whoever moves replicas holds their workload's row, so
    what is read of them after this stays true until the commit."""
    return workload_rows(tx, workload_ids_of(tx, ids))


def workload_ids_of(tx: Transaction, ids: Iterable[str]) -> set[str]:
    table = tables.allocations
    found: set[str] = set()
    for chunk in chunks(ids):
        found.update(tx.scalars(sa.select(table.c.workload_id).where(table.c.id.in_(chunk))))
    return found
