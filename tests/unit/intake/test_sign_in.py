"""Signing in: passwords, one-time tickets and passwords, tokens and what is noted of them."""

from __future__ import annotations

import pytest

from podium.domain.errors import TemporaryError, UnauthenticatedError, UserError
from podium.intake.sign_in import SignIn
from podium.intake.users import first_user_create
from podium.store import users
from podium.store.database import Database
from turned_clock import TurnedClock
from unit.house import House

pytestmark = pytest.mark.anyio

PASSWORD = "correct-horse-battery"


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    return House(database, clock)


async def test_the_first_user_is_made_once(house: House) -> None:
    sign_in = SignIn(house.office)
    made = await first_user_create(house.office, sign_in, None)
    assert made is not None
    user, one_time = made
    assert (user.administrator, user.must_change_password) == (True, True)
    assert one_time is not None
    assert await first_user_create(house.office, sign_in, None) is None
    session = await sign_in.with_password("admin", one_time, "first")
    assert session.must_change_password


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


async def test_wrong_passwords_are_slowed_down(house: House) -> None:
    sign_in = SignIn(house.office)
    await first_user_create(house.office, sign_in, PASSWORD)
    for _ in range(6):
        with pytest.raises(UnauthenticatedError, match="name or the password"):
            await sign_in.with_password("admin", "wrong", "x")
    with pytest.raises(TemporaryError, match="Too many"):
        await sign_in.with_password("admin", PASSWORD, "x")


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


async def test_a_token_says_when_it_was_last_used_and_ends_when_revoked(house: House) -> None:
    sign_in = SignIn(house.office)
    await first_user_create(house.office, sign_in, PASSWORD)
    session = await sign_in.with_password("admin", PASSWORD, "laptop")
    me = await sign_in.identify(session.secret)
    token, secret = await sign_in.make_token(me, "ci", 1)
    assert token.last_used_at_ms is None
    await sign_in.identify(secret)
    known = await house.database.read(lambda tx: users.token_list(tx, "admin", limit=9))
    used = {each.name: each.last_used_at_ms for each in known}
    assert used == {"laptop": house.now_ms, "ci": house.now_ms}
    await sign_in.revoke_token(me, token.id)
    with pytest.raises(UnauthenticatedError):
        await sign_in.identify(secret)
    house.clock.advance(31 * 86_400_000)
    sign_in.forget()
    with pytest.raises(UnauthenticatedError):
        await sign_in.identify(session.secret)
