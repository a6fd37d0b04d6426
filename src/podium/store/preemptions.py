"""Makes work give way to other work, as a plan asks: checked on fresh rows, then stopped.

`store/plans.py` calls this in the transaction of a commit. What follows is the way of every stop:
the engine ends it with its grace, and `store/replicas.py` queues it again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.lifecycle import REPLICA_HOLDS, WORKLOAD_UNDER_WAY, ReplicaState
from podium.domain.reason import Cause
from podium.domain.tenancy import Scope
from podium.scheduling.plan import Preemption
from podium.scheduling.waiting.clearing import booking_key, booking_named
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.codec import Row
from podium.store.database import Transaction
from podium.store.demands import demanding_ids
from podium.store.lifecycle import workload_rows, workload_stop
from podium.store.replicas import replicas_stop
from podium.store.scoping import within

_LATEST_MAX = 1000
_STANDING = frozenset(each.value for each in REPLICA_HOLDS - {ReplicaState.STOPPING})


@dataclass(frozen=True, slots=True)
class Preempted:
    """`stopped` were asked to end, `rejected` were left alone, each with why."""

    stopped: tuple[str, ...] = ()
    rejected: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GaveWay:
    """Without the ids of what the reader may not see, or what is gone. `booking` is the name of
    the booking that it was for, empty where that is not to be seen; None: it was for a workload.
    `whole`: all of it was stopped, and not only some replicas."""

    seq: int
    at_ms: int
    workload_id: str | None
    in_favour_of: str | None
    booking: str | None
    replicas: int
    whole: bool
    justification: str
    lost_milli_ms: int


@dataclass(frozen=True, slots=True)
class _Held:
    allocation_id: str
    rank: int
    state: str


def preemptions_apply(tx: Transaction, preemptions: Sequence[Preemption], now_ms: int) -> Preempted:
    """Ask each to end that still may be asked. All who give way to one workload do, or none; who
    gives way to a booking does so for itself."""
    concerned = {each.workload_id for each in preemptions}
    rows = workload_rows(tx, concerned | {each.in_favour_of for each in preemptions})
    entitled = demanding_ids(tx, {each.in_favour_of for each in preemptions})
    entitled |= _booked(tx, {each.in_favour_of for each in preemptions}, now_ms)
    held = _held(tx, concerned)
    stopped: list[str] = []
    rejected: list[tuple[str, str]] = []
    for group in _together(preemptions):
        objections = {
            each.workload_id: objection
            for each in group
            if (objection := _objection(each, rows, held.get(each.workload_id, []), entitled))
        }
        if objections:
            rejected += objections.items()
            rejected += [
                (each.workload_id, "another one that had to give way as well cannot be stopped")
                for each in group
                if each.workload_id not in objections
            ]
            continue
        for each in group:
            preemptor = rows.get(each.in_favour_of)
            rows[each.workload_id] = _stop(
                tx, each, rows[each.workload_id], preemptor, held[each.workload_id], now_ms
            )
            held[each.workload_id] = [
                one for one in held[each.workload_id] if one.rank not in each.ranks
            ]
            stopped.append(each.workload_id)
    return Preempted(tuple(stopped), tuple(rejected))


def preemption_list(
    tx: Transaction, scope: Scope, *, limit: int, before: int | None = None
) -> list[GaveWay]:
    """The latest that concern work of the scope, newest first; of the last 1,000 in all, or of the
    1,000 that came before the one of that number."""
    table, victim = tables.preemptions, tables.workloads.alias("victim")
    other, booking = tables.workloads.alias("other"), tables.bookings
    last = sa.select(table).order_by(table.c.seq.desc()).limit(_LATEST_MAX)
    latest = (last if before is None else last.where(table.c.seq < before)).subquery()
    gave, got = within(scope, victim.c.project), within(scope, other.c.project)
    booked = within(scope, booking.c.project)
    rows = tx.execute(
        sa.select(
            latest,
            gave.label("gave_seen"),
            got.label("got_seen"),
            other.c.id.label("got"),
            sa.case((booking.c.project.is_(None) | booked, booking.c.name)).label("booking"),
        )
        .join(victim, victim.c.id == latest.c.workload_id)
        .outerjoin(other, other.c.id == latest.c.in_favour_of)
        .outerjoin(booking, sa.literal(booking_key("")) + booking.c.name == latest.c.in_favour_of)
        .where(gave | (got & other.c.id.is_not(None)) | (booked & booking.c.project.is_not(None)))
        .order_by(latest.c.seq.desc())
        .limit(limit)
    )
    return [
        GaveWay(
            seq=row.seq,
            at_ms=row.at_ms,
            workload_id=row.workload_id if row.gave_seen else None,
            in_favour_of=row.got if row.got_seen else None,
            booking=None if booking_named(row.in_favour_of) is None else row.booking or "",
            replicas=len(json.loads(row.ranks)),
            whole=row.whole,
            justification=row.justification,
            lost_milli_ms=row.lost_milli_ms,
        )
        for row in rows
    ]


def _together(preemptions: Sequence[Preemption]) -> Collection[Sequence[Preemption]]:
    """Those that give way to the same workload; the others each alone."""
    groups: dict[tuple[str, ...], list[Preemption]] = {}
    for each in preemptions:
        alone = booking_named(each.in_favour_of) is not None
        key = (each.in_favour_of, each.workload_id) if alone else (each.in_favour_of,)
        groups.setdefault(key, []).append(each)
    return groups.values()


def _booked(tx: Transaction, preemptors: Collection[str], now_ms: int) -> set[str]:
    """Those of the preemptors that are bookings which hold now."""
    table = tables.bookings
    names = [name for each in preemptors if (name := booking_named(each)) is not None]
    found: set[str] = set()
    for chunk in chunks(names):
        rows = tx.scalars(
            sa.select(table.c.name).where(
                table.c.name.in_(chunk), table.c.from_ms <= now_ms, table.c.until_ms > now_ms
            )
        )
        found.update(booking_key(name) for name in rows)
    return found


def _objection(
    preemption: Preemption,
    rows: Mapping[str, Row],
    held: Sequence[_Held],
    entitled: Collection[str],
) -> str:
    """Why it may not be stopped now; empty when it may."""
    row = rows.get(preemption.workload_id)
    if preemption.in_favour_of not in entitled:
        if booking_named(preemption.in_favour_of) is not None:
            return "the booking that it would give way to does not hold now"
        return "the work that it would give way to does not wait any more"
    if row is None or row["state"] not in WORKLOAD_UNDER_WAY:
        return "it does not run any more"
    if not row["preemptible"]:
        return "it may not be stopped for others"
    standing = {each.rank for each in held if each.state in _STANDING}
    gone = sorted(set(preemption.ranks) - standing)
    if gone or not preemption.ranks:
        return f"its rank {gone[0]} holds nothing any more" if gone else "no rank of it is named"
    left = standing - set(preemption.ranks)
    if not left or row["is_array"]:
        return ""
    if not row["replicas_resize"]:
        return "only some of a gang's replicas would be stopped"
    if len(left) < row["replicas_min"]:
        return f"{len(left)} replicas would be left, but it needs {row['replicas_min']}"
    if min(left) > min(standing):
        return f"its replicas meet at rank {min(standing)}, which would be stopped"
    return ""


def _stop(
    tx: Transaction,
    preemption: Preemption,
    row: Row,
    preemptor: Row | None,
    held: Sequence[_Held],
    now_ms: int,
) -> Row:
    standing = {each.rank for each in held if each.state in _STANDING}
    whole = standing <= set(preemption.ranks)
    message = f"It gives way, because {preemption.justification}."
    if preemptor is not None:
        message = _message(row, preemptor)
    tx.execute(
        sa.insert(tables.preemptions).values(
            at_ms=now_ms,
            workload_id=row["id"],
            ranks=json.dumps(sorted(preemption.ranks)),
            whole=whole,
            in_favour_of=preemption.in_favour_of,
            justification=preemption.justification,
            lost_milli_ms=preemption.lost_milli_ms,
        )
    )
    if whole:
        return workload_stop(tx, row, Cause.PREEMPTED, now_ms, message=message)
    ids = [each.allocation_id for each in held if each.rank in preemption.ranks]
    replicas_stop(tx, ids, Cause.PREEMPTED, now_ms, message=message)
    return row


def _message(row: Row, preemptor: Row) -> str:
    """For the people of the work that gives way, who may know nothing of other projects."""
    if preemptor["project"] == row["project"]:
        return (
            f"It gives way to {preemptor['name']} ({preemptor['id']}), which has priority "
            f"{preemptor['priority']}."
        )
    if preemptor["priority"] > row["priority"]:
        return "It gives way to work of higher priority in another project."
    return "It gives way to another project, which has less than it is guaranteed."


def _held(tx: Transaction, ids: Collection[str]) -> dict[str, list[_Held]]:
    table = tables.allocations
    found: dict[str, list[_Held]] = {}
    for chunk in chunks(ids):
        rows = tx.execute(
            sa.select(table.c.workload_id, table.c.id, table.c.rank, table.c.state)
            .where(table.c.workload_id.in_(chunk), table.c.released_at_ms.is_(None))
            .order_by(table.c.workload_id, table.c.rank)
        )
        for row in rows:
            found.setdefault(row[0], []).append(_Held(row[1], row[2], row[3]))
    return found
