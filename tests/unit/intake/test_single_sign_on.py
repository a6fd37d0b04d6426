"""Single sign-on against a provider of our own, which can be made to lie in every way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from joserfc import jwk

from own_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    OwnProvider,
    own_provider,
    signed_with_public_key,
    unsigned,
)
from podium.domain.errors import ForbiddenError, UnauthenticatedError, UserError
from podium.domain.provider import GroupsMode, LinkMode
from podium.domain.rights import Action, Binding, Level, Rights, SubjectKind
from podium.domain.tenancy import Group, Identity, User, UserSource
from podium.intake.oidc import ProviderError
from podium.intake.providers import provider_remove, provider_set, provider_try
from podium.intake.sessions import Session
from podium.intake.sign_in import SignIn
from podium.intake.single_sign_on import SingleSignOn, safe_path
from podium.store import directory, roles, tables, user_groups, users
from podium.store.database import Database
from podium.store.directory import DirectoryUser
from turned_clock import TurnedClock
from unit.house import ADMINISTRATOR, House

pytestmark = pytest.mark.anyio

REDIRECT = "http://127.0.0.1:1/callback"


@pytest.fixture
def provider(clock: TurnedClock) -> Iterator[OwnProvider]:
    with own_provider(lambda: clock.now_ms() / 1000) as made:
        yield made


class Door:
    """A server with the provider set, and a browser."""

    def __init__(self, house: House, provider: OwnProvider) -> None:
        self.house, self.provider = house, provider
        self.sign_in = SignIn(house.office)
        self.sso = SingleSignOn(house.office, self.sign_in)

    async def set(self, **changes: Any) -> None:
        settings: dict[str, Any] = {
            "name": "corp",
            "label": "Corp",
            "issuer": self.provider.issuer,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "keep_secret": False,
            "scopes": ["openid", "profile"],
            "groups_claim": "groups",
            "groups_mode": GroupsMode.KNOWN,
            "group_names": {},
            "username_claim": "preferred_username",
            "link": LinkMode.NONE,
        }
        await provider_set(self.house.office, ADMINISTRATOR, **{**settings, **changes})

    async def begin(self, next_path: str = "/queue") -> tuple[str, str]:
        """Where the browser goes, and what it keeps."""
        begun = await self.sso.begin("corp", redirect_uri=REDIRECT, next_path=next_path)
        return begun.url, begun.browser_secret

    async def enter(self, sub: str = "248289", **claims: Any) -> Session:
        self.provider.claims |= claims
        url, kept = await self.begin()
        answer = self.provider.agree(url, sub)
        return (await self.sso.finish("corp", answer, browser_secret=kept)).session

    async def turned_away(self, **claims: Any) -> str:
        """The reason that administrators are told."""
        before = dict(self.provider.claims)
        self.provider.claims |= claims  # `sub` may be among them
        with pytest.raises(ProviderError) as refused:
            await self.enter()
        self.provider.claims = before
        return refused.value.message

    async def groups(self, username: str) -> set[str]:
        return set(await self.house.database.read(lambda tx: user_groups.groups_of(tx, username)))

    async def user(self, username: str) -> User:
        return await self.house.database.read(lambda tx: users.user_fetch(tx, username))

    async def group(self, name: str, source: UserSource = UserSource.LOCAL) -> None:
        made = Group(name=name, source=source, created_at_ms=0)
        await self.house.write(lambda tx, _: user_groups.group_insert(tx, made))

    async def person(self, username: str, **values: Any) -> None:
        made = User(username=username, created_at_ms=0, **values)
        await self.house.write(lambda tx, _: users.user_insert(tx, made, ""))


@pytest.fixture
async def door(
    database: Database, clock: TurnedClock, provider: OwnProvider, tmp_path: Path
) -> Door:
    made = Door(House(database, clock, tmp_path), provider)
    await made.set()
    return made


async def test_a_new_person_comes_in_and_may_do_nothing(door: Door) -> None:
    session = await door.enter(
        preferred_username="Ada.Lovelace", name="Ada Lovelace", email="Ada@Example.com"
    )
    assert session.username == "ada-lovelace"
    me = await door.sign_in.identify(session.secret)
    assert not me.rights.any
    user = await door.user("ada-lovelace")
    assert (user.source, user.display_name, user.email) == (
        UserSource.OIDC, "Ada Lovelace", "ada@example.com",
    )  # fmt: skip
    again = await door.enter(preferred_username="renamed", name="Ada King")
    assert again.username == "ada-lovelace", "who one is does not hang on a name"
    assert (await door.user("ada-lovelace")).display_name == "Ada King"
    with pytest.raises(UserError, match="single sign-on alone"):
        await door.sign_in.change_password(me, None, "a-password-of-my-own")


async def test_the_request_keeps_what_is_secret(door: Door) -> None:
    url, kept = await door.begin("/workloads?state=failed")
    asked = {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()}
    assert asked["scope"] == "openid profile"
    assert asked["redirect_uri"] == REDIRECT
    assert kept not in url
    rows = await door.house.database.read(
        lambda tx: [dict(row) for row in tx.execute(sa.select(tables.sign_in_flows)).mappings()]
    )
    text = str(rows)
    for secret in (kept, asked["state"], asked["nonce"]):
        assert secret not in text
    finished = await door.sso.finish("corp", door.provider.agree(url), browser_secret=kept)
    assert finished.next_path == "/workloads?state=failed"


async def test_names_that_are_taken(door: Door) -> None:
    await door.person("ada")
    assert (await door.enter("1", preferred_username="ada")).username == "ada-2"
    assert (await door.enter("2", preferred_username="ada")).username == "ada-3"
    assert (await door.enter("3", preferred_username="podium")).username == "podium-2"
    door.provider.claims = {}
    assert (await door.enter("00u-Q7", name="名前")).username == "00u-q7"
    assert (await door.enter("名前")).username == "person"
    assert (await door.enter("5", email="grace@example.com")).username == "grace"


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"aud": "somebody-else"}, "aud"),
        ({"aud": None}, "aud"),
        ({"aud": [CLIENT_ID, "other"]}, "azp"),
        ({"aud": [CLIENT_ID, "other"], "azp": "other"}, "azp"),
        ({"azp": "other"}, "azp"),
        ({"iss": "https://elsewhere.example.com"}, "iss"),
        ({"iss": None}, "iss"),
        ({"sub": None}, "sub"),
        ({"sub": ""}, "sub"),
        ({"sub": "x" * 256}, "sub"),
        ({"sub": 7}, "sub"),
        ({"exp": 1}, "exp"),
        ({"exp": None}, "exp"),
        ({"exp": "tomorrow"}, "exp"),
        ({"iat": None}, "iat"),
        ({"iat": 9_999_999_999}, "future"),
        ({"nbf": 9_999_999_999}, "not yet"),
        ({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, "at_hash"),
    ],
)
async def test_a_token_that_is_not_good(door: Door, claims: dict[str, Any], words: str) -> None:
    assert words in await door.turned_away(**claims)
    assert await door.house.database.read(users.user_count) == 0


async def test_clocks_may_differ_by_a_minute(door: Door) -> None:
    now = door.house.now_ms // 1000
    assert await door.enter(iat=now + 50, nbf=now + 50, exp=now - 50)
    assert "exp" in await door.turned_away(exp=now - 70)


async def test_signatures_that_prove_nothing(door: Door) -> None:
    provider = door.provider
    provider.sign = unsigned
    assert "alg" in await door.turned_away()
    provider.sign = signed_with_public_key(provider)
    assert "alg" in await door.turned_away()
    provider.sign = None
    honest = provider.keys
    stranger = jwk.RSAKey.generate_key(2048, {"kid": "first"})
    provider.sign = lambda header, claims: _encoded(header, claims, stranger)
    assert "not signed by a key" in await door.turned_away()
    provider.sign = lambda header, claims: _encoded(
        {**header, "kid": None, "jwk": stranger.as_dict(private=False)}, claims, stranger
    )
    assert await door.turned_away()
    provider.sign = lambda header, claims: _encoded(header, claims, honest[0])[:-8] + "AAAAAAAA"
    assert await door.turned_away()
    weak = jwk.RSAKey.generate_key(1024, {"kid": "weak"})
    provider.keys, provider.sign = [weak], None
    assert "not signed by a key" in await door.turned_away()
    provider.keys = honest
    assert await door.enter()


async def test_a_key_that_changes_in_the_middle(door: Door) -> None:
    assert await door.enter()
    door.provider.rotate("second")
    assert await door.enter()
    door.provider.rotate("second")  # the same name for another key
    assert await door.enter()
    fetched = door.provider.asked.count("/keys")
    stranger = jwk.RSAKey.generate_key(2048, {"kid": "nobodys"})
    door.provider.sign = lambda header, claims: _encoded(
        {**header, "kid": "nobodys"}, claims, stranger
    )
    for _ in range(8):
        await door.turned_away()
    assert door.provider.asked.count("/keys") - fetched <= 5
    door.house.clock.advance(60_000)
    door.provider.sign = None
    door.provider.rotate("third")
    assert await door.enter()


@pytest.mark.parametrize("algorithm", ["ES256", "PS384", "EdDSA"])
async def test_other_signatures(door: Door, algorithm: str) -> None:
    made = {
        "ES256": lambda: jwk.ECKey.generate_key("P-256", {"kid": "e"}),
        "PS384": lambda: jwk.RSAKey.generate_key(2048, {"kid": "p"}),
        "EdDSA": lambda: jwk.OKPKey.generate_key("Ed25519", {"kid": "d"}),
    }
    # Beside keys that are of no use here, as providers have them.
    junk = jwk.OctKey.import_key("a shared secret that is none", {"kid": "o"})
    door.provider.keys = [made[algorithm](), junk]
    door.provider.header = {"alg": algorithm}
    assert await door.enter()


async def test_a_state_is_good_once_and_for_its_browser(door: Door) -> None:
    url, kept = await door.begin()
    answer = door.provider.agree(url)
    _, other = await door.begin()
    for browser in (other, "", "made-up"):
        with pytest.raises(ProviderError, match="state"):
            await door.sso.finish("corp", answer, browser_secret=browser)
    with pytest.raises(ProviderError, match="state"):
        await door.sso.finish("corp", {**answer, "state": "made-up"}, browser_secret=kept)
    assert await door.sso.finish("corp", answer, browser_secret=kept)
    with pytest.raises(ProviderError, match="state"):
        await door.sso.finish("corp", answer, browser_secret=kept)
    replayed, kept = await door.begin()
    code = door.provider.agree(replayed)["state"]
    with pytest.raises(ProviderError, match="invalid_grant"):
        await door.sso.finish("corp", {"state": code, "code": answer["code"]}, browser_secret=kept)
    late, kept = await door.begin()
    door.house.clock.advance(600_000)
    with pytest.raises(ProviderError, match="state") as expired:
        await door.sso.finish("corp", door.provider.agree(late), browser_secret=kept)
    assert expired.value.why == "expired"


async def test_a_code_of_another_browser_is_worth_nothing(door: Door) -> None:
    """An attacker's code in somebody's answer: PKCE and nonce tie it to the attacker's browser."""
    theirs, _ = await door.begin()
    stolen = door.provider.agree(theirs, "attacker")["code"]
    url, kept = await door.begin()
    answer = door.provider.agree(url)
    with pytest.raises(ProviderError, match="invalid_grant"):
        await door.sso.finish("corp", {**answer, "code": stolen}, browser_secret=kept)


async def test_an_answer_of_another_provider(door: Door) -> None:
    url, kept = await door.begin()
    answer = door.provider.agree(url, iss="https://elsewhere.example.com")
    with pytest.raises(ProviderError, match="iss"):
        await door.sso.finish("corp", answer, browser_secret=kept)
    await door.set(name="other")
    url, kept = await door.begin()
    with pytest.raises(ProviderError, match="state"):
        await door.sso.finish("other", door.provider.agree(url), browser_secret=kept)
    url, kept = await door.begin()
    state = door.provider.agree(url)["state"]
    with pytest.raises(ProviderError) as cancelled:
        await door.sso.finish(
            "corp", {"state": state, "error": "access_denied"}, browser_secret=kept
        )
    assert cancelled.value.why == "cancelled"


async def test_groups_are_kept_equal(door: Door) -> None:
    for name in ("vision", "speech", "night-shift"):
        await door.group(name)
    await door.set(group_names={"/ml/speech": "speech"})
    session = await door.enter(
        preferred_username="ada", groups=["vision", "/ml/speech", "unknown", 7, "Vision"]
    )
    assert await door.groups("ada") == {"vision", "speech"}
    binding = Binding(
        id="b-1", subject_kind=SubjectKind.GROUP, subject="vision", role="viewer",
        level=Level.ORGANISATION, target="", created_at_ms=0, created_by="root",
    )  # fmt: skip
    await door.house.write(lambda tx, _: roles.binding_insert(tx, binding))
    door.sign_in.forget()
    assert (await door.sign_in.identify(session.secret)).rights.any
    await door.house.write(
        lambda tx, _: user_groups.member_add(tx, "night-shift", "ada", UserSource.LOCAL)
    )
    again = await door.enter(groups="speech, others")
    assert await door.groups("ada") == {"speech", "night-shift"}
    for secret in (session.secret, again.secret):
        assert not (await door.sign_in.identify(secret)).rights.any
    await door.enter(groups=None)
    assert await door.groups("ada") == {"night-shift"}


async def test_groups_in_other_places(door: Door) -> None:
    await door.group("vision")
    await door.set(groups_claim="realm_access.roles")
    session = await door.enter(realm_access={"roles": ["vision"]})
    assert await door.groups(session.username) == {"vision"}
    await door.set(groups_claim="https://example.com/groups")
    await door.enter("2", **{"https://example.com/groups": ["vision"], "nickname": "bob"})
    assert await door.groups("bob") == {"vision"}
    await door.set(groups_claim="")
    await door.enter("2")
    assert await door.groups("bob") == {"vision"}, "they are kept here now"
    door.provider.claims = {"_claim_names": {"groups": "src1"}, "preferred_username": "carol"}
    await door.set()
    assert "so many" in await door.turned_away()


async def test_groups_that_are_made(door: Door) -> None:
    await door.set(groups_mode=GroupsMode.CREATE)
    await door.group("admins")
    await door.enter(preferred_username="ada", groups=["ML Vision", "speech", "Admins", "→"])
    assert await door.groups("ada") == {"ml-vision", "speech"}, "no way into one that was here"
    made = await door.house.database.read(lambda tx: user_groups.group_fetch(tx, "ml-vision"))
    assert made.source is UserSource.OIDC
    await door.enter("2", preferred_username="bob", groups=["ML Vision", "admins"])
    assert await door.groups("bob") == {"ml-vision", "admins"}


async def test_userinfo_tells_what_the_token_does_not(door: Door) -> None:
    await door.group("vision")
    door.provider.userinfo = {"preferred_username": "ada", "groups": ["vision"], "email": "a@b.c"}
    session = await door.enter()
    assert (session.username, await door.groups("ada")) == ("ada", {"vision"})
    door.provider.userinfo = {"sub": "somebody-else", "groups": ["vision"]}
    assert "userinfo" in await door.turned_away()


async def test_nobody_is_linked_by_an_address_alone(door: Door) -> None:
    await door.person("ada", email="ada@example.com")
    claims = {"preferred_username": "x", "email": "ada@example.com", "email_verified": True}
    assert (await door.enter("1", **claims)).username == "x"
    await door.set(link=LinkMode.EMAIL)
    assert (await door.enter("2", **claims)).username == "ada"
    assert (await door.enter("3", **claims)).username == "x-2", "one person at an issuer"
    await door.person("bob", email="bob@example.com")
    for sub, verified in (("4", False), ("5", None), ("6", "no")):
        found = await door.enter(sub, email="bob@example.com", email_verified=verified)
        assert found.username != "bob", verified


async def test_people_of_the_directory(door: Door) -> None:
    await door.set(link=LinkMode.DIRECTORY)
    await door.person("ada")
    await door.person("bob", source=UserSource.SCIM)
    await door.person("carol", source=UserSource.SCIM, email="carol@example.com")
    bob = DirectoryUser(
        id="u-bob", username="bob", user_name="Bob@example.com", external_id="", document={},
        created_at_ms=0, updated_at_ms=0,
    )  # fmt: skip
    await door.house.write(lambda tx, _: directory.user_insert(tx, bob))
    assert (await door.enter("1", preferred_username="ada")).username == "ada-2"
    # By the whole name that the directory has, and not by what is like it.
    assert (await door.enter("5", preferred_username="bob@other.example")).username == "bob-2"
    assert (await door.enter("2", preferred_username="bob@EXAMPLE.com")).username == "bob"
    verified = {"email": "carol@example.com", "email_verified": True}
    assert (await door.enter("3", preferred_username="c", **verified)).username == "carol"


async def test_who_is_disabled_stays_out(door: Door) -> None:
    session = await door.enter(preferred_username="ada")
    await door.house.write(lambda tx, now_ms: users.user_change(tx, "ada", disabled_at_ms=now_ms))
    with pytest.raises(ProviderError) as refused:
        await door.enter()
    assert refused.value.why == "disabled"
    door.sign_in.forget()
    with pytest.raises(UnauthenticatedError):
        await door.sign_in.identify(session.secret)


async def test_signing_out_here_signs_out_there(door: Door) -> None:
    session = await door.enter(preferred_username="ada", sid="session-1")
    me = await door.sign_in.identify(session.secret)
    url = await door.sso.end_session_url(me, back_to="http://127.0.0.1:1/")
    assert url is not None
    asked = {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()}
    assert asked["post_logout_redirect_uri"] == "http://127.0.0.1:1/"
    assert asked["id_token_hint"].count(".") == 2
    other = Identity(username="ada", rights=Rights(), token_id="t-none")
    assert await door.sso.end_session_url(other, back_to="/") is None


async def test_signing_out_there_signs_out_here(door: Door) -> None:
    first = await door.enter(preferred_username="ada", sid="session-1")
    second = await door.enter(sid="session-2")
    now = door.house.now_ms // 1000
    event = {"http://schemas.openid.net/event/backchannel-logout": {}}
    good = {
        "iss": door.provider.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 60, "jti": "1",
        "sid": "session-1", "events": event,
    }  # fmt: skip
    for wrong in ({"events": {}}, {"nonce": "x"}, {"aud": "other"}, {"exp": 1}, {"sid": 7}):
        with pytest.raises(ProviderError):
            await door.sso.ended_there("corp", door.provider.signed({**good, **wrong}))
    assert await door.sso.ended_there("corp", door.provider.signed(good)) == 1
    with pytest.raises(UnauthenticatedError):
        await door.sign_in.identify(first.secret)
    assert await door.sign_in.identify(second.secret)
    everywhere = {**good, "sub": "248289"}
    del everywhere["sid"]
    assert await door.sso.ended_there("corp", door.provider.signed(everywhere)) == 1
    with pytest.raises(UnauthenticatedError):
        await door.sign_in.identify(second.secret)


async def test_a_provider_that_is_not_as_it_should_be(door: Door) -> None:
    async def fault(**changes: Any) -> str:
        door.provider.metadata = changes
        trial = await provider_try(door.house.office, ADMINISTRATOR, door.sso.oidc, "corp")
        return trial.fault

    assert "calls itself" in await fault(issuer="https://elsewhere.example.com")
    assert "token_endpoint" in await fault(token_endpoint=None)
    assert "not https" in await fault(jwks_uri="http://169.254.169.254/latest/meta-data")
    assert "not https" in await fault(token_endpoint="file:///etc/passwd")
    assert await fault() == ""
    door.provider.raw = {"/keys": b"[" * 100_000}
    assert "no JSON" in await fault()
    door.provider.raw = {"/keys": b'{"keys": "' + b"x" * (2**20) + b'"}'}
    assert "more than" in await fault()
    door.provider.raw = {}
    door.provider.token_status = 302
    assert "302" in await door.turned_away()
    assert "/elsewhere" not in door.provider.asked
    door.provider.token_status = 503
    url, kept = await door.begin()
    with pytest.raises(ProviderError) as away:
        await door.sso.finish("corp", door.provider.agree(url), browser_secret=kept)
    assert away.value.why == "unreachable"


async def test_settings_that_cannot_be(door: Door) -> None:
    for changes, words in (
        ({"issuer": "http://login.example.com"}, "issuer"),
        ({"issuer": "https://user@login.example.com"}, "issuer"),
        ({"issuer": "https://login.example.com?x=1"}, "query"),
        ({"issuer": "login.example.com"}, "issuer"),
        ({"name": "Corp Login"}, "name"),
        ({"client_id": " "}, "client_id"),
        ({"group_names": {"a": "Not Legal"}}, "group_names.a"),
        (
            {"issuer": "https://elsewhere.example.com", "client_secret": None, "keep_secret": True},
            "client_secret",
        ),
    ):
        with pytest.raises(UserError, match=words):
            await door.set(**changes)
    operator = Identity(
        username="op", rights=Rights(everywhere=frozenset({Action.PROVIDER_SET})), token_id="t"
    )
    with pytest.raises(ForbiddenError, match="Only administrators"):
        await provider_remove(door.house.office, operator, "corp")


async def test_a_secret_is_told_to_nobody(door: Door) -> None:
    await door.set(client_secret=None, keep_secret=True, label="Renamed")
    assert await door.enter(), "it was kept"

    def everything(tx: Any) -> str:
        return str(
            [
                [tuple(row) for row in tx.execute(sa.select(table))]
                for table in tables.metadata.sorted_tables
            ]
        )

    assert CLIENT_SECRET not in await door.house.database.read(everything)
    await provider_remove(door.house.office, ADMINISTRATOR, "corp")
    assert not await door.house.database.read(
        lambda tx: tx.scalar(sa.select(sa.func.count()).select_from(tables.sealed_values))
    )


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example.com", "/\\evil.example.com", "\\\\evil", "https://evil.example.com",
        "javascript:alert(1)", "/\t/evil.example.com", "/\n/evil", " /x", "", "evil", "/é",
        "/api/v1/auth/logout", "/" + "x" * 2_000, "///evil", "/\x00",
    ],
)  # fmt: skip
def test_nobody_is_sent_elsewhere(path: str) -> None:
    assert safe_path(path) == "/"


def test_pages_of_the_console_are_gone_on_with() -> None:
    for path in ("/", "/queue", "/workloads?state=failed&q=a%2Fb#x", "/device?code=BCDF-GHJK"):
        assert safe_path(path) == path


def _encoded(header: dict[str, Any], claims: dict[str, Any], key: jwk.Key) -> str:
    from joserfc import jwt

    kept = {name: value for name, value in header.items() if value is not None}
    return jwt.encode(kept, claims, key, algorithms=[kept["alg"]])


async def test_the_last_administrator_stays_in_their_group(door: Door) -> None:
    await door.set()
    await door.group("staff")
    binding = Binding(
        id="b-staff",
        subject_kind=SubjectKind.GROUP,
        subject="staff",
        role="administrator",
        level=Level.ORGANISATION,
        target="",
        created_at_ms=0,
        created_by="root",
    )
    await door.house.write(lambda tx, _: roles.binding_insert(tx, binding))
    made = await door.enter(preferred_username="mona", groups=["staff"])
    await door.enter(groups=[])
    assert await door.groups(made.username) == {"staff"}
    await door.person("root")
    root = replace(binding, id="b-root", subject_kind=SubjectKind.USER, subject="root")
    await door.house.write(lambda tx, _: roles.binding_insert(tx, root))
    await door.enter(groups=[])
    assert await door.groups(made.username) == set()  # root is another one
