"""Teams, projects, and who is bound to a project by name."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from podium.domain.errors import ConflictError, NotFoundError
from podium.domain.rights import Level, SubjectKind
from podium.domain.tenancy import Membership, Project, Scope, Team
from podium.store import tables
from podium.store.codec import Row
from podium.store.database import Transaction
from podium.store.scoping import within


def team_insert(tx: Transaction, team: Team) -> None:
    """Raises ConflictError when the name is taken."""
    table = tables.teams
    if tx.scalar(sa.select(table.c.name).where(table.c.name == team.name)) is not None:
        raise ConflictError(f"There is already a team {team.name}.")
    tx.execute(
        sa.insert(table).values(
            name=team.name, created_at_ms=team.created_at_ms, cost_centre=team.cost_centre
        )
    )


def team_find(tx: Transaction, name: str) -> Team | None:
    table = tables.teams
    row = tx.execute(sa.select(table).where(table.c.name == name)).first()
    if row is None:
        return None
    return Team(name=row.name, created_at_ms=row.created_at_ms, cost_centre=row.cost_centre)


def team_list(
    tx: Transaction,
    scope: Scope,
    *,
    limit: int,
    after: str = "",
    name: str | None = None,
    own: Collection[str] = (),
) -> list[Team]:
    """Teams with a project that the reader may know of, and those of their `own`; all teams for
    who sees everything. `name` asks for that one alone."""
    table, project = tables.teams, tables.projects
    statement = sa.select(table).where(table.c.name > after)
    if scope.projects is not None:
        seen = sa.select(project.c.team).where(within(scope, project.c.name))
        statement = statement.where(table.c.name.in_(seen) | table.c.name.in_(sorted(own)))
    if name is not None:
        statement = statement.where(table.c.name == name)
    rows = tx.execute(statement.order_by(table.c.name).limit(limit))
    return [
        Team(name=row.name, created_at_ms=row.created_at_ms, cost_centre=row.cost_centre)
        for row in rows
    ]


def team_change(tx: Transaction, name: str, *, cost_centre: str) -> None:
    """Raises NotFoundError."""
    table = tables.teams
    changed = tx.execute(
        sa.update(table).where(table.c.name == name).values(cost_centre=cost_centre)
    )
    if changed.rowcount == 0:
        raise NotFoundError(f"There is no team {name}.")


def project_insert(tx: Transaction, project: Project) -> None:
    """Also makes the team when it is new. Raises ConflictError when the name is taken."""
    table = tables.projects
    if tx.scalar(sa.select(table.c.name).where(table.c.name == project.name)) is not None:
        raise ConflictError(f"There is already a project {project.name}.")
    team = tables.teams
    if tx.scalar(sa.select(team.c.name).where(team.c.name == project.team)) is None:
        tx.execute(sa.insert(team).values(name=project.team, created_at_ms=project.created_at_ms))
    tx.execute(
        sa.insert(table).values(
            name=project.name,
            team=project.team,
            created_at_ms=project.created_at_ms,
            cost_centre=project.cost_centre,
        )
    )


def project_change(tx: Transaction, name: str, *, cost_centre: str) -> None:
    table = tables.projects
    tx.execute(sa.update(table).where(table.c.name == name).values(cost_centre=cost_centre))


def project_fetch(tx: Transaction, scope: Scope, name: str) -> Project:
    """Raises NotFoundError when there is none that this reader may see."""
    table = tables.projects
    row = (
        tx.execute(sa.select(table).where(table.c.name == name, within(scope, table.c.name)))
        .mappings()
        .first()
    )
    if row is None:
        raise NotFoundError(f"There is no project {name} that you can see.")
    return _project(row)


def projects_there(tx: Transaction, scope: Scope, names: Collection[str]) -> list[str]:
    """Those of the names that are projects which this reader may see."""
    table = tables.projects
    asked = table.c.name.in_(sorted(names))
    found = sa.select(table.c.name).where(asked, within(scope, table.c.name))
    return list(tx.scalars(found.order_by(table.c.name)))


def project_list(
    tx: Transaction, scope: Scope, *, limit: int, after: str = "", team: str | None = None
) -> list[Project]:
    table = tables.projects
    statement = sa.select(table).where(within(scope, table.c.name), table.c.name > after)
    if team is not None:
        statement = statement.where(table.c.team == team)
    rows = tx.execute(statement.order_by(table.c.name).limit(limit)).mappings()
    return [_project(row) for row in rows]


def member_list(tx: Transaction, project: str, *, limit: int, after: str = "") -> list[Membership]:
    """Whoever is bound to the project by name. One person may have several roles in it."""
    table = tables.bindings
    statement = (
        sa.select(table.c.subject, sa.func.min(table.c.role).label("role"))
        .where(
            table.c.level == Level.PROJECT.value,
            table.c.target == project,
            table.c.subject_kind == SubjectKind.USER.value,
            table.c.subject > after,
        )
        .group_by(table.c.subject)
        .order_by(table.c.subject)
        .limit(limit)
    )
    return [
        Membership(project=project, username=row.subject, role=row.role)
        for row in tx.execute(statement)
    ]


def member_set(tx: Transaction, member: Membership, binding_id: str, by: str, now_ms: int) -> None:
    """In place of every role that the person had in the project by name. Raises NotFoundError
    when there is no such user."""
    user = tables.users
    if tx.scalar(sa.select(user.c.username).where(user.c.username == member.username)) is None:
        raise NotFoundError(f"There is no user {member.username}.")
    member_remove(tx, member.project, member.username)
    tx.execute(
        sa.insert(tables.bindings).values(
            id=binding_id,
            subject_kind=SubjectKind.USER.value,
            subject=member.username,
            role=member.role,
            level=Level.PROJECT.value,
            target=member.project,
            created_at_ms=now_ms,
            created_by=by,
        )
    )


def member_roles(tx: Transaction, project: str, username: str) -> list[str]:
    """The roles that somebody has in the project by name."""
    table = tables.bindings
    return list(
        tx.scalars(
            sa.select(table.c.role).where(*_named_in(project, username)).order_by(table.c.role)
        )
    )


def member_remove(tx: Transaction, project: str, username: str) -> bool:
    deleted = tx.execute(sa.delete(tables.bindings).where(*_named_in(project, username)))
    return deleted.rowcount > 0


def _named_in(project: str, username: str) -> tuple[sa.ColumnElement[bool], ...]:
    table = tables.bindings
    return (
        table.c.level == Level.PROJECT.value,
        table.c.target == project,
        table.c.subject_kind == SubjectKind.USER.value,
        table.c.subject == username,
    )


def _project(row: Row) -> Project:
    return Project(
        name=row["name"],
        team=row["team"],
        created_at_ms=row["created_at_ms"],
        cost_centre=row["cost_centre"],
    )
