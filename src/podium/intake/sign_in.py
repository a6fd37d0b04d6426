"""Sign-in: by password or one-time ticket; tokens; and who a request comes from. The API calls it.
`intake/single_sign_on` and `intake/devices` are the other ways in."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from podium.domain.errors import (
    FieldFault,
    ForbiddenError,
    PodiumError,
    TemporaryError,
    UnauthenticatedError,
    UserError,
)
from podium.domain.rights import Action
from podium.domain.tenancy import Identity, Token, TokenKind, User
from podium.domain.throttle import WRONG_FROM_HERE, WRONG_OF_NAME, WRONG_OF_SOURCE
from podium.intake.attempts import Counted, counted, source_now, try_begun, try_ended_well
from podium.intake.office import Office, audited, told
from podium.intake.passwords import Passwords
from podium.intake.sessions import (
    TOKEN_PREFIX,
    Lifetimes,
    Session,
    secret_hash,
    session_insert,
    sign_ins_end,
    token_made,
)
from podium.store import audit, device_codes, tokens, users
from podium.store.audit import ORIGIN, AuditEntry
from podium.store.database import Transaction

Failure = TypeVar("Failure", bound=PodiumError)

TICKET_MINUTES = 60
_DAY_MS = 86_400_000
_CACHE_SECONDS = 2.0
_CACHE_SIZE = 10_000
_TOUCH_SECONDS = 60.0
_TOO_MANY = "Too many sign-ins with a wrong name or password."


class SignIn:
    """Holds a short-lived cache of identities; a change made here empties it at once."""

    def __init__(self, office: Office, lifetimes: Lifetimes | None = None) -> None:
        self._office = office
        self.lifetimes = lifetimes or Lifetimes()
        self.passwords = Passwords()
        self._cache: dict[str, tuple[float, Identity]] = {}
        self._touched: dict[str, float] = {}

    def forget(self) -> None:
        """Empty the cache after a change to users, members or tokens."""
        self._cache.clear()
        self._office.hints.wake("tenancy")  # clusters let groups of people look

    async def identify(self, secret: str) -> Identity:
        """Who this token belongs to. Raises UnauthenticatedError."""
        hashed = secret_hash(secret)
        cached = self._cache.get(hashed)
        now = time.monotonic()
        if cached is not None and cached[0] > now:
            return cached[1]
        now_ms = self._office.database.now_ms()
        identity = await self._office.database.read(
            lambda tx: tokens.identity_fetch(tx, hashed, now_ms)
        )
        if identity is None:
            raise UnauthenticatedError("Sign in first: the token is not valid, or no longer.")
        if len(self._cache) >= _CACHE_SIZE:
            self._cache.clear()
            self._touched.clear()
        await self._touch(identity.token_id, now)
        self._cache[hashed] = (now + _CACHE_SECONDS, identity)
        return identity

    async def with_password(
        self,
        username: str,
        password: str,
        token_name: str,
        *,
        kind: TokenKind = TokenKind.SESSION,
        replaces: str = "",
    ) -> Session:
        """Raises UnauthenticatedError, or TooOftenError after too many wrong passwords. Neither
        the words nor the time that it takes tell whether there is somebody of that name."""
        here = _counted_for(username)
        try:
            await try_begun(self._office, here, _TOO_MANY)
        except TemporaryError as error:
            raise _refused(error, username) from None
        found = await self._office.database.read(lambda tx: users.user_find(tx, username))
        matches = await self.passwords.matches(found[1] if found else "", password)
        if not matches or found is None or found[0].disabled_at_ms is not None:
            raise _refused(UnauthenticatedError("The name or the password is wrong."), username)
        kept = [each for each in here if each[1] is WRONG_OF_SOURCE]
        await try_ended_well(
            self._office, clear=[each for each in here if each not in kept], lessen=kept
        )
        return await self._open(found[0], token_name, kind=kind, replaces=replaces)

    async def with_ticket(self, ticket: str, *, replaces: str = "") -> Session:
        """Signs in with the ticket of a sign-in link, once. Raises UnauthenticatedError."""
        now_ms = self._office.database.now_ms()

        def redeem(tx: Transaction) -> User | None:
            username = tokens.ticket_redeem(tx, secret_hash(ticket), now_ms)
            if username is not None:
                entry = AuditEntry(actor=username, action="ticket:redeem", subject=username)
                audit.audit_append(tx, [entry], now_ms)
            found = users.user_find(tx, username) if username is not None else None
            return found[0] if found and found[0].disabled_at_ms is None else None

        user = await self._office.database.write(redeem)
        if user is None:
            raise UnauthenticatedError(
                "This sign-in link was used already, or is too old. Sign in with your password."
            )
        return await self._open(user, "sign-in link", replaces=replaces)

    async def make_ticket(self, username: str) -> str:
        """A one-time ticket for a sign-in link."""
        secret = secrets.token_urlsafe(24)
        now_ms = self._office.database.now_ms()
        token = token_made(
            self._office,
            username,
            "ticket",
            now_ms,
            now_ms + TICKET_MINUTES * 60_000,
            origin=ORIGIN.get(),
        )
        await self._office.database.write(
            lambda tx: tokens.token_insert(tx, token, secret_hash(secret), single_use=True)
        )
        return secret

    async def make_token(
        self,
        identity: Identity,
        name: str,
        expires_in_days: int | None,
        *,
        actions: frozenset[Action] | None = None,
        projects: frozenset[str] | None = None,
        owner: str | None = None,
        mother: str | None = None,
    ) -> tuple[Token, str]:
        """A new token of one's own, or of the service account `owner`, who the caller has seen
        may have one; the secret is told once. `actions` and `projects` narrow what it can do, and
        it ends with the token `mother`."""
        secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
        now_ms = self._office.database.now_ms()
        expires_at_ms = None if expires_in_days is None else now_ms + expires_in_days * _DAY_MS
        token = replace(
            token_made(
                self._office,
                owner or identity.username,
                name,
                now_ms,
                expires_at_ms,
                origin=ORIGIN.get(),
            ),
            actions=actions,
            projects=projects,
            created_by=identity.username,
            mother=mother,
        )
        entry = AuditEntry(
            actor=identity.username,
            action="token:create",
            subject=token.id,
            detail={
                "owner": token.username,
                "name": name,
                "expires_at_ms": expires_at_ms,
                "actions": None if actions is None else sorted(actions),
                "projects": None if projects is None else sorted(projects),
                "made_with": mother,
            },
        )

        def insert(tx: Transaction) -> None:
            tokens.token_insert(tx, token, secret_hash(secret))

        await audited(self._office, entry, insert)
        return token, secret

    async def revoke_token(self, identity: Identity, token_id: str) -> None:
        """Ends one of one's own tokens, and what was made with it; the sign-in of this request is
        one, too."""
        await self.end_token(identity, identity.username, token_id, lambda _: None)

    async def end_token(
        self,
        identity: Identity,
        owner: str,
        token_id: str,
        check: Callable[[Transaction], object],
    ) -> None:
        """Ends a token of `owner`, and what was made with it, when `check` raises nothing."""

        def delete(tx: Transaction) -> AuditEntry:
            check(tx)
            ended = tokens.token_delete(tx, owner, token_id)
            return AuditEntry(
                actor=identity.username,
                action="token:revoke",
                subject=token_id,
                detail={"owner": owner, "ended": ended},
            )

        await told(self._office, delete)
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
        if not stored:
            raise UserError(
                FieldFault("new", "cannot be set: you sign in through single sign-on alone.")
            )
        if current is None and not user.must_change_password:
            raise UserError(FieldFault("current", "is missing.", "Send your password of now."))
        if current is not None:
            await self._check_current(name, stored, current)
        if current == new:
            raise UserError(FieldFault("new", "is the same as before.", "Choose another one."))
        hashed = await self.passwords.hash(new, username=name, field="new")
        entry = AuditEntry(actor=name, action="user:password", subject=name)

        def write(tx: Transaction) -> None:
            users.password_set(tx, name, hashed, keep_token=identity.token_id)
            device_codes.device_delete_of(tx, name)

        await audited(self._office, entry, write)
        self.forget()

    async def _check_current(self, name: str, stored: str, current: str) -> None:
        """Whoever found an open browser shall not find the password with it, too."""
        tried = [counted(WRONG_FROM_HERE, name, "current")]
        await try_begun(self._office, tried, "Too many wrong passwords.")
        if not await self.passwords.matches(stored, current):
            raise UserError(FieldFault("current", "is not your password now."))
        await try_ended_well(self._office, clear=tried)

    async def sign_out_everywhere(
        self, identity: Identity, *, keep_this: bool = False, tokens_too: bool = False
    ) -> int:
        """End all of one's own sign-ins; with `keep_this` all but the one that asks, and with
        `tokens_too` the tokens for programs as well. How many there were."""
        if identity.narrowed:
            raise ForbiddenError(
                "This token was made for less than you may do, so it cannot end your sign-ins. "
                "Sign in for that."
            )
        name = identity.username
        keep = identity.token_id if keep_this else None
        now_ms = self._office.database.now_ms()

        def end(tx: Transaction) -> int:
            ended = sign_ins_end(tx, name, keep_token=keep, tokens_too=tokens_too)
            detail: dict[str, object] = {"ended": ended, "tokens_too": tokens_too}
            entry = AuditEntry(
                actor=name, action="user:sign-out-everywhere", subject=name, detail=detail
            )
            audit.audit_append(tx, [entry], now_ms)
            return ended

        ended = await self._office.database.write(end)
        self.forget()
        return ended

    async def hash_password(self, password: str, *, username: str = "") -> str:
        """Raises UserError when it is too short, too long, or easily guessed."""
        return await self.passwords.hash(password, username=username)

    async def _touch(self, token_id: str, now: float) -> None:
        """Note now and then that a token is in use. A store that cannot be written to keeps
        nobody from reading."""
        if now - self._touched.get(token_id, -_TOUCH_SECONDS) < _TOUCH_SECONDS:
            return
        self._touched[token_id] = now
        now_ms = self._office.database.now_ms()
        with contextlib.suppress(TemporaryError):
            await self._office.database.write(
                lambda tx: tokens.token_touch(tx, token_id, now_ms), quiet=True
            )

    async def _open(
        self, user: User, name: str, *, kind: TokenKind = TokenKind.SESSION, replaces: str = ""
    ) -> Session:
        office, lifetimes, origin = self._office, self.lifetimes, ORIGIN.get()
        session = await office.database.write(
            lambda tx: session_insert(
                tx,
                office,
                lifetimes,
                user,
                origin=origin,
                kind=kind,
                name=name,
                replaces=replaces,
            )
        )
        self.forget()
        return session


def _counted_for(username: str) -> list[Counted]:
    """What a wrong password counts against."""
    name, source = username.lower(), source_now()
    what = [
        counted(WRONG_FROM_HERE, name, source),
        counted(WRONG_OF_NAME, name),
    ]
    return [*what, counted(WRONG_OF_SOURCE, source)] if source else what


def _refused(error: Failure, username: str) -> Failure:
    """The API tells the audit trail of it."""
    error.refused_action, error.refused_actor = "user:sign-in", username
    return error
