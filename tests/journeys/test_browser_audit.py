"""The audit page on a real server: who did what, one entry with its difference, filters in the
address, and that verifying tells in words which row was edited in the database's file."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from journeys.browser import LOOKS, Open, heading, panel, sign_in
from journeys.serving import PASSWORD, Server, until
from podium.domain.audit_export import verify_export
from podium.domain.signature import read_key

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def audited(make_server: Callable[..., Server]) -> Server:
    """Somebody changed a price twice, a lead submitted work, and a stranger was refused."""
    made = make_server("audit-page", options=("--virtual-gpus", "2", "--node-name", "desk-01"))
    lead = made.person("ada", leads="vision")
    made.person("grace")
    root = made.client()
    root.prices.set("H100", "2.5")
    root.prices.set("H100", "3.5")
    made.client(lead, project="vision").workloads.submit(
        {"name": "resnet", "command": ["true"], "resources": {"cpus": 0.1, "memory": "64MiB"}}
    )
    grace = made.http(made.sign_in("grace", PASSWORD))
    assert grace.post("/api/v1/users", json={"username": "mallory"}).status_code == 403
    until(lambda: root.audit.state().sealed_seq > 0, "the trail is sealed")
    return made


def entry(page: Page) -> Locator:
    return page.get_by_role("complementary", name="Entry")


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_who_did_what(audited: Server, window: Open, size: tuple[int, int], scheme: str) -> None:
    with window(size, scheme=scheme) as opened:
        page = sign_in(opened, audited, "/audit")
        expect(heading(page, "Audit")).to_be_visible()
        state = page.get_by_role("region", name="State of the trail")
        expect(state).to_contain_text(re.compile(r"Sealed through entry \d+"))
        expect(state).to_contain_text(audited.client().audit.key().key_id)
        trail = page.get_by_role("table", name="Entries")
        expect(trail).to_contain_text("Today")
        expect(trail).to_contain_text("Tried to manage people")
        opened.seen("audit")
        page.get_by_role("link", name=re.compile("^Set a price")).first.click()
        expect(entry(page).get_by_role("region", name="What changed")).to_contain_text("3.5")
        expect(page).to_have_url(re.compile(r"entry=\d+"))
        opened.seen("audit-entry")
        page.keyboard.press("Escape")
        expect(entry(page)).to_have_count(0)


def test_filters_stand_in_the_address(audited: Server, window: Open) -> None:
    with window() as opened:
        page = sign_in(opened, audited, "/audit?actor=grace")
        trail = page.get_by_role("table", name="Entries")
        expect(trail).to_contain_text("Signed in")
        page.get_by_role("button", name="Refused", exact=True).click()
        expect(trail).not_to_contain_text("Signed in")
        expect(trail).to_contain_text("Tried to manage people")
        expect(page).to_have_url(re.compile("outcome=refused"))
        page.reload()
        expect(trail).to_contain_text("Tried to manage people")
        page.get_by_role("button", name="Clear", exact=True).click()
        page.get_by_role("searchbox", name="Search the trail").fill("RESNET")
        expect(trail).to_contain_text("Submitted work")
        expect(trail).not_to_contain_text("Set a price")


def test_new_entries_come_by_themselves(audited: Server, window: Open) -> None:
    with window() as opened:
        page = sign_in(opened, audited, "/audit?action=pool:")
        expect(page.get_by_text("Nothing fits")).to_be_visible()
        audited.client().pools.set("fast", {"speed": "high"})
        expect(page.get_by_role("table", name="Entries")).to_contain_text("fast")
        audited.client().pools.delete("fast")


def test_a_workload_leads_to_its_entries(audited: Server, window: Open) -> None:
    with window() as opened:
        page = sign_in(opened, audited, "/workloads")
        page.get_by_role("link", name="resnet", exact=True).click()
        panel(page).get_by_role("button", name="More actions").click()
        page.get_by_role("menuitem", name="Audit of this workload").click()
        expect(page).to_have_url(re.compile(r"/audit\?.*subject=w-"))
        expect(page.get_by_role("table", name="Entries")).to_contain_text("Submitted work")


def test_a_lead_sees_their_own_project(audited: Server, window: Open) -> None:
    with window() as opened:
        page = sign_in(opened, audited, "/audit", username="ada")
        trail = page.get_by_role("table", name="Entries")
        expect(trail).to_contain_text("Submitted work")
        expect(trail).not_to_contain_text("Set a price")
        expect(page.get_by_role("button", name="Verify")).to_have_count(0)


def test_exports(audited: Server, window: Open, tmp_path: Path) -> None:
    with window() as opened:
        page = sign_in(opened, audited, "/audit?action=price:set")
        expect(page.get_by_role("table", name="Entries")).to_contain_text("Set a price")

        def export(item: str) -> list[str]:
            page.get_by_role("button", name="Export").click()
            with page.expect_download() as download:
                page.get_by_role("menuitem", name=item).click()
            path: Path = tmp_path / download.value.suggested_filename
            download.value.save_as(path)
            return path.read_text().splitlines()

        filtered = [json.loads(line) for line in export("What fits the filters")]
        head, *entries, end = filtered
        assert (head["whole"], head["filters"]) == (False, {"action": "price:set"})
        assert [each["action"] for each in entries] == ["price:set", "price:set"]
        assert end["entries"] == 2
        (told,) = audited.client().audit.list(action="audit:export")
        assert told.detail["filters"] == {"action": "price:set"}
        key = audited.client().audit.key().public_key
        assert verify_export(export("The sealed trail"), [read_key(key)]).verdict.ok


def test_an_edited_row_is_told_in_words(audited: Server, window: Open) -> None:
    """The last test of this server: its trail is broken, and a break is declared."""
    client = audited.client()
    last, first = client.audit.list(action="price:set")
    with window() as opened:
        page = sign_in(opened, audited, "/audit")
        state = page.get_by_role("region", name="State of the trail")
        state.get_by_role("button", name="Verify").click()
        expect(state).to_contain_text(re.compile(r"Whole: entries 1 to \d+ are as they were"))
        opened.seen("audit-whole")
        with sqlite3.connect(audited.home / "podium.db", timeout=20) as database:
            database.execute("DROP TRIGGER audit_unchanged")
            database.execute("UPDATE audit SET actor = 'eve' WHERE seq = ?", (first.seq,))
        database.close()
        state.get_by_role("button", name="Verify").click()
        expect(state).to_contain_text(f"Changed: entry {first.seq} is the first that may be wrong.")
        expect(state).to_contain_text(f"Entry {first.seq} does not fit entry {first.seq - 1}")
        expect(state).to_contain_text("What to do")
        opened.seen("audit-changed")
        state.get_by_role("link", name=f"Look at entry {first.seq}").click()
        expect(entry(page)).to_contain_text(first.hash)
        page.keyboard.press("Escape")
        state.get_by_role("button", name="Declare a break…").click()
        dialog = page.get_by_role("dialog", name="Declare a break")
        dialog.get_by_label("What happened").fill("A test changed it.")
        opened.seen("audit-break")
        dialog.get_by_role("button", name="Declare a break").click()
        expect(state).to_contain_text("Whole: entries 1 to")
        expect(state.get_by_role("link", name="A test changed it.")).to_be_visible()
    assert client.audit.verify().ok
    assert last.actor == "admin"
