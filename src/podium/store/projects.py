"""Teams, projects, and who is bound to a project by name."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

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
    there = team_find(tx, team.name)
    if there is not None:
        raise ConflictError(_taken("team", team.name, there.archived_at_ms))
    tx.execute(
        sa.insert(table).values(
            name=team.name, created_at_ms=team.created_at_ms, cost_centre=team.cost_centre
        )
    )


def team_find(tx: Transaction, name: str) -> Team | None:
    table = tables.teams
    row = tx.execute(sa.select(table).where(table.c.name == name)).first()
    return None if row is None else _team(row)


def team_held(tx: Transaction, name: str) -> Team:
    """As it stays until the transaction ends. Raises NotFoundError."""
    table = tables.teams
    row = tx.execute(sa.select(table).where(table.c.name == name).with_for_update()).first()
    if row is None:
        raise NotFoundError(f"There is no team {name} that you can see.")
    return _team(row)


def team_open(tx: Transaction, name: str) -> Team:
    """As `team_held`, and raises ConflictError for an archived one."""
    team = team_held(tx, name)
    if team.archived_at_ms is not None:
        raise ConflictError(
            f"The team {name} is archived. Take it back: podium team restore {name}"
        )
    return team


def team_list(
    tx: Transaction,
    scope: Scope,
    *,
    limit: int,
    after: str = "",
    name: str | None = None,
    own: Collection[str] = (),
    archived: bool = False,
) -> list[Team]:
    """Teams with a project that the reader may know of, and those of their `own`; all teams for
    who sees everything. `archived` asks for those in place of the others, `name` for that one
    alone, archived or not."""
    table, project = tables.teams, tables.projects
    statement = sa.select(table).where(table.c.name > after)
    if scope.projects is not None:
        seen = sa.select(project.c.team).where(within(scope, project.c.name))
        statement = statement.where(table.c.name.in_(seen) | table.c.name.in_(sorted(own)))
    if name is not None:
        statement = statement.where(table.c.name == name)
    else:
        statement = statement.where(_is_archived(table) if archived else ~_is_archived(table))
    return [_team(row) for row in tx.execute(statement.order_by(table.c.name).limit(limit))]


def team_change(tx: Transaction, name: str, *, cost_centre: str) -> None:
    """Raises NotFoundError."""
    table = tables.teams
    changed = tx.execute(
        sa.update(table).where(table.c.name == name).values(cost_centre=cost_centre)
    )
    if changed.rowcount == 0:
        raise NotFoundError(f"There is no team {name}.")


def project_insert(tx: Transaction, project: Project) -> None:
    """Also makes the team when it is new. Raises ConflictError when the name is taken, or the team
    is archived."""
    table = tables.projects
    there = tx.execute(
        sa.select(table.c.archived_at_ms).where(table.c.name == project.name)
    ).first()
    if there is not None:
        raise ConflictError(_taken("project", project.name, there.archived_at_ms))
    if team_find(tx, project.team) is None:
        team = tables.teams
        tx.execute(sa.insert(team).values(name=project.team, created_at_ms=project.created_at_ms))
    else:
        team_open(tx, project.team)
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
    """To be looked at, archived or not. Raises NotFoundError when there is none that this reader
    may see."""
    return _fetched(tx, name, _chosen(scope, name))


def project_open(tx: Transaction, scope: Scope, name: str) -> Project:
    """To be worked in. Raises as `project_fetch`, and ConflictError for an archived one."""
    return _opened(project_fetch(tx, scope, name))


def project_held(
    tx: Transaction, scope: Scope, name: str, *, alone: bool = False, archived: bool = False
) -> Project:
    """As `project_open`, and neither moved nor archived by others until the transaction ends, nor,
    with `alone`, held by them. Raises alike, but not for an archived one where those are asked
    for, too."""
    held = _chosen(scope, name).with_for_update(read=not alone)
    project = _fetched(tx, name, held)
    return project if archived else _opened(project)


def _chosen(scope: Scope, name: str) -> sa.Select[Any]:
    table = tables.projects
    return sa.select(table).where(table.c.name == name, within(scope, table.c.name))


def _fetched(tx: Transaction, name: str, chosen: sa.Select[Any]) -> Project:
    row = tx.execute(chosen).mappings().first()
    if row is None:
        raise NotFoundError(f"There is no project {name} that you can see.")
    return _project(row)


def _opened(project: Project) -> Project:
    if project.archived_at_ms is not None:
        raise ConflictError(
            f"The project {project.name} is archived. "
            f"Take it back: podium project restore {project.name}"
        )
    return project


def projects_there(tx: Transaction, scope: Scope, names: Collection[str]) -> list[str]:
    """Those of the names that are projects which this reader may see; not archived ones."""
    table = tables.projects
    asked = table.c.name.in_(sorted(names)) & ~_is_archived(table)
    found = sa.select(table.c.name).where(asked, within(scope, table.c.name))
    return list(tx.scalars(found.order_by(table.c.name)))


def project_list(
    tx: Transaction,
    scope: Scope,
    *,
    limit: int,
    after: str = "",
    team: str | None = None,
    archived: bool = False,
) -> list[Project]:
    """By name. `archived` asks for those in place of the others."""
    table = tables.projects
    statement = sa.select(table).where(
        within(scope, table.c.name),
        table.c.name > after,
        _is_archived(table) if archived else ~_is_archived(table),
    )
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


def _is_archived(table: sa.Table) -> sa.ColumnElement[bool]:
    return table.c.archived_at_ms.is_not(None)


def _taken(noun: str, name: str, archived_at_ms: int | None) -> str:
    if archived_at_ms is None:
        return f"There is already a {noun} {name}."
    return (
        f"There was a {noun} {name}, which is archived, and usage and audit go on meaning it. "
        f"Choose another name, or take it back: podium {noun} restore {name}"
    )


def _team(row: sa.Row[Any]) -> Team:
    return Team(
        name=row.name,
        created_at_ms=row.created_at_ms,
        cost_centre=row.cost_centre,
        archived_at_ms=row.archived_at_ms,
    )


def _project(row: Row) -> Project:
    return Project(
        name=row["name"],
        team=row["team"],
        created_at_ms=row["created_at_ms"],
        cost_centre=row["cost_centre"],
        moved_at_ms=row["moved_at_ms"],
        archived_at_ms=row["archived_at_ms"],
    )
