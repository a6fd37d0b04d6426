"""Command lines that wait to be let in. Their codes are kept as hashes."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from podium.store import tables
from podium.store.codec import Row
from podium.store.database import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCode:
    """One of them: which machine asks, and who let it in or turned it away (`username`)."""

    device_hash: str
    user_hash: str
    client_name: str
    source: str
    user_agent: str
    created_at_ms: int
    expires_at_ms: int
    polled_at_ms: int
    interval_ms: int
    username: str | None = None
    denied: bool = False
    provider: str = ""


def device_insert(tx: Transaction, code: DeviceCode) -> None:
    tx.execute(
        sa.insert(tables.device_codes).values(
            {name: getattr(code, name) for name in DeviceCode.__slots__}
        )
    )


def device_count(tx: Transaction, now_ms: int) -> int:
    """How many wait."""
    table = tables.device_codes
    statement = sa.select(sa.func.count()).select_from(table).where(table.c.expires_at_ms > now_ms)
    return tx.scalar(statement) or 0


def device_find(tx: Transaction, device_hash: str) -> DeviceCode | None:
    """Nobody else changes it until this transaction ends."""
    table = tables.device_codes
    return _first(tx, sa.select(table).where(table.c.device_hash == device_hash).with_for_update())


def device_waiting(tx: Transaction, user_hash: str, now_ms: int) -> DeviceCode | None:
    """The one with this user code that nobody has decided about yet."""
    table = tables.device_codes
    return _first(
        tx,
        sa.select(table)
        .where(
            table.c.user_hash == user_hash,
            table.c.expires_at_ms > now_ms,
            table.c.username.is_(None),
        )
        .with_for_update(),
    )


def device_decide(
    tx: Transaction, device_hash: str, username: str, *, denied: bool, provider: str
) -> None:
    table = tables.device_codes
    tx.execute(
        sa.update(table)
        .where(table.c.device_hash == device_hash)
        .values(username=username, denied=denied, provider=provider)
    )


def device_polled(tx: Transaction, device_hash: str, now_ms: int, interval_ms: int) -> None:
    table = tables.device_codes
    tx.execute(
        sa.update(table)
        .where(table.c.device_hash == device_hash)
        .values(polled_at_ms=now_ms, interval_ms=interval_ms)
    )


def device_delete(tx: Transaction, device_hash: str) -> bool:
    """Whether it was there."""
    table = tables.device_codes
    return tx.execute(sa.delete(table).where(table.c.device_hash == device_hash)).rowcount > 0


def device_delete_of(tx: Transaction, username: str) -> int:
    """Those that this person let in and that have not come for their token yet."""
    table = tables.device_codes
    return tx.execute(sa.delete(table).where(table.c.username == username)).rowcount


def _first(tx: Transaction, statement: sa.Select[tuple[object, ...]]) -> DeviceCode | None:
    row: Row | None = tx.execute(statement).mappings().first()
    return None if row is None else DeviceCode(**{name: row[name] for name in DeviceCode.__slots__})
