"""The name that this Podium has for itself, made once with its database."""

from __future__ import annotations

import sqlalchemy as sa

from podium.store import tables
from podium.store.database import Transaction


def installation_id(tx: Transaction) -> str:
    """Ten hexadecimal digits, the same on every server of the database."""
    found: str = tx.scalars(sa.select(tables.installation.c.id)).one()
    return found
