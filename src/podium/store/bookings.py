"""Bookings: which nodes are kept for a project or for maintenance, and when."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from podium.domain.booking import Reserved
from podium.domain.errors import ConflictError, NotFoundError
from podium.domain.tenancy import WHOLE, Scope
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.codec import Row
from podium.store.database import Transaction
from podium.store.scoping import within


def booking_insert(tx: Transaction, booking: Reserved) -> None:
    """Raises ConflictError where the name is taken."""
    table = tables.bookings
    taken = tx.scalar(sa.select(sa.func.count()).where(table.c.name == booking.name))
    if taken:
        raise ConflictError(f"There is a booking {booking.name} already. Choose another name.")
    tx.execute(
        sa.insert(table).values(
            name=booking.name,
            project=booking.project,
            from_ms=booking.from_ms,
            until_ms=booking.until_ms,
            note=booking.note,
            created_at_ms=booking.created_at_ms,
            created_by=booking.created_by,
        )
    )
    tx.execute(
        sa.insert(tables.booking_nodes),
        [{"booking": booking.name, "node": name} for name in booking.nodes],
    )


def booking_delete(tx: Transaction, name: str) -> None:
    """Raises NotFoundError."""
    table = tables.bookings
    if not tx.execute(sa.delete(table).where(table.c.name == name)).rowcount:
        raise NotFoundError(f"There is no booking {name}.")


def booking_list(
    tx: Transaction, now_ms: int, *, past: bool = False, scope: Scope = WHOLE
) -> list[Reserved]:
    """Those that are not over, or with `past` all of them, by their start. Of a project that the
    reader may not see, `project` is empty and the note is left out."""
    table = tables.bookings
    statement = sa.select(table, within(scope, table.c.project).label("seen")).order_by(
        table.c.from_ms, table.c.name
    )
    if not past:
        statement = statement.where(table.c.until_ms > now_ms)
    rows = list(tx.execute(statement).mappings())
    nodes = _nodes(tx, [row["name"] for row in rows])
    return [_reserved(row, nodes[row["name"]]) for row in rows]


def booking_fetch(tx: Transaction, scope: Scope, name: str) -> Reserved:
    """Raises NotFoundError, also for one whose project the reader may not see."""
    table = tables.bookings
    seen = table.c.project.is_(None) | within(scope, table.c.project)
    statement = sa.select(table, sa.true().label("seen")).where(table.c.name == name, seen)
    row = tx.execute(statement).mappings().first()
    if row is None:
        raise NotFoundError(f"There is no booking {name} that you can see.")
    return _reserved(row, _nodes(tx, [name])[name])


def booking_overlaps(
    tx: Transaction, nodes: Collection[str], from_ms: int, until_ms: int
) -> tuple[str, str] | None:
    """The first booking in that time that has one of the nodes, and that node."""
    table, part = tables.bookings, tables.booking_nodes
    found: list[tuple[int, str, str]] = []
    for chunk in chunks(nodes):
        row = tx.execute(
            sa.select(table.c.from_ms, table.c.name, part.c.node)
            .join(part, part.c.booking == table.c.name)
            .where(part.c.node.in_(chunk), table.c.from_ms < until_ms, table.c.until_ms > from_ms)
            .order_by(table.c.from_ms, table.c.name, part.c.node)
            .limit(1)
        ).first()
        if row is not None:
            found.append((row[0], row[1], row[2]))
    return min(found)[1:] if found else None


def _nodes(tx: Transaction, names: Collection[str]) -> dict[str, tuple[str, ...]]:
    table = tables.booking_nodes
    found: dict[str, list[str]] = {name: [] for name in names}
    for chunk in chunks(names):
        rows = tx.execute(
            sa.select(table)
            .where(table.c.booking.in_(chunk))
            .order_by(table.c.booking, table.c.node)
        )
        for row in rows:
            found[row.booking].append(row.node)
    return {name: tuple(nodes) for name, nodes in found.items()}


def _reserved(row: Row, nodes: tuple[str, ...]) -> Reserved:
    hidden = row["project"] is not None and not row["seen"]
    return Reserved(
        name="" if hidden else row["name"],
        nodes=nodes,
        project="" if hidden else row["project"],
        from_ms=row["from_ms"],
        until_ms=row["until_ms"],
        note="" if hidden else row["note"],
        created_at_ms=row["created_at_ms"],
        created_by="" if hidden else row["created_by"],
    )
