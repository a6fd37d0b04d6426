"""Projects, their members and their sealed secrets."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.errors import ConflictError, NotFoundError
from podium.domain.tenancy import Membership, Project, Role, Scope
from podium.store import tables
from podium.store.database import Transaction
from podium.store.scoping import within


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRecord:
    """What may be told of a secret."""

    project: str
    name: str
    updated_at_ms: int
    updated_by: str


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
            name=project.name, team=project.team, created_at_ms=project.created_at_ms
        )
    )


def project_fetch(tx: Transaction, scope: Scope, name: str) -> Project:
    """Raises NotFoundError when there is none that this reader may see."""
    table = tables.projects
    row = tx.execute(
        sa.select(table).where(table.c.name == name, within(scope, table.c.name))
    ).first()
    if row is None:
        raise NotFoundError(f"There is no project {name} that you can see.")
    return Project(name=row.name, team=row.team, created_at_ms=row.created_at_ms)


def project_list(tx: Transaction, scope: Scope, *, limit: int, after: str = "") -> list[Project]:
    table = tables.projects
    statement = (
        sa.select(table)
        .where(within(scope, table.c.name), table.c.name > after)
        .order_by(table.c.name)
        .limit(limit)
    )
    return [
        Project(name=row.name, team=row.team, created_at_ms=row.created_at_ms)
        for row in tx.execute(statement)
    ]


def member_list(tx: Transaction, project: str, *, limit: int, after: str = "") -> list[Membership]:
    table = tables.memberships
    statement = (
        sa.select(table)
        .where(table.c.project == project, table.c.username > after)
        .order_by(table.c.username)
        .limit(limit)
    )
    return [
        Membership(project=row.project, username=row.username, role=Role(row.role))
        for row in tx.execute(statement)
    ]


def member_set(tx: Transaction, member: Membership) -> None:
    """Raises NotFoundError when there is no such user."""
    user = tables.users
    if tx.scalar(sa.select(user.c.username).where(user.c.username == member.username)) is None:
        raise NotFoundError(f"There is no user {member.username}.")
    member_remove(tx, member.project, member.username)
    tx.execute(
        sa.insert(tables.memberships).values(
            project=member.project, username=member.username, role=member.role.value
        )
    )


def member_remove(tx: Transaction, project: str, username: str) -> bool:
    table = tables.memberships
    deleted = tx.execute(
        sa.delete(table).where(table.c.project == project, table.c.username == username)
    )
    return deleted.rowcount > 0


def secret_set(tx: Transaction, record: SecretRecord, sealed: bytes) -> None:
    secret_remove(tx, record.project, record.name)
    tx.execute(
        sa.insert(tables.secrets).values(
            project=record.project,
            name=record.name,
            sealed=sealed,
            updated_at_ms=record.updated_at_ms,
            updated_by=record.updated_by,
        )
    )


def secret_remove(tx: Transaction, project: str, name: str) -> bool:
    table = tables.secrets
    deleted = tx.execute(sa.delete(table).where(table.c.project == project, table.c.name == name))
    return deleted.rowcount > 0


def secret_list(
    tx: Transaction, project: str, *, limit: int, after: str = ""
) -> list[SecretRecord]:
    table = tables.secrets
    statement = (
        sa.select(table)
        .where(table.c.project == project, table.c.name > after)
        .order_by(table.c.name)
        .limit(limit)
    )
    return [
        SecretRecord(
            project=row.project,
            name=row.name,
            updated_at_ms=row.updated_at_ms,
            updated_by=row.updated_by,
        )
        for row in tx.execute(statement)
    ]


def secret_names(tx: Transaction, project: str, names: Collection[str]) -> set[str]:
    """Those of `names` that the project has."""
    table = tables.secrets
    return set(
        tx.scalars(
            sa.select(table.c.name).where(
                table.c.project == project, table.c.name.in_(sorted(names))
            )
        )
    )


def secret_sealed(tx: Transaction, project: str, names: Collection[str]) -> dict[str, bytes]:
    """Sealed values by name, for the launch loop, which alone can open them."""
    table = tables.secrets
    rows = tx.execute(
        sa.select(table.c.name, table.c.sealed).where(
            table.c.project == project, table.c.name.in_(sorted(names))
        )
    )
    return {row.name: row.sealed for row in rows}
