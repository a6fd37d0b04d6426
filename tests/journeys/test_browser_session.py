"""Coming in, losing the way in, losing the server, and going: nobody is left with a dead page."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from journeys.browser import LOOKS, Open, fill_sign_in, heading, live, panel, room, row, sign_in
from journeys.serving import API, PASSWORD, Server

pytestmark = pytest.mark.browser

GONE = (
    r"ERR_(CONNECTION_REFUSED|CONNECTION_RESET|INCOMPLETE_CHUNKED_ENCODING|EMPTY_RESPONSE)",
    "Unable to preload|dynamically imported module|preload assets",
)


def test_the_first_minutes(make_server: Callable[..., Server], window: Open) -> None:
    """By the link of the first start: choose a password, and the console stands open."""
    server = make_server("first-start", environ={"PODIUM_ADMIN_PASSWORD": None})
    link = re.search(r"http://\S+#ticket=\S+", server.log.read_text())
    assert link is not None
    with window(allowed=(r"401 \(Unauthorized\)",)) as opened:
        page = opened.page
        page.goto(link[0])
        expect(page.get_by_role("heading", name="Set a password")).to_be_visible()
        opened.seen("new-password")
        page.get_by_label("New password").fill("short")
        page.get_by_role("button", name="Set password").click()
        expect(page.get_by_text(re.compile("10"))).not_to_have_count(0)
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_role("button", name="Set password").click()
        expect(page.get_by_text("Run your first workload")).to_be_visible()
        assert "ticket" not in page.url
        page.reload()
        expect(page.get_by_text("Run your first workload")).to_be_visible()
    with window(allowed=(r"401 \(Unauthorized\)",)) as opened:
        opened.page.goto(link[0])
        expect(opened.page.get_by_role("alert")).to_contain_text("used before")
        opened.show("sign-in-link-used")
    assert server.sign_in("admin", PASSWORD)


def test_from_nothing_to_the_first_workload_in_two_clicks(
    make_server: Callable[..., Server], window: Open
) -> None:
    server = make_server("empty", options=("--virtual-gpus", "2"))
    for size, scheme in LOOKS:
        with window(size, scheme=scheme) as opened:
            page = sign_in(opened, server)
            expect(page.get_by_text("Run your first workload")).to_be_visible()
            opened.seen("first-run")
            page.goto(f"{server.url}/queue")
            expect(page.get_by_text("Nothing waits")).to_be_visible()
            opened.seen("queue-empty")
    with window() as opened:
        page = sign_in(opened, server, "/workloads")
        expect(page.get_by_text("Run your first workload")).to_be_visible()
        opened.show("workloads-first-run")
        room(page, "Overview")
        page.get_by_role("button", name="Run hello-gpu now").click()
        expect(panel(page)).to_contain_text("hello-gpu")
        expect(panel(page).get_by_role("log")).to_contain_text("Hello from")
        opened.show("first-workload")


def test_a_wrong_password_is_said_and_the_fields_stay(server: Server, window: Open) -> None:
    for size, scheme in LOOKS:
        with window(size, scheme=scheme, allowed=(r"401 \(Unauthorized\)",)) as opened:
            page = opened.page
            page.goto(f"{server.url}/queue")
            expect(page.get_by_role("button", name="Sign in")).to_be_visible()
            opened.seen("sign-in")
            background = page.evaluate("getComputedStyle(document.body).backgroundColor")
            light = sum(int(each) for each in re.findall(r"\d+", background)[:3]) > 382
            assert light == (scheme == "light"), background
    with window(allowed=(r"401 \(Unauthorized\)",)) as opened:
        page = opened.page
        page.goto(f"{server.url}/queue")
        fill_sign_in(page, password="not-the-password")
        expect(page.get_by_role("alert")).to_contain_text("not right")
        opened.seen("sign-in-wrong")
        expect(page.get_by_label("Username")).to_have_value("admin")
        fill_sign_in(page)
        expect(heading(page, "Queue")).to_be_visible()


def test_a_session_that_ends_brings_the_sign_in_and_then_the_same_page(
    server: Server, window: Open
) -> None:
    server.person("guest-of-a-day", leads="day-trips")
    with window(allowed=(r"401 \(Unauthorized\)",)) as opened:
        page = sign_in(opened, server, "/workloads?state=failed&sort=name", "guest-of-a-day")
        expect(heading(page, "Workloads")).to_be_visible()
        expect(live(page)).to_be_visible()
        [cookie] = [each for each in page.context.cookies() if "podium" in each["name"]]
        tokens = server.http(cookie["value"]).get(f"{API}/tokens").json()["items"]
        for each in tokens:
            server.http(cookie["value"]).delete(f"{API}/tokens/{each['id']}")
        page.get_by_role("navigation", name="Rooms").get_by_role("link", name="Queue").click()
        expect(page.get_by_text("Your sign-in came to its end")).to_be_visible()
        opened.seen("session-ended")
        fill_sign_in(page, "guest-of-a-day")
        expect(heading(page, "Queue")).to_be_visible()
        page.go_back()
        expect(page).to_have_url(re.compile(r"/workloads\?state=failed&sort=name$"))
        expect(heading(page, "Workloads")).to_be_visible()


def test_signing_out_in_one_tab_signs_out_the_other(server: Server, window: Open) -> None:
    with window(allowed=(r"401 \(Unauthorized\)",)) as opened:
        page = sign_in(opened, server, "/workloads")
        other = page.context.new_page()
        other.goto(f"{server.url}/queue")
        expect(heading(other, "Queue")).to_be_visible()
        page.get_by_title("Signed in as admin").click()
        page.get_by_role("menuitem", name="Sign out").click()
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        other.bring_to_front()
        expect(other.get_by_role("button", name="Sign in")).to_be_visible()


def test_two_tabs_tell_the_same(server: Server, window: Open) -> None:
    workload_id = server.submit("in-two-tabs", ["sleep", "300"], grace="1s")
    server.reaches(workload_id, "running")
    with window() as opened:
        page = sign_in(opened, server, "/workloads?q=in-two-tabs")
        expect(row(page, "in-two-tabs")).to_contain_text("Running")
        other = page.context.new_page()
        other.goto(f"{server.url}/workloads/{workload_id}")
        panel(other).get_by_role("button", name="Cancel").click()
        other.get_by_role("dialog").get_by_role("button", name="Cancel workload").click()
        expect(panel(other)).to_contain_text("Cancelled")
        expect(row(page, "in-two-tabs")).to_contain_text("Cancelled")


def test_a_server_that_goes_and_comes_back(
    make_server: Callable[..., Server], window: Open
) -> None:
    """The page says that it is as of a time; afterwards it is live, and nothing on it is old."""
    server = make_server("comes-back", options=("--virtual-gpus", "2"))
    stays = server.submit("stays", ["sleep", "300"], grace="1s")
    server.reaches(stays, "running")
    with window(allowed=GONE) as opened:
        page = sign_in(opened, server, "/workloads")
        page.evaluate("window.notReloaded = true")
        expect(row(page, "stays")).to_contain_text("Running")
        expect(live(page)).to_be_visible()
        other = page.context.new_page()
        other.goto(f"{server.url}/about")
        expect(live(other)).to_be_visible()
        page.bring_to_front()
        server.kill()
        expect(page.get_by_text("Delayed").first).to_be_visible()
        banner = page.get_by_text("No word from the server")
        expect(banner).to_be_visible(timeout=20_000)
        expect(page.get_by_text("Disconnected").first).to_be_visible()
        opened.seen("disconnected")
        rooms = page.get_by_role("navigation", name="Rooms")
        rooms.get_by_role("link", name="Queue").click()
        expect(page.get_by_text("This page is not here yet")).to_be_visible()
        opened.seen("disconnected-not-here")
        rooms.get_by_role("link", name="Workloads").click()
        other.bring_to_front()
        other.get_by_role("navigation", name="Rooms").get_by_role("link", name="Queue").click()
        expect(other.get_by_text("This page is not here yet")).to_be_visible()
        page.bring_to_front()
        server.start()
        server.client_kept.workloads.cancel(stays)
        server.submit("came-meanwhile", ["true"])
        server.ended(stays)
        expect(banner).to_be_hidden(timeout=30_000)
        expect(live(page)).to_be_visible()
        expect(row(page, "stays")).to_contain_text("Cancelled")
        expect(row(page, "came-meanwhile")).to_contain_text("Succeeded")
        assert page.evaluate("window.notReloaded"), "it was reloaded"
        opened.show("back-again")
        expect(heading(other, "Queue")).to_be_visible()
