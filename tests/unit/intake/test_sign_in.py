"""Signing in: passwords, one-time tickets and passwords, tokens and what is noted of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from podium.domain.audit import Origin
from podium.domain.errors import TemporaryError, UnauthenticatedError, UserError
from podium.domain.tenancy import TokenKind
from podium.intake.sign_in import SignIn
from podium.intake.users import first_user_create
from podium.store import tables, tokens
from podium.store.audit import ORIGIN
from podium.store.database import Database
from turned_clock import TurnedClock
from unit.house import House

pytestmark = pytest.mark.anyio

PASSWORD = "correct-horse-battery"
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    return House(database, clock)


@contextlib.contextmanager
def from_address(address: str) -> Iterator[None]:
    token = ORIGIN.set(Origin(source=address, user_agent="a browser"))
    try:
        yield
    finally:
        ORIGIN.reset(token)


async def wrong(sign_in: SignIn, name: str, times: int) -> None:
    for _ in range(times):
        with pytest.raises(UnauthenticatedError, match="name or the password"):
            await sign_in.with_password(name, "wrong", "x")


async def test_the_first_user_is_made_once(house: House) -> None:
    sign_in = SignIn(house.office)
    made = await first_user_create(house.office, sign_in, None)
    assert made is not None
    user, one_time = made
    assert user.must_change_password
    assert one_time is not None
    assert await first_user_create(house.office, sign_in, None) is None
    session = await sign_in.with_password("admin", one_time, "first")
    assert session.must_change_password
    assert (await sign_in.identify(session.secret)).administrator


async def test_a_ticket_signs_in_once_and_for_an_hour(house: House) -> None:
    sign_in = SignIn(house.office)
    await first_user_create(house.office, sign_in, PASSWORD)
    ticket = await sign_in.make_ticket("admin")
    with pytest.raises(UnauthenticatedError):
        await sign_in.identify(ticket)
    assert (await sign_in.with_ticket(ticket)).username == "admin"
    with pytest.raises(UnauthenticatedError, match="used already"):
        await sign_in.with_ticket(ticket)
    late = await sign_in.make_ticket("admin")
    house.clock.advance(3_600_001)
    with pytest.raises(UnauthenticatedError):
        await sign_in.with_ticket(late)


async def test_wrong_passwords_are_slowed_down_and_forgotten(house: House) -> None:
    sign_in = SignIn(house.office)
    await first_user_create(house.office, sign_in, PASSWORD)
    await wrong(sign_in, "admin", 6)
    with pytest.raises(TemporaryError, match=r"Too many .* in 2 s") as locked:
        await sign_in.with_password("admin", PASSWORD, "x")
    assert locked.value.retry_after_seconds == 2
    # Another server of the same store, or this one after a restart, knows of it.
    with pytest.raises(TemporaryError, match="Too many"):
        await SignIn(house.office).with_password("admin", PASSWORD, "x")
    house.clock.advance(2_000)
    await wrong(sign_in, "admin", 1)
    with pytest.raises(TemporaryError, match="in 4 s"):
        await sign_in.with_password("admin", PASSWORD, "x")
    house.clock.advance(4_000)
    assert await sign_in.with_password("admin", PASSWORD, "x")
    await wrong(sign_in, "admin", 5)
    house.clock.advance(25 * 60_000)
    await wrong(sign_in, "admin", 5)
    assert await sign_in.with_password("admin", PASSWORD, "x")


async def test_a_name_that_nobody_has_is_treated_as_one_that_somebody_has(house: House) -> None:
    sign_in = SignIn(house.office)
    await first_user_create(house.office, sign_in, PASSWORD)
    told = []
    for name in ("admin", "nobody"):
        await wrong(sign_in, name, 6)
        with pytest.raises(TemporaryError) as locked:
            await sign_in.with_password(name, "wrong", "x")
        told.append(locked.value.message)
    assert told[0] == told[1]
    known = await house.database.read(
        lambda tx: list(tx.scalars(sa.select(tables.sign_in_attempts.c.key)))
    )
    assert not [each for each in known if "admin" in each or "nobody" in each]


async def test_a_stranger_elsewhere_keeps_nobody_out(house: House) -> None:
    sign_in = SignIn(house.office)
    await first_user_create(house.office, sign_in, PASSWORD)
    with from_address("10.0.0.66"):
        await wrong(sign_in, "admin", 6)
        with pytest.raises(TemporaryError):
            await sign_in.with_password("admin", PASSWORD, "x")
    with from_address("10.0.0.1"):
        assert await sign_in.with_password("admin", PASSWORD, "x")


async def test_one_address_cannot_try_one_password_with_every_name(house: House) -> None:
    sign_in = SignIn(house.office)
    await first_user_create(house.office, sign_in, PASSWORD)
    with from_address("10.0.0.66"):
        for number in range(51):
            if number % 10 == 0:  # a sign-in of one's own washes nothing away
                await sign_in.with_password("admin", PASSWORD, "x")
            await wrong(sign_in, f"somebody-{number}", 1)
        with pytest.raises(TemporaryError, match="Too many"):
            await sign_in.with_password("somebody-else", "wrong", "x")
    with from_address("10.0.0.1"):
        await wrong(sign_in, "somebody-else", 1)


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("short", "at least 10"),
        ("x" * 1025, "at most 1024"),
        ("1234567890", "first that somebody would try"),
        ("Password123!", "first that somebody would try"),
        ("ada-lovelace-1", "first that somebody would try"),
        ("adaadaadaada", "first that somebody would try"),
        ("podium2026", "first that somebody would try"),
        ("qwertyuiop[]", "first that somebody would try"),
    ],
)
async def test_what_is_no_password(house: House, password: str, words: str) -> None:
    sign_in = SignIn(house.office)
    with pytest.raises(UserError, match=words):
        await sign_in.hash_password(password, username="ada-lovelace")


async def test_a_long_password_counts_to_its_last_character(house: House) -> None:
    sign_in = SignIn(house.office)
    long = "correct horse battery staple " * 30
    hashed = await sign_in.hash_password(long + "a")
    assert await sign_in.passwords.matches(hashed, long + "a")
    assert not await sign_in.passwords.matches(hashed, long + "b")


async def test_a_password_that_is_kept_is_asked_for_before_it_changes(house: House) -> None:
    sign_in = SignIn(house.office)
    made = await first_user_create(house.office, sign_in, None)
    assert made is not None
    other = await sign_in.with_password("admin", str(made[1]), "other")
    mine = await sign_in.with_password("admin", str(made[1]), "mine")
    me = await sign_in.identify(mine.secret)
    await sign_in.change_password(me, None, PASSWORD)
    with pytest.raises(UnauthenticatedError):
        await sign_in.identify(other.secret)
    for current in (None, "wrong-wrong-wrong"):
        with pytest.raises(UserError, match="current"):
            await sign_in.change_password(me, current, "another-one-entirely")
    with pytest.raises(UserError, match="same as before"):
        await sign_in.change_password(me, PASSWORD, PASSWORD)
    with pytest.raises(UserError, match="at least 10"):
        await sign_in.change_password(me, PASSWORD, "short")
    for _ in range(6):
        with pytest.raises(UserError, match="is not your password"):
            await sign_in.change_password(me, "wrong-wrong-wrong", "another-one-entirely")
    with pytest.raises(TemporaryError, match="Too many"):
        await sign_in.change_password(me, PASSWORD, "another-one-entirely")


async def test_a_token_says_when_it_was_last_used_and_ends_when_revoked(house: House) -> None:
    sign_in = SignIn(house.office)
    await first_user_create(house.office, sign_in, PASSWORD)
    with from_address("10.0.0.1"):
        session = await sign_in.with_password("admin", PASSWORD, "laptop")
    me = await sign_in.identify(session.secret)
    token, secret = await sign_in.make_token(me, "ci", 1)
    assert token.last_used_at_ms is None
    await sign_in.identify(secret)
    known = await house.database.read(lambda tx: tokens.token_list(tx, "admin", limit=9))
    used = {each.name: each.last_used_at_ms for each in known}
    assert used == {"laptop": house.now_ms, "ci": house.now_ms}
    [laptop] = [each for each in known if each.name == "laptop"]
    assert (laptop.kind, laptop.source, laptop.user_agent) == (
        TokenKind.SESSION, "10.0.0.1", "a browser",
    )  # fmt: skip
    await sign_in.revoke_token(me, token.id)
    with pytest.raises(UnauthenticatedError):
        await sign_in.identify(secret)


@pytest.mark.parametrize(
    ("kind", "idle_ms", "all_ms"),
    [
        (TokenKind.SESSION, 8 * HOUR_MS, 7 * DAY_MS),
        (TokenKind.DEVICE, 30 * DAY_MS, 90 * DAY_MS),
    ],
)
async def test_sign_ins_end_when_idle_and_in_any_case(
    house: House, kind: TokenKind, idle_ms: int, all_ms: int
) -> None:
    sign_in = SignIn(house.office)
    await first_user_create(house.office, sign_in, PASSWORD)

    async def holds(secret: str) -> bool:
        # A sign-in that is known notes its use once a minute, by a clock that no test turns.
        try:
            await SignIn(house.office).identify(secret)
        except UnauthenticatedError:
            return False
        return True

    idle = await sign_in.with_password("admin", PASSWORD, "idle", kind=kind)
    busy = await sign_in.with_password("admin", PASSWORD, "busy", kind=kind)
    begun_ms = house.now_ms
    assert await holds(idle.secret)
    house.clock.advance(idle_ms - 1_000)
    assert await holds(busy.secret)
    house.clock.advance(2_000)
    assert not await holds(idle.secret)
    while house.now_ms + idle_ms // 2 < begun_ms + all_ms:
        assert await holds(busy.secret)
        house.clock.advance(idle_ms // 2)
    house.clock.advance(begun_ms + all_ms - house.now_ms)
    assert not await holds(busy.secret)


async def test_a_browser_that_signs_in_again_has_one_sign_in(house: House) -> None:
    sign_in = SignIn(house.office)
    await first_user_create(house.office, sign_in, PASSWORD)
    first = await sign_in.with_password("admin", PASSWORD, "console")
    second = await sign_in.with_password("admin", PASSWORD, "console", replaces=first.secret)
    assert second.secret != first.secret
    with pytest.raises(UnauthenticatedError):
        await sign_in.identify(first.secret)
    assert await sign_in.identify(second.secret)


async def test_signing_out_everywhere(house: House) -> None:
    sign_in = SignIn(house.office)
    await first_user_create(house.office, sign_in, PASSWORD)
    secrets = [
        (await sign_in.with_password("admin", PASSWORD, "x", kind=kind)).secret
        for kind in (TokenKind.SESSION, TokenKind.SESSION, TokenKind.DEVICE)
    ]
    me = await sign_in.identify(secrets[0])
    _, token = await sign_in.make_token(me, "ci", 30)
    assert await sign_in.sign_out_everywhere(me, keep_this=True) == 2
    for ended in secrets[1:]:
        with pytest.raises(UnauthenticatedError):
            await sign_in.identify(ended)
    assert await sign_in.identify(token)
    assert await sign_in.sign_out_everywhere(me, tokens_too=True) == 2
    for ended in (secrets[0], token):
        with pytest.raises(UnauthenticatedError):
            await sign_in.identify(ended)
