"""The queue's page on a real server: whose turn it is and why, the nodes over time, and shares
against guarantees, as an administrator and as a person who sees one project."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from journeys.browser import LOOKS, Open, row, sign_in
from journeys.serving import Server, until
from podium.spec.views.quota import QuotaAmounts

pytestmark = pytest.mark.browser

FOUR = {"cpus": 0.1, "memory": "64MiB", "gpus": 4}


@pytest.fixture(scope="module")
def queued(make_server: Callable[..., Server]) -> Server:
    """`holds` of one project runs for two hours at most. `head` of another waits for all of the
    node's GPUs, which are kept for it; `behind` comes after it."""
    made = make_server("queue-page", options=("--virtual-gpus", "4", "--node-name", "desk-01"))
    tokens = {
        project: made.person(f"{project}-lead", leads=project) for project in ("vision", "speech")
    }
    root = made.client_kept
    root.quotas.set(
        "project",
        "vision",
        gpus={"A100": QuotaAmounts(guarantee_milli=4000, limit_milli=4000)},
    )
    root.quotas.set("team", "speech", weight=2, gpus={"A100": QuotaAmounts(limit_milli=4000)})

    def submit(project: str, name: str, **fields: object) -> str:
        spec = {"name": name, "command": ["sleep", "3600"], "resources": FOUR, **fields}
        return made.client(tokens[project], project=project).workloads.submit(spec).id

    holds = submit(
        "speech", "holds", max_runtime="2h", preemptible=False,
        resources={"cpus": 0.1, "memory": "64MiB", "gpus": 3},
    )  # fmt: skip
    made.reaches(holds, "running")
    submit("vision", "head", max_runtime="1h")
    submit("speech", "behind", max_runtime="1h")

    def kept() -> bool:
        plan = root.queue.plan()
        return len(plan.turns) == 2 and any(each.from_at for each in plan.reservations)

    until(kept, "the node is kept for the head of the queue")
    return made


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_whose_turn_it_is_and_what_is_planned(
    queued: Server, window: Open, size: tuple[int, int], scheme: str
) -> None:
    with window(size, scheme=scheme) as opened:
        page = sign_in(opened, queued, "/queue")
        head = row(page, "head")
        expect(head).to_contain_text("Inside its guarantee")
        expect(head).to_contain_text("reserved")
        expect(row(page, "behind")).to_contain_text("2")
        line = page.get_by_role("region", name=re.compile("^Time line"))
        expect(line).to_contain_text("1 of 4 free")
        if opened.narrow:
            expect(line.get_by_role("link", name="head", exact=True)).to_be_visible()
            expect(line).to_contain_text(re.compile(r"holds.*until"))
        else:
            holds = line.get_by_role("link", name=re.compile(r"^holds, 3 GPUs, until "))
            holds.focus()
            expect(page.get_by_role("tooltip")).to_contain_text("its limit")
            page.keyboard.press("ArrowRight")
            expect(
                line.get_by_role("link", name=re.compile(r"^head, 4 GPUs, planned "))
            ).to_be_focused()
        expect(page.get_by_role("img", name=re.compile(r"^vision, A100: 0 held"))).to_be_visible()
        expect(page.get_by_text("Nobody had to give way lately.")).to_be_visible()
        page.mouse.move(0, 0)
        opened.seen("queue-plan")
        page.get_by_role("button", name="6 h", exact=True).click()
        expect(page).to_have_url(re.compile(r"\?ahead=6h"))
        shares = page.get_by_role("region", name="Shares")
        shares.scroll_into_view_if_needed()
        opened.seen("queue-shares")


def test_an_administrator_sets_a_quota_where_it_stands(queued: Server, window: Open) -> None:
    with window(allowed=(r"422 \(Unprocessable.*quotas",)) as opened:
        page = sign_in(opened, queued, "/queue")
        page.get_by_role("button", name="Change the quota of speech").first.click()
        form = page.get_by_role("form", name="Quota of speech")
        form.get_by_label("Guaranteed of A100").fill("3")
        form.get_by_role("button", name="Save quota").click()
        expect(form.get_by_text(re.compile("4 A100"))).to_be_visible()
        opened.seen("queue-quota-fault")
        form.get_by_label("Guaranteed of A100").fill("")
        form.get_by_label("Weight").fill("3")
        form.get_by_role("button", name="Save quota").click()
        expect(form).to_be_hidden()
        expect(page.get_by_role("region", name="Shares")).to_contain_text("weight 3")


def test_a_person_sees_amounts_of_others_and_no_names(queued: Server, window: Open) -> None:
    with window() as opened:
        page = sign_in(opened, queued, "/queue", "speech-lead")
        expect(row(page, "behind")).to_be_visible()
        main = page.get_by_role("main")
        expect(main).to_contain_text("1 workload of others")
        expect(main).to_contain_text("Work of others")
        expect(main).not_to_contain_text("vision")
        expect(page.get_by_role("link", name=re.compile("^head"))).to_be_hidden()
        expect(page.get_by_role("button", name=re.compile("^Change the quota"))).to_be_hidden()
        opened.seen("queue-of-others")


def test_a_booking_stands_on_the_line_when_it_comes_into_sight(
    queued: Server, window: Open
) -> None:
    bookings = queued.client_kept.bookings
    bookings.create(["desk-01"], "20h", "2h", name="firmware", maintenance=True)
    for size, scheme in LOOKS:
        with window(size, scheme=scheme) as opened:
            page = sign_in(opened, queued, "/queue?ahead=6h")
            line = page.get_by_role("region", name=re.compile("^Time line"))
            expect(line).to_contain_text("1 of 4 free")
            expect(line).not_to_contain_text("firmware")
            page.get_by_role("button", name="24 h", exact=True).click()
            expect(line).to_contain_text("Maintenance: firmware")
            opened.seen("queue-booking")
    bookings.delete("firmware")


def test_it_follows_what_happens(queued: Server, window: Open) -> None:
    with window() as opened:
        page = sign_in(opened, queued, "/queue")
        expect(row(page, "behind")).to_be_visible()
        client = queued.client(project=None)
        for each in list(client.workloads.list()):
            if each.name == "behind":
                client.workloads.cancel(each.id)
        expect(row(page, "behind")).to_be_hidden()
        expect(row(page, "head")).to_be_visible()
