"""Tokens end with the one that they were made with; administrators end those of others; and who
gives roles finds people by name, within bounds."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from podium.domain.errors import (
    ForbiddenError,
    NotFoundError,
    UnauthenticatedError,
    UserError,
)
from podium.domain.rights import Action, Rights
from podium.domain.tenancy import Identity, User
from podium.intake import accounts, users
from podium.intake.attempts import TooOftenError
from podium.intake.bindings import people_found
from podium.intake.sign_in import SignIn
from podium.intake.tokens import token_create
from podium.store import tables, tokens
from podium.store import users as user_store
from podium.store.database import Database
from turned_clock import TurnedClock
from unit.house import ADMINISTRATOR, House, person

pytestmark = pytest.mark.anyio
PASSWORD = "correct-horse-battery"


@pytest.fixture
async def house(database: Database, clock: TurnedClock, tmp_path: Path) -> House:
    made = House(database, clock, tmp_path)
    await made.furnish()
    return made


@pytest.fixture
def sign_in(house: House) -> SignIn:
    return SignIn(house.office)


async def made_with(
    house: House, sign_in: SignIn, secret: str, name: str, *, account: str | None = None
) -> tuple[str, str]:
    """Id and secret of a token that somebody makes who comes with `secret`."""
    who = await sign_in.identify(secret)
    if account is not None:
        token, made = await accounts.account_token_create(
            house.office, sign_in, who, account, name=name, expires_in_days=1
        )
    else:
        token, made = await token_create(house.office, sign_in, who, name=name, expires_in_days=1)
    return token.id, made


async def works(sign_in: SignIn, secret: str) -> bool:
    try:
        await sign_in.identify(secret)
    except UnauthenticatedError:
        return False
    return True


async def test_what_a_token_made_ends_with_it(house: House, sign_in: SignIn) -> None:
    await users.user_create(
        house.office,
        sign_in,
        ADMINISTRATOR,
        username="eva",
        password=PASSWORD,
        administrator=True,
    )
    await accounts.account_create(house.office, ADMINISTRATOR, name="bot", project="vision")
    session = (await sign_in.with_password("eva", PASSWORD, "console")).secret
    mother_id, mother = await made_with(house, sign_in, session, "mother")
    other_id, other = await made_with(house, sign_in, session, "other")
    child_id, child = await made_with(house, sign_in, mother, "child")
    _, grandchild = await made_with(house, sign_in, child, "grandchild")
    _, bots = await made_with(house, sign_in, child, "bots", account="bot")
    listed = await house.database.read(lambda tx: tokens.token_list(tx, "eva", limit=9))
    family = {each.name: each.mother for each in listed}
    assert family == {
        "console": None,
        "mother": None,
        "other": None,
        "child": mother_id,
        "grandchild": child_id,
    }
    await users.user_token_revoke(sign_in, ADMINISTRATOR, "eva", mother_id)
    assert [await works(sign_in, each) for each in (mother, child, grandchild, bots)] == [False] * 4
    assert await works(sign_in, session)
    assert await works(sign_in, other)
    table = tables.audit
    (told,) = await house.rows(sa.select(table).where(table.c.action == "token:revoke"))
    assert (told["actor"], told["subject"]) == ("root", mother_id)
    assert '"ended":4' in told["detail"].replace(" ", "")
    assert '"owner":"eva"' in told["detail"].replace(" ", "")
    who = await sign_in.identify(session)
    await sign_in.revoke_token(who, who.token_id)
    assert await works(sign_in, other), "what was made while signed in outlives the sign-in"
    with pytest.raises(NotFoundError):
        await users.user_token_revoke(sign_in, ADMINISTRATOR, "ada", other_id)


async def test_nobody_ends_tokens_of_who_may_do_more(house: House, sign_in: SignIn) -> None:
    helper = Identity(
        username="bob",
        rights=Rights(everywhere=frozenset({Action.USER_ADMINISTER})),
        token_id="t-1",
    )
    root, _ = await sign_in.make_token(ADMINISTRATOR, "mine", None)
    with pytest.raises(ForbiddenError, match="may do"):
        await users.user_token_revoke(sign_in, helper, "root", root.id)
    with pytest.raises(ForbiddenError):
        await users.user_token_revoke(sign_in, person(), "root", root.id)


async def test_leads_find_people_and_others_do_not(house: House, sign_in: SignIn) -> None:
    def fill(tx: object) -> None:
        for number in range(25):
            name, shown = f"grace-{number:02}", f"Grace Number {number}"
            made = User(username=name, created_at_ms=1, display_name=shown)
            user_store.user_insert(tx, made, "no-hash")  # type: ignore[arg-type]
        gone = User(username="grace-gone", created_at_ms=1, disabled_at_ms=2)
        user_store.user_insert(tx, gone, "no-hash")  # type: ignore[arg-type]
        hopper = User(username="hop", created_at_ms=1, display_name="Grace M. Hopper")
        user_store.user_insert(tx, hopper, "no-hash")  # type: ignore[arg-type]

    await house.database.write(fill, quiet=True)
    office, lead = house.office, person()
    found = await people_found(office, lead, "Grac")
    assert [each.username for each in found] == [f"grace-{number:02}" for number in range(20)]
    assert [each.username for each in await people_found(office, lead, "hopp")] == ["hop"]
    assert [each.username for each in await people_found(office, lead, "race")] == []
    assert [each.username for each in await people_found(office, lead, "%%")] == []
    for few in ("g", " g ", "", "\0\0"):
        with pytest.raises(UserError, match="2 letters"):
            await people_found(office, lead, few)
    with pytest.raises(ForbiddenError):
        await people_found(office, person("bob", role="developer"), "grace")
    table = tables.audit
    told = await house.rows(sa.select(table).where(table.c.action == Action.USER_READ))
    assert [(row["actor"], row["subject"]) for row in told] == [
        ("ada", "people gr"),
        ("ada", "people ho"),
        ("ada", "people ra"),
        ("ada", "people %%"),
    ]
    tries = [people_found(office, lead, "grace") for _ in range(200)]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert {type(each) for each in done} == {list, TooOftenError}
