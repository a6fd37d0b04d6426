"""Every page and its main states, in both schemes, wide and narrow: pictures to look at, nothing
that hangs over the side, and nothing that axe calls serious."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from journeys.browser import LOOKS, Open, Window, named, panel, sign_in
from journeys.serving import Server
from podium.client.filters import Filter

pytestmark = pytest.mark.browser

# A spec that one is still writing is answered as what it is.
NOT_DONE = r"422 \(Unprocessable.*validate"


def _look(size: tuple[int, int], scheme: str) -> str:
    return f"{size[0]}-{scheme}"


@pytest.mark.parametrize(("size", "scheme"), LOOKS, ids=[_look(*each) for each in LOOKS])
def test_every_page_in_every_light(
    busy_cluster: Server, window: Open, size: tuple[int, int], scheme: str
) -> None:
    training = named(busy_cluster, "finetune-instruct").id
    ended = named(busy_cluster, "sft-ablation-lr").id
    waits = named(busy_cluster, "dpo-round-3").id
    sweep = named(busy_cluster, "sim-rollouts").id
    local = _real_work(busy_cluster)
    allowed = (NOT_DONE, r"404 \(Not Found\).*w-nothing")
    with window(size, scheme=scheme, allowed=allowed) as opened:
        page = sign_in(opened, busy_cluster)

        def visit(name: str, path: str, ready: Callable[[Page], None]) -> None:
            page.goto(f"{busy_cluster.url}{path}")
            ready(page)
            page.wait_for_timeout(250)
            opened.seen(name)

        def has(text: str | re.Pattern[str]) -> Callable[[Page], None]:
            return lambda page: expect(
                page.get_by_role("main").get_by_text(text).first
            ).to_be_visible()

        def tells(text: str) -> Callable[[Page], None]:
            return lambda page: expect(panel(page)).to_contain_text(text)

        visit("overview", "/", has("dpo-round-3"))
        visit("overview-project", "/?project=vision", has("clip-large"))
        visit("workloads", "/workloads", has("pretrain-13b"))
        visit("workloads-running", "/workloads?state=running", has("pretrain-7b"))
        visit("workload-waiting", f"/workloads/{waits}", tells("Place in the queue"))
        visit("workload-failed", f"/workloads/{ended}?tab=timeline", tells("Failed"))
        visit("workload-logs", f"/workloads/{local}?tab=logs", tells("epoch 40"))
        visit("workload-timeline", f"/workloads/{training}?tab=timeline", tells("Submitted by"))
        visit("workload-replicas", f"/workloads/{training}?tab=replicas", tells("hop-05"))
        visit("workload-tasks", f"/workloads/{sweep}?tab=replicas", tells("amp-"))
        visit("workload-resources", f"/workloads/{training}?tab=resources", tells("GPU"))
        visit("workload-spec", f"/workloads/{training}?tab=spec", tells("replicas: 2"))
        visit("workload-page", f"/workloads/{local}?as=page&tab=logs", tells("epoch 40"))
        visit("workload-unknown", "/workloads/w-nothing", tells("w-nothing"))
        visit("submit", "/submit", has("How it fits now"))
        visit("submit-example", "/submit?example=hello", has("Ready to submit"))
        visit("queue", "/queue", has("pretrain-13b"))
        visit("nodes", "/nodes", has("hop-01"))
        visit("nodes-list", "/nodes?view=list", has("hop-01"))
        visit("nodes-fragmentation", "/nodes?view=fragmentation", has("GPUs are free, of which"))
        visit("node", "/nodes/hop-05", has("finetune-instruct"))
        visit("account", "/account", has("Tokens"))
        visit("about", "/about", has("SQLite"))
        visit("no-such-page", "/nowhere", has("No such page"))
        if opened.narrow:
            _phone_sheet(opened)


def _phone_sheet(opened: Window) -> None:
    page = opened.page
    page.get_by_role("button", name=re.compile("^More")).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.wait_for_timeout(250)
    opened.seen("more")
    page.get_by_role("dialog").get_by_text(re.compile("^Notifications")).click()
    page.wait_for_timeout(250)
    opened.seen("more-notifications")


def test_who_may_see_nothing_is_told_so(busy_cluster: Server, window: Open) -> None:
    """A person whose project is empty: each page says what is missing, and none is broken."""
    client = busy_cluster.client_kept
    client.users.create("newcomer", password="correct-horse-battery")
    client.projects.create("empty-desk", team="newcomers")
    client.projects.set_member("empty-desk", "newcomer", "viewer")
    with window(allowed=(r"403 \(Forbidden\)", r"404 \(Not Found\)")) as opened:
        page = sign_in(opened, busy_cluster, "/", "newcomer")
        secret = named(busy_cluster, "pretrain-7b").id
        for name, path in (
            ("overview", "/"),
            ("workloads", "/workloads"),
            ("workload", f"/workloads/{secret}"),
            ("submit", "/submit"),
            ("queue", "/queue"),
            ("nodes", "/nodes"),
            ("node", "/nodes/hop-01"),
        ):
            page.goto(f"{busy_cluster.url}{path}")
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            page.wait_for_timeout(500)
            expect(page.get_by_role("main")).not_to_contain_text("pretrain-7b")
            opened.seen(f"nothing-{name}")


def test_a_wide_screen_is_used_and_a_narrow_rail_folds(busy_cluster: Server, window: Open) -> None:
    for width, height in ((2560, 1300), (1024, 768), (720, 900)):
        with window((width, height), scheme="dark", allowed=(NOT_DONE,)) as opened:
            opened.look = f"{width}-dark"
            page = sign_in(opened, busy_cluster)
            for name, path in (("overview", "/"), ("workloads", "/workloads"), ("queue", "/queue"),
                               ("nodes", "/nodes"), ("submit", "/submit")):  # fmt: skip
                page.goto(f"{busy_cluster.url}{path}")
                expect(page.get_by_role("heading", level=1)).to_be_visible()
                page.wait_for_timeout(700)
                opened.show(name)


def _real_work(server: Server) -> str:
    """Something that really runs on the server's own machine, with a log; the same for all."""
    for each in server.client_kept.workloads.list(Filter(name="resnet-50")):
        return each.id
    program = (
        "for n in $(seq 1 40); do "
        'echo "epoch $n of 90  loss 0.$((9000 - n * 83))  lr 0.0$((300 - n))"; done; sleep 900'
    )
    made = server.submit(
        "resnet-50", ["sh", "-c", program], kind="training", replicas=2, grace="1s",
        resources={"gpus": 1, "gpu_type": "A100", "cpus": 0.1, "memory": "64MiB"},
        labels={"run": "42"},
    )  # fmt: skip
    server.reaches(made, "running")
    return made
