"""Debian's Chromium, signed in to a server: what the benchmarks of the console have in common."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from benchmarks.server import ADMINISTRATOR

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-precise-memory-info",
)
SIZE: Any = {"width": 1440, "height": 900}

_FRAMES = """() => {
  const held = { deltas: [], last: performance.now(), on: true };
  const frame = (now) => {
    held.deltas.push(now - held.last);
    held.last = now;
    if (held.on) requestAnimationFrame(frame);
  };
  requestAnimationFrame((now) => { held.last = now; requestAnimationFrame(frame); });
  window.podiumFrames = held;
}"""
_FRAMES_TOLD = "() => { window.podiumFrames.on = false; return window.podiumFrames.deltas; }"

# Folding the rail needs no server, so what it takes is the page's own doing.
_KEY = """() => {
  const frame = document.querySelector("[data-rail]");
  window.podiumKey = new Promise((done) => {
    let at = 0;
    window.addEventListener("keydown", (event) => { at = event.timeStamp; }, { once: true,
      capture: true });
    new MutationObserver((_, observer) => {
      observer.disconnect();
      requestAnimationFrame(() => done({ took: performance.now() - at, now: performance.now() }));
    }).observe(frame, { attributes: true, attributeFilter: ["data-rail"] });
  });
}"""


@contextlib.contextmanager
def browser_open(chromium: str = CHROMIUM) -> Iterator[Browser]:
    # Only who measures the console needs a browser.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


def signed_in(browser: Browser, url: str, password: str) -> Any:
    """The cookies of somebody who signed in by the form, for `new_context(storage_state=...)`."""
    page = browser.new_page(viewport=SIZE)
    page.goto(url)
    page.get_by_label("Username").fill(ADMINISTRATOR)
    page.get_by_label("Password", exact=True).fill(password)
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-rail]", timeout=60_000)
    state = page.context.storage_state()
    page.close()
    return state


def heap_megabytes(page: Page) -> float:
    """What is left of the JavaScript heap when all garbage is gone."""
    session = page.context.new_cdp_session(page)
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    session.detach()
    return cast(float, page.evaluate("() => performance.memory.usedJSHeapSize")) / 1e6


def frames_record(page: Page) -> None:
    page.evaluate(_FRAMES)


def frames_recorded(page: Page) -> list[float]:
    """Milliseconds from each frame to the next since `frames_record`."""
    return cast(list[float], page.evaluate(_FRAMES_TOLD))


def key_answered(page: Page) -> tuple[float, float]:
    """Presses a key. Returns milliseconds from the press to the frame after the page changed, and
    from navigation until then."""
    page.evaluate(_KEY)
    page.keyboard.press("[")
    answer = page.evaluate("() => window.podiumKey")
    return float(answer["took"]), float(answer["now"])
