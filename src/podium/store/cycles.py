"""Cycles of the scheduler that changed something, so that each can be decided again:
`control/recorder` writes them, the Scheduler page and `podium replay` read them, and `control/reap`
keeps them bounded. They tell of everyone's work: only who may read the scheduler gets them.

A keyframe is a whole snapshot. A cycle keeps what changed since the one before it, so the snapshot
of a cycle is its keyframe, carried on by the steps of all cycles of that keyframe up to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from podium.domain.errors import NotFoundError
from podium.store import tables
from podium.store.codec import Row
from podium.store.database import Transaction

PIECE_BYTES = 2**20
_UNFINISHED_MS = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleRow:
    """`told` counts the workloads that heard something new about why they wait, `refused` all that
    were refused, and `stale` what no longer held when it was to be written. Of `bytes`, the
    keyframe's are not part."""

    id: int = 0
    keyframe_id: int
    step: int
    at_ms: int
    took_us: int
    read_us: int
    decide_us: int
    seed: int
    version: str
    digest: str
    nodes: int
    waiting: int
    running: int
    placed: int
    preempted: int
    refused: int
    told: int
    reserved: int
    stale: int
    bytes: int
    reasons: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleRecord:
    """What a cycle is decided again from: a keyframe, and the steps from there, its own last."""

    cycle: CycleRow
    keyframe: bytes
    steps: tuple[bytes, ...]
    plan: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """How much is kept, and since when."""

    cycles: int
    bytes: int
    since_ms: int | None


def keyframe_begin(tx: Transaction, at_ms: int) -> int:
    """The id of a keyframe whose pieces come next."""
    table = tables.cycle_keyframes
    made = tx.execute(sa.insert(table).values(at_ms=at_ms, bytes=0, whole=False))
    key = made.inserted_primary_key
    assert key is not None
    return int(key[0])


def keyframe_piece(tx: Transaction, keyframe_id: int, piece: int, data: bytes) -> None:
    tx.execute(
        sa.insert(tables.cycle_keyframe_pieces).values(
            keyframe_id=keyframe_id, piece=piece, data=data
        )
    )


def keyframe_finish(tx: Transaction, keyframe_id: int, size_bytes: int) -> None:
    table = tables.cycle_keyframes
    tx.execute(
        sa.update(table).where(table.c.id == keyframe_id).values(whole=True, bytes=size_bytes)
    )


def pieces_of(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), PIECE_BYTES):
        yield data[start : start + PIECE_BYTES]


def cycle_insert(tx: Transaction, rows: Sequence[tuple[CycleRow, bytes, bytes]]) -> list[int]:
    """Each with its step and its plan; the ids, in the same order."""
    ids: list[int] = []
    for row, step, plan in rows:
        values = {name: getattr(row, name) for name in _COLUMNS if name != "id"}
        key = tx.execute(sa.insert(tables.cycles).values(values)).inserted_primary_key
        assert key is not None
        ids.append(int(key[0]))
        tx.execute(sa.insert(tables.cycle_records).values(cycle_id=ids[-1], step=step, plan=plan))
        reasons = [
            {"cycle_id": ids[-1], "reason": reason, "count": count}
            for reason, count in sorted(row.reasons.items())
        ]
        if reasons:
            tx.execute(sa.insert(tables.cycle_reasons), reasons)
    return ids


def cycle_list(tx: Transaction, *, limit: int, before: int | None = None) -> list[CycleRow]:
    """Newest first; `before` is the id of one that was seen already."""
    table = tables.cycles
    statement = sa.select(table).order_by(table.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(table.c.id < before)
    return _cycles(tx, tx.execute(statement).mappings().all())


def cycle_fetch(tx: Transaction, cycle_id: int) -> CycleRow:
    """Raises NotFoundError."""
    table = tables.cycles
    row = tx.execute(sa.select(table).where(table.c.id == cycle_id)).mappings().first()
    if row is None:
        raise NotFoundError(
            f"There is no record of cycle {cycle_id}. Old ones are deleted; see: podium scheduler"
        )
    return _cycles(tx, [row])[0]


def cycle_plan(tx: Transaction, cycle_id: int) -> bytes:
    """Raises NotFoundError."""
    table = tables.cycle_records
    cycle_fetch(tx, cycle_id)
    found = tx.scalar(sa.select(table.c.plan).where(table.c.cycle_id == cycle_id))
    assert found is not None
    return bytes(found)


def cycle_record(tx: Transaction, cycle_id: int) -> CycleRecord:
    """Raises NotFoundError, also where a part is gone without which it cannot be decided again."""
    cycle = cycle_fetch(tx, cycle_id)
    table, record = tables.cycles, tables.cycle_records
    piece, keyframe = tables.cycle_keyframe_pieces, tables.cycle_keyframes
    whole = tx.execute(
        sa.select(keyframe.c.bytes).where(
            keyframe.c.id == cycle.keyframe_id, keyframe.c.whole.is_(True)
        )
    ).scalar()
    data = b"".join(
        tx.scalars(
            sa.select(piece.c.data)
            .where(piece.c.keyframe_id == cycle.keyframe_id)
            .order_by(piece.c.piece)
        )
    )
    rows = tx.execute(
        sa.select(table.c.step, record.c.step.label("data"))
        .join(record, record.c.cycle_id == table.c.id)
        .where(table.c.keyframe_id == cycle.keyframe_id, table.c.step <= cycle.step)
        .order_by(table.c.step)
    ).all()
    if whole != len(data) or [row[0] for row in rows] != list(range(cycle.step + 1)):
        raise NotFoundError(f"The record of cycle {cycle_id} is not complete any more.")
    return CycleRecord(
        cycle=cycle,
        keyframe=data,
        steps=tuple(bytes(row[1]) for row in rows),
        plan=cycle_plan(tx, cycle_id),
    )


def cycles_kept(tx: Transaction) -> Kept:
    table, keyframe = tables.cycles, tables.cycle_keyframes
    row = tx.execute(
        sa.select(sa.func.count(), sa.func.sum(table.c.bytes), sa.func.min(table.c.at_ms))
    ).one()
    frames = tx.scalar(sa.select(sa.func.sum(keyframe.c.bytes)))
    return Kept(int(row[0]), int(row[1] or 0) + int(frames or 0), row[2])


def cycles_trim(
    tx: Transaction, now_ms: int, *, age_ms: int, cycles_max: int, bytes_max: int
) -> int:
    """Delete the oldest keyframe with its cycles when they are too old, or when there is too much
    in all; and keyframes that were never finished. Returns how many went; call again while it is
    not 0."""
    table, keyframe = tables.cycles, tables.cycle_keyframes
    unfinished = tx.execute(
        sa.delete(keyframe).where(
            keyframe.c.whole.is_(False), keyframe.c.at_ms < now_ms - _UNFINISHED_MS
        )
    ).rowcount
    first = tx.execute(
        sa.select(keyframe.c.id, keyframe.c.at_ms)
        .where(keyframe.c.whole.is_(True))
        .order_by(keyframe.c.id)
        .limit(2)
    ).all()
    if not first:
        return unfinished
    last_ms = tx.scalar(
        sa.select(sa.func.max(table.c.at_ms)).where(table.c.keyframe_id == first[0].id)
    )
    gone = max(last_ms or 0, first[0].at_ms) < now_ms - age_ms
    if not gone and len(first) > 1:  # the last one still grows
        kept = cycles_kept(tx)
        gone = kept.cycles > cycles_max or kept.bytes > bytes_max
    if not gone:
        return unfinished
    deleted = tx.execute(sa.delete(table).where(table.c.keyframe_id == first[0].id)).rowcount
    tx.execute(sa.delete(keyframe).where(keyframe.c.id == first[0].id))
    return unfinished + deleted + 1


_COLUMNS = tuple(column.name for column in tables.cycles.columns)


def _cycles(tx: Transaction, rows: Sequence[Row]) -> list[CycleRow]:
    table = tables.cycle_reasons
    reasons: dict[int, dict[str, int]] = {}
    ids = [row["id"] for row in rows]
    if ids:
        for cycle_id, reason, count in tx.execute(
            sa.select(table)
            .where(table.c.cycle_id.between(min(ids), max(ids)))
            .order_by(table.c.cycle_id, table.c.reason)
        ):
            reasons.setdefault(cycle_id, {})[reason] = count
    return [
        CycleRow(**{name: row[name] for name in _COLUMNS}, reasons=reasons.get(row["id"], {}))
        for row in rows
    ]
