"""Governance on a real server: budgets, usage and bills, quotas, planning, data and what proves
where it was used, as those do it who answer for it, and as a person who may only look."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from journeys.browser import LOOKS, Open, heading, room, sign_in
from journeys.governed import CENTRES, TEAMS, past_write
from journeys.serving import Server
from podium.spec.views.quota import QuotaAmounts
from requirement import require

pytestmark = pytest.mark.browser

SMALL = {"cpus": 0.1, "memory": "64MiB"}


@pytest.fixture(scope="module")
def governed(
    make_server: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory
) -> Server:
    """An organisation of two teams with a past, and a folder of data on the node."""
    outside = tmp_path_factory.mktemp("kept")
    for each in (outside, *outside.parents[:2]):
        each.chmod(0o755)
    (outside / "scans").mkdir()
    (outside / "scans" / "one.txt").write_text("one\n")
    made = make_server(
        "governed",
        options=(
            "--isolation", "auto", "--virtual-gpus", "4", "--node-name", "d1", "--label",
            "zone=secure", "--data-root", str(outside),
        ),
    )  # fmt: skip
    root = made.client_kept
    for project, team in TEAMS.items():
        root.projects.create(project, team=team, cost_centre=CENTRES[project])
    for gpu_type, price in (("A100", "2.50"), ("H100", "4.10")):
        root.prices.set(gpu_type, price, borrowed="1.20", idle="0.50")
    past_write(made.home)
    root.quotas.set(
        "team",
        "perception",
        weight=2,
        gpus={"A100": QuotaAmounts(guarantee_milli=2000, per_user_milli=2000)},
        ceilings={"workspaces": 4},
    )
    root.budgets.set("perception-money", "team", "perception", money=14_000, when_spent="block")
    for person in ("ada", "ben"):
        made.person(person)
    root.budgets.set("ben", "user", "ben", gpu_hours=20_000, period="year", note="Agreed in May")
    root.budgets.set("speech-gpus", "project", "speech", gpu_hours=900, gpu_types=["A100"])
    return made


@pytest.fixture(scope="module")
def folder(governed: Server) -> Path:
    options = list(governed.options)
    return Path(options[options.index("--data-root") + 1])


def tab(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Governance").get_by_role("link", name=name).click()


def test_a_budget_is_set_changed_and_deleted(governed: Server, window: Open) -> None:
    with window(allowed=(r"422 \(Unprocessable",)) as opened:
        page = sign_in(opened, governed)
        room(page, "Governance")
        tab(page, "Budgets")
        page.get_by_role("button", name="New budget").click()
        form = page.get_by_role("form", name="New budget")
        form.get_by_role("button", name="Set budget").click()
        expect(form.get_by_text("Write a name, like nlp-gpus.")).to_be_visible()
        expect(form.get_by_label("Name")).to_be_focused()
        form.get_by_label("Name").fill("NLP GPUs")
        form.get_by_role("combobox", name="Team").click()
        page.get_by_role("option", name="language").click()
        form.get_by_role("textbox", name="GPU-hours").fill("0.5")
        form.get_by_label("Day", exact=True).check()
        form.get_by_label("Also stop what may be preempted").check()
        expect(form).to_contain_text("Team language may spend 0.5 GPU-hours each day.")
        opened.seen("budget-form-filled")
        form.get_by_role("button", name="Set budget").click()
        expect(form.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
        form.get_by_label("Name").fill("nlp-gpus")
        form.get_by_role("button", name="Set budget").click()
        listed = page.get_by_role("list", name="Budgets")
        expect(listed).to_contain_text("0.5 GPU-hours each day, team language")

        made = governed.client_kept.workloads.submit(
            {
                "name": "burns",
                "project": "nlp",
                "command": ["sleep", "300"],
                "resources": {**SMALL, "gpus": 2},
            }
        )
        governed.reaches(made.id, "running")
        item = listed.get_by_role("listitem", name="nlp-gpus", exact=True)
        expect(item).to_contain_text("Runs out", timeout=40_000)
        governed.client_kept.workloads.cancel(made.id)
        governed.ended(made.id)

        page.get_by_role("button", name="Change nlp-gpus").click()
        form = page.get_by_role("form", name="Change budget nlp-gpus")
        form.get_by_role("textbox", name="GPU-hours").fill("80")
        form.get_by_role("button", name="Save budget").click()
        expect(item).to_contain_text("80 GPU-hours each day")
        page.get_by_role("button", name="Delete nlp-gpus").click()
        page.get_by_role("button", name="Delete nlp-gpus").last.click()
        expect(listed).not_to_contain_text("nlp-gpus")


def test_usage_is_looked_into_from_teams_to_people_and_billed(
    governed: Server, window: Open
) -> None:
    with window() as opened:
        page = sign_in(opened, governed, "/usage?since=2020-01-01&until=2020-02-01")
        expect(heading(page, "Governance")).to_be_visible()
        expect(page.locator("body")).to_contain_text("Nothing was used")
        page.get_by_label("Days").select_option("30 days")
        expect(page).to_have_url(re.compile("since=20"))
        page.get_by_role("button", name="perception").last.click()
        expect(page).to_have_url(re.compile("team=perception"))
        table = page.get_by_role("table", name="Usage by project")
        expect(table).to_contain_text("speech")
        expect(table).not_to_contain_text("nlp")
        table.get_by_role("button", name="vision").click()
        people = page.get_by_role("table", name="Usage by person")
        expect(people).to_contain_text("ada")
        expect(people).not_to_contain_text("cleo")
        page.get_by_label("Amount").select_option("Cost")
        opened.seen("usage-people")
        with page.expect_download() as download:
            page.get_by_role("link", name="CSV").click()
        told = Path(download.value.path()).read_text()
        assert "ada" in told
        assert "cleo" not in told
        page.get_by_role("link", name="Statements").click()
        bill = page.get_by_role("article", name="CC-2040")
        expect(bill).to_contain_text("Total")
        expect(bill).to_contain_text("Only work of project vision")
        page.emulate_media(media="print")
        expect(page.get_by_role("navigation", name="Rooms")).not_to_be_visible()
        expect(page.get_by_role("button", name="Print")).not_to_be_visible()
        opened.show("statement-printed")
        page.goto(f"{governed.url}/usage/statements")
        expect(bill).to_contain_text("Total")
        bills = page.get_by_role("article").count()
        assert bills >= 2
        # Each on a page of its own, and nothing of the frame on paper.
        assert len(re.findall(rb"/Type\s*/Page\b(?!s)", page.pdf())) == bills


def test_a_quota_is_changed_after_a_look_at_who_is_affected(governed: Server, window: Open) -> None:
    with window() as opened:
        page = sign_in(opened, governed, "/quotas")
        page.get_by_role("button", name="Change the quota of language").click()
        form = page.get_by_role("form", name="Quota of language")
        form.get_by_label("Guaranteed of A100").fill("1")
        form.get_by_label("Per person of A100").fill("2")
        form.get_by_label("Workspaces, at once").fill("3")
        form.get_by_label("Memory, GiB").fill("64")
        form.get_by_role("button", name="Who would be affected?").click()
        expect(form).to_contain_text(re.compile("Nothing|No|nothing"))
        opened.seen("quota-preview")
        form.get_by_role("button", name="Save quota").click()
        history = page.get_by_role("list", name="History of quotas")
        expect(history.get_by_role("listitem").first).to_contain_text("team language")
        expect(history).to_contain_text("Workspaces: no limit → 3")
        beside = page.get_by_role("table", name="Held against limits, beside GPUs")
        expect(beside).to_contain_text("0 B of 64 GiB")
        quotas = {each.name: each for each in governed.client_kept.quotas.tree().items}
        assert quotas["language"].gpus[-1].per_user_milli == 2000


def test_data_is_kept_granted_used_and_proven(governed: Server, window: Open, folder: Path) -> None:
    level = governed.client_kept.server.about().isolation
    require("namespaces, which root or unprivileged users may make", level != "none")
    with window(allowed=(r"422 \(Unprocessable",)) as opened:
        page = sign_in(opened, governed, "/data")
        page.get_by_role("button", name="Add a source").click()
        form = page.get_by_role("form", name="Add a data source")
        form.get_by_label("Name").fill("scans")
        form.get_by_label("Path on the nodes").fill("/etc")
        form.get_by_role("button", name="Add source").click()
        expect(form.locator("[aria-invalid=true]")).to_have_count(1)
        form.get_by_label("Path on the nodes").fill(str(folder / "scans"))
        form.get_by_role("button", name="Add source").click()
        expect(page.get_by_role("heading", name="scans")).to_be_visible()
        page.get_by_role("button", name="Grant it").click()
        form = page.get_by_role("form", name="Grant scans")
        form.get_by_role("combobox", name="Project").click()
        page.get_by_role("option", name="vision").click()
        form.get_by_role("button", name="Grant", exact=True).click()
        expect(page.get_by_role("table", name="Grants of scans")).to_contain_text("vision")

        made = governed.client_kept.workloads.submit(
            {
                "name": "reads",
                "project": "vision",
                "script": "cat /mnt/scans/one.txt",
                "resources": SMALL,
                "data": [{"source": "scans", "path": "/mnt/scans"}],
            }
        )
        assert governed.ended(made.id).state == "succeeded"
        log = page.get_by_role("table", name="Access log of scans")
        expect(log).to_contain_text(made.id, timeout=40_000)
        expect(log).to_contain_text("grant to project vision")
        opened.seen("data-source")

        tab(page, "Compliance")
        expect(page.get_by_role("region", name="Verdict")).to_contain_text("Verified")
        uses = page.get_by_role("table", name="Uses of classified data")
        expect(uses).to_contain_text("Approved")
        opened.seen("compliance")
        tab(page, "Data sources")
        page.get_by_role("link", name="scans").click()
        page.get_by_role("button", name="Withdraw from project vision").click()
        page.get_by_role("button", name="Withdraw grant").click()
        expect(page.get_by_text("Granted to nobody.")).to_be_visible()


def test_demand_is_looked_at_and_a_plan_needs_a_past(governed: Server, window: Open) -> None:
    first, second, *_ = governed.client_kept.capacity.demand("project", curves=1).items
    assert not second.curve
    assert len(first.curve) >= 30
    assert all(each.held_gpus <= each.wanted_gpus for each in first.curve)
    assert max(each.wanted_gpus for each in first.curve) <= first.peak_gpus
    with window(allowed=(r"409 \(Conflict",)) as opened:
        page = sign_in(opened, governed, "/planning")
        table = page.get_by_role("table", name="Demand against guarantees, in GPUs")
        expect(table).to_contain_text("perception")
        page.get_by_role("combobox", name="By").select_option("Projects")
        table.get_by_role("button", name="nlp").click()
        expect(page.get_by_role("slider", name="GPUs of nlp, A100, read by time")).to_be_visible()
        page.get_by_role("button", name="Work it out").click()
        plan = page.get_by_role("form", name="How many more GPUs")
        expect(plan.get_by_role("alert")).to_be_visible()
        opened.seen("planning-refused")


def test_a_lead_sees_their_own_and_sets_nothing_that_limits_them(
    governed: Server, window: Open
) -> None:
    governed.person("vera")
    governed.client_kept.access.give("lead", "vera", level="project", target="vision")
    with window() as opened:
        page = sign_in(opened, governed, "/usage?by=project", "vera")
        table = page.get_by_role("table", name="Usage by project")
        expect(table).to_contain_text("vision")
        expect(table).not_to_contain_text("speech")
        tab(page, "Budgets")
        expect(page.get_by_text("Nothing limits what you spend")).to_be_visible()
        expect(page.get_by_role("button", name="New budget")).to_have_count(0)
        tab(page, "Quotas")
        expect(page.get_by_role("table", name="Shares against guarantees, in GPUs")).to_be_visible()
        expect(page.get_by_role("button", name="Change the quota of vision")).to_have_count(0)
        opened.seen("governance-lead")
        tab(page, "Planning")
        expect(page.get_by_role("table", name="Demand against guarantees, in GPUs")).to_be_visible()
        expect(page.get_by_role("button", name="Work it out")).to_have_count(0)
        tab(page, "Data sources")
        expect(page.get_by_role("button", name="Add a source").first).to_be_visible()
        expect(page.locator("main")).not_to_contain_text("could not be loaded")


@pytest.mark.parametrize(("size", "scheme"), LOOKS, ids=[f"{s[0]}-{c}" for s, c in LOOKS])
def test_every_page_of_governance(
    governed: Server, window: Open, size: tuple[int, int], scheme: str
) -> None:
    def visit(name: str, path: str, sight: str) -> None:
        page.goto(f"{governed.url}{path}")
        expect(page.locator("main")).to_contain_text(sight)
        page.wait_for_timeout(250)
        opened.seen(f"governance-{name}")

    with window(size, scheme=scheme) as opened:
        page = sign_in(opened, governed)
        visit("usage", "/usage", "perception")
        visit("usage-cost", "/usage?by=user&measure=cost&per=month", "eva")
        visit("statements", "/usage/statements", "CC-2040")
        visit("budgets", "/budgets", "perception-money")
        visit("budget-form", "/budgets?form=new", "Set budget")
        visit("budget-change", "/budgets?form=change&name=perception-money", "Save budget")
        visit("quotas", "/quotas", "perception")
        page.get_by_role("button", name="Change the quota of perception").click()
        opened.seen("governance-quota-form")
        visit("planning", "/planning", "perception")
        visit("data", "/data", "source")
        visit("data-form", "/data?form=new", "Add source")
        visit("compliance", "/compliance", "Verified")
