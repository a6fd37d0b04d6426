"""Saved views: a page's address under a name, kept for each person."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from podium.store import tables
from podium.store.database import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedView:
    """`search` is the part of the page's address after `?`."""

    page: str
    name: str
    search: str
    updated_at_ms: int


def saved_list(tx: Transaction, username: str, page: str | None = None) -> list[SavedView]:
    """A person's views by page and name."""
    table = tables.saved_views
    statement = sa.select(table).where(table.c.username == username)
    if page is not None:
        statement = statement.where(table.c.page == page)
    return [
        SavedView(page=row.page, name=row.name, search=row.search, updated_at_ms=row.updated_at_ms)
        for row in tx.execute(statement.order_by(table.c.page, table.c.name))
    ]


def saved_set(tx: Transaction, username: str, view: SavedView) -> None:
    """Keep it in place of one of the same name."""
    saved_remove(tx, username, view.page, view.name)
    tx.execute(
        sa.insert(tables.saved_views).values(
            username=username,
            page=view.page,
            name=view.name,
            search=view.search,
            updated_at_ms=view.updated_at_ms,
        )
    )


def saved_remove(tx: Transaction, username: str, page: str, name: str) -> bool:
    """False when there was none."""
    table = tables.saved_views
    deleted = tx.execute(
        sa.delete(table).where(
            table.c.username == username, table.c.page == page, table.c.name == name
        )
    )
    return deleted.rowcount > 0
