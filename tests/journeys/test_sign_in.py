"""Single sign-on with a provider from a package, and command lines that are let in: by HTTP, by the
`podium` command, and in a real browser."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import httpx
import oidc_provider_mock
import pytest
from playwright.sync_api import expect

from journeys.browser import LOOKS, Open, fill_sign_in, heading
from journeys.serving import API, PODIUM, Server, plain_environ, plain_http, until
from podium.domain.errors import DeviceFlowError

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:authlib")

CALLBACK = "/api/v1/auth/oidc/corp/callback"


@dataclass
class Corp:
    """The company's provider, and Podium, which trusts it."""

    server: Server
    issuer: str
    browsers: list[httpx.Client] = field(default_factory=list)

    def tell(self, sub: str, **claims: object) -> None:
        """What the provider says of somebody from now on."""
        with plain_http(self.issuer, {}) as http:
            assert http.put(f"/users/{sub}", json=claims).status_code == 204

    def browser(self) -> httpx.Client:
        made = plain_http(self.server.url, {})
        self.browsers.append(made)
        return made

    def away(self, browser: httpx.Client, next_path: str = "/") -> str:
        """Where Podium sends the browser."""
        answer = browser.get(f"{API}/auth/oidc/corp/start", params={"next": next_path})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def agreed(self, url: str, sub: str) -> str:
        """Where the provider sends it back to, once somebody has signed in there."""
        with plain_http(self.issuer, {}) as http:
            answer = http.post(url, data={"sub": sub})
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]

    def enter(self, sub: str, next_path: str = "/") -> tuple[httpx.Client, str]:
        """A browser that is signed in, and the page that it was sent to."""
        browser = self.browser()
        answer = browser.get(self.agreed(self.away(browser, next_path), sub))
        assert answer.status_code == 303, answer.text
        return browser, answer.headers["location"]

    def refused(self, url: str, browser: httpx.Client) -> str:
        """The word that the console is told."""
        answer = browser.get(url)
        assert answer.status_code == 303
        assert not answer.cookies.get("podium_session")
        place, _, why = answer.headers["location"].partition("#sign-in-failed=")
        assert place == "/"
        return why


@pytest.fixture(scope="module")
def corp(make_server: Callable[..., Server]) -> Iterator[Corp]:
    server = make_server("corp", options=("--virtual-gpus", "2"))
    with oidc_provider_mock.run_server_in_thread() as provider:
        issuer = f"http://localhost:{provider.server_port}"
        server.command(
            "sso", "add", "corp", "--issuer", issuer, "--client-id", "podium",
            "--client-secret-stdin", "--label", "Corp", stdin="only between the two\n",
        )  # fmt: skip
        found = Corp(server, issuer)
        yield found
        for browser in found.browsers:
            browser.close()


def test_the_settings_of_a_provider(corp: Corp) -> None:
    server = corp.server
    shown = server.told("sso", "show", "corp")
    assert shown["redirect_uri"] == f"{server.url}{CALLBACK}"
    assert (shown["has_secret"], shown["groups"]) == (True, "known")
    assert "only between" not in str(shown)
    assert server.told("sso", "test", "corp")["ok"] is True
    assert server.told("sso", "check", corp.issuer)["ok"] is True
    assert "calls itself" in server.command("sso", "check", f"{corp.issuer}/", code=1).stderr
    assert "not an https" in server.command("sso", "check", "http://corp.test", code=1).stderr
    server.command("sso", "add", "gone", "--issuer", "http://localhost:1", "--client-id", "x")
    assert "cannot be reached" in server.command("sso", "test", "gone", code=1).stderr
    assert server.told("sso", "add", "gone", "--groups", "create")["groups"] == "create"
    server.command("sso", "rm", "gone", "--yes")
    assert [each["name"] for each in server.told("sso", "ls")["items"]] == ["corp"]
    options = server.anonymous.get(f"{API}/auth/providers").json()
    assert options == {"providers": [{"name": "corp", "label": "Corp"}]}
    entries = server.http().get(f"{API}/audit", params={"action": "provider:set"}).json()["items"]
    assert entries
    corp.enter("zoe-1")
    used = server.told("sso", "show", "corp")
    assert (used["people"], used["sign_ins"]) == (1, 1)
    assert used["last_sign_in_at"]
    assert "only between" not in str(entries)


def test_from_a_group_to_what_one_sees_and_back(corp: Corp) -> None:
    """Who comes in sees nothing; a group lets them in; without it they are out again."""
    client = corp.server.client()
    client.projects.create("vision", team="vision")
    corp.tell("ada-1", preferred_username="ada", name="Ada Lovelace", groups=["researchers"])
    browser, page = corp.enter("ada-1", "/workloads?state=failed")
    assert page == "/workloads?state=failed"
    me = browser.get(f"{API}/auth/me").json()
    assert (me["username"], me["source"], me["projects"]) == ("ada", "oidc", {})
    assert browser.get(f"{API}/overview").status_code == 403
    assert browser.get(f"{API}/projects").json()["items"] == []

    http = corp.server.http()
    assert http.post(f"{API}/groups", json={"name": "researchers"}).status_code == 201
    given = {
        "subject_kind": "group", "subject": "researchers", "role": "developer",
        "level": "project", "target": "vision",
    }  # fmt: skip
    assert http.post(f"{API}/bindings", json=given).status_code in (200, 201)
    assert browser.get(f"{API}/projects").json()["items"] == [], "at the next sign-in"
    second, _ = corp.enter("ada-1")
    for each in (browser, second):
        seen = each.get(f"{API}/projects").json()["items"]
        assert [project["name"] for project in seen] == ["vision"]
    assert "workload:submit" in second.get(f"{API}/auth/me").json()["projects"]["vision"]

    corp.tell("ada-1", preferred_username="ada", name="Ada Lovelace", groups=[])
    third, _ = corp.enter("ada-1")
    for each in (browser, second, third):
        assert each.get(f"{API}/projects").json()["items"] == []
        assert each.get(f"{API}/overview").status_code == 403
    entries = corp.server.http().get(f"{API}/audit", params={"actor": "ada"}).json()["items"]
    details = [each["detail"] for each in entries if each["action"] == "user:sign-in"]
    assert any("researchers" in str(each.get("groups_added")) for each in details)
    assert any("researchers" in str(each.get("groups_removed")) for each in details)


def test_the_cookie_and_what_it_does_not_do(corp: Corp) -> None:
    browser, _ = corp.enter("bob-1")
    [cookie] = [each for each in browser.cookies.jar if each.name == "podium_session"]
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite", "").lower() == "strict"
    everywhere = f"{API}/auth/sign-out-everywhere"
    for headers in (
        {},
        {"X-Podium-CSRF": "1", "Sec-Fetch-Site": "cross-site"},
        {"X-Podium-CSRF": "1", "Sec-Fetch-Site": "same-site"},
        {"X-Podium-CSRF": "1", "Origin": "https://evil.example.com"},
        {"X-Podium-CSRF": "1", "Origin": "null"},
    ):
        assert browser.post(everywhere, json={}, headers=headers).status_code == 403, headers
    login = {"username": "admin", "password": "x"}
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert corp.browser().post(f"{API}/auth/login", json=login, headers=foreign).status_code == 403
    behind = {"X-Forwarded-Proto": "https"}
    answer = corp.browser().post(
        f"{API}/auth/login",
        json={"username": "admin", "password": "correct-horse-battery"},
        headers=behind,
    )
    kept = answer.headers["set-cookie"]
    assert kept.startswith("__Host-podium_session=")
    assert {"Secure", "HttpOnly", "Path=/"} <= set(kept.split("; "))
    assert "domain" not in kept.lower()
    own = {"X-Podium-CSRF": "1", "Sec-Fetch-Site": "same-origin"}
    assert browser.post(everywhere, json={}, headers=own).json() == {"ended": 1}
    assert browser.get(f"{API}/auth/me").status_code == 401


def test_a_sign_in_is_not_handed_over(corp: Corp) -> None:
    """Whoever puts their own sign-in into somebody's browser is not in it after theirs."""
    attacker, _ = corp.enter("mallory-1")
    planted = attacker.cookies["podium_session"]
    victim = corp.browser()
    victim.cookies.set("podium_session", planted)
    answer = victim.get(corp.agreed(corp.away(victim), "carol-1"))
    fresh = answer.cookies["podium_session"]
    assert fresh != planted
    http = corp.server.http(fresh)
    assert http.get(f"{API}/auth/me").json()["username"] == "carol-1"
    assert corp.server.http(planted).get(f"{API}/auth/me").status_code == 401


def test_answers_that_are_replayed_or_made_up(corp: Corp) -> None:
    browser = corp.browser()
    back = corp.agreed(corp.away(browser), "dave-1")
    assert corp.refused(back, corp.browser()) == "expired", "another browser"
    made_up = re.sub(r"state=[^&]+", "state=made-up", back)
    assert corp.refused(made_up, browser) == "expired"
    assert browser.get(back).headers["location"] == "/"
    browser.cookies.delete("podium_session")
    assert corp.refused(back, browser) == "expired", "once only"
    code = parse_qs(urlsplit(back).query)["code"][0]
    url = corp.away(browser)
    state = parse_qs(urlsplit(url).query)["state"][0]
    assert corp.refused(f"{CALLBACK}?code={code}&state={state}", browser) == "refused"
    url = corp.away(browser)
    state = parse_qs(urlsplit(url).query)["state"][0]
    denied = f"{CALLBACK}?error=access_denied&state={state}"
    assert corp.refused(denied, browser) == "cancelled"
    for junk in ("", "?code=a", "?state=", "?state=%00&code=%00", f"?code={'x' * 9_000}"):
        assert corp.refused(CALLBACK + junk, browser) in ("expired", "refused")
    assert corp.browser().get(f"{API}/auth/oidc/nobody/start").headers["location"] == (
        "/#sign-in-failed=unknown"
    )


@pytest.mark.parametrize(
    "target",
    ["//evil.example.com", "https://evil.example.com", "/\\evil", "/%09/evil", "/%0d%0aX: y"],
)
def test_nobody_is_sent_elsewhere(corp: Corp, target: str) -> None:
    browser = corp.browser()
    url = browser.get(f"{API}/auth/oidc/corp/start?next={target}").headers["location"]
    assert browser.get(corp.agreed(url, "erin-1")).headers["location"] == "/"


def test_signing_out_goes_on_to_the_provider(corp: Corp) -> None:
    browser, _ = corp.enter("frank-1")
    answer = browser.post(f"{API}/auth/logout", headers={"X-Podium-CSRF": "1"})
    url = answer.json()["end_session_url"]
    assert url.startswith(f"{corp.issuer}/oauth2/end_session?")
    assert f"{corp.server.url}/" in parse_qs(urlsplit(url).query)["post_logout_redirect_uri"]
    assert browser.get(f"{API}/auth/me").status_code == 401


def test_the_command_line_is_let_in(corp: Corp) -> None:
    """`podium login URL` shows a code; somebody who came through the provider lets it in."""
    corp.tell("grace-1", preferred_username="grace")
    browser, _ = corp.enter("grace-1")
    config = str(corp.server.home / "grace.json")
    environ = {**plain_environ(), "PODIUM_CONFIG": config}
    with subprocess.Popen(
        [PODIUM, "login", corp.server.url, "--json"],
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        assert command.stderr is not None
        told = ""
        while "  code:" not in told:
            line = command.stderr.readline()
            assert line, told
            told += line
        code = told.rsplit("  code:", 1)[1].strip()
        assert f"{corp.server.url}/device?code={code}" in told
        own = {"X-Podium-CSRF": "1"}
        place = f"{API}/auth/device/{code}"
        shown = browser.get(place).json()
        assert shown["client_name"].startswith("command line on ")
        assert shown["source"] == "127.0.0.1"
        assert browser.post(place, json={"approve": True}).status_code == 403, "no header"
        assert browser.post(place, json={"approve": True}, headers=own).status_code == 204
        out, _ = command.communicate(timeout=60)
        assert command.returncode == 0, told
        assert "pod_" not in out
    whoami = subprocess.run(
        [PODIUM, "whoami", "--json"], env=environ, capture_output=True, text=True, timeout=60
    )
    assert '"grace"' in whoami.stdout, whoami.stderr
    kinds = {each["kind"] for each in browser.get(f"{API}/tokens").json()["items"]}
    assert kinds == {"session", "device"}
    ended = subprocess.run(
        [PODIUM, "logout", "--everywhere", "--json"],
        env=environ, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert '"ended": 2' in ended.stdout, ended.stderr
    assert browser.get(f"{API}/auth/me").status_code == 401


def test_the_sdk_is_let_in_or_not(corp: Corp) -> None:
    browser, _ = corp.enter("heidi-1")
    client = corp.server.client(token="pod_none")
    asked = client.auth.ask("a notebook")
    own = {"X-Podium-CSRF": "1"}
    place = f"{API}/auth/device/{asked.user_code}"
    assert browser.post(place, json={"approve": False}, headers=own).status_code == 204
    with pytest.raises(DeviceFlowError) as denied:
        client.auth.await_approval(asked, sleep=lambda _: None)
    assert denied.value.code == "access_denied"
    token = corp.server.http(corp.server.token)
    asked = client.auth.ask("a notebook")
    machine = corp.server.client().tokens.create("machine").token
    place = f"{API}/auth/device/{asked.user_code}"
    refused = corp.server.http(machine).post(place, json={"approve": True})
    assert refused.status_code == 403, "a token for programs lets nobody in"
    assert token.post(place, json={"approve": True}).status_code == 204
    assert client.auth.await_approval(asked, sleep=lambda _: None).username == "admin"
    assert client.auth.me().username == "admin"


def test_a_restart_forgets_no_wrong_password(make_server: Callable[..., Server]) -> None:
    server = make_server("locked", options=("--virtual-gpus", "1"))
    body = {"username": "somebody", "password": "wrong-wrong-wrong"}

    def answers() -> int:
        return server.anonymous.post(f"{API}/auth/login", json=body).status_code

    until(lambda: answers() == 429, "too many")
    for _ in range(3):  # until the wait is longer than a restart takes
        wait = int(server.anonymous.post(f"{API}/auth/login", json=body).headers["retry-after"])
        until(lambda: answers() == 401, "it is let through again", limit_seconds=wait + 5)
    assert answers() == 429
    server.stop()
    server.start()
    assert answers() == 429


@pytest.mark.browser
def test_in_a_browser(corp: Corp, window: Open) -> None:
    """Away to the provider and back to the page that was wanted, and a command line let in."""
    corp.tell("ivan-1", preferred_username="ivan", name="Ivan", groups=["night-shift"])
    http = corp.server.http()
    assert http.post(f"{API}/groups", json={"name": "night-shift"}).status_code == 201
    given = {
        "subject_kind": "group", "subject": "night-shift", "role": "viewer",
        "level": "organisation", "target": "",
    }  # fmt: skip
    assert http.post(f"{API}/bindings", json=given).status_code in (200, 201)
    client = corp.server.client(token="pod_none")
    asked = client.auth.ask("command line on laptop")
    # The provider's own pages want a style sheet that is not here.
    quiet = (r"401 \(Unauthorized\)", "favicon", "picocss")
    for size, scheme in LOOKS:
        with window(size, scheme=scheme, allowed=quiet) as opened:
            page = opened.page
            page.goto(f"{corp.server.url}/queue#sign-in-failed=disabled")
            expect(page.get_by_role("alert")).to_contain_text("disabled")
            opened.seen("sign-in-failed")
            page.goto("about:blank")
            page.goto(f"{corp.server.url}/queue")
            expect(page.get_by_role("link", name="Continue with Corp")).to_be_visible()
            opened.seen("sign-in-provider")
            fill_sign_in(page)
            expect(heading(page, "Queue")).to_be_visible()
            page.goto(f"{corp.server.url}/device")
            expect(page.get_by_label("Code")).to_be_visible()
            opened.seen("device-code")
            page.goto(f"{corp.server.url}/device?code={asked.user_code}")
            expect(page.get_by_role("button", name="Let it in")).to_be_visible()
            opened.seen("device-asked")
            page.goto(f"{corp.server.url}/account")
            expect(page.get_by_text("this one")).to_be_visible()
            page.get_by_role("heading", name="Sign-ins").scroll_into_view_if_needed()
            opened.seen("account-sign-ins")
    with window(allowed=quiet) as opened:
        page = opened.page
        page.goto(f"{corp.server.url}/queue?ahead=6h")
        page.get_by_role("link", name="Continue with Corp").click()
        page.wait_for_url(re.compile(r"/oauth2/authorize"))
        page.fill("input[name=sub]", "ivan-1")
        page.locator("form button[type=submit], form button").first.click()
        expect(heading(page, "Queue")).to_be_visible()
        expect(page).to_have_url(re.compile(r"/queue\?ahead=6h$"))
        page.goto(f"{corp.server.url}/device?code={asked.user_code.lower()}")
        expect(page.get_by_text("command line on laptop")).to_be_visible()
        page.get_by_role("button", name="Let it in").click()
        expect(page.get_by_role("heading", name="It is let in")).to_be_visible()
        opened.show("device-done")
        assert client.auth.await_approval(asked, sleep=lambda _: None).username == "ivan"
        page.goto(f"{corp.server.url}/account")
        mine = page.get_by_role("row").filter(has_text="this one")
        expect(mine).to_contain_text("through corp")
        page.get_by_title("Signed in as ivan").click()
        page.get_by_role("menuitem", name="Sign out").click()
        page.wait_for_url(re.compile(r"/oauth2/end_session"))
