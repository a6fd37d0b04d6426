"""Tokens, sign-ins and one-time tickets by their hashes, and who they belong to."""

from __future__ import annotations

import json
from collections.abc import Collection

import sqlalchemy as sa

from podium.domain.errors import NotFoundError
from podium.domain.rights import Action
from podium.domain.tenancy import Identity, Token, TokenKind
from podium.store import roles, tables
from podium.store.chunks import chunks
from podium.store.codec import Row
from podium.store.database import Transaction


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
            kind=token.kind.value,
            idle_ms=token.idle_ms,
            actions=_names_to_text(token.actions),
            projects=_names_to_text(token.projects),
            created_by=token.created_by or token.username,
            source=token.source,
            user_agent=token.user_agent,
            provider=token.provider,
            mother=token.mother,
        )
    )


def token_came_through(
    tx: Transaction, token_id: str, provider_session: str, sealed_id_token: bytes | None
) -> None:
    """Note the session at the provider that a sign-in stands for."""
    table = tables.tokens
    tx.execute(
        sa.update(table)
        .where(table.c.id == token_id)
        .values(provider_session=provider_session, sealed_id_token=sealed_id_token)
    )


def token_provider(tx: Transaction, token_id: str) -> tuple[str, bytes | None] | None:
    """The provider that a sign-in came through, and the sealed ID token; None for any other."""
    table = tables.tokens
    row = tx.execute(
        sa.select(table.c.provider, table.c.sealed_id_token).where(
            table.c.id == token_id, table.c.provider != ""
        )
    ).first()
    return None if row is None else (row.provider, row.sealed_id_token)


def session_replace(tx: Transaction, secret_hash: str) -> None:
    """End the console's sign-in with this secret, if there is one."""
    table = tables.tokens
    tx.execute(
        sa.delete(table).where(
            table.c.secret_hash == secret_hash, table.c.kind == TokenKind.SESSION.value
        )
    )


def sessions_end_of_provider(
    tx: Transaction, provider: str, *, username: str = "", provider_session: str = ""
) -> int:
    """End sign-ins that came through a provider: those of one person, or of one session there, or
    (neither named) all of them. How many there were."""
    table = tables.tokens
    statement = sa.delete(table).where(table.c.provider == provider)
    if provider_session:
        statement = statement.where(table.c.provider_session == provider_session)
    if username:
        statement = statement.where(table.c.username == username)
    return tx.execute(statement).rowcount


def token_list(tx: Transaction, username: str, *, limit: int, after: str = "") -> list[Token]:
    table = tables.tokens
    statement = (
        sa.select(table)
        .where(table.c.username == username, table.c.id > after, table.c.single_use.is_(False))
        .order_by(table.c.id)
        .limit(limit)
    )
    return [_token(row) for row in tx.execute(statement).mappings()]


def token_find(tx: Transaction, token_id: str) -> Token | None:
    table = tables.tokens
    row = tx.execute(sa.select(table).where(table.c.id == token_id)).mappings().first()
    return None if row is None else _token(row)


def token_counts(tx: Transaction, usernames: Collection[str]) -> dict[tuple[str, TokenKind], int]:
    """How many of each kind somebody has; tickets do not count."""
    table = tables.tokens
    rows = tx.execute(
        sa.select(table.c.username, table.c.kind, sa.func.count().label("times"))
        .where(table.c.username.in_(sorted(usernames)), table.c.single_use.is_(False))
        .group_by(table.c.username, table.c.kind)
    )
    return {(row.username, TokenKind(row.kind)): row.times for row in rows}


def token_list_for(tx: Transaction, action: Action, *, limit: int) -> list[Token]:
    """Those, of anyone, that were made for one action alone."""
    table = tables.tokens
    statement = (
        sa.select(table)
        .where(table.c.actions == _names_to_text({action}), table.c.single_use.is_(False))
        .order_by(table.c.id)
        .limit(limit)
    )
    return [_token(row) for row in tx.execute(statement).mappings()]


def token_delete(tx: Transaction, username: str, token_id: str) -> int:
    """With those that were made with it, which are counted too. Raises NotFoundError when this
    person has no such token."""
    table = tables.tokens
    ended = tokens_end(tx, (table.c.id == token_id) & (table.c.username == username))
    if ended == 0:
        raise NotFoundError(f"There is no token {token_id} of {username}.")
    return ended


def tokens_end(
    tx: Transaction, chosen: sa.ColumnElement[bool], *, keep_token: str | None = None
) -> int:
    """End those, and all that were made with them; but not `keep_token`. How many there were."""
    table, child = tables.tokens, tables.tokens.alias("child")
    kept = keep_token or ""
    gone = sa.select(table.c.id).where(chosen, table.c.id != kept).cte("gone", recursive=True)
    gone = gone.union(sa.select(child.c.id).where(child.c.mother == gone.c.id, child.c.id != kept))
    ids = tx.scalars(sa.select(gone.c.id)).all()
    return sum(
        tx.execute(sa.delete(table).where(table.c.id.in_(some))).rowcount for some in chunks(ids)
    )


def token_delete_all(
    tx: Transaction,
    username: str,
    *,
    keep_token: str | None = None,
    kinds: Collection[TokenKind] = tuple(TokenKind),
) -> int:
    """End all sign-ins and tokens of someone; tickets, too. How many there were, with those that
    were made with them."""
    table = tables.tokens
    kinds_too = table.c.kind.in_([each.value for each in kinds])
    chosen = (table.c.username == username) & (table.c.single_use.is_(True) | kinds_too)
    return tokens_end(tx, chosen, keep_token=keep_token)


def token_delete_expired(tx: Transaction, now_ms: int) -> None:
    table = tables.tokens
    used_ms = sa.func.coalesce(table.c.last_used_at_ms, table.c.created_at_ms)
    tx.execute(
        sa.delete(table).where(
            sa.or_(
                table.c.expires_at_ms < now_ms,
                table.c.idle_ms.is_not(None) & (used_ms + table.c.idle_ms < now_ms),
            )
        )
    )


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
    """Who a token belongs to and what they may do with it, or None when it is not valid (any
    more)."""
    table, user = tables.tokens, tables.users
    row = (
        tx.execute(
            sa.select(table, user.c.must_change_password)
            .join(user, user.c.username == table.c.username)
            .where(
                table.c.secret_hash == secret_hash,
                table.c.single_use.is_(False),
                user.c.disabled_at_ms.is_(None),
            )
        )
        .mappings()
        .first()
    )
    if row is None:
        return None
    token = _token(row)
    used_ms = token.last_used_at_ms or token.created_at_ms
    if token.expires_at_ms is not None and token.expires_at_ms <= now_ms:
        return None
    if token.idle_ms is not None and used_ms + token.idle_ms <= now_ms:
        return None
    held = roles.rights_fetch(tx, token.username)
    return Identity(
        username=token.username,
        rights=held.rights.limited(token.actions, token.projects),
        token_id=token.id,
        roles={
            project: role
            for project, role in held.roles.items()
            if token.projects is None or project in token.projects
        },
        narrowed=token.actions is not None or token.projects is not None,
        # Who a provider vouched for never used the password that was made for them here.
        must_change_password=row["must_change_password"] and not token.provider,
    )


def token_touch(tx: Transaction, token_id: str, now_ms: int) -> None:
    table = tables.tokens
    tx.execute(sa.update(table).where(table.c.id == token_id).values(last_used_at_ms=now_ms))


def _names_to_text(names: Collection[str] | None) -> str | None:
    return None if names is None else json.dumps(sorted(names))


def _token(row: Row) -> Token:
    known = set(Action)
    return Token(
        id=row["id"],
        username=row["username"],
        name=row["name"],
        created_at_ms=row["created_at_ms"],
        expires_at_ms=row["expires_at_ms"],
        last_used_at_ms=row["last_used_at_ms"],
        kind=TokenKind(row["kind"]),
        idle_ms=row["idle_ms"],
        actions=None
        if row["actions"] is None
        else frozenset(Action(name) for name in json.loads(row["actions"]) if name in known),
        projects=None if row["projects"] is None else frozenset(json.loads(row["projects"])),
        created_by=row["created_by"],
        source=row["source"],
        user_agent=row["user_agent"],
        provider=row["provider"],
        mother=row["mother"],
    )
