"""Roles that the organisation made, who is bound to which role where, and what that comes to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.errors import ConflictError, NotFoundError
from podium.domain.rights import (
    ADMINISTRATOR,
    BUILT_IN_ROLES,
    Action,
    Binding,
    Level,
    Rights,
    Role,
    SubjectKind,
    rights_of,
)
from podium.domain.tenancy import UserKind
from podium.store import tables
from podium.store.codec import Row
from podium.store.database import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What someone may do, and their roles' names by project, for words. Where several hold in
    one project, the one with the most actions is named."""

    rights: Rights
    roles: Mapping[str, str]


# Any number that nothing else locks.
_ACCESS_LOCK = 0x706F6461636373


def access_lock(tx: Transaction) -> None:
    """Until this transaction ends, nobody else changes who may do what: rules such as that of the
    last administrator are about all bindings at once. SQLite has one writer anyway."""
    if tx.dialect.name == "postgresql":
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_ACCESS_LOCK)))


def role_all(tx: Transaction) -> dict[str, Role]:
    """Built-in ones first, then those of the organisation by name."""
    known = set(Action)
    table = tables.roles
    own = {
        row.name: Role(
            name=row.name,
            description=row.description,
            actions=frozenset(Action(name) for name in json.loads(row.actions) if name in known),
        )
        for row in tx.execute(sa.select(table).order_by(table.c.name))
    }
    return {**BUILT_IN_ROLES, **own}


def role_set(tx: Transaction, role: Role) -> None:
    """Make or replace a role of the organisation. Raises ConflictError for a built-in one."""
    if role.name in BUILT_IN_ROLES:
        raise ConflictError(f"The role {role.name} is built in; make one with another name.")
    table = tables.roles
    tx.execute(sa.delete(table).where(table.c.name == role.name))
    tx.execute(
        sa.insert(table).values(
            name=role.name,
            description=role.description,
            actions=json.dumps(sorted(role.actions)),
        )
    )


def role_remove(tx: Transaction, name: str) -> None:
    """Raises NotFoundError, and ConflictError while someone is bound to it."""
    if name in BUILT_IN_ROLES:
        raise ConflictError(f"The role {name} is built in and stays.")
    table = tables.bindings
    bound = tx.scalar(sa.select(sa.func.count()).where(table.c.role == name)) or 0
    if bound:
        raise ConflictError(
            f"The role {name} is given {bound} time{'' if bound == 1 else 's'}. "
            "Take it from everyone first: podium binding ls --role " + name
        )
    deleted = tx.execute(sa.delete(tables.roles).where(tables.roles.c.name == name))
    if deleted.rowcount == 0:
        raise NotFoundError(f"There is no role {name}.")


def role_counts(tx: Transaction) -> dict[str, int]:
    """How many bindings each role has, if any."""
    table = tables.bindings
    rows = tx.execute(
        sa.select(table.c.role, sa.func.count().label("times")).group_by(table.c.role)
    )
    return {row.role: row.times for row in rows}


def binding_insert(tx: Transaction, binding: Binding) -> Binding:
    """Stores the binding, or answers the equal one that is there already."""
    table = tables.bindings
    row = (
        tx.execute(
            sa.select(table).where(
                table.c.subject_kind == binding.subject_kind.value,
                table.c.subject == binding.subject,
                table.c.level == binding.level.value,
                table.c.target == binding.target,
                table.c.role == binding.role,
            )
        )
        .mappings()
        .first()
    )
    if row is not None:
        return binding_of_row(row)
    tx.execute(
        sa.insert(table).values(
            id=binding.id,
            subject_kind=binding.subject_kind.value,
            subject=binding.subject,
            role=binding.role,
            level=binding.level.value,
            target=binding.target,
            created_at_ms=binding.created_at_ms,
            created_by=binding.created_by,
        )
    )
    return binding


def binding_find(tx: Transaction, binding_id: str) -> Binding | None:
    table = tables.bindings
    row = tx.execute(sa.select(table).where(table.c.id == binding_id)).mappings().first()
    return None if row is None else binding_of_row(row)


def binding_delete(tx: Transaction, binding_id: str) -> None:
    tx.execute(sa.delete(tables.bindings).where(tables.bindings.c.id == binding_id))


def binding_delete_of(tx: Transaction, kind: SubjectKind, subject: str) -> None:
    """All bindings of a person or group that goes away."""
    table = tables.bindings
    tx.execute(
        sa.delete(table).where(table.c.subject_kind == kind.value, table.c.subject == subject)
    )


def binding_list(
    tx: Transaction,
    *,
    limit: int,
    after: str = "",
    level: Level | None = None,
    target: str | None = None,
    subject_kind: SubjectKind | None = None,
    subject: str | None = None,
    role: str | None = None,
    places: Sequence[tuple[Level, str]] | None = None,
) -> list[Binding]:
    """By id. `places` keeps to those levels and targets."""
    table = tables.bindings
    statement = sa.select(table).where(table.c.id > after)
    asked = {
        table.c.level: level and level.value,
        table.c.target: target,
        table.c.subject_kind: subject_kind and subject_kind.value,
        table.c.subject: subject,
        table.c.role: role,
    }
    for column, value in asked.items():
        if value is not None:
            statement = statement.where(column == value)
    if places is not None:
        statement = statement.where(
            sa.tuple_(table.c.level, table.c.target).in_(
                [(level.value, target) for level, target in places]
            )
        )
    rows = tx.execute(statement.order_by(table.c.id).limit(limit)).mappings()
    return [binding_of_row(row) for row in rows]


def bindings_of(tx: Transaction, username: str) -> list[Binding]:
    """Those of a person, by name and through groups."""
    table, member = tables.bindings, tables.group_members
    groups = sa.select(member.c.group).where(member.c.username == username)
    statement = (
        sa.select(table)
        .where(
            sa.or_(
                (table.c.subject_kind == SubjectKind.USER.value) & (table.c.subject == username),
                (table.c.subject_kind == SubjectKind.GROUP.value) & table.c.subject.in_(groups),
            )
        )
        .order_by(table.c.id)
    )
    return [binding_of_row(row) for row in tx.execute(statement).mappings()]


def bindings_of_group(tx: Transaction, group: str) -> list[Binding]:
    table = tables.bindings
    statement = sa.select(table).where(
        table.c.subject_kind == SubjectKind.GROUP.value, table.c.subject == group
    )
    return [binding_of_row(row) for row in tx.execute(statement.order_by(table.c.id)).mappings()]


def rights_fetch(tx: Transaction, username: str) -> Held:
    """What a person may do by all their bindings."""
    return held_by(tx, bindings_of(tx, username))


def held_by(tx: Transaction, bindings: Sequence[Binding]) -> Held:
    """What these bindings come to."""
    names = {each.role for each in bindings}
    roles = BUILT_IN_ROLES if names <= BUILT_IN_ROLES.keys() else role_all(tx)
    teams = sorted({each.target for each in bindings if each.level is Level.TEAM})
    projects_of = _projects_of(tx, teams)
    rights = rights_of(bindings, roles, projects_of)
    told: dict[str, str] = {}
    for each in bindings:
        role = roles.get(each.role)
        if role is None or each.level is Level.ORGANISATION:
            continue
        reach = projects_of[each.target] if each.level is Level.TEAM else (each.target,)
        for project in reach:
            before = roles.get(told.get(project, ""))
            if before is None or len(role.actions) > len(before.actions):
                told[project] = role.name
    return Held(rights=rights, roles=dict(sorted(told.items())))


def administrators(tx: Transaction) -> set[str]:
    """People who are not disabled and administer the organisation, by name or through a group."""
    table, member, user = tables.bindings, tables.group_members, tables.users
    place = (table.c.level == Level.ORGANISATION.value) & (table.c.role == ADMINISTRATOR)
    named = sa.select(table.c.subject).where(place, table.c.subject_kind == SubjectKind.USER.value)
    grouped = sa.select(member.c.username).join(
        table,
        place
        & (table.c.subject_kind == SubjectKind.GROUP.value)
        & (table.c.subject == member.c.group),
    )
    statement = sa.select(user.c.username).where(
        user.c.disabled_at_ms.is_(None),
        user.c.kind == UserKind.PERSON.value,  # nobody can sign in as a service account
        sa.or_(user.c.username.in_(named), user.c.username.in_(grouped)),
    )
    return set(tx.scalars(statement))


def _projects_of(tx: Transaction, teams: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {team: [] for team in teams}
    if teams:
        table = tables.projects
        rows = tx.execute(
            sa.select(table.c.team, table.c.name)
            .where(table.c.team.in_(teams))
            .order_by(table.c.name)
        )
        for row in rows:
            found[row.team].append(row.name)
    return found


def binding_of_row(row: Row) -> Binding:
    return Binding(
        id=row["id"],
        subject_kind=SubjectKind(row["subject_kind"]),
        subject=row["subject"],
        role=row["role"],
        level=Level(row["level"]),
        target=row["target"],
        created_at_ms=row["created_at_ms"],
        created_by=row["created_by"],
    )
