"""Groups of people. Who put somebody in alone takes them out again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.errors import ConflictError, NotFoundError
from podium.domain.rights import SubjectKind
from podium.domain.tenancy import Group, UserSource
from podium.store import roles, tables
from podium.store.codec import Row
from podium.store.database import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMember:
    """Somebody in a group; the source put them in."""

    group: str
    username: str
    source: UserSource
    display_name: str
    disabled: bool


def group_insert(tx: Transaction, group: Group) -> None:
    """Raises ConflictError when the name is taken."""
    if group_find(tx, group.name) is not None:
        raise ConflictError(f"There is already a group {group.name}.")
    tx.execute(
        sa.insert(tables.groups).values(
            name=group.name, source=group.source.value, created_at_ms=group.created_at_ms
        )
    )


def group_find(tx: Transaction, name: str) -> Group | None:
    table = tables.groups
    row = tx.execute(sa.select(table).where(table.c.name == name)).mappings().first()
    return None if row is None else _group(row)


def group_fetch(tx: Transaction, name: str) -> Group:
    """Raises NotFoundError."""
    group = group_find(tx, name)
    if group is None:
        raise NotFoundError(f"There is no group {name}.")
    return group


def group_list(tx: Transaction, *, limit: int, after: str = "") -> list[Group]:
    table = tables.groups
    statement = sa.select(table).where(table.c.name > after).order_by(table.c.name).limit(limit)
    return [_group(row) for row in tx.execute(statement).mappings()]


def group_delete(tx: Transaction, name: str) -> None:
    """With its bindings. Raises NotFoundError."""
    deleted = tx.execute(sa.delete(tables.groups).where(tables.groups.c.name == name))
    if deleted.rowcount == 0:
        raise NotFoundError(f"There is no group {name}.")
    tx.execute(sa.delete(tables.group_members).where(tables.group_members.c.group == name))
    roles.binding_delete_of(tx, SubjectKind.GROUP, name)


def group_members(tx: Transaction, name: str, *, limit: int, after: str = "") -> list[GroupMember]:
    """By name."""
    table, user = tables.group_members, tables.users
    statement = (
        sa.select(table, user.c.display_name, user.c.disabled_at_ms)
        .join(user, user.c.username == table.c.username)
        .where(table.c.group == name, table.c.username > after)
        .order_by(table.c.username)
        .limit(limit)
    )
    return [
        GroupMember(
            group=name,
            username=row.username,
            source=UserSource(row.source),
            display_name=row.display_name,
            disabled=row.disabled_at_ms is not None,
        )
        for row in tx.execute(statement)
    ]


def group_sizes(tx: Transaction, names: Collection[str]) -> dict[str, int]:
    table = tables.group_members
    rows = tx.execute(
        sa.select(table.c.group, sa.func.count().label("size"))
        .where(table.c.group.in_(sorted(names)))
        .group_by(table.c.group)
    )
    return {row.group: row.size for row in rows}


def groups_of(tx: Transaction, username: str) -> dict[str, UserSource]:
    """The groups that somebody is in, and who put them there."""
    table = tables.group_members
    rows = tx.execute(
        sa.select(table.c.group, table.c.source)
        .where(table.c.username == username)
        .order_by(table.c.group)
    )
    return {row.group: UserSource(row.source) for row in rows}


def member_add(tx: Transaction, group: str, username: str, source: UserSource) -> bool:
    """Whether they were not in it yet."""
    table = tables.group_members
    there = tx.scalar(
        sa.select(table.c.source).where(table.c.group == group, table.c.username == username)
    )
    if there is not None:
        return False
    tx.execute(sa.insert(table).values(group=group, username=username, source=source.value))
    return True


def member_drop(
    tx: Transaction, group: str, username: str, source: UserSource | None = None
) -> bool:
    """Whether they were in it, put there by `source` (None: by anyone)."""
    table = tables.group_members
    statement = sa.delete(table).where(table.c.group == group, table.c.username == username)
    if source is not None:
        statement = statement.where(table.c.source == source.value)
    return tx.execute(statement).rowcount > 0


def _group(row: Row) -> Group:
    return Group(
        name=row["name"], source=UserSource(row["source"]), created_at_ms=row["created_at_ms"]
    )
