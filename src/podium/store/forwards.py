"""Where the audit trail is forwarded to, and how far each receiver has got."""

from __future__ import annotations

import sqlalchemy as sa

from podium.domain.errors import NotFoundError
from podium.domain.forwarding import Forward
from podium.store import sealed_values, tables
from podium.store.codec import Row
from podium.store.database import Transaction
from podium.store.sealing import Sealer

_PLACE = ("sent_seq", "sent_at_ms", "skipped", "failing_since_ms", "fault")


def secret_name(name: str) -> str:
    """Of what signs the batches of a forward, among the sealed values."""
    return f"forward/{name}"


def forward_set(tx: Transaction, forward: Forward) -> None:
    """Make it, or replace what it says; how far it has got stays."""
    table = tables.audit_forwards
    values = {
        "address": forward.address,
        "ca": forward.ca,
        "updated_at_ms": forward.updated_at_ms,
        "failing_since_ms": None,
        "fault": "",
    }
    changed = tx.execute(sa.update(table).where(table.c.name == forward.name).values(**values))
    if changed.rowcount == 0:
        tx.execute(
            sa.insert(table).values(
                name=forward.name,
                created_at_ms=forward.created_at_ms,
                created_by=forward.created_by,
                sent_seq=forward.sent_seq,
                skipped=0,
                **values,
            )
        )


def forward_find(tx: Transaction, name: str) -> Forward | None:
    row = tx.execute(_known().where(tables.audit_forwards.c.name == name)).mappings().first()
    return None if row is None else _forward(row)


def forward_fetch(tx: Transaction, name: str) -> Forward:
    """Raises NotFoundError."""
    found = forward_find(tx, name)
    if found is None:
        raise NotFoundError(f"There is no forward {name}.")
    return found


def forward_list(tx: Transaction) -> list[Forward]:
    """By name; there are few."""
    rows = tx.execute(_known().order_by(tables.audit_forwards.c.name)).mappings()
    return [_forward(row) for row in rows]


def forward_remove(tx: Transaction, name: str) -> None:
    table = tables.audit_forwards
    tx.execute(sa.delete(table).where(table.c.name == name))
    secret_remove(tx, name)


def forward_sent(
    tx: Transaction, name: str, since_ms: int, *, seq: int, skipped: int, now_ms: int
) -> None:
    """It has got so far. `since_ms` is its `updated_at_ms`: one that was changed meanwhile is not
    moved by who sent to where it was before."""
    table = tables.audit_forwards
    tx.execute(
        sa.update(table)
        .where(table.c.name == name, table.c.updated_at_ms == since_ms, table.c.sent_seq <= seq)
        .values(
            sent_seq=seq,
            sent_at_ms=sa.case((table.c.sent_seq < seq, now_ms), else_=table.c.sent_at_ms),
            skipped=table.c.skipped + skipped,
            failing_since_ms=None,
            fault="",
        )
    )


def forward_failed(tx: Transaction, name: str, since_ms: int, fault: str, now_ms: int) -> None:
    table = tables.audit_forwards
    tx.execute(
        sa.update(table)
        .where(table.c.name == name, table.c.updated_at_ms == since_ms)
        .values(fault=fault, failing_since_ms=sa.func.coalesce(table.c.failing_since_ms, now_ms))
    )


def forward_secret(tx: Transaction, name: str) -> bytes | None:
    """Still sealed."""
    return sealed_values.value_find(tx, secret_name(name))


def secret_opened(sealed: bytes, name: str, sealer: Sealer) -> str:
    """Raises KeysError."""
    return sealed_values.value_opened(sealed, secret_name(name), sealer)


def secret_set(tx: Transaction, name: str, value: str, sealer: Sealer, now_ms: int) -> None:
    """Raises KeysError."""
    sealed_values.value_set(tx, secret_name(name), value, sealer, now_ms)


def secret_remove(tx: Transaction, name: str) -> None:
    sealed_values.value_remove(tx, secret_name(name))


def _known() -> sa.Select[tuple[object, ...]]:
    table, value = tables.audit_forwards, tables.sealed_values
    sealed = sa.exists().where(value.c.name == sa.literal("forward/") + table.c.name)
    return sa.select(table, sealed.label("has_secret"))


def _forward(row: Row) -> Forward:
    return Forward(
        name=row["name"],
        address=row["address"],
        ca=row["ca"],
        has_secret=bool(row["has_secret"]),
        created_at_ms=row["created_at_ms"],
        created_by=row["created_by"],
        updated_at_ms=row["updated_at_ms"],
        **{name: row[name] for name in _PLACE},
    )
