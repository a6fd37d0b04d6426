"""Sign-in: passwords, tokens, one-time tickets, and who a request comes from."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
import time
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from podium.domain.errors import FieldFault, TemporaryError, UnauthenticatedError, UserError
from podium.domain.tenancy import Identity, Token, User
from podium.intake.office import Office, audited
from podium.store import audit, users
from podium.store.audit import AuditEntry
from podium.store.database import Transaction

SESSION_DAYS = 30
TICKET_MINUTES = 60
PASSWORD_LENGTH_MIN = 10
_TOKEN_PREFIX = "pod_"  # noqa: S105 - a prefix that secret scanners can look for
_DAY_MS = 86_400_000
_CACHE_SECONDS = 2.0
_CACHE_SIZE = 10_000
_TOUCH_SECONDS = 60.0
_FAILURES_FREE = 5
_LOCKOUT_SECONDS_MAX = 300.0
_USERS_TRACKED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A fresh sign-in; `secret` is told once."""

    secret: str
    expires_at_ms: int | None
    username: str
    must_change_password: bool


class SignIn:
    """Holds a short-lived cache of identities; a change made here empties it at once."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        # Hashing is slow on purpose; one at a time keeps a burst from taking all the memory.
        self._hashing = asyncio.Semaphore(1)
        self._cache: dict[str, tuple[float, Identity]] = {}
        self._touched: dict[str, float] = {}
        self._failures: dict[str, tuple[int, float]] = {}
        # What a wrong name is checked against, so that it takes as long as a wrong password.
        self._nobody = self._hasher.hash(secrets.token_urlsafe(16))

    def forget(self) -> None:
        """Empty the cache after a change to users, members or tokens."""
        self._cache.clear()

    async def identify(self, secret: str) -> Identity:
        """Who this token belongs to. Raises UnauthenticatedError."""
        secret_hash = _hash(secret)
        cached = self._cache.get(secret_hash)
        now = time.monotonic()
        if cached is not None and cached[0] > now:
            return cached[1]
        now_ms = self._office.database.now_ms()
        identity = await self._office.database.read(
            lambda tx: users.identity_fetch(tx, secret_hash, now_ms)
        )
        if identity is None:
            raise UnauthenticatedError("Sign in first: the token is not valid, or no longer.")
        if len(self._cache) >= _CACHE_SIZE:
            self._cache.clear()
            self._touched.clear()
        await self._touch(identity.token_id, now)
        self._cache[secret_hash] = (now + _CACHE_SECONDS, identity)
        return identity

    async def with_password(self, username: str, password: str, token_name: str) -> Session:
        """Raises UnauthenticatedError, or TemporaryError after too many wrong passwords."""
        self._check_lockout(username)
        found = await self._office.database.read(lambda tx: users.user_find(tx, username))
        stored = found[1] if found else self._nobody
        if not await self._matches(stored, password) or found is None:
            self._count_failure(username)
            await self._refused(username)
            raise UnauthenticatedError("The name or the password is wrong.")
        self._failures.pop(username, None)
        return await self._open(found[0], token_name)

    async def with_ticket(self, ticket: str) -> Session:
        """Signs in with the ticket of a sign-in link, once. Raises UnauthenticatedError."""
        now_ms = self._office.database.now_ms()

        def redeem(tx: Transaction) -> User | None:
            username = users.ticket_redeem(tx, _hash(ticket), now_ms)
            found = users.user_find(tx, username) if username is not None else None
            return found[0] if found else None

        user = await self._office.database.write(redeem)
        if user is None:
            raise UnauthenticatedError(
                "This sign-in link was used already, or is too old. Sign in with your password."
            )
        return await self._open(user, "sign-in link")

    async def make_ticket(self, username: str) -> str:
        """A one-time ticket for a sign-in link."""
        secret = secrets.token_urlsafe(24)
        now_ms = self._office.database.now_ms()
        token = self._token(username, "ticket", now_ms, now_ms + TICKET_MINUTES * 60_000)
        await self._office.database.write(
            lambda tx: users.token_insert(tx, token, _hash(secret), single_use=True)
        )
        return secret

    async def make_token(
        self, identity: Identity, name: str, expires_in_days: int | None
    ) -> tuple[Token, str]:
        """A new token of one's own; the secret is told once."""
        secret = _TOKEN_PREFIX + secrets.token_urlsafe(32)
        now_ms = self._office.database.now_ms()
        expires_at_ms = None if expires_in_days is None else now_ms + expires_in_days * _DAY_MS
        token = self._token(identity.username, name, now_ms, expires_at_ms)
        entry = AuditEntry(actor=identity.username, action="token:create", subject=token.id)

        def insert(tx: Transaction) -> None:
            users.token_insert(tx, token, _hash(secret))

        await audited(self._office, entry, insert)
        return token, secret

    async def revoke_token(self, identity: Identity, token_id: str) -> None:
        """Ends one of one's own tokens; the sign-in of this request is one, too."""
        entry = AuditEntry(actor=identity.username, action="token:revoke", subject=token_id)

        def delete(tx: Transaction) -> None:
            users.token_delete(tx, identity.username, token_id)

        await audited(self._office, entry, delete)
        self.forget()

    async def change_password(self, identity: Identity, current: str | None, new: str) -> None:
        """Sets one's own password; ends all other sign-ins. Raises UserError.

        `current` may be left out while the password is a one-time one: whoever signed in with
        that, or with its link, has shown enough.
        """
        name = identity.username
        found = await self._office.database.read(lambda tx: users.user_find(tx, name))
        if found is None:
            raise UnauthenticatedError(f"There is no user {name} any more.")
        user, stored = found
        if current is None and not user.must_change_password:
            raise UserError(FieldFault("current", "is missing.", "Send your password of now."))
        if current is not None and not await self._matches(stored, current):
            raise UserError(FieldFault("current", "is not your password now."))
        if current == new:
            raise UserError(FieldFault("new", "is the same as before.", "Choose another one."))
        hashed = await self.hash_password(new)
        entry = AuditEntry(actor=name, action="user:password", subject=name)

        def write(tx: Transaction) -> None:
            users.password_set(tx, name, hashed, keep_token=identity.token_id)

        await audited(self._office, entry, write)
        self.forget()

    async def hash_password(self, password: str) -> str:
        """Raises UserError when it is too short."""
        if len(password) < PASSWORD_LENGTH_MIN:
            raise UserError(
                FieldFault(
                    "password",
                    f"has {len(password)} characters.",
                    f"Use at least {PASSWORD_LENGTH_MIN}.",
                )
            )
        async with self._hashing:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def _touch(self, token_id: str, now: float) -> None:
        """Note now and then that a token is in use. A store that cannot be written to keeps
        nobody from reading."""
        if now - self._touched.get(token_id, -_TOUCH_SECONDS) < _TOUCH_SECONDS:
            return
        self._touched[token_id] = now
        now_ms = self._office.database.now_ms()
        with contextlib.suppress(TemporaryError):
            await self._office.database.write(lambda tx: users.token_touch(tx, token_id, now_ms))

    async def _open(self, user: User, name: str) -> Session:
        secret = _TOKEN_PREFIX + secrets.token_urlsafe(32)
        now_ms = self._office.database.now_ms()
        token = self._token(user.username, name, now_ms, now_ms + SESSION_DAYS * _DAY_MS)
        entry = AuditEntry(actor=user.username, action="user:sign-in", subject=user.username)

        def insert(tx: Transaction) -> None:
            users.token_insert(tx, token, _hash(secret))

        await audited(self._office, entry, insert)
        return Session(
            secret=secret,
            expires_at_ms=token.expires_at_ms,
            username=user.username,
            must_change_password=user.must_change_password,
        )

    async def _matches(self, hashed: str, password: str) -> bool:
        async with self._hashing:
            try:
                return await asyncio.to_thread(self._hasher.verify, hashed, password)
            except (Argon2Error, InvalidHashError):
                return False

    async def _refused(self, username: str) -> None:
        now_ms = self._office.database.now_ms()
        entry = AuditEntry(
            actor=username[:100], action="user:sign-in", subject=username[:100], outcome="refused"
        )
        await self._office.database.write(lambda tx: audit.audit_append(tx, [entry], now_ms))

    def _check_lockout(self, username: str) -> None:
        count, until = self._failures.get(username, (0, 0.0))
        wait = until - time.monotonic()
        if count > _FAILURES_FREE and wait > 0:
            raise TemporaryError(
                f"Too many wrong passwords for {username}. Try again in {wait:.0f} s.",
                retry_after_seconds=wait,
            )

    def _count_failure(self, username: str) -> None:
        if len(self._failures) >= _USERS_TRACKED:
            self._failures.clear()
        count = self._failures.get(username, (0, 0.0))[0] + 1
        delay = min(_LOCKOUT_SECONDS_MAX, 2.0 ** max(0, count - _FAILURES_FREE))
        self._failures[username] = (count, time.monotonic() + delay)

    def _token(self, username: str, name: str, now_ms: int, expires_at_ms: int | None) -> Token:
        return Token(
            id=self._office.ids.new("t"),
            username=username,
            name=name,
            created_at_ms=now_ms,
            expires_at_ms=expires_at_ms,
            last_used_at_ms=None,
        )


def _hash(secret: str) -> str:
    """Tokens are long and random, so a plain digest is enough to keep them."""
    return hashlib.sha256(secret.encode()).hexdigest()
