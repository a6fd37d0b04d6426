"""Pools of nodes, and which of them a project may use."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from podium.domain.errors import NotFoundError
from podium.domain.policies import PolicyLevel
from podium.domain.pool import Pool, pools_open
from podium.domain.tenancy import Scope
from podium.store import tables
from podium.store.codec import pairs_from_text, pairs_to_text
from podium.store.database import Transaction
from podium.store.scoping import within


class Reach:
    """Where the work of each project may stand. `teams` names the team of each."""

    def __init__(self, pools: tuple[Pool, ...], teams: Mapping[str, str]) -> None:
        self.pools = pools
        self._teams = teams
        self._known: dict[str, tuple[str, ...] | None] = {}

    def of(self, project: str) -> tuple[str, ...] | None:
        """As `pools_open`."""
        if project not in self._known:
            self._known[project] = pools_open(self.pools, project, self._teams.get(project))
        return self._known[project]

    def names(self, project: str) -> tuple[str, ...]:
        """The pools open to the project."""
        team = self._teams.get(project)
        return tuple(pool.name for pool in self.pools if pool.open_to(project, team))


def reach_fetch(tx: Transaction) -> Reach:
    pools = pool_list(tx)
    teams: dict[str, str] = {}
    if any(pool.teams for pool in pools):
        table = tables.projects
        teams = {row[0]: row[1] for row in tx.execute(sa.select(table.c.name, table.c.team))}
    return Reach(pools, teams)


def pool_list(tx: Transaction) -> tuple[Pool, ...]:
    """All of them, in name order."""
    table = tables.pools
    rows = tx.execute(sa.select(table).order_by(table.c.name)).all()
    if not rows:
        return ()
    projects = _users(tx, tables.pool_projects, tables.pool_projects.c.project)
    teams = _users(tx, tables.pool_teams, tables.pool_teams.c.team)
    return tuple(
        Pool(
            name=row.name,
            labels=pairs_from_text(row.labels),
            projects=projects.get(row.name, ()),
            teams=teams.get(row.name, ()),
            note=row.note,
            region=row.region,
            approved_for=tuple(row.approved_for.split()),
        )
        for row in rows
    )


def pools_seen(tx: Transaction, scope: Scope) -> tuple[Pool, ...]:
    """Those that are open to a project which the reader may see, in name order."""
    pools = pool_list(tx)
    if scope.projects is None or not any(pool.restricted for pool in pools):
        return pools
    mine = teams_seen(tx, scope)
    return tuple(
        pool
        for pool in pools
        if not pool.restricted or any(pool.open_to(*each) for each in mine.items())
    )


def teams_seen(tx: Transaction, scope: Scope) -> dict[str, str]:
    """The projects that the reader may see, each with its team."""
    table = tables.projects
    rows = tx.execute(sa.select(table.c.name, table.c.team).where(within(scope, table.c.name)))
    return {row[0]: row[1] for row in rows}


def pool_fetch(tx: Transaction, scope: Scope, name: str) -> Pool:
    """Raises NotFoundError when there is none that this reader may see."""
    for pool in pools_seen(tx, scope):
        if pool.name == name:
            return pool
    raise NotFoundError(f"There is no pool {name} that you can see.")


def pool_put(tx: Transaction, pool: Pool, now_ms: int, username: str) -> None:
    """Make it, or put it in the place of the one of that name."""
    table = tables.pools
    values = {
        "labels": pairs_to_text(pool.labels),
        "note": pool.note,
        "region": pool.region,
        "approved_for": " ".join(pool.approved_for),
        "updated_at_ms": now_ms,
        "updated_by": username,
    }
    if tx.scalar(sa.select(table.c.name).where(table.c.name == pool.name)) is None:
        tx.execute(sa.insert(table).values(name=pool.name, **values))
    else:
        tx.execute(sa.update(table).where(table.c.name == pool.name).values(values))
    for part, column, users in (
        (tables.pool_projects, "project", pool.projects),
        (tables.pool_teams, "team", pool.teams),
    ):
        tx.execute(sa.delete(part).where(part.c.pool == pool.name))
        if users:
            tx.execute(sa.insert(part), [{"pool": pool.name, column: each} for each in users])


def pool_delete(tx: Transaction, name: str) -> None:
    """With the policies that hold in it. Raises NotFoundError."""
    table, policy = tables.pools, tables.policies
    if not tx.execute(sa.delete(table).where(table.c.name == name)).rowcount:
        raise NotFoundError(f"There is no pool {name}.")
    tx.execute(
        sa.delete(policy).where(policy.c.level == PolicyLevel.POOL.value, policy.c.name == name)
    )


def _users(
    tx: Transaction, table: sa.Table, column: sa.ColumnElement[str]
) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for pool, user in tx.execute(sa.select(table.c.pool, column).order_by(table.c.pool, column)):
        found.setdefault(pool, []).append(user)
    return {pool: tuple(users) for pool, users in found.items()}
