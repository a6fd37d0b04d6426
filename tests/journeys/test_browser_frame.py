"""What is there on every page: the palette, the keys, the bell, and one's own account."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from journeys.browser import NO_LOG, Open, fill_sign_in, heading, panel, sign_in
from journeys.serving import API, Server

pytestmark = pytest.mark.browser

# An empty spec is answered as not done yet.
MISSED = (NO_LOG, r"422 \(Unprocessable.*validate")


def test_everywhere_by_the_keyboard_alone(busy_cluster: Server, window: Open) -> None:
    with window(allowed=MISSED) as opened:
        page = sign_in(opened, busy_cluster)
        expect(heading(page, "Overview")).to_be_visible()
        page.keyboard.press("Control+k")
        palette = page.get_by_role("dialog", name="Search or do")
        expect(palette.get_by_role("combobox")).to_be_focused()
        opened.seen("palette")
        page.keyboard.type("whisper")
        expect(palette.get_by_role("option", name=re.compile("whisper-distil"))).to_be_visible()
        opened.seen("palette-found")
        page.keyboard.press("Enter")
        expect(panel(page)).to_contain_text("whisper-distil")
        expect(palette).to_be_hidden()
        page.keyboard.press("Escape")
        expect(panel(page)).to_be_hidden()
        page.keyboard.press("g")
        page.keyboard.press("n")
        expect(heading(page, "Nodes and GPUs")).to_be_visible()
        page.keyboard.press("?")
        keys = page.get_by_role("dialog", name="Keys")
        expect(keys).to_contain_text("Next row")
        opened.seen("keys")
        page.keyboard.press("Escape")
        expect(keys).to_be_hidden()
        page.keyboard.press("g")
        page.keyboard.press("w")
        expect(heading(page, "Workloads")).to_be_visible()
        expect(page.get_by_role("row").nth(2)).to_be_visible()
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        expect(panel(page)).to_be_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("Control+k")
        expect(palette.get_by_role("combobox")).to_be_focused()
        page.keyboard.type("dark colours")
        page.keyboard.press("Enter")
        expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
        page.keyboard.press("c")
        expect(heading(page, "New workload")).to_be_visible()


def test_a_failure_is_told_and_then_read(server: Server, window: Open) -> None:
    token = server.person("reader-of-news", leads="newsroom")
    with window() as opened:
        page = sign_in(opened, server, "/queue", "reader-of-news")
        expect(page.get_by_role("button", name="Notifications", exact=True)).to_be_visible()
        client = server.client(token, "newsroom")
        made = client.workloads.submit(
            {"name": "breaks", "command": ["sh", "-c", "exit 3"], "resources": {"cpus": 0.1}}
        )
        client.workloads.wait(made.id, timeout_seconds=30)
        bell = page.get_by_role("button", name=re.compile(r"Notifications, \d unread"))
        bell.click()
        told = page.get_by_role("dialog", name="Notifications")
        expect(told).to_contain_text("breaks failed")
        opened.seen("notifications")
        told.get_by_role("link", name=re.compile("breaks failed")).click()
        expect(panel(page)).to_contain_text("breaks")
        expect(page.get_by_role("button", name="Notifications", exact=True)).to_be_visible()
        page.reload()
        expect(page.get_by_role("button", name="Notifications", exact=True)).to_be_visible()


def test_tokens_and_the_password(server: Server, window: Open) -> None:
    server.person("keeper-of-keys", leads="keys")
    with window(allowed=(r"401 \(Unauthorized\)", r"422 \(Unprocessable", "403")) as opened:
        page = sign_in(opened, server, "/account", "keeper-of-keys")
        page.get_by_role("button", name="New token").click()
        page.get_by_role("button", name="Create token").click()
        expect(page.get_by_text("Name it after what will use it.")).to_be_visible()
        page.get_by_role("form", name="New token").get_by_label("Name").fill("nightly")
        page.get_by_role("button", name="Create token").click()
        secret = page.get_by_role("status").filter(has_text="is made").locator("code")
        expect(secret).to_be_visible()
        token = secret.inner_text()
        opened.seen("token-made")
        assert server.http(token).get(f"{API}/auth/me").json()["username"] == "keeper-of-keys"
        page.get_by_role("button", name="I have it").click()
        page.get_by_role("button", name="Revoke nightly").click()
        opened.seen("token-revoke")
        page.get_by_role("button", name="Revoke token").click()
        expect(page.get_by_role("button", name="Revoke nightly")).to_be_hidden()
        assert server.http(token).get(f"{API}/auth/me").status_code == 401

        page.get_by_label("Current password").fill("not-the-password")
        page.get_by_label("New password").fill("another-long-password")
        page.get_by_role("button", name="Change password").click()
        expect(page.get_by_text("is not your password now.")).to_be_visible()
        opened.seen("password-wrong")
        page.get_by_label("Current password").fill("correct-horse-battery")
        page.get_by_role("button", name="Change password").click()
        expect(page.get_by_text("Your password is changed.")).to_be_visible()
        page.get_by_title("Signed in as keeper-of-keys").click()
        opened.show("account-menu")
        page.get_by_role("menuitem", name="Sign out").click()
        fill_sign_in(page, "keeper-of-keys", "another-long-password")
        expect(heading(page, "Account")).to_be_visible()
