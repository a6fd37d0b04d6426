"""What a person does in the console, for journeys that do it in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

from journeys.serving import PASSWORD, Server
from podium.client.filters import Filter
from podium.spec.views.workload import WorkloadView

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / "artifacts" / "console"
AXE = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
PATIENCE_MS = 15_000
WIDE, NARROW = (1440, 900), (400, 860)
LOOKS = [
    (size, scheme) for scheme in ("light", "dark") for size in (WIDE, NARROW)
]  # what a page is looked at in

# Before anyone has signed in, the console asks who it is, and is told that nobody has.
SIGNED_OUT = r"401 \(Unauthorized\).*auth/me"
# No engine has the logs of what "runs" on the machines of `cluster`.
NO_LOG = r"404 \(Not Found\).*/logs"

_AXE_RUN = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html, any, all, none }) => {
      const why = [...any, ...all, ...none].map(({ message }) => message);
      return `${id}: ${html.slice(0, 200)} ${why.join("; ")}`;
    }));
}"""


@dataclass
class Window:
    """A page whose complaints are kept, to be looked at when the journey is over. `allowed` are
    those that belong to it."""

    page: Page
    look: str = ""
    complaints: list[str] = field(default_factory=list)
    allowed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self._complain(str(error)))
        self.page.on(
            "requestfailed",
            lambda request: (
                self._complain(f"{request.url}: {request.failure}")
                if request.failure != "net::ERR_ABORTED"
                else None
            ),
        )

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._complain(f"{message.text} ({message.location.get('url', '')})")

    def _complain(self, told: str) -> None:
        if not any(re.search(each, told) for each in self.allowed):
            self.complaints.append(told)

    @property
    def narrow(self) -> bool:
        size = self.page.viewport_size
        return size is not None and size["width"] <= NARROW[0]

    def show(self, name: str) -> None:
        """Keeps a picture, once nothing moves, and checks that nothing hangs over the side."""
        self.page.evaluate("document.fonts.ready")
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        path = ARTIFACTS / f"{name}{self.look and '-'}{self.look}.png"
        self.page.screenshot(path=path, animations="disabled")
        wide, seen = self.page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        if wide > seen:
            self.complaints.append(f"{path.stem}: {wide - seen} pixels hang over the side")

    def accessible(self, name: str) -> None:
        """Nothing that stands in the way of anybody, as axe finds it."""
        if not self.page.evaluate("'axe' in window"):
            # Past the page's content policy, which lets no foreign script in.
            self.page.evaluate(AXE.read_text())
        self.complaints += [f"{name}-{self.look}: {each}" for each in self.page.evaluate(_AXE_RUN)]

    def seen(self, name: str) -> None:
        """A picture of what stands here, and nothing wrong with it."""
        self.show(name)
        self.accessible(name)


@contextmanager
def window_open(
    browser: Browser,
    opened: list[Window],
    size: tuple[int, int] = WIDE,
    *,
    scheme: str = "light",
    allowed: tuple[str, ...] = (),
    storage: Any = None,
) -> Iterator[Window]:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,  # type: ignore[arg-type]
        reduced_motion="reduce",
        has_touch=size == NARROW,
        locale="en-GB",
        timezone_id="Europe/Berlin",
        storage_state=storage,
    )
    context.set_default_timeout(PATIENCE_MS)
    look = f"{'wide' if size == WIDE else 'narrow'}-{scheme}"
    made = Window(context.new_page(), look, allowed=allowed)
    opened.append(made)
    try:
        yield made
    finally:
        context.close()


def fill_sign_in(page: Page, username: str = "admin", password: str = PASSWORD) -> None:
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def sign_in(window: Window, server: Server, path: str = "/", username: str = "admin") -> Page:
    """Signs in at the address that one wanted, and is there."""
    window.allowed += (SIGNED_OUT,)
    page = window.page
    page.goto(f"{server.url}{path}")
    fill_sign_in(page, username)
    expect(page.get_by_role("navigation", name="Rooms")).to_be_visible()
    return page


def named(server: Server, name: str) -> WorkloadView:
    """The newest workload of this name, of whatever project."""
    return next(server.client(project=None).workloads.list(Filter(name=name)))


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def panel(page: Page) -> Locator:
    return page.get_by_role("complementary", name="Workload")


def heading(page: Page, name: str) -> Locator:
    return page.get_by_role("heading", level=1, name=re.compile(rf"^{re.escape(name)}\b"))


def room(page: Page, name: str) -> None:
    """Goes there by the rail."""
    page.get_by_role("navigation", name="Rooms").get_by_role("link", name=name, exact=True).click()
    expect(heading(page, name)).to_be_visible()


def live(page: Page) -> Locator:
    return page.get_by_role("status").filter(has_text=re.compile(r"^Live$")).first


Open = Callable[..., AbstractContextManager[Window]]
"""The fixture `window`: opens one of a size and a scheme, for the length of a `with`."""
