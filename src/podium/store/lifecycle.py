"""Moves workloads and replicas through their states: row, event and consequences in one go.

The only writer of `workloads.state`, `replicas.state` and `allocations.state` after submission.
Legality comes from `domain/lifecycle.py`, what is due from `domain/outcome.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from podium.domain.event import NOTED, SYSTEM_ACTOR
from podium.domain.lifecycle import (
    REPLICA_ENDS,
    REPLICA_HOLDS,
    WORKLOAD_ENDS,
    ReplicaEvent,
    ReplicaState,
    WorkloadEvent,
    WorkloadState,
    replica_next,
    workload_next,
)
from podium.domain.outcome import RETRY_IS_FREE, due_event
from podium.domain.quantity import format_duration
from podium.domain.reason import Cause
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.codec import Row
from podium.store.database import Transaction
from podium.store.notices import notice_insert, notices_due

_STORY_LINES = 20
_STOPPABLE = (ReplicaState.SCHEDULED, ReplicaState.STARTING, ReplicaState.RUNNING)


def story(tx: Transaction, workload_id: str) -> list[str]:
    """The workload's last events as text, for errors about illegal moves."""
    rows = tx.execute(
        sa.select(tables.events)
        .where(tables.events.c.workload_id == workload_id)
        .order_by(tables.events.c.seq.desc())
        .limit(_STORY_LINES)
    ).mappings()
    return [
        f"{row['at_ms']} {row['kind']} rank={row['rank']} → {row['state']} ({row['cause']})"
        for row in reversed(list(rows))
    ]


def event_insert(tx: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        tx.execute(sa.insert(tables.events), rows)


def event_row(
    workload: Row,
    kind: str,
    state: str,
    cause: Cause,
    now_ms: int,
    *,
    message: str = "",
    actor: str = SYSTEM_ACTOR,
    rank: int | None = None,
) -> dict[str, Any]:
    return {
        "at_ms": now_ms,
        "project": workload["project"],
        "workload_id": workload["id"],
        "rank": rank,
        "kind": kind,
        "state": state,
        "cause": cause,
        "message": message,
        "actor": actor,
    }


def workload_rows(tx: Transaction, ids: Iterable[str]) -> dict[str, Row]:
    """Rows by id, locked for this transaction where the database knows locks."""
    found: dict[str, Row] = {}
    for chunk in chunks(ids):
        statement = (
            sa.select(tables.workloads)
            .where(tables.workloads.c.id.in_(chunk))
            .order_by(tables.workloads.c.id)
            .with_for_update()
        )
        found.update((row["id"], row) for row in tx.execute(statement).mappings())
    return found


def workload_apply(
    tx: Transaction,
    workload: Row,
    event: WorkloadEvent,
    cause: Cause,
    now_ms: int,
    *,
    message: str = "",
    actor: str = SYSTEM_ACTOR,
) -> Row:
    """Take one event: new state, times, version and history. Returns the row as it is now."""
    changed = _move(tx, workload, event, cause, now_ms, message, actor)
    notice_insert(tx, notices_due(workload, event, cause, message, actor, now_ms))
    if WorkloadState(changed["state"]) in WORKLOAD_ENDS:
        _release_dependents(tx, changed, now_ms)
    return changed


def _move(
    tx: Transaction,
    workload: Row,
    event: WorkloadEvent,
    cause: Cause,
    now_ms: int,
    message: str,
    actor: str,
) -> Row:
    before = WorkloadState(workload["state"])
    try:
        after = workload_next(before, event, subject=workload["id"])
    except Exception:
        # Told again with the history, which only an error is worth reading.
        workload_next(before, event, subject=workload["id"], story=story(tx, workload["id"]))
        raise
    changes: dict[str, Any] = {
        "state": after.value,
        "cause": cause.value,
        "message": message,
        "version": workload["version"] + 1,
    }
    if before is WorkloadState.QUEUED:
        changes |= {
            "refusal_reason": None,
            "refusal_message": None,
            "refusal_remedy": None,
            "refusal_evidence": None,
            "refused_since_ms": None,
        }
    if workload["started_at_ms"] is None and event is WorkloadEvent.RUNNING:
        changes["started_at_ms"] = _first_start(tx, workload["id"]) or now_ms
    elif workload["started_at_ms"] is None and after in WORKLOAD_ENDS:
        # What fails within moments was never seen to run.
        changes["started_at_ms"] = _first_start(tx, workload["id"])
    if event is WorkloadEvent.REQUEUED:
        changes |= {
            "queued_at_ms": now_ms,
            "attempt": workload["attempt"] + 1,
            "failures": workload["failures"] + (cause not in RETRY_IS_FREE),
            "rendezvous_port": None,
        }
    if after in WORKLOAD_ENDS:
        changes["ended_at_ms"] = now_ms
    tx.execute(
        sa.update(tables.workloads).where(tables.workloads.c.id == workload["id"]).values(changes)
    )
    event_insert(
        tx, [event_row(workload, event, after, cause, now_ms, message=message, actor=actor)]
    )
    return {**workload, **changes}


def _first_start(tx: Transaction, workload_id: str) -> int | None:
    """When the first of its processes began, by what the engine measured."""
    table = tables.allocations
    first: int | None = tx.scalar(
        sa.select(sa.func.min(table.c.started_at_ms)).where(table.c.workload_id == workload_id)
    )
    return first


def workload_change(
    tx: Transaction,
    workload: Row,
    values: Mapping[str, int | None],
    now_ms: int,
    *,
    message: str,
    actor: str,
) -> Row:
    """Give it new values. Its state stays, with the words that belong to it."""
    event = WorkloadEvent.CHANGED
    state = workload_next(WorkloadState(workload["state"]), event, subject=workload["id"])
    changes = {**values, "version": workload["version"] + 1}
    tx.execute(
        sa.update(tables.workloads).where(tables.workloads.c.id == workload["id"]).values(changes)
    )
    event_insert(
        tx,
        [event_row(workload, event, state, Cause.CHANGED, now_ms, message=message, actor=actor)],
    )
    notice_insert(tx, notices_due(workload, event, Cause.CHANGED, message, actor, now_ms))
    return {**workload, **changes}


def workload_note(
    tx: Transaction, workload: Row, cause: Cause, now_ms: int, *, message: str
) -> None:
    """Write into its history what moves nothing. It may have ended."""
    event_insert(
        tx, [event_row(workload, NOTED, workload["state"], cause, now_ms, message=message)]
    )


def replicas_move(
    tx: Transaction,
    workload: Row,
    event: ReplicaEvent,
    states: Iterable[ReplicaState],
    *,
    new_attempt: bool = False,
) -> None:
    """Move every replica of the workload that is in one of `states`, and its open allocation."""
    for before in sorted(states):
        after = replica_next(before, event, subject=f"{workload['id']} replica")
        values: dict[str, Any] = {"state": after.value}
        if new_attempt:
            values["attempt"] = tables.replicas.c.attempt + 1
        moved = tx.execute(
            sa.update(tables.replicas)
            .where(
                tables.replicas.c.workload_id == workload["id"],
                tables.replicas.c.state == before.value,
            )
            .values(values)
        )
        if moved.rowcount and before in REPLICA_HOLDS:
            tx.execute(
                sa.update(tables.allocations)
                .where(
                    tables.allocations.c.workload_id == workload["id"],
                    tables.allocations.c.state == before.value,
                    tables.allocations.c.released_at_ms.is_(None),
                )
                .values(state=after.value)
            )


def workload_stop(
    tx: Transaction,
    workload: Row,
    cause: Cause,
    now_ms: int,
    *,
    message: str,
    actor: str = SYSTEM_ACTOR,
) -> Row:
    """Ask a placed workload to end. Its allocations stay held until the engine reports the end."""
    changed = workload_apply(
        tx, workload, WorkloadEvent.STOP_REQUESTED, cause, now_ms, message=message, actor=actor
    )
    replicas_move(tx, workload, ReplicaEvent.CANCELLED, [ReplicaState.WAITING])
    replicas_move(tx, workload, ReplicaEvent.STOP_REQUESTED, _STOPPABLE)
    return workload_conclude(tx, changed, now_ms)


def workload_withdraw(
    tx: Transaction,
    workload: Row,
    event: WorkloadEvent,
    cause: Cause,
    now_ms: int,
    *,
    message: str,
    actor: str = SYSTEM_ACTOR,
) -> Row:
    """End a workload that was never placed (`event` is CANCELLED or FAILED)."""
    changed = workload_apply(tx, workload, event, cause, now_ms, message=message, actor=actor)
    replicas_move(tx, workload, ReplicaEvent.CANCELLED, [ReplicaState.WAITING])
    return changed


def workload_conclude(tx: Transaction, workload: Row, now_ms: int) -> Row:
    """Take every move that the replicas' states call for, until none is due."""
    while True:
        counts = replica_counts(tx, workload["id"])
        cause, message = _why(tx, workload, counts)
        event = due_event(
            WorkloadState(workload["state"]),
            counts=counts,
            is_array=workload["is_array"],
            cause=cause,
            failures=workload["failures"],
            retries=workload["retries"],
        )
        if event is None:
            return workload
        workload = _take(tx, workload, event, cause, message, now_ms)


def _why(
    tx: Transaction, workload: Row, counts: dict[ReplicaState, int]
) -> tuple[Cause | None, str]:
    """Why it is stopping or, while it is not, why its first failed replica failed."""
    if workload["state"] in WORKLOAD_ENDS:
        return None, ""  # replicas that never started were cancelled with it: nothing failed
    if workload["state"] == WorkloadState.STOPPING:
        return Cause(workload["cause"]), workload["message"]
    failed = counts.get(ReplicaState.FAILED, 0)
    if not failed and not counts.get(ReplicaState.CANCELLED, 0):
        return None, ""
    cause, message = _first_failure(tx, workload)
    if workload["is_array"]:
        message = f"{failed} of {workload['replicas_max']} tasks failed."
    return cause, message


def replica_counts(tx: Transaction, workload_id: str) -> dict[ReplicaState, int]:
    rows = tx.execute(
        sa.select(tables.replicas.c.state, sa.func.count())
        .where(tables.replicas.c.workload_id == workload_id)
        .group_by(tables.replicas.c.state)
    )
    return {ReplicaState(state): count for state, count in rows}


def _take(
    tx: Transaction,
    workload: Row,
    event: WorkloadEvent,
    cause: Cause | None,
    message: str,
    now_ms: int,
) -> Row:
    if event is WorkloadEvent.RUNNING:
        return workload_apply(tx, workload, event, Cause.STARTED, now_ms)
    if event is WorkloadEvent.SUCCEEDED:
        # Replicas of an elastic gang that were never needed.
        replicas_move(tx, workload, ReplicaEvent.CANCELLED, [ReplicaState.WAITING])
        return workload_apply(
            tx, workload, event, Cause.COMPLETED, now_ms, message=_ran_for(workload, now_ms)
        )
    assert cause is not None, "every other move has a cause"
    if event is WorkloadEvent.STOP_REQUESTED:
        changed = workload_apply(tx, workload, event, cause, now_ms, message=message)
        replicas_move(tx, workload, ReplicaEvent.STOP_REQUESTED, _STOPPABLE)
        return changed
    if event is WorkloadEvent.REQUEUED:
        # A gang begins anew as a whole; of an array only the tasks that were stopped.
        again = [ReplicaState.CANCELLED] if workload["is_array"] else REPLICA_ENDS
        replicas_move(tx, workload, ReplicaEvent.REQUEUED, again, new_attempt=True)
        message = f"Queued again for attempt {workload['attempt'] + 1}. {message}"
    else:
        replicas_move(tx, workload, ReplicaEvent.CANCELLED, [ReplicaState.WAITING])
    return workload_apply(tx, workload, event, cause, now_ms, message=message)


def _first_failure(tx: Transaction, workload: Row) -> tuple[Cause, str]:
    """Why the first replica that did not succeed in this attempt ended, and the sentence."""
    row = tx.execute(
        sa.select(
            tables.allocations.c.rank, tables.allocations.c.cause, tables.allocations.c.message
        )
        .join(
            tables.replicas,
            (tables.replicas.c.workload_id == tables.allocations.c.workload_id)
            & (tables.replicas.c.rank == tables.allocations.c.rank)
            & (tables.replicas.c.attempt == tables.allocations.c.attempt),
        )
        .where(
            tables.allocations.c.workload_id == workload["id"],
            tables.allocations.c.state.in_(
                [ReplicaState.FAILED.value, ReplicaState.CANCELLED.value]
            ),
        )
        .order_by(
            # "failed" before "cancelled": what was stopped came to its end because of the other.
            tables.allocations.c.state.desc(),
            tables.allocations.c.released_at_ms,
            tables.allocations.c.rank,
        )
        .limit(1)
    ).first()
    assert row is not None, "a failed replica has a failed allocation"
    if workload["replicas_max"] > 1:
        return Cause(row.cause), f"Replica {row.rank}: {row.message}"
    return Cause(row.cause), row.message


def _ran_for(workload: Row, now_ms: int) -> str:
    if workload["started_at_ms"] is None:
        return ""
    return f"Ran for {format_duration(max(0, now_ms - workload['started_at_ms']))}."


def _release_dependents(tx: Transaction, first: Row, now_ms: int) -> None:
    """Let those that waited for `first` go on, or end them, and those after them, where it did
    not succeed. A loop, because a chain may be thousands long."""
    needs = tables.dependencies
    notices: list[dict[str, Any]] = []
    ended = [first]
    while ended:
        cause = ended.pop()
        ids = tx.scalars(
            sa.select(needs.c.workload_id).where(needs.c.needs_id == cause["id"])
        ).all()
        if cause["state"] == WorkloadState.SUCCEEDED:
            if ids:
                mine = sa.select(needs.c.workload_id).where(needs.c.needs_id == cause["id"])
                tx.execute(
                    sa.update(tables.workloads)
                    .where(tables.workloads.c.id.in_(mine))
                    .values(dependencies_open=tables.workloads.c.dependencies_open - 1)
                )
            continue
        for row in workload_rows(tx, ids).values():
            if row["state"] != WorkloadState.QUEUED:
                continue
            message = (
                f"It depends on {cause['name']} ({cause['id']}), which {_ENDED[cause['state']]}."
            )
            failed, why = WorkloadEvent.FAILED, Cause.DEPENDENCY_FAILED
            ended.append(_move(tx, row, failed, why, now_ms, message, SYSTEM_ACTOR))
            notices += notices_due(row, failed, why, message, SYSTEM_ACTOR, now_ms)
            replicas_move(tx, row, ReplicaEvent.CANCELLED, [ReplicaState.WAITING])
    notice_insert(tx, notices)


_ENDED = {"failed": "failed", "cancelled": "was cancelled"}
