"""Why something waits, and who is on which GPU: each answer one step from its evidence."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from journeys.browser import NARROW, NO_LOG, WIDE, Open, heading, named, panel, room, row, sign_in
from journeys.serving import Server

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("size", "scheme"), [(WIDE, "dark"), (NARROW, "light")], ids=["wide", "narrow"]
)
def test_why_it_waits(
    busy_cluster: Server, window: Open, size: tuple[int, int], scheme: str
) -> None:
    """From the overview's reasons to the list, to the workload, to the queue and back."""
    waiting = named(busy_cluster, "blackwell-bench").waiting
    assert waiting is not None
    with window(size, scheme=scheme) as opened:
        page = sign_in(opened, busy_cluster)
        queue = page.get_by_role("region", name="Queue")
        queue.get_by_role("link", name=re.compile("No such GPU", re.IGNORECASE)).click()
        expect(page).to_have_url(re.compile(r"state=queued&reason=impossible_type"))
        expect(row(page, "blackwell-bench")).to_contain_text(waiting.message)
        page.get_by_role("link", name="blackwell-bench").click()
        told = panel(page)
        expect(told).to_contain_text(waiting.message)
        why = told.get_by_role("region", name="Why it waits")
        expect(why).to_contain_text("Place in the queue")
        opened.seen("why-it-waits")
        why.get_by_role("link", name=re.compile(r"of \d+")).click()
        expect(heading(page, "Queue")).to_be_visible()
        line = row(page, "pretrain-13b")
        expect(line).to_contain_text("1")
        reason = named(busy_cluster, "pretrain-13b").waiting
        assert reason is not None
        expect(line).to_contain_text(reason.message)
        line.get_by_role("link", name="pretrain-13b").click()
        expect(panel(page)).to_contain_text("(next)")


def test_from_the_map_to_who_holds_a_gpu(busy_cluster: Server, window: Open) -> None:
    with window(allowed=(NO_LOG,)) as opened:
        page = sign_in(opened, busy_cluster, "/nodes")
        nodes = page.get_by_role("list", name="Nodes")
        tile = nodes.get_by_role("link", name=re.compile("^hop-01"))
        tile.locator("[data-gpu]").first.hover()
        expect(page.get_by_role("tooltip")).to_contain_text("H100")
        opened.show("nodes-hover")
        tile.click()
        expect(heading(page, "hop-01")).to_be_visible()
        expect(page.get_by_role("region", name="GPUs 8")).to_contain_text("pretrain-7b")
        page.get_by_role("region", name="GPUs 8").get_by_role(
            "link", name="pretrain-7b"
        ).first.click()
        expect(panel(page)).to_contain_text("pretrain-7b")
        panel(page).get_by_role("tab", name=re.compile("Replicas")).click()
        panel(page).get_by_role("link", name="hop-01").first.click()
        expect(heading(page, "hop-01")).to_be_visible()
        room(page, "Nodes and GPUs")
        page.get_by_role("button", name="In trouble").click()
        expect(page).to_have_url(re.compile("show=trouble"))
        expect(nodes.get_by_role("link", name=re.compile("^ada-03"))).to_be_visible()
        expect(nodes.get_by_role("link", name=re.compile("^hop-01"))).to_be_hidden()
        page.get_by_text("List", exact=True).click()
        expect(page).to_have_url(re.compile("view=list"))
        opened.show("nodes-trouble-list")


def test_the_project_is_chosen_for_every_page(busy_cluster: Server, window: Open) -> None:
    with window() as opened:
        page = sign_in(opened, busy_cluster, "/workloads")
        page.get_by_role("button", name="Project: All projects").click()
        page.get_by_label("Find a project").fill("visi")
        opened.seen("project-switcher")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(r"project=vision"))
        expect(row(page, "clip-large")).to_be_visible()
        expect(row(page, "pretrain-7b")).to_be_hidden()
        room(page, "Queue")
        expect(page).to_have_url(re.compile(r"/queue\?project=vision"))
        expect(row(page, "clip-huge")).to_be_visible()
        expect(row(page, "pretrain-13b")).to_be_hidden()
        room(page, "Overview")
        expect(page).to_have_url(re.compile(r"/\?project=vision"))
        page.get_by_role("button", name="Project: vision").click()
        page.get_by_role("option", name="All projects").click()
        expect(page).not_to_have_url(re.compile("project="))
