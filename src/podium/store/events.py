"""The history of workloads, and the feed of changes that live views follow."""

from __future__ import annotations

import sqlalchemy as sa

from podium.domain.event import Event
from podium.domain.reason import Cause
from podium.domain.tenancy import Scope
from podium.store import tables
from podium.store.codec import Row
from podium.store.database import Transaction
from podium.store.scoping import within


def event_list(
    tx: Transaction,
    scope: Scope,
    workload_id: str,
    *,
    limit: int,
    after: int = 0,
    newest: bool = False,
) -> list[Event]:
    """A workload's events above `after`, oldest first; with `newest`, its last `limit` ones."""
    table = tables.events
    statement = (
        sa.select(table)
        .where(
            table.c.workload_id == workload_id,
            table.c.seq > after,
            within(scope, table.c.project),
        )
        .order_by(table.c.seq.desc() if newest else table.c.seq)
        .limit(limit)
    )
    found = [_event(row) for row in tx.execute(statement).mappings()]
    return found[::-1] if newest else found


def event_feed(tx: Transaction, *, after: int, limit: int) -> list[Event]:
    """Events of everyone above `after`, oldest first, for the server's own fan-out."""
    table = tables.events
    statement = sa.select(table).where(table.c.seq > after).order_by(table.c.seq).limit(limit)
    return [_event(row) for row in tx.execute(statement).mappings()]


def event_last_seq(tx: Transaction) -> int:
    return tx.scalar(sa.select(sa.func.max(tables.events.c.seq))) or 0


def _event(row: Row) -> Event:
    return Event(
        seq=row["seq"],
        at_ms=row["at_ms"],
        project=row["project"],
        workload_id=row["workload_id"],
        rank=row["rank"],
        kind=row["kind"],
        state=row["state"],
        cause=Cause(row["cause"]),
        message=row["message"],
        actor=row["actor"],
    )
