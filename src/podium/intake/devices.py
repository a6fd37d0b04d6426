"""The way in of a command line (RFC 8628): it shows a code, and a person who is signed in to the
console lets it in. The API calls it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from podium.domain.errors import BusyError, DeviceFlowError, ForbiddenError, NotFoundError
from podium.domain.tenancy import Identity, TokenKind
from podium.domain.throttle import DEVICES, WRONG_CODES
from podium.intake.attempts import counted, source_now, try_begun, try_ended_well
from podium.intake.office import Office, told
from podium.intake.sessions import Session, secret_hash, session_insert
from podium.intake.sign_in import SignIn
from podium.store import device_codes, tokens, users
from podium.store.audit import ORIGIN, AuditEntry
from podium.store.database import Transaction
from podium.store.device_codes import DeviceCode

DEVICE_MINUTES = 10
INTERVAL_SECONDS = 5
# Letters that cannot be taken for others and that spell no words: 20^8 codes.
USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_CODE_LENGTH = 8
_WAITING_MAX = 2_000
_SLOWER_MS = 5_000
_EARLY_MS = 1_000
_NOT_THERE = (
    "No command line waits with this code. It may be too old, or have been answered already; "
    "start again with `podium login`."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStart:
    """What a command line is told; the device code is its secret."""

    device_code: str
    user_code: str
    expires_in_seconds: int
    interval_seconds: int


async def device_begin(office: Office, client_name: str) -> DeviceStart:
    """Raises TooOftenError, or BusyError when very many wait."""
    source = source_now()
    await try_begun(
        office, [counted(DEVICES, source)], "Too many command lines ask to be let in from here."
    )
    device_code = secrets.token_urlsafe(32)
    user_code = "".join(secrets.choice(USER_CODE_LETTERS) for _ in range(_CODE_LENGTH))
    now_ms = office.database.now_ms()
    origin = ORIGIN.get()
    row = DeviceCode(
        device_hash=secret_hash(device_code),
        user_hash=secret_hash(user_code),
        client_name=client_name,
        source=source,
        user_agent=origin.user_agent if origin is not None else "",
        created_at_ms=now_ms,
        expires_at_ms=now_ms + DEVICE_MINUTES * 60_000,
        polled_at_ms=now_ms - INTERVAL_SECONDS * 1000,
        interval_ms=INTERVAL_SECONDS * 1000,
    )

    def insert(tx: Transaction) -> None:
        if device_codes.device_count(tx, now_ms) >= _WAITING_MAX:
            raise BusyError("Too many command lines wait to be let in.", retry_after_seconds=60)
        device_codes.device_insert(tx, row)

    await office.database.write(insert, quiet=True)
    return DeviceStart(
        device_code=device_code,
        user_code=f"{user_code[:4]}-{user_code[4:]}",
        expires_in_seconds=DEVICE_MINUTES * 60,
        interval_seconds=INTERVAL_SECONDS,
    )


async def device_show(office: Office, identity: Identity, user_code: str) -> DeviceCode:
    """Which machine asks with this code. Raises NotFoundError, TooOftenError, and ForbiddenError
    for who has not signed in to the console."""
    user_hash = secret_hash(_plain(user_code))
    tried = [counted(WRONG_CODES, identity.username)]
    await try_begun(office, tried, "Too many codes that nobody has.")
    now_ms = office.database.now_ms()

    def read(tx: Transaction) -> DeviceCode:
        _session_provider(tx, identity)
        return _waiting(tx, user_hash, now_ms)

    found = await office.database.read(read)
    await try_ended_well(office, clear=tried)
    return found


async def device_decide(
    office: Office, identity: Identity, user_code: str, *, approve: bool
) -> None:
    """Let the command line with this code in as oneself, or not. Raises as `device_show`."""
    user_hash = secret_hash(_plain(user_code))
    tried = [counted(WRONG_CODES, identity.username)]
    await try_begun(office, tried, "Too many codes that nobody has.")
    now_ms = office.database.now_ms()

    def write(tx: Transaction) -> AuditEntry:
        provider = _session_provider(tx, identity)
        found = _waiting(tx, user_hash, now_ms)
        device_codes.device_decide(
            tx, found.device_hash, identity.username, denied=not approve, provider=provider
        )
        return AuditEntry(
            actor=identity.username,
            action="device:approve" if approve else "device:deny",
            subject=found.client_name,
            detail={"source": found.source, "asked_at_ms": found.created_at_ms},
        )

    await told(office, write)
    await try_ended_well(office, clear=tried)


async def device_redeem(office: Office, sign_in: SignIn, device_code: str) -> Session:
    """The sign-in, once, when somebody let it in. Raises DeviceFlowError with the code
    authorization_pending, slow_down, access_denied or expired_token."""
    device_hash = secret_hash(device_code)
    now_ms, origin = office.database.now_ms(), ORIGIN.get()

    def write(tx: Transaction) -> Session | DeviceFlowError:
        found = device_codes.device_find(tx, device_hash)
        if found is None or found.expires_at_ms <= now_ms:
            return DeviceFlowError("expired_token", "The code is too old, or was used already.")
        if found.username is None:
            return _polled(tx, found, now_ms)
        device_codes.device_delete(tx, device_hash)
        user = users.user_find(tx, found.username)
        if found.denied or user is None or user[0].disabled_at_ms is not None:
            return DeviceFlowError("access_denied", "The sign-in was turned away.")
        return session_insert(
            tx,
            office,
            sign_in.lifetimes,
            user[0],
            origin=origin,
            kind=TokenKind.DEVICE,
            name=found.client_name,
            detail={"device": found.client_name, "through": found.provider or "password"},
        )

    # What was polled is kept although the answer is an error.
    outcome = await office.database.write(write, quiet=True)
    if isinstance(outcome, DeviceFlowError):
        raise outcome
    return outcome


def _polled(tx: Transaction, found: DeviceCode, now_ms: int) -> DeviceFlowError:
    early = now_ms - found.polled_at_ms < found.interval_ms - _EARLY_MS
    interval_ms = found.interval_ms + _SLOWER_MS if early else found.interval_ms
    device_codes.device_polled(tx, found.device_hash, now_ms, interval_ms)
    if early:
        return DeviceFlowError("slow_down", f"Ask every {interval_ms // 1000} s at most.")
    return DeviceFlowError("authorization_pending", "Nobody has let it in yet.")


def _waiting(tx: Transaction, user_hash: str, now_ms: int) -> DeviceCode:
    found = device_codes.device_waiting(tx, user_hash, now_ms)
    if found is None:
        raise NotFoundError(_NOT_THERE)
    return found


def _session_provider(tx: Transaction, identity: Identity) -> str:
    """The provider that the console's sign-in came through. Raises ForbiddenError for any other
    kind of token: it may be made for less, and would become one for everything."""
    token = tokens.token_find(tx, identity.token_id)
    if token is None or token.kind is not TokenKind.SESSION:
        raise ForbiddenError("Only somebody who is signed in to the console can let one in.")
    return token.provider


def _plain(user_code: str) -> str:
    """As it was made, however it was typed."""
    return "".join(each for each in user_code.upper() if each in USER_CODE_LETTERS)
