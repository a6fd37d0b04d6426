"""The console in a real browser, against a real server: what a person sees, without reloading."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

import podium
from journeys.serving import PASSWORD, Server
from requirement import require

pytestmark = pytest.mark.browser

ARTIFACTS = Path(__file__).parents[2] / "artifacts" / "console"
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
PATIENCE_MS = 15_000
WIDE, NARROW = (1440, 900), (400, 860)


@dataclass
class Window:
    """A page whose complaints are kept. `allowed` are those that belong to the journey."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    allowed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "requestfailed",
            lambda request: (
                self.complaints.append(f"{request.url}: {request.failure}")
                if request.failure != "net::ERR_ABORTED"
                else None
            ),
        )

    def _said(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        told = f"{message.text} ({message.location.get('url', '')})"
        if not any(re.search(each, told) for each in self.allowed):
            self.complaints.append(told)

    def show(self, name: str) -> None:
        """Keeps a picture, once nothing moves, and checks that nothing hangs over the side."""
        self.page.evaluate("document.fonts.ready")
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=ARTIFACTS / f"{name}.png", animations="disabled")
        wide, seen = self.page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert wide <= seen, f"{name}: {wide - seen} pixels hang over the side"


# Not longer than this module: while Playwright is there, no other event loop can run.
@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=chromium, headless=True, args=list(ARGUMENTS)
        )
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def webroot() -> None:
    index = Path(podium.__file__).parent / "webroot" / "index.html"
    require("the built console (make install)", index.is_file())


@pytest.fixture
def window(browser: Browser, webroot: None) -> Iterator[Callable[..., object]]:
    """Opens windows that complain of nothing."""
    opened: list[Window] = []

    @contextmanager
    def make(
        size: tuple[int, int] = WIDE, *, scheme: str = "light", allowed: tuple[str, ...] = ()
    ) -> Iterator[Window]:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,  # type: ignore[arg-type]
            reduced_motion="reduce",
            has_touch=size == NARROW,
        )
        context.set_default_timeout(PATIENCE_MS)
        made = Window(context.new_page(), allowed=allowed)
        opened.append(made)
        yield made
        context.close()

    expect.set_options(timeout=PATIENCE_MS)
    yield make
    complaints = [each for one in opened for each in one.complaints]
    assert complaints == []


@pytest.fixture(scope="module")
def shown(make_server: Callable[..., Server]) -> Server:
    """A server with work in every state that stays as it is."""
    server = make_server(
        "console", options=("--virtual-gpus", "4", "--node-name", "gpu-1"), environ={}
    )
    server.submit("prepare-data", ["sh", "-c", "echo 1,797 images in 10 classes"])
    ended = [
        server.submit("prepare-data", ["sh", "-c", "echo 1,797 images in 10 classes"]),
        server.submit("broken-loader", ["sh", "-c", "echo 'No such file' >&2; exit 3"], retries=1),
        server.submit("learning-rates", ["true"], array=8, kind="evaluation"),
        server.submit("typo", ["trian"], kind="training"),
    ]
    for each in ended:
        server.ended(each)
    server.submit(
        "resnet-50",
        ["sh", "-c", "for n in 1 2 3; do echo epoch $n; done; sleep 300"],
        kind="training",
        replicas=2,
        resources={"gpus": 1, "cpus": 0.1, "memory": "64MiB"},
        labels={"run": "42"},
    )
    server.submit("notebook", ["sleep", "300"], kind="workspace", resources={"gpus": 0.5})
    server.submit("eight-gpus", ["true"], kind="training", resources={"gpus": 8})
    server.submit("needs-hoppers", ["true"], resources={"gpus": 1, "gpu_type": "H100"})
    server.reaches(server.submit("patient", ["true"], resources={"gpus": 3}), "queued")
    return server


def sign_in(window: Window, server: Server) -> None:
    window.allowed += (r"401 \(Unauthorized\).*auth/me",)
    page = window.page
    page.goto(server.url)
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Workloads")).to_be_visible()


def row(page: Page, name: str) -> object:
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def test_the_first_minutes(
    make_server: Callable[..., Server], window: Callable[..., object]
) -> None:
    """By the link of the first start: choose a password, and the console stands open."""
    server = make_server("first-start", environ={"PODIUM_ADMIN_PASSWORD": None})
    link = re.search(r"http://\S+#ticket=\S+", server.log.read_text())
    assert link is not None
    with window(allowed=(r"401 \(Unauthorized\)",)) as opened:  # type: ignore[attr-defined]
        page = opened.page
        page.goto(link[0])
        expect(page.get_by_role("heading", name="Set a password")).to_be_visible()
        opened.show("new-password")
        page.get_by_label("New password").fill("short")
        page.get_by_role("button", name="Set password").click()
        expect(page.get_by_text(re.compile("10"))).not_to_have_count(0)
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_role("button", name="Set password").click()
        expect(page.get_by_text("No workloads yet")).to_be_visible()
        assert "ticket" not in page.url
        opened.show("empty")
        page.reload()
        expect(page.get_by_text("No workloads yet")).to_be_visible()
    with window(allowed=(r"401 \(Unauthorized\)",)) as opened:  # type: ignore[attr-defined]
        opened.page.goto(link[0])
        expect(opened.page.get_by_role("alert")).to_contain_text("used before")
        opened.show("sign-in-link-used")
    assert server.sign_in("admin", PASSWORD)


def test_work_appears_runs_and_ends_before_ones_eyes(
    server: Server, window: Callable[..., object], tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    with window() as opened:  # type: ignore[attr-defined]
        sign_in(opened, server)
        page = opened.page
        page.evaluate("window.notReloaded = true")
        program = f"echo first words; while [ ! -e {gate} ]; do sleep 0.05; done; echo last words"
        server.submit("seen-live", None, script=program, kind="training")
        live = row(page, "seen-live")
        expect(live).to_contain_text("Running")
        page.get_by_role("link", name="seen-live").first.click()
        panel = page.get_by_role("complementary", name="Workload")
        expect(panel.get_by_role("log")).to_contain_text("first words")
        gate.touch()
        expect(panel.get_by_role("log")).to_contain_text("last words")
        expect(panel).to_contain_text("Succeeded")
        expect(live).to_contain_text("Succeeded")
        panel.get_by_role("tab", name="History").click()
        expect(panel).to_contain_text("Submitted by admin")
        panel.get_by_role("tab", name="Spec").click()
        expect(panel).to_contain_text("kind: training")
        page.keyboard.press("Escape")
        expect(panel).to_be_hidden()
        assert page.evaluate("window.notReloaded"), "it was reloaded"


def test_cancelling_says_what_is_lost(server: Server, window: Callable[..., object]) -> None:
    workload_id = server.submit("to-be-cancelled", ["sleep", "300"], grace="1s")
    server.reaches(workload_id, "running")
    with window() as opened:  # type: ignore[attr-defined]
        sign_in(opened, server)
        page = opened.page
        page.get_by_role("link", name="to-be-cancelled").click()
        panel = page.get_by_role("complementary", name="Workload")
        panel.get_by_role("button", name="Cancel").click()
        question = page.get_by_role("dialog")
        expect(question).to_contain_text("to-be-cancelled stops, with 1 replica.")
        opened.show("cancel-question")
        question.get_by_role("button", name="Cancel workload").click()
        expect(panel).to_contain_text("Cancelled")
        expect(panel).to_contain_text("Cancelled by admin.")
        expect(row(page, "to-be-cancelled")).to_contain_text("Cancelled")
    assert server.ended(workload_id).state == "cancelled"


def test_why_it_waits(shown: Server, window: Callable[..., object]) -> None:
    with window() as opened:  # type: ignore[attr-defined]
        sign_in(opened, shown)
        page = opened.page
        for name in ("eight-gpus", "needs-hoppers", "patient"):
            waiting = shown.client_kept.workloads.get(name).waiting
            assert waiting is not None
            expect(row(page, name)).to_contain_text(waiting.message)
        page.get_by_role("link", name="eight-gpus").click()
        panel = page.get_by_role("complementary", name="Workload")
        waiting = shown.client_kept.workloads.get("eight-gpus").waiting
        assert waiting is not None
        expect(panel).to_contain_text(waiting.message)
        expect(panel).to_contain_text(waiting.remedy)
        expect(panel).to_contain_text("Place in the queue")
        opened.show("why-it-waits")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_every_page_in_every_light(
    shown: Server, window: Callable[..., object], scheme: str, size: tuple[int, int]
) -> None:
    name = f"{'wide' if size == WIDE else 'narrow'}-{scheme}"
    with window(size, scheme=scheme, allowed=(r"401 \(Unauthorized\)",)) as opened:  # type: ignore[attr-defined]
        page = opened.page
        page.goto(shown.url)
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        opened.show(f"sign-in-{name}")
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        light = sum(int(each) for each in re.findall(r"\d+", background)[:3]) > 382
        assert light == (scheme == "light"), background
        sign_in(opened, shown)
        expect(page.get_by_role("link", name="resnet-50")).to_be_visible()
        opened.show(f"workloads-{name}")
        page.get_by_role("link", name="resnet-50").click()
        panel = page.get_by_role("complementary", name="Workload")
        expect(panel.get_by_role("log")).to_contain_text("epoch 3")
        opened.show(f"workload-{name}")
        panel.get_by_role("tab", name="Replicas").click()
        expect(panel).to_contain_text("Virtual A100")
        opened.show(f"replicas-{name}")
        panel.get_by_role("tab", name="History").click()
        expect(panel).to_contain_text("Submitted by admin")
        opened.show(f"history-{name}")
        page.get_by_role("link", name="Close").click()
        page.get_by_role("link", name="Nodes and GPUs").click()
        expect(page.get_by_role("heading", name="Nodes and GPUs")).to_be_visible()
        expect(page.get_by_role("list", name="Nodes")).to_contain_text("gpu-1")
        expect(page.get_by_role("main")).to_contain_text(re.compile("virtual", re.IGNORECASE))
        opened.show(f"nodes-{name}")
