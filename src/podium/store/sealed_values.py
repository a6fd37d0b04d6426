"""Sealed secrets of the organisation itself, by name: those of its sign-in providers. They are
sealed, and sealed anew, with the same keys as those of projects (`store/secrets`)."""

from __future__ import annotations

import sqlalchemy as sa

from podium.store import secrets, tables
from podium.store.database import Transaction
from podium.store.sealing import Sealer

NO_PROJECT = ""
"""What stands in for the project where values are bound to their place."""


def value_set(tx: Transaction, name: str, value: str, sealer: Sealer, now_ms: int) -> None:
    """In place of the one that has this name. Raises KeysError when it cannot be sealed."""
    sealed = value_sealed(tx, name, value, sealer, now_ms)
    value_remove(tx, name)
    tx.execute(sa.insert(tables.sealed_values).values(name=name, sealed=sealed))


def value_sealed(tx: Transaction, name: str, value: str, sealer: Sealer, now_ms: int) -> bytes:
    """Sealed, to be kept elsewhere. Raises KeysError."""
    key_id = secrets.sealing_key_held(tx, sealer.ring, now_ms)
    return sealer.seal(value, project=NO_PROJECT, name=name, key_id=key_id)


def value_find(tx: Transaction, name: str) -> bytes | None:
    """Still sealed."""
    table = tables.sealed_values
    return tx.scalar(sa.select(table.c.sealed).where(table.c.name == name))


def value_opened(sealed: bytes, name: str, sealer: Sealer) -> str:
    """Raises KeysError."""
    return sealer.unseal(sealed, project=NO_PROJECT, name=name)


def value_remove(tx: Transaction, name: str) -> bool:
    table = tables.sealed_values
    return tx.execute(sa.delete(table).where(table.c.name == name)).rowcount > 0
