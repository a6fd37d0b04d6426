"""Values that stand in place of the built-in policies, each for the cluster, a team or a
project."""

from __future__ import annotations

import sqlalchemy as sa

from podium.domain.policies import Override, Policies, PolicyLevel
from podium.domain.tenancy import Scope
from podium.store import tables
from podium.store.database import Transaction
from podium.store.scoping import within


def policies_fetch(tx: Transaction) -> Policies:
    """All that holds now."""
    overrides = override_list(tx)
    teams: dict[str, str] = {}
    if any(each.level is PolicyLevel.TEAM for each in overrides):
        table = tables.projects
        teams = {row[0]: row[1] for row in tx.execute(sa.select(table.c.name, table.c.team))}
    return Policies(overrides, teams)


def team_seen(tx: Transaction, scope: Scope, team: str) -> bool:
    """Whether the reader sees a project of that team; of every team, who sees everything."""
    if scope.projects is None:
        table = tables.teams
        return tx.scalar(sa.select(table.c.name).where(table.c.name == team)) is not None
    project = tables.projects
    seen = sa.select(project.c.name).where(project.c.team == team, within(scope, project.c.name))
    return tx.scalar(seen.limit(1)) is not None


def override_list(tx: Transaction) -> list[Override]:
    table = tables.policies
    order = (table.c.level, table.c.name, table.c.part, table.c.field)
    return [
        Override(
            level=PolicyLevel(row.level),
            name=row.name,
            part=row.part,
            field=row.field,
            value=row.value,
        )
        for row in tx.execute(sa.select(table).order_by(*order))
    ]


def override_set(tx: Transaction, override: Override, now_ms: int, username: str) -> None:
    """Put it in the place of what stood there."""
    override_delete(tx, override.level, override.name, override.part, override.field)
    tx.execute(
        sa.insert(tables.policies).values(
            level=override.level.value,
            name=override.name,
            part=override.part,
            field=override.field,
            value=override.value,
            updated_at_ms=now_ms,
            updated_by=username,
        )
    )


def override_delete(
    tx: Transaction, level: PolicyLevel, name: str, part: str, field: str | None = None
) -> int:
    """Of one field, or of the whole part. Returns how many there were."""
    table = tables.policies
    statement = sa.delete(table).where(
        table.c.level == level.value, table.c.name == name, table.c.part == part
    )
    if field is not None:
        statement = statement.where(table.c.field == field)
    return tx.execute(statement).rowcount
