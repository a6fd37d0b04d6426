"""Which allocations may have their data, and what was true of their places then. Called by
`control/data_grants` in the transaction that decides it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa

from podium.domain.pool import Pool
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.database import Transaction
from podium.store.pools import pool_list


def declared_classes(tx: Transaction, ids: Collection[str]) -> dict[str, str]:
    """Of the workloads that give themselves a class."""
    table = tables.workloads
    found: dict[str, str] = {}
    for chunk in chunks(ids):
        rows = tx.execute(
            sa.select(table.c.id, table.c.classification).where(
                table.c.id.in_(chunk), table.c.classification != ""
            )
        )
        found.update((row[0], row[1]) for row in rows)
    return found


def launched(tx: Transaction, ids: Collection[str]) -> set[str]:
    """Those of these allocations that may have their data already."""
    table = tables.data_launches
    found: set[str] = set()
    for chunk in chunks(ids):
        found.update(
            tx.scalars(sa.select(table.c.allocation_id).where(table.c.allocation_id.in_(chunk)))
        )
    return found


def launches_insert(tx: Transaction, ids: Sequence[str]) -> None:
    if ids:
        tx.execute(
            sa.insert(tables.data_launches),
            [{"allocation_id": each, "exposed_at_ms": None} for each in ids],
        )


def pools_held(tx: Transaction) -> Mapping[str, Pool]:
    """By name; their approvals stay so until the transaction ends, so that the trail has a use
    after the approval that allowed it and before the change that ends it."""
    tx.execute(sa.select(tables.pools.c.name).with_for_update(read=True)).all()
    return {pool.name: pool for pool in pool_list(tx)}
