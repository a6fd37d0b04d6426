"""What a directory says of the people and groups that it keeps by SCIM: its ids and names for them,
beside the rows that they have here. `intake/provisioning` writes it, `api/scim` reads it."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from podium.domain.tenancy import UserSource
from podium.store import tables
from podium.store.codec import Row
from podium.store.database import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryUser:
    """`username` is the account here, `user_name` what the directory calls the person; `document`
    has what it says beside what Podium works with."""

    id: str
    username: str
    user_name: str
    external_id: str
    document: Mapping[str, Any]
    created_at_ms: int
    updated_at_ms: int
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryGroup:
    """`group` is the group here, `display_name` what the directory calls it."""

    id: str
    group: str
    display_name: str
    external_id: str
    created_at_ms: int
    updated_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a search asks for, as far as indexes know; None for anything. `name` is compared as
    directories compare names."""

    id: str | None = None
    name: str | None = None
    external_id: str | None = None


ANYONE = Wanted()


def name_key(name: str) -> str:
    """How names are compared: without case, and however their letters are composed."""
    lower = unicodedata.normalize("NFC", name).lower()
    return unicodedata.normalize("NFC", lower)


def user_insert(tx: Transaction, user: DirectoryUser) -> None:
    tx.execute(sa.insert(tables.directory_users).values(id=user.id, **_user_values(user)))


def user_update(tx: Transaction, user: DirectoryUser) -> None:
    """Also brings back one who was deleted."""
    table = tables.directory_users
    tx.execute(
        sa.update(table)
        .where(table.c.id == user.id)
        .values(**_user_values(user), deleted_at_ms=None)
    )


def user_delete(tx: Transaction, user_id: str, now_ms: int) -> None:
    table = tables.directory_users
    tx.execute(sa.update(table).where(table.c.id == user_id).values(deleted_at_ms=now_ms))


def user_find(tx: Transaction, user_id: str, *, lock: bool = False) -> DirectoryUser | None:
    statement = _users(Wanted(id=user_id))
    if lock:
        statement = statement.with_for_update(of=tables.directory_users)
    row = tx.execute(statement).mappings().first()
    return None if row is None else _user(row)


def user_named(tx: Transaction, user_name: str) -> DirectoryUser | None:
    """Who the directory calls so."""
    row = tx.execute(_users(Wanted(name=user_name))).mappings().first()
    return None if row is None else _user(row)


def user_deleted(tx: Transaction, user_name: str, external_id: str) -> DirectoryUser | None:
    """Somebody whom the directory deleted, if both what it calls them is the same."""
    table = tables.directory_users
    statement = (
        _joined()
        .where(
            table.c.deleted_at_ms.is_not(None),
            table.c.external_id == external_id,
            table.c.user_name_key == name_key(user_name),
        )
        .order_by(table.c.deleted_at_ms.desc())
    )
    row = tx.execute(statement).mappings().first() if external_id else None
    return None if row is None else _user(row)


def user_count(tx: Transaction, wanted: Wanted = ANYONE) -> int:
    return tx.scalar(sa.select(sa.func.count()).select_from(_users(wanted).subquery())) or 0


def user_list(
    tx: Transaction, wanted: Wanted = ANYONE, *, limit: int, offset: int = 0, after: str = ""
) -> list[DirectoryUser]:
    """In the order in which they came."""
    table = tables.directory_users
    statement = _users(wanted).where(table.c.id > after).order_by(table.c.id)
    rows = tx.execute(statement.limit(limit).offset(offset)).mappings()
    return [_user(row) for row in rows]


def users_of_ids(tx: Transaction, ids: Collection[str]) -> dict[str, str]:
    """Accounts by the directory's ids, of those that it keeps."""
    table = tables.directory_users
    found: dict[str, str] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), _SLICE):
        statement = sa.select(table.c.id, table.c.username).where(
            table.c.id.in_(wanted[start : start + _SLICE]), table.c.deleted_at_ms.is_(None)
        )
        found |= {row.id: row.username for row in tx.execute(statement)}
    return found


def group_insert(tx: Transaction, group: DirectoryGroup) -> None:
    tx.execute(sa.insert(tables.directory_groups).values(id=group.id, **_group_values(group)))


def group_update(tx: Transaction, group: DirectoryGroup) -> None:
    table = tables.directory_groups
    tx.execute(sa.update(table).where(table.c.id == group.id).values(**_group_values(group)))


def group_find(tx: Transaction, group_id: str, *, lock: bool = False) -> DirectoryGroup | None:
    statement = _groups(Wanted(id=group_id))
    if lock:
        statement = statement.with_for_update()
    row = tx.execute(statement).mappings().first()
    return None if row is None else _group(row)


def group_count(tx: Transaction, wanted: Wanted = ANYONE) -> int:
    return tx.scalar(sa.select(sa.func.count()).select_from(_groups(wanted).subquery())) or 0


def group_list(
    tx: Transaction, wanted: Wanted = ANYONE, *, limit: int, offset: int = 0, after: str = ""
) -> list[DirectoryGroup]:
    """In the order in which they came."""
    table = tables.directory_groups
    statement = _groups(wanted).where(table.c.id > after).order_by(table.c.id)
    rows = tx.execute(statement.limit(limit).offset(offset)).mappings()
    return [_group(row) for row in rows]


def members_of(
    tx: Transaction, groups: Sequence[DirectoryGroup]
) -> dict[str, list[tuple[str, str]]]:
    """Of each group's id the members that the directory put there: their ids and names."""
    member, user, group = tables.group_members, tables.directory_users, tables.directory_groups
    found: dict[str, list[tuple[str, str]]] = {each.id: [] for each in groups}
    statement = (
        sa.select(group.c.id.label("group_id"), user.c.id, user.c.user_name)
        .join(member, member.c.group == group.c.group)
        .join(user, user.c.username == member.c.username)
        .where(
            group.c.id.in_(sorted(found)),
            member.c.source == UserSource.SCIM.value,
            user.c.deleted_at_ms.is_(None),
        )
        .order_by(user.c.id)
    )
    for row in tx.execute(statement):
        found[row.group_id].append((row.id, row.user_name))
    return found


def groups_of(tx: Transaction, users: Sequence[DirectoryUser]) -> dict[str, list[tuple[str, str]]]:
    """Of each person's id the groups that the directory put them into: their ids and names."""
    member, user, group = tables.group_members, tables.directory_users, tables.directory_groups
    found: dict[str, list[tuple[str, str]]] = {each.id: [] for each in users}
    statement = (
        sa.select(user.c.id.label("user_id"), group.c.id, group.c.display_name)
        .join(member, member.c.username == user.c.username)
        .join(group, group.c.group == member.c.group)
        .where(user.c.id.in_(sorted(found)), member.c.source == UserSource.SCIM.value)
        .order_by(group.c.id)
    )
    for row in tx.execute(statement):
        found[row.user_id].append((row.id, row.display_name))
    return found


def username_free(tx: Transaction, wanted: str) -> str:
    """`wanted`, or the first of wanted-2, wanted-3 … that nobody has or had."""
    return _free(tx, tables.users.c.username, wanted)


def group_name_free(tx: Transaction, wanted: str) -> str:
    """As `username_free`, of groups."""
    return _free(tx, tables.groups.c.name, wanted)


def _free(tx: Transaction, column: sa.Column[Any], wanted: str) -> str:
    taken = set(
        tx.scalars(
            sa.select(column).where(
                sa.or_(column == wanted, column.startswith(wanted[:_STEM] + "-", autoescape=True))
            )
        )
    )
    if wanted not in taken:
        return wanted
    number = 2
    while (name := f"{wanted[:_STEM]}-{number}") in taken:
        number += 1
    return name


_SLICE = 500
_STEM = 56  # of 63 characters, so that a number fits behind


def _joined() -> sa.Select[Any]:
    table, user = tables.directory_users, tables.users
    return sa.select(table, user.c.disabled_at_ms).join(user, user.c.username == table.c.username)


def _users(wanted: Wanted) -> sa.Select[Any]:
    table = tables.directory_users
    statement = _joined().where(table.c.deleted_at_ms.is_(None))
    if wanted.id is not None:
        statement = statement.where(table.c.id == wanted.id)
    if wanted.name is not None:
        statement = statement.where(table.c.user_name_key == name_key(wanted.name))
    if wanted.external_id is not None:
        statement = statement.where(table.c.external_id == wanted.external_id)
    return statement


def _groups(wanted: Wanted) -> sa.Select[Any]:
    table = tables.directory_groups
    statement = sa.select(table)
    if wanted.id is not None:
        statement = statement.where(table.c.id == wanted.id)
    if wanted.name is not None:
        statement = statement.where(table.c.display_name_key == name_key(wanted.name))
    if wanted.external_id is not None:
        statement = statement.where(table.c.external_id == wanted.external_id)
    return statement


def _user_values(user: DirectoryUser) -> dict[str, Any]:
    return {
        "username": user.username,
        "user_name": user.user_name,
        "user_name_key": name_key(user.user_name),
        "external_id": user.external_id,
        "document": json.dumps(user.document, sort_keys=True),
        "created_at_ms": user.created_at_ms,
        "updated_at_ms": user.updated_at_ms,
    }


def _group_values(group: DirectoryGroup) -> dict[str, Any]:
    return {
        "group": group.group,
        "display_name": group.display_name,
        "display_name_key": name_key(group.display_name),
        "external_id": group.external_id,
        "created_at_ms": group.created_at_ms,
        "updated_at_ms": group.updated_at_ms,
    }


def _user(row: Row) -> DirectoryUser:
    return DirectoryUser(
        id=row["id"],
        username=row["username"],
        user_name=row["user_name"],
        external_id=row["external_id"],
        document=json.loads(row["document"]),
        created_at_ms=row["created_at_ms"],
        updated_at_ms=row["updated_at_ms"],
        active=row["disabled_at_ms"] is None,
    )


def _group(row: Row) -> DirectoryGroup:
    return DirectoryGroup(
        id=row["id"],
        group=row["group"],
        display_name=row["display_name"],
        external_id=row["external_id"],
        created_at_ms=row["created_at_ms"],
        updated_at_ms=row["updated_at_ms"],
    )
