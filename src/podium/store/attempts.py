"""Tries that are counted: wrong passwords, codes, sign-ins begun. In the store, so that neither a
restart nor another server forgets them. Called by `intake/attempts`."""

from __future__ import annotations

import sqlalchemy as sa

from podium.domain.throttle import Throttle, Tries
from podium.store import tables
from podium.store.database import Transaction


def tries_fetch(tx: Transaction, key: str) -> Tries:
    """What counts against `key`; nobody else changes it until this transaction ends."""
    table = tables.sign_in_attempts
    row = tx.execute(sa.select(table).where(table.c.key == key).with_for_update()).first()
    if row is None:
        return Tries()
    return Tries(count_milli=row.count_milli, at_ms=row.at_ms, until_ms=row.until_ms)


def tries_store(tx: Transaction, key: str, rule: Throttle, tries: Tries) -> None:
    table = tables.sign_in_attempts
    values = {
        "count_milli": tries.count_milli,
        "at_ms": tries.at_ms,
        "until_ms": tries.until_ms,
        "forgotten_at_ms": tries.forgotten_at_ms(rule),
    }
    changed = tx.execute(sa.update(table).where(table.c.key == key).values(**values))
    if changed.rowcount == 0:
        tx.execute(sa.insert(table).values(key=key, **values))


def tries_forget(tx: Transaction, key: str) -> None:
    table = tables.sign_in_attempts
    tx.execute(sa.delete(table).where(table.c.key == key))
