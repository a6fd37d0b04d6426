"""What a directory keeps here by SCIM, as administrators see it. Called by `api/directory`."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.rights import Action
from podium.domain.tenancy import Token
from podium.store import directory, tables, tokens
from podium.store.database import Transaction

_TOKENS_MAX = 100
_NEWEST_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryChange:
    """The newest that is known of a person (`username`) or a group (`group`) that a directory
    keeps. `told_name` is what the directory calls it."""

    username: str = ""
    group: str = ""
    told_name: str
    disabled: bool = False
    deleted: bool = False
    changed_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryState:
    """How much a directory keeps, when it last changed something, what, and its tokens."""

    users: int
    groups: int
    changed_at_ms: int | None
    tokens: list[Token]
    newest: list[DirectoryChange]


def directory_state(tx: Transaction) -> DirectoryState:
    user, group = tables.directory_users, tables.directory_groups
    changed = [
        tx.scalar(sa.select(sa.func.max(column)))
        for column in (user.c.updated_at_ms, user.c.deleted_at_ms, group.c.updated_at_ms)
    ]
    return DirectoryState(
        users=directory.user_count(tx),
        groups=directory.group_count(tx),
        changed_at_ms=max((each for each in changed if each is not None), default=None),
        tokens=tokens.token_list_for(tx, Action.DIRECTORY_WRITE, limit=_TOKENS_MAX),
        newest=_newest(tx),
    )


def _newest(tx: Transaction) -> list[DirectoryChange]:
    table, group = tables.directory_users, tables.directory_groups
    deleted = sa.func.coalesce(table.c.deleted_at_ms, 0)
    changed = sa.case((deleted > table.c.updated_at_ms, deleted), else_=table.c.updated_at_ms)
    people = (
        sa.select(
            table.c.username,
            table.c.user_name,
            table.c.deleted_at_ms,
            tables.users.c.disabled_at_ms,
            changed.label("changed_at_ms"),
        )
        .join(tables.users, tables.users.c.username == table.c.username)
        .order_by(changed.desc())
    )
    groups = sa.select(group).order_by(group.c.updated_at_ms.desc())
    found = [
        DirectoryChange(
            username=row["username"],
            told_name=row["user_name"],
            disabled=row["disabled_at_ms"] is not None,
            deleted=row["deleted_at_ms"] is not None,
            changed_at_ms=row["changed_at_ms"],
        )
        for row in tx.execute(people.limit(_NEWEST_MAX)).mappings()
    ] + [
        DirectoryChange(
            group=row["group"],
            told_name=row["display_name"],
            changed_at_ms=row["updated_at_ms"],
        )
        for row in tx.execute(groups.limit(_NEWEST_MAX)).mappings()
    ]
    return sorted(found, key=lambda each: each.changed_at_ms, reverse=True)[:_NEWEST_MAX]
