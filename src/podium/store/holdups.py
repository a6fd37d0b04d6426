"""What keeps replicas that have their place from beginning, written down. Called by
`control/launch` and `control/observe` inside their transactions, and by the API to tell of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from podium.domain.holdup import HoldUp
from podium.domain.lifecycle import ReplicaState, WorkloadState
from podium.domain.reason import Cause
from podium.domain.tenancy import Scope
from podium.store import tables
from podium.store.codec import Row
from podium.store.database import Transaction
from podium.store.lifecycle import workload_note, workload_rows
from podium.store.replicas import workload_ids_of
from podium.store.scoping import within

_BEGINS = (ReplicaState.SCHEDULED.value, ReplicaState.STARTING.value)
_FACTS = ("holdup_cause", "holdup_message", "holdup_since_ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadHoldUp:
    """What most of all keeps a workload from beginning: that of its first replica in trouble, else
    of the first one that is on its way. So many of its `replicas` have the same."""

    hold_up: HoldUp
    rank: int
    replicas: int


def holdups_record(
    tx: Transaction, found: Sequence[tuple[str, HoldUp | None]], now_ms: int
) -> None:
    """By allocation; None: nothing keeps it any more. What has begun meanwhile is passed over. The
    workload says in its own sentence what keeps most of all, and its history has each such
    sentence once."""
    table = tables.allocations
    told = dict(found)
    workloads = workload_rows(tx, workload_ids_of(tx, told))
    before = {key: _of(tx, key) for key in workloads}
    for key, rows in before.items():
        news = [row for row in rows if _differs(row, told)]
        for row in news:
            values = _values(row, told[row["id"]], now_ms)
            tx.execute(sa.update(table).where(table.c.id == row["id"]).values(values))
        if news:
            _tell(tx, workloads[key], _most(rows), _most(_of(tx, key)), now_ms)


def workload_hold_up(tx: Transaction, scope: Scope, workload_id: str) -> WorkloadHoldUp | None:
    """None while nothing is known to keep it."""
    return _most(_of(tx, workload_id, scope))


def _tell(
    tx: Transaction,
    workload: Row,
    before: WorkloadHoldUp | None,
    after: WorkloadHoldUp | None,
    now_ms: int,
) -> None:
    if _said(before) == _said(after):
        return
    changes: dict[str, Any] = {"version": workload["version"] + 1}
    message = "" if after is None else _sentence(workload, after)
    if workload["state"] == WorkloadState.STARTING:
        changes["message"] = message
    table = tables.workloads
    tx.execute(sa.update(table).where(table.c.id == workload["id"]).values(changes))
    if after is not None:
        cause = after.hold_up.cause or Cause.PLACED
        workload_note(tx, workload, cause, now_ms, message=message)


def _said(most: WorkloadHoldUp | None) -> tuple[Cause | None, str] | None:
    return None if most is None else (most.hold_up.cause, most.hold_up.message)


def _sentence(workload: Row, most: WorkloadHoldUp) -> str:
    alone = workload["replicas_max"] == 1 or most.hold_up.cause is None
    message = most.hold_up.message
    return message if alone else f"Replica {most.rank}: {message}"


def _values(row: Row, fresh: HoldUp | None, now_ms: int) -> dict[str, Any]:
    """The same trouble in other words is no new one."""
    if fresh is None:
        return dict.fromkeys(_FACTS)
    cause = None if fresh.cause is None else fresh.cause.value
    lasts = cause is not None and row["holdup_cause"] == cause
    since_ms = row["holdup_since_ms"] if lasts else now_ms
    return dict(zip(_FACTS, (cause, fresh.message, since_ms), strict=True))


def _differs(row: Row, told: Mapping[str, HoldUp | None]) -> bool:
    if row["id"] not in told:
        return False
    fresh = told[row["id"]]
    if fresh is None:
        return row["holdup_message"] is not None
    return (row["holdup_cause"], row["holdup_message"]) != (fresh.cause, fresh.message)


def _most(rows: Sequence[Row]) -> WorkloadHoldUp | None:
    told = [row for row in rows if row["holdup_message"]]
    if not told:
        return None
    first = min(told, key=lambda row: (row["holdup_cause"] is None, row["rank"]))
    same = [row for row in told if all(row[each] == first[each] for each in _FACTS[:2])]
    cause = first["holdup_cause"]
    return WorkloadHoldUp(
        hold_up=HoldUp(
            message=first["holdup_message"],
            cause=Cause(cause) if cause else None,
            since_ms=min(row["holdup_since_ms"] for row in same),
        ),
        rank=first["rank"],
        replicas=len(same),
    )


def _of(tx: Transaction, workload_id: str, scope: Scope | None = None) -> list[Row]:
    """Its replicas that have their place and have not begun."""
    table = tables.allocations
    statement = sa.select(table.c.id, table.c.rank, *(table.c[each] for each in _FACTS)).where(
        table.c.workload_id == workload_id,
        table.c.released_at_ms.is_(None),
        table.c.state.in_(_BEGINS),
        *([] if scope is None else [within(scope, table.c.project)]),
    )
    return list(tx.execute(statement).mappings())
