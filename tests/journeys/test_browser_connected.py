"""What Podium is connected to, set up in the console alone: a provider that people then sign in
with, a directory that brings people, and a receiver of the audit trail."""

from __future__ import annotations

import contextlib
import json
import re
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import oidc_provider_mock
import pytest
from playwright.sync_api import Page, expect

from journeys.browser import LOOKS, Open, Window, sign_in
from journeys.serving import Server, free_port, plain_http, until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:authlib"),
]
SIZES = pytest.mark.parametrize(
    ("size", "scheme"), LOOKS, ids=[f"{size[0]}-{scheme}" for size, scheme in LOOKS]
)
# Faults that a form is shown on purpose, and the style sheet of the provider's own pages.
ON_PURPOSE = (r"422 \(", r"401 \(Unauthorized\)", "favicon", "picocss")
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@pytest.fixture(scope="module")
def connected(make_server: Callable[..., Server]) -> Server:
    server = make_server(
        "connected", options=("--virtual-gpus", "2", "--allow-outbound", "127.0.0.1")
    )
    client = server.client_kept
    client.groups.create("night-shift")
    client.access.give("viewer", "night-shift", level="organisation", group=True)
    return server


@SIZES
def test_a_provider_is_added_and_signed_in_with(
    connected: Server, window: Open, size: tuple[int, int], scheme: str
) -> None:
    sub = f"ivan-{size[0]}-{scheme}"
    with (
        oidc_provider_mock.run_server_in_thread() as provider,
        window(size, scheme=scheme, allowed=ON_PURPOSE) as admin,
        window(size, scheme=scheme, allowed=ON_PURPOSE) as person,
    ):
        issuer = f"http://localhost:{provider.server_port}"
        with plain_http(issuer, {}) as http:
            claims = {"preferred_username": sub, "name": "Ivan", "groups": ["/night"]}
            assert http.put(f"/users/{sub}", json=claims).status_code == 204
        page = sign_in(admin, connected, "/access/sso")
        expect(page.get_by_text("People sign in with a password only")).to_be_visible()
        admin.seen("sso-none")
        page.get_by_role("button", name="Add a provider").click()
        _provider_filled(admin, issuer)
        expect(page.get_by_role("heading", name="Example Corp")).to_be_visible()
        expect(page.get_by_text("It answers, and signs with")).to_be_visible()
        redirect = f"{connected.url}/api/v1/auth/oidc/corp/callback"
        expect(page.get_by_text(redirect, exact=True)).to_be_visible()
        given = page.get_by_role("table", name="What its groups get")
        expect(given).to_contain_text("viewer in the whole organisation")
        admin.seen("sso-provider")

        person.page.goto(f"{connected.url}/queue")
        person.page.get_by_role("link", name="Continue with Example Corp").click()
        person.page.fill("input[name=sub]", sub)
        person.page.locator("form button[type=submit], form button").first.click()
        expect(person.page).to_have_url(re.compile("/queue$"))
        expect(person.page.get_by_role("navigation", name="Rooms")).to_be_visible()

        expect(page.get_by_role("list", name="Last sign-ins")).to_contain_text(sub)
        page.get_by_role("list", name="Last sign-ins").scroll_into_view_if_needed()
        admin.seen("sso-sign-ins")
        page.get_by_role("link", name="Single sign-on").first.click()
        expect(page.get_by_role("row", name=re.compile("Example Corp"))).to_contain_text("1")
        admin.seen("sso-list")
        page.get_by_role("link", name="Example Corp").click()
        page.get_by_role("button", name="Change").click()
        page.get_by_label("What the button says").fill("Corp")
        expect(page.get_by_text("One is set. Leave this empty to keep it.")).to_be_visible()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", name="Corp", exact=True)).to_be_visible()
        expect(page.get_by_text("Set, and never shown")).to_be_visible()

        page.get_by_role("button", name="Remove").click()
        expect(page.get_by_role("dialog")).to_contain_text("1 open sign-in through it ends at once")
        admin.seen("sso-remove")
        page.get_by_role("button", name="Remove Corp").click()
        expect(page.get_by_text("People sign in with a password only")).to_be_visible()
        person.page.goto(f"{connected.url}/queue")
        expect(person.page.get_by_label("Username")).to_be_visible()
        expect(person.page.get_by_role("link", name=re.compile("Continue with"))).to_have_count(0)


def _provider_filled(admin: Window, issuer: str) -> None:
    """With what goes wrong on the way: an issuer without https, and one with a slash too many."""
    page = admin.page
    page.get_by_role("button", name="Add provider").click()
    expect(page.get_by_text("Write a short name, like corp.")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.get_by_label("Name", exact=True).fill("corp")
    page.get_by_label("What the button says").fill("Example Corp")
    expect(page.get_by_text("Continue with Example Corp")).to_be_visible()
    page.get_by_label("Issuer").fill("http://login.example.com")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_text("is not an https address.")).to_be_visible()
    page.get_by_label("Issuer").fill(f"{issuer}/")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_text("It cannot be used as it is.")).to_be_visible()
    admin.seen("sso-form-fault")
    page.get_by_label("Issuer").fill(issuer)
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_text("It answers, and signs with")).to_be_visible()
    page.get_by_label("Client ID").fill("podium")
    page.get_by_label("Client secret").fill("only between the two")
    page.get_by_role("button", name="Add a name").click()
    page.get_by_label("Group at the provider, 1").fill("/night")
    page.get_by_role("combobox", name="Group here, 1").fill("night-shift")
    page.keyboard.press("Escape")
    page.get_by_label("Issuer").scroll_into_view_if_needed()
    admin.seen("sso-form")
    page.get_by_role("button", name="Add a name").scroll_into_view_if_needed()
    admin.seen("sso-form-end")
    page.reload()
    expect(page.get_by_label("Client ID")).to_have_value("podium")
    expect(page.get_by_label("Client secret")).to_have_value("")
    page.get_by_label("Client secret").fill("only between the two")
    page.get_by_role("button", name="Add provider").click()


@SIZES
def test_a_directory_gets_a_token_and_brings_people(
    connected: Server, window: Open, size: tuple[int, int], scheme: str
) -> None:
    name = f"mia-{size[0]}-{scheme}"
    with window(size, scheme=scheme) as opened:
        page = sign_in(opened, connected, "/access/directory")
        address = f"{connected.url}/scim/v2"
        expect(page.get_by_text(address, exact=True)).to_be_visible()
        opened.seen("directory-none")
        page.get_by_role("button", name="New token").click()
        opened.seen("directory-token-form")
        page.get_by_role("button", name="Make token").click()
        told = page.get_by_role("status").filter(has_text="is made")
        expect(told).to_contain_text("it is not shown again")
        secret = told.locator("code").inner_text()
        opened.seen("directory-token")
        page.get_by_role("button", name="I have it").click()
        expect(page.locator("body")).not_to_contain_text(secret)
        tokens = page.get_by_role("table", name="Tokens of directories")
        expect(tokens).to_contain_text("never")

        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/scim+json"}
        changes = page.get_by_role("table", name="Changed last by the directory")
        with plain_http(address, headers) as scim:
            body = {"schemas": [USER], "userName": f"{name}@example.com", "active": True}
            made = scim.post("/Users", json=body)
            assert made.status_code == 201, made.text
            row = changes.get_by_role("row", name=re.compile(f"^{name}"))
            expect(row).to_contain_text("Active")
            expect(tokens).not_to_contain_text("never")
            off = {
                "schemas": [PATCH],
                "Operations": [{"op": "Replace", "path": "active", "value": False}],
            }
            answer = scim.patch(f"/Users/{made.json()['id']}", json=off)
            assert answer.status_code in (200, 204), answer.text
            expect(row).to_contain_text("Deactivated")
            opened.seen("directory")
            changes.get_by_role("link", name=name).click()
            expect(page.get_by_role("heading", name=name)).to_be_visible()
            expect(page.locator("body")).to_contain_text("Kept by your directory")
            page.go_back()

            page.get_by_role("button", name=re.compile("^Revoke the token of scim")).click()
            opened.seen("directory-revoke")
            page.get_by_role("button", name="Revoke token").click()
            expect(page.get_by_text("No token yet.")).to_be_visible()
            assert scim.get("/Users").status_code == 401


@dataclass
class Listener:
    """A receiver of syslog over TCP, which can go away and come back at the same port."""

    port: int = field(default_factory=free_port)
    received: list[bytes] = field(default_factory=list)
    _server: socketserver.ThreadingTCPServer | None = None
    _open: list[socketserver.StreamRequestHandler] = field(default_factory=list)

    def listen(self) -> None:
        listener = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                listener._open.append(self)
                with contextlib.suppress(OSError, ValueError):
                    while length := self._length():
                        listener.received.append(self.rfile.read(length))

            def _length(self) -> int:
                digits = b""
                while (each := self.rfile.read(1)) not in (b" ", b""):
                    digits += each
                return int(digits or 0)

        class Serving(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._server = Serving(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def leave(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        while self._open:
            with contextlib.suppress(OSError):
                self._open.pop().connection.shutdown(2)

    def actions(self) -> list[str]:
        return [json.loads(each[each.index(b"] {") + 2 :])["action"] for each in self.received]


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    made.listen()
    yield made
    made.leave()


@SIZES
def test_the_trail_is_forwarded(
    connected: Server, window: Open, listener: Listener, size: tuple[int, int], scheme: str
) -> None:
    with window(size, scheme=scheme, allowed=(r"422 \(",)) as opened:
        page = sign_in(opened, connected, "/audit")
        page.get_by_role("link", name="Forward it").click()
        expect(page.get_by_text("The trail is kept here alone")).to_be_visible()
        opened.seen("forwarding-none")
        page.get_by_role("button", name="Forward the trail").click()
        _receiver_filled(opened, listener.port)
        card = page.get_by_role("listitem", name="siem")
        expect(card.get_by_role("status")).to_contain_text("It took the test within")
        until(lambda: "audit:test" in listener.actions(), "the listener has the test")
        connected.client_kept.prices.set("H100", "2.5")
        until(lambda: "price:set" in listener.actions(), "the listener has the entry")
        expect(card).to_contain_text("Up to date")
        expect(card).to_contain_text(re.compile(r"Last delivery\s*entry \d+"))
        opened.seen("forwarding")

        listener.leave()
        connected.client_kept.prices.set("H100", "3.5")
        expect(card).to_contain_text("Failing for")
        expect(card).to_contain_text("none is lost")
        expect(card).to_contain_text(re.compile("Next try in|tried again now"))
        opened.seen("forwarding-failing")
        page.get_by_role("link", name="audit trail", exact=True).click()
        state = page.get_by_role("region", name="State of the trail")
        expect(state).to_contain_text(re.compile("siem: failing since"))
        opened.seen("audit-forwarding")
        state.get_by_role("link", name="Forwarding").click()
        listener.listen()
        expect(card).to_contain_text("Up to date", timeout=60_000)

        _removed(page, opened)


def _receiver_filled(opened: Window, port: int) -> None:
    page = opened.page
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("siem")
    dialog.get_by_label("How", exact=True).select_option("https")
    dialog.get_by_label("Address").fill("hooks.example.com/audit")
    dialog.get_by_role("button", name="Make one").click()
    expect(dialog).to_contain_text("it is not shown again")
    opened.seen("forwarding-webhook")
    dialog.get_by_label("How", exact=True).select_option("tcp")
    dialog.get_by_label("Host and port").fill("127.0.0.1")
    dialog.get_by_role("button", name="Forward", exact=True).click()
    expect(dialog).to_contain_text("names no port.")
    opened.seen("forwarding-fault")
    dialog.get_by_label("Host and port").fill(f"tcp://127.0.0.1:{port}")
    expect(dialog.get_by_label("Host and port")).to_have_value(f"127.0.0.1:{port}")
    dialog.get_by_role("button", name="Forward", exact=True).click()
    expect(dialog).to_have_count(0)


def _removed(page: Page, opened: Window) -> None:
    page.get_by_role("button", name="Remove siem").click()
    opened.seen("forwarding-remove")
    page.get_by_role("dialog").get_by_role("button", name="Remove siem").click()
    expect(page.get_by_text("The trail is kept here alone")).to_be_visible()
