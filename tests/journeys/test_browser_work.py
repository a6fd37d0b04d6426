"""From a form to an end: what people do with one workload, before their eyes and without
reloading."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from journeys.browser import NARROW, WIDE, Open, heading, panel, row, sign_in
from journeys.serving import Server

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("size", "scheme"), [(WIDE, "light"), (NARROW, "dark")], ids=["wide", "narrow"]
)
def test_submitted_by_form_it_runs_and_ends_before_ones_eyes(
    server: Server, window: Open, tmp_path: Path, size: tuple[int, int], scheme: str
) -> None:
    gate = tmp_path / "gate"
    name = f"by-form-{scheme}"
    with window(size, scheme=scheme, allowed=(r"422 \(Unprocessable",)) as opened:
        page = sign_in(opened, server, "/submit")
        page.evaluate("window.notReloaded = true")
        form = page.get_by_role("region", name="Form")

        def yaml(has: str) -> None:
            if opened.narrow:
                page.get_by_role("tab", name="YAML").click()
            expect(page.get_by_label("Workload in YAML")).to_contain_text(has)
            if opened.narrow:
                page.get_by_role("tab", name="Form").click()

        form.get_by_text("Training", exact=True).click()
        form.get_by_role("textbox", name="Name", exact=True).fill("Not A Name")
        form.get_by_role("textbox", name="CPUs").fill("0.1")
        form.get_by_role("textbox", name="Memory").fill("64MiB")
        form.get_by_text("Script", exact=True).click()
        program = f"echo first words; while [ ! -e {gate} ]; do sleep 0.05; done; echo last words"
        form.get_by_role("textbox", name="Script").fill(program)
        yaml("kind: training")
        yaml("last words")
        field = form.get_by_role("textbox", name="Name", exact=True)
        expect(field).to_have_attribute("aria-invalid", "true")
        page.get_by_role("button", name="Submit workload").click()
        expect(page.get_by_role("list", name="To mend")).to_contain_text("name")
        opened.seen("submit-fault")
        page.get_by_role("list", name="To mend").get_by_role("button").first.click()
        expect(field).to_be_focused()
        page.keyboard.press("Control+A")
        page.keyboard.type(name)
        expect(page.get_by_text("Ready to submit")).to_be_visible()
        yaml(f"name: {name}")
        opened.seen("submit-filled")
        page.get_by_role("button", name="Submit workload").click()

        told = panel(page)
        expect(told).to_contain_text("Running")
        told.get_by_role("tab", name="Logs").click()
        expect(told.get_by_role("log")).to_contain_text("first words")
        gate.touch()
        expect(told.get_by_role("log")).to_contain_text("last words")
        expect(told).to_contain_text("Succeeded")
        if not opened.narrow:
            expect(row(page, name)).to_contain_text("Succeeded")
        told.get_by_role("tab", name="Timeline").click()
        expect(told).to_contain_text("Submitted by admin")
        told.get_by_role("tab", name="Spec").click()
        expect(told).to_contain_text("kind: training")
        page.keyboard.press("Escape")
        expect(told).to_be_hidden()
        assert page.evaluate("window.notReloaded"), "it was reloaded"


def test_what_is_written_as_yaml_stands_in_the_form(server: Server, window: Open) -> None:
    with window(allowed=(r"422 \(Unprocessable",)) as opened:
        page = sign_in(opened, server, "/submit")
        form = page.get_by_role("region", name="Form")
        text = page.get_by_label("Workload in YAML")
        text.click()
        page.keyboard.press("Control+A")
        # As it is pasted: an editor that completes would add to what is typed.
        page.keyboard.insert_text("name: by-hand\ncommand: sleep 1\nresources:\n  gpus: 2\n")
        expect(form.get_by_role("textbox", name="Name", exact=True)).to_have_value("by-hand")
        expect(page.get_by_text("Ready to submit")).to_be_visible()
        page.reload()
        expect(form.get_by_role("textbox", name="Name", exact=True)).to_have_value("by-hand")
        text.click()
        page.keyboard.press("Control+End")
        page.keyboard.insert_text("replicas: [1\n")
        expect(page.get_by_role("alert")).to_contain_text("cannot be read at line")
        opened.seen("submit-broken-yaml")
        expect(form.get_by_role("textbox", name="Name", exact=True)).to_have_value("by-hand")


def test_the_logs_of_several_replicas(server: Server, window: Open, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    program = (
        "for n in $(seq 1 400); do echo rank $PODIUM_RANK line $n; done; sleep 0.5; "
        f"echo rank $PODIUM_RANK waits; while [ ! -e {gate} ]; do sleep 0.05; done; "
        "echo rank $PODIUM_RANK is over"
    )
    workload_id = server.submit("three-voices", None, script=program, replicas=3)
    server.reaches(workload_id, "running")
    with window() as opened:
        page = sign_in(opened, server, f"/workloads/{workload_id}?tab=logs")
        told = panel(page)
        log = told.get_by_role("log")
        for rank in range(3):
            expect(log).to_contain_text(f"rank {rank} waits")
        opened.seen("logs-replicas")

        told.get_by_role("searchbox", name="Search the log").fill("line 77")
        expect(told.get_by_role("status").filter(has_text=re.compile("of 3"))).to_be_visible()
        expect(log).to_contain_text("line 77")
        expect(page).to_have_url(re.compile("find=line"))
        opened.show("logs-search")
        # Who reads further up is not moved by what is written meanwhile.
        gate.touch()
        latest = told.get_by_role("button", name=re.compile("Jump to latest"))
        expect(latest).to_be_visible()
        expect(log).not_to_contain_text("is over")
        latest.click()
        expect(log).to_contain_text("rank 2 is over")

        told.get_by_role("searchbox", name="Search the log").fill("")
        expect(page).not_to_have_url(re.compile("find="))
        told.get_by_role("button", name=re.compile("Whose log")).click()
        page.get_by_role("checkbox", name=re.compile("^1")).click()
        expect(page.get_by_role("checkbox", name=re.compile("^1"))).to_be_checked()
        page.keyboard.press("Escape")
        expect(page).to_have_url(re.compile("rank="))
        expect(log).to_contain_text("rank 1 is over")
        expect(log).not_to_contain_text("rank 2 is over")
        page.reload()
        expect(told.get_by_role("button", name="Whose log: Replica 1")).to_be_visible()
    assert server.ended(workload_id).state == "succeeded"


def test_cancelling_says_what_is_lost(server: Server, window: Open) -> None:
    workload_id = server.submit("to-be-cancelled", ["sleep", "300"], grace="1s")
    server.reaches(workload_id, "running")
    with window() as opened:
        page = sign_in(opened, server, "/workloads?q=to-be-cancelled")
        page.get_by_role("link", name="to-be-cancelled").click()
        told = panel(page)
        told.get_by_role("button", name="Cancel").click()
        question = page.get_by_role("dialog")
        expect(question).to_contain_text("to-be-cancelled stops, with 1 replica.")
        opened.seen("cancel-question")
        question.get_by_role("button", name="Cancel workload").click()
        expect(told).to_contain_text("Cancelled")
        expect(told).to_contain_text("Cancelled by admin")
        expect(row(page, "to-be-cancelled")).to_contain_text("Cancelled")
    assert server.ended(workload_id).state == "cancelled"


def test_another_priority_and_more_time(server: Server, window: Open) -> None:
    workload_id = server.submit(
        "to-be-changed", ["true"], resources={"gpus": 9}, max_runtime="2h", priority=40
    )
    with window(allowed=(r"422 \(Unprocessable",)) as opened:
        page = sign_in(opened, server, f"/workloads/{workload_id}")
        told = panel(page)
        told.get_by_role("button", name="More actions").click()
        page.get_by_role("menuitem", name="Change priority…").click()
        question = page.get_by_role("dialog")
        question.get_by_label("Priority").fill("900")
        question.get_by_role("button", name="Change priority").click()
        expect(question).to_contain_text("from 0 to 100")
        opened.seen("priority-question")
        question.get_by_label("Priority").fill("75")
        question.get_by_role("button", name="Change priority").click()
        expect(question).to_be_hidden()
        told.get_by_role("button", name="More actions").click()
        page.get_by_role("menuitem", name="Extend time…").click()
        opened.seen("time-question")
        question.get_by_role("button", name="6h", exact=True).click()
        question.get_by_role("button", name="Set limits").click()
        expect(question).to_be_hidden()
        told.get_by_role("tab", name="Timeline").click()
        expect(told).to_contain_text("75")
        expect(told).to_contain_text("6 h")
    changed = server.client_kept.workloads.get(workload_id)
    assert (changed.priority, changed.max_runtime_seconds) == (75, 6 * 3600)
    server.client_kept.workloads.cancel(workload_id)


def test_cloning_begins_with_what_was_submitted(server: Server, window: Open) -> None:
    workload_id = server.submit("the-original", ["echo", "once more"], labels={"run": "7"})
    server.ended(workload_id)
    with window() as opened:
        page = sign_in(opened, server, f"/workloads/{workload_id}")
        panel(page).get_by_role("link", name="Clone").click()
        expect(heading(page, "New workload")).to_be_visible()
        form = page.get_by_role("region", name="Form")
        expect(form.get_by_role("textbox", name="Name", exact=True)).to_have_value("the-original")
        form.get_by_role("textbox", name="Name", exact=True).fill("the-clone")
        expect(page.get_by_text("Ready to submit")).to_be_visible()
        page.keyboard.press("Control+Enter")
        expect(panel(page)).to_contain_text("the-clone")
        expect(panel(page)).to_contain_text("Succeeded")
    assert server.client_kept.workloads.get("the-clone").labels == {"run": "7"}
