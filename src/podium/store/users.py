"""People, their passwords' hashes, and their tokens' hashes."""

from __future__ import annotations

import sqlalchemy as sa

from podium.domain.errors import ConflictError, NotFoundError
from podium.domain.tenancy import Identity, Role, Token, User
from podium.store import tables
from podium.store.codec import Row
from podium.store.database import Transaction


def user_insert(tx: Transaction, user: User, password_hash: str) -> None:
    """Raises ConflictError when the name is taken."""
    if user_find(tx, user.username) is not None:
        raise ConflictError(f"There is already a user {user.username}.")
    tx.execute(
        sa.insert(tables.users).values(
            username=user.username,
            password_hash=password_hash,
            administrator=user.administrator,
            must_change_password=user.must_change_password,
            created_at_ms=user.created_at_ms,
        )
    )


def user_find(tx: Transaction, username: str) -> tuple[User, str] | None:
    """The user and their password's hash."""
    row = (
        tx.execute(sa.select(tables.users).where(tables.users.c.username == username))
        .mappings()
        .first()
    )
    return None if row is None else (_user(row), row["password_hash"])


def user_count(tx: Transaction) -> int:
    return tx.scalar(sa.select(sa.func.count()).select_from(tables.users)) or 0


def user_list(tx: Transaction, *, limit: int, after: str = "") -> list[User]:
    table = tables.users
    statement = (
        sa.select(table).where(table.c.username > after).order_by(table.c.username).limit(limit)
    )
    return [_user(row) for row in tx.execute(statement).mappings()]


def password_set(
    tx: Transaction, username: str, password_hash: str, *, keep_token: str | None
) -> None:
    """A new password ends every other sign-in of that person."""
    tx.execute(
        sa.update(tables.users)
        .where(tables.users.c.username == username)
        .values(password_hash=password_hash, must_change_password=False)
    )
    tx.execute(
        sa.delete(tables.tokens).where(
            tables.tokens.c.username == username, tables.tokens.c.id != (keep_token or "")
        )
    )


def token_insert(
    tx: Transaction, token: Token, secret_hash: str, *, single_use: bool = False
) -> None:
    tx.execute(
        sa.insert(tables.tokens).values(
            id=token.id,
            username=token.username,
            name=token.name,
            secret_hash=secret_hash,
            single_use=single_use,
            created_at_ms=token.created_at_ms,
            expires_at_ms=token.expires_at_ms,
        )
    )


def token_list(tx: Transaction, username: str, *, limit: int, after: str = "") -> list[Token]:
    table = tables.tokens
    statement = (
        sa.select(table)
        .where(table.c.username == username, table.c.id > after, table.c.single_use.is_(False))
        .order_by(table.c.id)
        .limit(limit)
    )
    return [_token(row) for row in tx.execute(statement).mappings()]


def token_delete(tx: Transaction, username: str, token_id: str) -> None:
    """Raises NotFoundError when this person has no such token."""
    table = tables.tokens
    deleted = tx.execute(
        sa.delete(table).where(table.c.id == token_id, table.c.username == username)
    )
    if deleted.rowcount == 0:
        raise NotFoundError(f"You have no token {token_id}.")


def token_delete_expired(tx: Transaction, now_ms: int) -> None:
    tx.execute(sa.delete(tables.tokens).where(tables.tokens.c.expires_at_ms < now_ms))


def ticket_redeem(tx: Transaction, secret_hash: str, now_ms: int) -> str | None:
    """The user whose one-time ticket this is; it is used up. None when it is not valid."""
    table = tables.tokens
    row = tx.execute(
        sa.select(table.c.id, table.c.username, table.c.expires_at_ms).where(
            table.c.secret_hash == secret_hash, table.c.single_use.is_(True)
        )
    ).first()
    if row is None:
        return None
    deleted = tx.execute(sa.delete(table).where(table.c.id == row.id))
    expired = row.expires_at_ms is not None and row.expires_at_ms <= now_ms
    return None if expired or deleted.rowcount == 0 else row.username


def identity_fetch(tx: Transaction, secret_hash: str, now_ms: int) -> Identity | None:
    """Who a token belongs to and what they are, or None when it is not valid (any more)."""
    token, user, member = tables.tokens, tables.users, tables.memberships
    row = tx.execute(
        sa.select(token.c.id, token.c.expires_at_ms, user.c.username, user.c.administrator)
        .join(user, user.c.username == token.c.username)
        .where(token.c.secret_hash == secret_hash, token.c.single_use.is_(False))
    ).first()
    if row is None or (row.expires_at_ms is not None and row.expires_at_ms <= now_ms):
        return None
    roles = tx.execute(
        sa.select(member.c.project, member.c.role)
        .where(member.c.username == row.username)
        .order_by(member.c.project)
    )
    return Identity(
        username=row.username,
        administrator=row.administrator,
        roles={each.project: Role(each.role) for each in roles},
        token_id=row.id,
    )


def token_touch(tx: Transaction, token_id: str, now_ms: int) -> None:
    table = tables.tokens
    tx.execute(sa.update(table).where(table.c.id == token_id).values(last_used_at_ms=now_ms))


def _user(row: Row) -> User:
    return User(
        username=row["username"],
        administrator=row["administrator"],
        created_at_ms=row["created_at_ms"],
        must_change_password=row["must_change_password"],
    )


def _token(row: Row) -> Token:
    return Token(
        id=row["id"],
        username=row["username"],
        name=row["name"],
        created_at_ms=row["created_at_ms"],
        expires_at_ms=row["expires_at_ms"],
        last_used_at_ms=row["last_used_at_ms"],
    )
