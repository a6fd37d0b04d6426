"""Seals and removals of the audit trail. The notary writes and thins them, verification reads them,
and `store/retention` takes away what a removal covers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, cast

import sqlalchemy as sa

from podium.domain.audit import Place, Removal, Seal
from podium.store import tables
from podium.store.database import Transaction

_HOUR_MS = 3_600_000


def seal_insert(tx: Transaction, seal: Seal) -> None:
    """A seal that stands already is left as it is."""
    table = tables.audit_seals
    same = (table.c.seq == seal.seq, table.c.kind == seal.kind)
    if tx.scalar(sa.select(table.c.seq).where(*same)) is None:
        tx.execute(
            sa.insert(table).values(
                seq=seal.seq, kind=seal.kind, hash=seal.hash, at_ms=seal.at_ms, note=seal.note,
                key_id=seal.key_id, signature=seal.signature,
            )
        )  # fmt: skip


def seal_list(tx: Transaction, *, after_seq: int = 0, through_seq: int | None = None) -> list[Seal]:
    """In the order of the chain."""
    table = tables.audit_seals
    statement = sa.select(table).where(table.c.seq > after_seq)
    if through_seq is not None:
        statement = statement.where(table.c.seq <= through_seq)
    rows = tx.execute(statement.order_by(table.c.seq, table.c.at_ms)).all()
    return [
        Seal(
            seq=row.seq, hash=bytes(row.hash), at_ms=row.at_ms,
            kind=cast('Literal["seal", "break"]', row.kind), note=row.note, key_id=row.key_id,
            signature=bytes(row.signature),
        )
        for row in rows
    ]  # fmt: skip


def seal_last(tx: Transaction, *, through_seq: int | None = None) -> Seal | None:
    """The newest one, or the newest up to an entry."""
    table = tables.audit_seals
    statement = sa.select(sa.func.max(table.c.seq))
    if through_seq is not None:
        statement = statement.where(table.c.seq <= through_seq)
    seq = tx.scalar(statement)
    return None if seq is None else seal_list(tx, after_seq=seq - 1, through_seq=seq)[-1]


def seal_before(tx: Transaction, at_ms: int) -> Seal | None:
    """The newest one all of whose entries are older than a time, of those that still stand."""
    table = tables.audit
    removed = removal_last(tx)
    first = 0 if removed is None else removed.last_seq
    younger = tx.scalar(
        sa.select(table.c.seq)
        .where(table.c.seq > first, table.c.at_ms >= at_ms)
        .order_by(table.c.seq)
        .limit(1)
    )
    seal = seal_last(tx, through_seq=None if younger is None else younger - 1)
    return seal if seal is not None and seal.seq > first else None


def seal_thin(tx: Transaction, gone: Sequence[Seal]) -> None:
    table = tables.audit_seals
    for seal in gone:
        tx.execute(sa.delete(table).where(table.c.seq == seal.seq, table.c.kind == seal.kind))


def thinned(seals: Sequence[Seal], now_ms: int, *, whole_hours: int = 24) -> list[Seal]:
    """Those of `seals`, which come in the order of the chain, that may go: older than
    `whole_hours`, and not the last of their hour."""
    gone = []
    for seal, later in pairwise(seals):
        old = seal.at_ms < now_ms - whole_hours * _HOUR_MS
        if old and seal.kind == "seal" and seal.at_ms // _HOUR_MS == later.at_ms // _HOUR_MS:
            gone.append(seal)
    return gone


def removal_last(tx: Transaction) -> Removal | None:
    table = tables.audit_removals
    row = tx.execute(sa.select(table).order_by(table.c.last_seq.desc()).limit(1)).first()
    if row is None:
        return None
    return Removal(
        first_seq=row.first_seq, last_seq=row.last_seq, entries=row.entries, hash=bytes(row.hash),
        at_ms=row.at_ms, key_id=row.key_id, signature=bytes(row.signature),
    )  # fmt: skip


def removal_set(tx: Transaction, removal: Removal) -> None:
    """It takes the place of the one before it, which it includes, and of the seals up to it."""
    table, seals = tables.audit_removals, tables.audit_seals
    tx.execute(
        sa.insert(table).values(
            last_seq=removal.last_seq, first_seq=removal.first_seq, entries=removal.entries,
            hash=removal.hash, at_ms=removal.at_ms, key_id=removal.key_id,
            signature=removal.signature,
        )
    )  # fmt: skip
    tx.execute(sa.delete(table).where(table.c.last_seq < removal.last_seq))
    tx.execute(sa.delete(seals).where(seals.c.seq < removal.last_seq))


def removable(tx: Transaction, place: Place) -> tuple[int, int]:
    """How many entries stand up to a place, and the first one's seq; 0 and 0 for none."""
    removed = removal_last(tx)
    after = 0 if removed is None else removed.last_seq
    table = tables.audit
    row = tx.execute(
        sa.select(sa.func.count(), sa.func.min(table.c.seq)).where(
            table.c.seq > after, table.c.seq <= place.seq
        )
    ).one()
    return int(row[0]), int(row[1] or 0)


def audit_sweep(tx: Transaction, limit: int) -> int:
    """Delete up to `limit` entries that a removal covers. Returns how many went."""
    removed = removal_last(tx)
    if removed is None:
        return 0
    table = tables.audit
    seqs = tx.scalars(
        sa.select(table.c.seq)
        .where(table.c.seq <= removed.last_seq)
        .order_by(table.c.seq)
        .limit(limit)
    ).all()
    if seqs:
        tx.execute(sa.delete(table).where(table.c.seq <= seqs[-1]))
    return len(seqs)
