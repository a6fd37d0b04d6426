"""Who changed which quota, when, from what to what. `intake/quotas` writes it in the transaction of
the change, `api/quotas` shows it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from podium.domain.quota import QuotaLevel
from podium.domain.tenancy import Scope
from podium.store import tables
from podium.store.database import Transaction

Amounts = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaChanged:
    """`before` and `after` are the whole quota, None where nothing was set."""

    id: int
    level: QuotaLevel
    name: str
    at_ms: int
    username: str
    before: Amounts | None
    after: Amounts | None


def history_insert(
    tx: Transaction,
    level: QuotaLevel,
    name: str,
    now_ms: int,
    username: str,
    before: Amounts | None,
    after: Amounts | None,
) -> None:
    tx.execute(
        sa.insert(tables.quota_history).values(
            level=level.value,
            name=name,
            at_ms=now_ms,
            username=username,
            before=json.dumps(before, sort_keys=True),
            after=json.dumps(after, sort_keys=True),
        )
    )


def history_list(
    tx: Transaction,
    scope: Scope,
    *,
    level: QuotaLevel | None = None,
    name: str = "",
    limit: int,
    before_id: int | None = None,
) -> list[QuotaChanged]:
    """Newest first: of the organisation, of projects of the scope and of their teams; of one where
    `level` is given."""
    table = tables.quota_history
    chosen = sa.true() if level is None else (table.c.level == level.value) & (table.c.name == name)
    if before_id is not None:
        chosen &= table.c.id < before_id
    if scope.projects is not None:
        project = tables.projects
        mine = project.c.name.in_(sorted(scope.projects))
        teams = sa.select(project.c.team).where(mine)
        chosen &= (
            (table.c.level == QuotaLevel.ORGANISATION.value)
            | (
                (table.c.level == QuotaLevel.PROJECT.value)
                & table.c.name.in_(sorted(scope.projects))
            )
            | ((table.c.level == QuotaLevel.TEAM.value) & table.c.name.in_(teams))
        )
    rows = tx.execute(sa.select(table).where(chosen).order_by(table.c.id.desc()).limit(limit))
    return [
        QuotaChanged(
            id=row.id,
            level=QuotaLevel(row.level),
            name=row.name,
            at_ms=row.at_ms,
            username=row.username,
            before=json.loads(row.before),
            after=json.loads(row.after),
        )
        for row in rows
    ]
