"""Sign-ins of people: how they begin, how long they last, and how they end."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from podium.domain.audit import Origin
from podium.domain.errors import FieldFault, UserError
from podium.domain.tenancy import Identity, Token, TokenKind, User
from podium.intake.office import Office
from podium.store import audit, device_codes, providers, sealed_values, tokens, users
from podium.store.audit import AuditEntry
from podium.store.database import Transaction
from podium.store.secrets import ID_TOKEN

TOKEN_PREFIX = "pod_"  # noqa: S105 - a prefix that secret scanners can look for
SIGN_INS = (TokenKind.SESSION, TokenKind.DEVICE)
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_ID_TOKEN_MAX = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetimes:
    """How long sign-ins last when they are not used, and at most; of the console in a browser, and
    of the command line."""

    session_idle_ms: int = 8 * _HOUR_MS
    session_ms: int = 7 * _DAY_MS
    device_idle_ms: int = 30 * _DAY_MS
    device_ms: int = 90 * _DAY_MS

    def of(self, kind: TokenKind) -> tuple[int, int]:
        """(idle, in all), in milliseconds."""
        if kind is TokenKind.DEVICE:
            return self.device_idle_ms, self.device_ms
        return self.session_idle_ms, self.session_ms


def lifetimes_of(
    *, session_idle_hours: int, session_days: int, cli_idle_days: int, cli_days: int
) -> Lifetimes:
    """As people set them."""
    return Lifetimes(
        session_idle_ms=session_idle_hours * _HOUR_MS,
        session_ms=session_days * _DAY_MS,
        device_idle_ms=cli_idle_days * _DAY_MS,
        device_ms=cli_days * _DAY_MS,
    )


def check_public_url(url: str) -> None:
    """Raises UserError unless it is empty or scheme and host alone."""
    parts = urlsplit(url)
    alone = parts.scheme in ("http", "https") and parts.netloc and parts.geturl() == url
    if url and (not alone or parts.path or parts.query or parts.fragment or "@" in parts.netloc):
        raise UserError(
            FieldFault(
                "public-url",
                f"'{url}' is not an address without a path.",
                "Write it like https://podium.example.com.",
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A fresh sign-in; `secret` is told once."""

    secret: str
    expires_at_ms: int | None
    username: str
    must_change_password: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Through:
    """How somebody signed in: which provider, if any, with its own session and its ID token, which
    ends that session when they sign out here."""

    provider: str = ""
    provider_session: str = ""
    id_token: str = ""


def session_insert(
    tx: Transaction,
    office: Office,
    lifetimes: Lifetimes,
    user: User,
    *,
    origin: Origin | None,
    kind: TokenKind,
    name: str,
    through: Through | None = None,
    replaces: str = "",
    detail: dict[str, object] | None = None,
) -> Session:
    """A new sign-in with a secret of its own, from `origin`. `replaces` is what the same browser
    came with; it ends, so that nobody can give somebody a sign-in and use it after them."""
    now_ms = office.database.now_ms()
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    idle_ms, all_ms = lifetimes.of(kind)
    through = through or Through()
    token = replace(
        token_made(office, user.username, name, now_ms, now_ms + all_ms, origin=origin),
        kind=kind,
        idle_ms=idle_ms,
        provider=through.provider,
    )
    tokens.token_insert(tx, token, secret_hash(secret))
    if through.provider:
        tokens.token_came_through(
            tx, token.id, through.provider_session, _id_token_sealed(tx, office, through.id_token)
        )
    if replaces:
        tokens.session_replace(tx, secret_hash(replaces))
    users.user_signed_in(tx, user.username, now_ms)
    told = {"kind": kind.value, **(detail or {})}
    if through.provider:
        told["provider"] = through.provider
    entry = AuditEntry(
        actor=user.username, action="user:sign-in", subject=user.username, detail=told
    )
    audit.audit_append(tx, [entry], now_ms)
    return Session(
        secret=secret,
        expires_at_ms=token.expires_at_ms,
        username=user.username,
        must_change_password=user.must_change_password and not through.provider,
    )


def token_made(
    office: Office,
    username: str,
    name: str,
    now_ms: int,
    expires_at_ms: int | None,
    *,
    origin: Origin | None,
) -> Token:
    """A token's record with a new id, and where the request that it is made for comes from."""
    return Token(
        id=office.ids.new("t"),
        username=username,
        name=name,
        created_at_ms=now_ms,
        expires_at_ms=expires_at_ms,
        last_used_at_ms=None,
        source=origin.source if origin is not None else "",
        user_agent=origin.user_agent if origin is not None else "",
    )


def sign_ins_end(
    tx: Transaction, username: str, *, keep_token: str | None = None, tokens_too: bool = False
) -> int:
    """End someone's sign-ins, and those that were let in and not begun yet; with `tokens_too` the
    tokens for programs as well. How many there were."""
    kinds = tuple(TokenKind) if tokens_too else SIGN_INS
    device_codes.device_delete_of(tx, username)
    return tokens.token_delete_all(tx, username, keep_token=keep_token, kinds=kinds)


async def provider_session_of(office: Office, identity: Identity) -> tuple[str, str | None] | None:
    """The provider that this sign-in came through, and its ID token where it can be opened."""

    def read(tx: Transaction) -> tuple[str, bytes | None] | None:
        came = tokens.token_provider(tx, identity.token_id)
        return came if came and providers.provider_find(tx, came[0]) is not None else None

    came = await office.database.read(read)
    if came is None:
        return None
    provider, sealed = came
    try:
        opened = sealed and sealed_values.value_opened(sealed, ID_TOKEN, office.sealer)
    except Exception:  # its key is gone; one signs out without it
        opened = None
    return provider, opened or None


def secret_hash(secret: str) -> str:
    """Tokens are long and random, so a plain digest is enough to keep them."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _id_token_sealed(tx: Transaction, office: Office, id_token: str) -> bytes | None:
    if not 0 < len(id_token) <= _ID_TOKEN_MAX:
        return None
    now_ms = office.database.now_ms()
    return sealed_values.value_sealed(tx, ID_TOKEN, id_token, office.sealer, now_ms)
