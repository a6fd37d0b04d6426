"""Which work a guest of an engine is (`engines/guests.py`). `control/guests` keeps it, and
`control/launch` asks which guest an allocation is to start."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.lifecycle import WORKLOAD_ENDS, WorkloadState
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.database import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownGuest:
    """A guest with its work as it is now. `waits_for` is why that waits, in words, `message` what
    was said at its last move."""

    uid: str
    workload_id: str
    rank: int
    state: WorkloadState
    waits_for: str
    message: str


_HERE, _WORK = tables.guests, tables.workloads
_KNOWN = sa.select(
    _HERE.c.uid,
    _HERE.c.workload_id,
    _HERE.c.rank,
    _WORK.c.state,
    _WORK.c.refusal_message,
    _WORK.c.refusal_remedy,
    _WORK.c.message,
).join_from(_HERE, _WORK, _HERE.c.workload_id == _WORK.c.id)


def guests_known(tx: Transaction, engine: str, uids: Collection[str]) -> dict[str, KnownGuest]:
    """By uid: these, and all of the engine whose work has not ended."""
    open_ = [each.value for each in WorkloadState if each not in WORKLOAD_ENDS]
    found = _read(tx, _KNOWN.where(_HERE.c.engine == engine, _WORK.c.state.in_(open_)))
    for chunk in chunks(uids):
        found |= _read(tx, _KNOWN.where(_HERE.c.uid.in_(chunk)))
    return found


def _read(tx: Transaction, statement: sa.Select[tuple[object, ...]]) -> dict[str, KnownGuest]:
    return {
        row["uid"]: KnownGuest(
            uid=row["uid"],
            workload_id=row["workload_id"],
            rank=row["rank"],
            state=WorkloadState(row["state"]),
            waits_for=" ".join(filter(None, (row["refusal_message"], row["refusal_remedy"]))),
            message=row["message"],
        )
        for row in tx.execute(statement).mappings()
    }


def guests_insert(tx: Transaction, engine: str, workload_id: str, uids: Sequence[str]) -> None:
    """In the order of their ranks."""
    rows = [
        {"uid": uid, "engine": engine, "workload_id": workload_id, "rank": rank}
        for rank, uid in enumerate(uids)
    ]
    tx.execute(sa.insert(_HERE), rows)


def guests_forget(tx: Transaction, uids: Collection[str]) -> None:
    """They are no work any more, and may become another one's."""
    for chunk in chunks(uids):
        tx.execute(sa.delete(_HERE).where(_HERE.c.uid.in_(chunk)))


def guest_uids(tx: Transaction, workload_ids: Collection[str]) -> dict[tuple[str, int], str]:
    """By workload and rank."""
    found: dict[tuple[str, int], str] = {}
    for chunk in chunks(workload_ids):
        statement = sa.select(_HERE).where(_HERE.c.workload_id.in_(chunk))
        for row in tx.execute(statement):
            found[row.workload_id, row.rank] = row.uid
    return found
