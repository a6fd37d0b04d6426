"""The list of workloads: filters that stay in the address, views that are kept, many at once."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from journeys.browser import NARROW, NO_LOG, WIDE, Open, heading, row, sign_in
from journeys.serving import Server

pytestmark = pytest.mark.browser


def test_filters_stay_in_the_address(busy_cluster: Server, window: Open) -> None:
    with window(allowed=(NO_LOG,)) as opened:
        page = sign_in(opened, busy_cluster, "/workloads")
        bar = page.get_by_role("search", name="Filter workloads")
        bar.get_by_role("button", name="State", exact=True).click()
        page.get_by_role("menuitemcheckbox", name="Failed").click()
        page.keyboard.press("Escape")
        expect(page).to_have_url(re.compile(r"\?state=failed$"))
        expect(row(page, "detector-fp8")).to_be_visible()
        expect(row(page, "pretrain-7b")).to_be_hidden()
        page.keyboard.press("/")
        page.keyboard.type("sft")
        expect(page).to_have_url(re.compile(r"q=sft"))
        expect(row(page, "detector-fp8")).to_be_hidden()
        page.reload()
        expect(row(page, "sft-ablation-lr")).to_be_visible()
        expect(page.get_by_role("searchbox").first).to_have_value("sft")
        opened.show("workloads-filtered")
        page.get_by_role("link", name="sft-ablation-lr").click()
        expect(page).to_have_url(re.compile(r"/workloads/w.*state=failed.*q=sft"))
        page.go_back()
        expect(page).to_have_url(re.compile(r"/workloads\?state=failed&q=sft$"))
        page.go_back()
        expect(page).not_to_have_url(re.compile("q=sft"))
        page.go_forward()
        expect(row(page, "sft-ablation-lr")).to_be_visible()
        bar.get_by_role("button", name="Clear", exact=True).click()
        expect(page).to_have_url(re.compile(r"/workloads$"))
        page.goto(f"{busy_cluster.url}/workloads?q=nothing-has-this-name")
        expect(page.get_by_text("No workload matches")).to_be_visible()
        opened.seen("workloads-none-match")


def test_a_view_is_kept(busy_cluster: Server, window: Open) -> None:
    with window() as opened:
        page = sign_in(opened, busy_cluster, "/workloads?kind=evaluation&sort=name")
        page.get_by_role("button", name="Save view").click()
        page.get_by_label("Name of the view").fill("Evaluations")
        opened.seen("save-view")
        page.keyboard.press("Enter")
        views = page.get_by_role("navigation", name="Views")
        expect(views.get_by_role("link", name="Evaluations")).to_be_visible()
        views.get_by_role("link", name="All", exact=True).click()
        expect(page).to_have_url(re.compile(r"/workloads$|/workloads\?sort=name$"))
    with window() as opened:
        page = sign_in(opened, busy_cluster, "/workloads")
        page.get_by_role("navigation", name="Views").get_by_role("link", name="Evaluations").click()
        expect(page).to_have_url(re.compile(r"kind=evaluation"))
        expect(row(page, "eval-mmlu-4200")).to_be_visible()
        expect(row(page, "pretrain-7b")).to_be_hidden()
        page.get_by_role("button", name="View Evaluations").click()
        page.get_by_role("menuitem", name="Delete view").click()
        expect(page.get_by_role("link", name="Evaluations")).to_be_hidden()


@pytest.mark.parametrize(
    ("size", "scheme"), [(WIDE, "light"), (NARROW, "dark")], ids=["wide", "narrow"]
)
def test_many_are_cancelled_at_once(
    server: Server, window: Open, size: tuple[int, int], scheme: str
) -> None:
    prefix = f"bulk-{scheme}"
    ids = [server.submit(f"{prefix}-{number}", ["sleep", "300"], grace="1s") for number in range(3)]
    for each in ids:
        server.reaches(each, "running")
    with window(size, scheme=scheme) as opened:
        page = sign_in(opened, server, f"/workloads?q={prefix}")
        for number in range(3):
            page.get_by_role("checkbox", name=f"Select {prefix}-{number}").check()
        bar = page.get_by_role("region", name="Selected workloads")
        expect(bar).to_contain_text("3 selected")
        opened.seen("bulk-selected")
        bar.get_by_role("button", name="Cancel", exact=True).click()
        question = page.get_by_role("dialog")
        expect(question).to_contain_text(f"{prefix}-2")
        question.get_by_label("Reason").fill("the wrong data")
        opened.seen("bulk-cancel")
        question.get_by_role("button", name="Cancel 3 workloads").click()
        for number in range(3):
            expect(row(page, f"{prefix}-{number}")).to_contain_text("Cancelled")
        opened.show("bulk-cancelled")
        expect(heading(page, "Workloads")).to_be_visible()
    assert {server.ended(each).state for each in ids} == {"cancelled"}
