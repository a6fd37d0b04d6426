"""People, service accounts, and their passwords' hashes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from podium.domain.errors import ConflictError, NotFoundError
from podium.domain.rights import SubjectKind
from podium.domain.tenancy import Scope, User, UserKind, UserSource
from podium.store import roles, tables
from podium.store.codec import Row
from podium.store.database import Transaction
from podium.store.scoping import within
from podium.store.tokens import tokens_end

USER_CHANGES = frozenset({"display_name", "email", "disabled_at_ms", "source", "project"})


def user_insert(tx: Transaction, user: User, password_hash: str) -> None:
    """Raises ConflictError when the name is taken."""
    if user_find(tx, user.username) is not None:
        raise ConflictError(f"There is already a user {user.username}.")
    tx.execute(
        sa.insert(tables.users).values(
            username=user.username,
            password_hash=password_hash,
            must_change_password=user.must_change_password,
            created_at_ms=user.created_at_ms,
            kind=user.kind.value,
            source=user.source.value,
            display_name=user.display_name,
            email=user.email,
            project=user.project,
            disabled_at_ms=user.disabled_at_ms,
            last_sign_in_at_ms=user.last_sign_in_at_ms,
        )
    )


def user_find(tx: Transaction, username: str) -> tuple[User, str] | None:
    """The user and their password's hash, which is empty when they have none."""
    row = (
        tx.execute(sa.select(tables.users).where(tables.users.c.username == username))
        .mappings()
        .first()
    )
    return None if row is None else (user_of_row(row), row["password_hash"])


def user_fetch(tx: Transaction, username: str) -> User:
    """Raises NotFoundError."""
    found = user_find(tx, username)
    if found is None:
        raise NotFoundError(f"There is no user {username}.")
    return found[0]


def user_count(tx: Transaction) -> int:
    return tx.scalar(sa.select(sa.func.count()).select_from(tables.users)) or 0


def user_list(
    tx: Transaction,
    *,
    limit: int,
    after: str = "",
    kind: UserKind = UserKind.PERSON,
    words: str = "",
    disabled: bool | None = None,
    scope: Scope | None = None,
) -> list[User]:
    """By name. `scope` keeps service accounts to those of the projects that it admits."""
    table = tables.users
    statement = sa.select(table).where(table.c.username > after, table.c.kind == kind.value)
    if words:
        statement = statement.where(
            sa.or_(
                table.c.username.contains(words.lower(), autoescape=True),
                sa.func.lower(table.c.display_name).contains(words.lower(), autoescape=True),
                sa.func.lower(table.c.email).contains(words.lower(), autoescape=True),
            )
        )
    if disabled is not None:
        gone = table.c.disabled_at_ms.is_not(None)
        statement = statement.where(gone if disabled else ~gone)
    if scope is not None:
        statement = statement.where(within(scope, table.c.project))
    statement = statement.order_by(table.c.username).limit(limit)
    return [user_of_row(row) for row in tx.execute(statement).mappings()]


def people_named(tx: Transaction, text: str, *, limit: int) -> list[User]:
    """People whose name, or a word of whose display name, begins so; not who is disabled."""
    table = tables.users
    shown, wanted = sa.func.lower(table.c.display_name), text.lower()
    named = sa.or_(
        table.c.username.startswith(wanted, autoescape=True),
        shown.startswith(wanted, autoescape=True),
        shown.contains(f" {wanted}", autoescape=True),
    )
    statement = (
        sa.select(table)
        .where(named, table.c.kind == UserKind.PERSON.value, table.c.disabled_at_ms.is_(None))
        .order_by(table.c.username)
        .limit(limit)
    )
    return [user_of_row(row) for row in tx.execute(statement).mappings()]


def user_change(tx: Transaction, username: str, **values: Any) -> None:
    """Set some of `USER_CHANGES`. Raises NotFoundError."""
    assert values.keys() <= USER_CHANGES
    table = tables.users
    changed = tx.execute(sa.update(table).where(table.c.username == username).values(**values))
    if changed.rowcount == 0:
        raise NotFoundError(f"There is no user {username}.")


def user_has_acted(tx: Transaction, username: str) -> bool:
    """Whether the trail tells of something that they did, or work is theirs."""
    entry, work = tables.audit, tables.workloads
    acted = sa.select(entry.c.seq).where(entry.c.actor == username).limit(1)
    owns = sa.select(work.c.id).where(work.c.owner == username).limit(1)
    return tx.scalar(acted) is not None or tx.scalar(owns) is not None


def user_delete(tx: Transaction, username: str) -> None:
    """With their tokens, groups, roles and saved views. Raises NotFoundError."""
    tokens_end(tx, tables.tokens.c.username == username)
    for table in (tables.group_members, tables.saved_views):
        tx.execute(sa.delete(table).where(table.c.username == username))
    roles.binding_delete_of(tx, SubjectKind.USER, username)
    deleted = tx.execute(sa.delete(tables.users).where(tables.users.c.username == username))
    if deleted.rowcount == 0:
        raise NotFoundError(f"There is no user {username}.")


def user_signed_in(tx: Transaction, username: str, now_ms: int) -> None:
    table = tables.users
    tx.execute(
        sa.update(table).where(table.c.username == username).values(last_sign_in_at_ms=now_ms)
    )


def password_set(
    tx: Transaction,
    username: str,
    password_hash: str,
    *,
    keep_token: str | None,
    must_change: bool = False,
) -> None:
    """A new password ends every other sign-in of that person."""
    tx.execute(
        sa.update(tables.users)
        .where(tables.users.c.username == username)
        .values(password_hash=password_hash, must_change_password=must_change)
    )
    tokens_end(tx, tables.tokens.c.username == username, keep_token=keep_token)


def user_of_row(row: Row) -> User:
    return User(
        username=row["username"],
        created_at_ms=row["created_at_ms"],
        must_change_password=row["must_change_password"],
        kind=UserKind(row["kind"]),
        source=UserSource(row["source"]),
        display_name=row["display_name"],
        email=row["email"],
        project=row["project"],
        disabled_at_ms=row["disabled_at_ms"],
        last_sign_in_at_ms=row["last_sign_in_at_ms"],
    )
