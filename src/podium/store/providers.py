"""OpenID Connect providers, who somebody is there, and sign-ins that are under way."""

from __future__ import annotations

import json
from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.errors import NotFoundError
from podium.domain.provider import GroupsMode, LinkMode, Provider
from podium.domain.tenancy import UserKind, UserSource
from podium.store import sealed_values, tables
from podium.store.codec import Row
from podium.store.database import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A sign-in that somebody's browser has begun at a provider."""

    provider: str
    browser_hash: str
    redirect_uri: str
    next_path: str
    expires_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderUse:
    """How many people a provider has brought, how many of their sign-ins through it are open, and
    when the newest of these began."""

    people: int = 0
    sign_ins: int = 0
    newest_at_ms: int | None = None


def provider_uses(tx: Transaction, now_ms: int) -> dict[str, ProviderUse]:
    """By the provider's name."""
    table, known, token = tables.providers, tables.provider_identities, tables.tokens
    people = sa.select(sa.func.count()).where(known.c.issuer == table.c.issuer).scalar_subquery()
    counted = tx.execute(sa.select(table.c.name, people.label("people")))
    opened = tx.execute(
        sa.select(token.c.provider, sa.func.count(), sa.func.max(token.c.created_at_ms))
        .where(
            token.c.provider != "",
            sa.or_(token.c.expires_at_ms.is_(None), token.c.expires_at_ms > now_ms),
        )
        .group_by(token.c.provider)
    )
    by_name = {name: (count, newest) for name, count, newest in opened}
    return {
        name: ProviderUse(
            people=found,
            sign_ins=by_name.get(name, (0, None))[0],
            newest_at_ms=by_name.get(name, (0, None))[1],
        )
        for name, found in counted
    }


def provider_list(tx: Transaction) -> list[Provider]:
    """All of them by name: an organisation has a few."""
    statement = _select().order_by(tables.providers.c.name)
    return [_provider(row) for row in tx.execute(statement).mappings()]


def provider_find(tx: Transaction, name: str) -> Provider | None:
    row = tx.execute(_select().where(tables.providers.c.name == name)).mappings().first()
    return None if row is None else _provider(row)


def provider_fetch(tx: Transaction, name: str) -> Provider:
    """Raises NotFoundError."""
    found = provider_find(tx, name)
    if found is None:
        raise NotFoundError(f"There is no provider {name}.")
    return found


def provider_put(tx: Transaction, provider: Provider) -> None:
    """In place of the one that has this name."""
    table = tables.providers
    values = {
        "label": provider.label,
        "issuer": provider.issuer,
        "client_id": provider.client_id,
        "scopes": " ".join(provider.scopes),
        "groups_claim": provider.groups_claim,
        "groups_mode": provider.groups_mode.value,
        "group_names": json.dumps(dict(provider.group_names), sort_keys=True),
        "username_claim": provider.username_claim,
        "link": provider.link.value,
        "updated_at_ms": provider.updated_at_ms,
        "updated_by": provider.updated_by,
    }
    changed = tx.execute(sa.update(table).where(table.c.name == provider.name).values(**values))
    if changed.rowcount == 0:
        tx.execute(sa.insert(table).values(name=provider.name, **values))


def provider_delete(tx: Transaction, name: str) -> None:
    """With its secret. People stay linked to the issuer, so that it can be set up again."""
    tx.execute(sa.delete(tables.providers).where(tables.providers.c.name == name))
    sealed_values.value_remove(tx, secret_name(name))


def secret_name(provider: str) -> str:
    """Under which the secret of the provider's client is kept."""
    return f"provider:{provider}"


def identity_username(tx: Transaction, issuer: str, subject: str) -> str | None:
    """Who it is here."""
    table = tables.provider_identities
    return tx.scalar(
        sa.select(table.c.username).where(table.c.issuer == issuer, table.c.subject == subject)
    )


def identity_link(tx: Transaction, issuer: str, subject: str, username: str, now_ms: int) -> None:
    tx.execute(
        sa.insert(tables.provider_identities).values(
            issuer=issuer, subject=subject, username=username, created_at_ms=now_ms
        )
    )


def unlinked_person(
    tx: Transaction,
    issuer: str,
    *,
    email: str = "",
    username: str = "",
    source: UserSource | None = None,
) -> str | None:
    """The one person with this address or name whom nobody at the issuer is yet; None when there is
    none, or when several have the address."""
    table, known = tables.users, tables.provider_identities
    statement = sa.select(table.c.username).where(
        table.c.kind == UserKind.PERSON.value,
        ~sa.exists().where(known.c.username == table.c.username, known.c.issuer == issuer),
    )
    if source is not None:
        statement = statement.where(table.c.source == source.value)
    if username:
        statement = statement.where(table.c.username == username)
    if email:
        statement = statement.where(sa.func.lower(table.c.email) == email.lower())
    found = list(tx.scalars(statement.limit(2)))
    return found[0] if len(found) == 1 else None


def flow_insert(tx: Transaction, state_hash: str, flow: Flow) -> None:
    tx.execute(
        sa.insert(tables.sign_in_flows).values(
            state_hash=state_hash,
            provider=flow.provider,
            browser_hash=flow.browser_hash,
            redirect_uri=flow.redirect_uri,
            next_path=flow.next_path,
            expires_at_ms=flow.expires_at_ms,
        )
    )


def flow_take(tx: Transaction, state_hash: str, browser_hash: str, now_ms: int) -> Flow | None:
    """The sign-in that this browser began; it is over with this. None when there is none (any
    more). That of another browser stays, so that nobody can end it from outside."""
    table = tables.sign_in_flows
    row = (
        tx.execute(
            sa.select(table).where(
                table.c.state_hash == state_hash, table.c.browser_hash == browser_hash
            )
        )
        .mappings()
        .first()
    )
    if row is None:
        return None
    deleted = tx.execute(sa.delete(table).where(table.c.state_hash == state_hash))
    if deleted.rowcount == 0 or row["expires_at_ms"] <= now_ms:
        return None
    return Flow(**{name: row[name] for name in Flow.__slots__})


def _select() -> sa.Select[tuple[object, ...]]:
    table, value = tables.providers, tables.sealed_values
    kept = sa.exists().where(value.c.name == sa.literal("provider:") + table.c.name)
    return sa.select(table, kept.label("has_secret"))


def _provider(row: Row) -> Provider:
    return Provider(
        name=row["name"],
        label=row["label"],
        issuer=row["issuer"],
        client_id=row["client_id"],
        scopes=tuple(row["scopes"].split()),
        groups_claim=row["groups_claim"],
        groups_mode=GroupsMode(row["groups_mode"]),
        group_names=json.loads(row["group_names"]),
        username_claim=row["username_claim"],
        link=LinkMode(row["link"]),
        has_secret=bool(row["has_secret"]),
        updated_at_ms=row["updated_at_ms"],
        updated_by=row["updated_by"],
    )
