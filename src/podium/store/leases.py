"""Leases fence the control loops: of two servers on one database, one works, the other waits.

The token grows with each change of holder. A transaction that writes what a loop decided checks
the token first, so a server that lost its lease while it was away cannot write any more.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.errors import LeaseLostError
from podium.store import tables
from podium.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Lease:
    name: str
    holder: str
    token: int
    expires_at_ms: int


def lease_acquire(
    tx: Transaction, name: str, holder: str, now_ms: int, *, lease_ms: int
) -> Lease | None:
    """Take or renew the lease; None while another server holds it."""
    table = tables.leases
    row = tx.execute(sa.select(table).where(table.c.name == name).with_for_update()).first()
    expires_at_ms = now_ms + lease_ms
    if row is None:
        tx.execute(
            sa.insert(table).values(name=name, holder=holder, token=1, expires_at_ms=expires_at_ms)
        )
        return Lease(name, holder, 1, expires_at_ms)
    if row.holder != holder and row.expires_at_ms > now_ms:
        return None
    token = row.token if row.holder == holder else row.token + 1
    tx.execute(
        sa.update(table)
        .where(table.c.name == name)
        .values(holder=holder, token=token, expires_at_ms=expires_at_ms)
    )
    return Lease(name, holder, token, expires_at_ms)


def lease_check(tx: Transaction, lease: Lease, now_ms: int) -> None:
    """Raises LeaseLostError unless the lease is still held. Call it first in the transaction."""
    table = tables.leases
    row = tx.execute(
        sa.select(table.c.token, table.c.holder, table.c.expires_at_ms)
        .where(table.c.name == lease.name)
        .with_for_update(read=True)
    ).first()
    if (
        row is None
        or (row.token, row.holder) != (lease.token, lease.holder)
        or row.expires_at_ms <= now_ms
    ):
        raise LeaseLostError(f"Another server has taken over '{lease.name}'.")


def lease_release(tx: Transaction, name: str, holder: str) -> None:
    """Give it back at once, so that the next server need not wait for the expiry."""
    table = tables.leases
    tx.execute(
        sa.update(table)
        .where(table.c.name == name, table.c.holder == holder)
        .values(expires_at_ms=0)
    )
