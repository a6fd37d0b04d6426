"""A command line is let in by a person who sees its code, once, and for ten minutes."""

from __future__ import annotations

import pytest

from podium.domain.errors import (
    DeviceFlowError,
    ForbiddenError,
    NotFoundError,
    TemporaryError,
)
from podium.domain.tenancy import Identity, TokenKind
from podium.intake.devices import (
    DeviceStart,
    device_begin,
    device_decide,
    device_redeem,
    device_show,
)
from podium.intake.sign_in import SignIn
from podium.intake.users import first_user_create
from podium.store import tokens, users
from podium.store.database import Database
from turned_clock import TurnedClock
from unit.house import House

pytestmark = pytest.mark.anyio

PASSWORD = "correct-horse-battery"


class Desk:
    """Somebody at the console, and a command line."""

    def __init__(self, house: House, sign_in: SignIn, me: Identity) -> None:
        self.house, self.sign_in, self.me = house, sign_in, me

    async def asks(self) -> DeviceStart:
        return await device_begin(self.house.office, "command line on laptop")

    async def decides(self, code: str, *, approve: bool = True) -> None:
        await device_decide(self.house.office, self.me, code, approve=approve)

    async def answer(self, asked: DeviceStart, *, after_ms: int = 5_000) -> str:
        """The user who it became, or the code that it was turned away with."""
        self.house.clock.advance(after_ms)
        try:
            session = await device_redeem(self.house.office, self.sign_in, asked.device_code)
        except DeviceFlowError as error:
            return error.code
        assert await self.sign_in.identify(session.secret)
        return session.username


@pytest.fixture
async def desk(database: Database, clock: TurnedClock) -> Desk:
    house = House(database, clock)
    sign_in = SignIn(house.office)
    await first_user_create(house.office, sign_in, PASSWORD)
    session = await sign_in.with_password("admin", PASSWORD, "console")
    return Desk(house, sign_in, await sign_in.identify(session.secret))


async def test_it_is_let_in_once(desk: Desk) -> None:
    asked = await desk.asks()
    assert await desk.answer(asked) == "authorization_pending"
    shown = await device_show(desk.house.office, desk.me, asked.user_code.lower())
    assert shown.client_name == "command line on laptop"
    await desk.decides(f" {asked.user_code.replace('-', ' ').lower()} ")
    assert await desk.answer(asked) == "admin"
    assert await desk.answer(asked) == "expired_token"
    with pytest.raises(NotFoundError):
        await desk.decides(asked.user_code)
    known = await desk.house.database.read(lambda tx: tokens.token_list(tx, "admin", limit=9))
    [made] = [each for each in known if each.kind is TokenKind.DEVICE]
    assert made.name == "command line on laptop"


async def test_it_is_turned_away(desk: Desk) -> None:
    asked = await desk.asks()
    await desk.decides(asked.user_code, approve=False)
    with pytest.raises(NotFoundError):
        await desk.decides(asked.user_code)
    assert await desk.answer(asked) == "access_denied"


async def test_ten_minutes_and_no_more(desk: Desk) -> None:
    late, slow = await desk.asks(), await desk.asks()
    await desk.decides(slow.user_code)
    desk.house.clock.advance(600_000)
    for asked in (late, slow):
        assert await desk.answer(asked, after_ms=0) == "expired_token"
    with pytest.raises(NotFoundError):
        await device_show(desk.house.office, desk.me, late.user_code)


async def test_who_asks_too_often_is_slowed_down(desk: Desk) -> None:
    asked = await desk.asks()
    assert await desk.answer(asked) == "authorization_pending"
    assert await desk.answer(asked, after_ms=1_000) == "slow_down"
    assert await desk.answer(asked, after_ms=5_000) == "slow_down"
    assert await desk.answer(asked, after_ms=15_000) == "authorization_pending"
    await desk.decides(asked.user_code)
    assert await desk.answer(asked, after_ms=0) == "admin"


async def test_codes_cannot_be_tried_out(desk: Desk) -> None:
    asked = await desk.asks()
    for _ in range(11):
        with pytest.raises(NotFoundError):
            await device_show(desk.house.office, desk.me, "BBBB-BBBB")
    for code in ("BBBB-BBBC", asked.user_code):
        with pytest.raises(TemporaryError, match="Too many codes"):
            await device_show(desk.house.office, desk.me, code)
        with pytest.raises(TemporaryError, match="Too many codes"):
            await desk.decides(code)
    desk.house.clock.advance(300_000)
    await desk.decides(asked.user_code)


async def test_only_somebody_at_the_console_lets_one_in(desk: Desk) -> None:
    asked = await desk.asks()
    _, secret = await desk.sign_in.make_token(desk.me, "ci", 1)
    machine = await desk.sign_in.identify(secret)
    for _ in range(2):
        with pytest.raises(ForbiddenError, match="signed in to the console"):
            await device_decide(desk.house.office, machine, asked.user_code, approve=True)
    assert await desk.answer(asked) == "authorization_pending"


async def test_what_was_let_in_and_not_fetched_ends_with_the_sign_ins(desk: Desk) -> None:
    asked = await desk.asks()
    await desk.decides(asked.user_code)
    await desk.sign_in.sign_out_everywhere(desk.me)
    assert await desk.answer(asked) == "expired_token"


async def test_who_was_disabled_meanwhile_gets_nothing(desk: Desk) -> None:
    asked = await desk.asks()
    await desk.decides(asked.user_code)
    await desk.house.write(lambda tx, now_ms: users.user_change(tx, "admin", disabled_at_ms=now_ms))
    assert await desk.answer(asked) == "access_denied"


async def test_few_ask_at_once(desk: Desk) -> None:
    for _ in range(21):
        await desk.asks()
    with pytest.raises(TemporaryError, match="Too many command lines"):
        await desk.asks()
