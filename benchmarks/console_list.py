"""How smoothly the console's list of 100,000 workloads scrolls in a headless Chromium.

`python -m benchmarks.console_list` runs it alone; `--url` and `--password` take a server that runs
already, and `--chromium` another browser than Debian's.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.chromium import (
    CHROMIUM,
    browser_open,
    frames_record,
    frames_recorded,
    heap_megabytes,
)
from benchmarks.figure import Figure, Say, quantile
from benchmarks.many_workloads import WORKLOADS, fill
from benchmarks.server import ADMINISTRATOR, start

if TYPE_CHECKING:
    from playwright.sync_api import Page

SECONDS = 6.0
LONG_MS = 50.0
ROW = "tr[data-index]"

_SCROLLER = """() => {
  let box = document.querySelector("table").parentElement;
  while (box && box.scrollHeight <= box.clientHeight + 1) box = box.parentElement;
  window.podiumList = box;
  const { left, top, width, height } = box.getBoundingClientRect();
  return { left, top, width, height, rows: box.scrollHeight };
}"""


@dataclass(frozen=True, slots=True)
class Scrolling:
    """Frame times in milliseconds of one way to scroll."""

    way: str
    deltas: list[float]

    @property
    def rate(self) -> float:
        """Frames a second."""
        return 1000 * len(self.deltas) / sum(self.deltas)

    @property
    def rate_low(self) -> float:
        """Frames a second that all but the slowest twentieth reach."""
        return 1000 / quantile(self.deltas, 0.95)

    @property
    def long(self) -> int:
        return sum(delta > LONG_MS for delta in self.deltas)


def measure(say: Say) -> list[Figure]:
    home = Path(tempfile.mkdtemp(prefix="podium-"))
    try:
        fill(home, WORKLOADS, say)
        server = start(home)
        try:
            return scrolled(server.url, server.password, say)
        finally:
            server.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def scrolled(
    url: str, password: str, say: Say, *, chromium: str = CHROMIUM, width: int = 1440
) -> list[Figure]:
    """Scrolls the list of the server at `url` in each way and returns what was measured."""
    with browser_open(chromium) as browser:
        page = browser.new_page(viewport={"width": width, "height": 900})
        opened_ms = _open(page, url, password)
        box = page.evaluate(_SCROLLER)
        heap_before = heap_megabytes(page)
        ways: list[tuple[str, Callable[[], None]]] = [
            ("by wheel", lambda: _wheel(page, box)),
            ("by dragging", lambda: _drag(page, box)),
            ("line by line", lambda: _glide(page)),
        ]
        found = []
        for way, scroll in ways:
            say(f"scrolling {way}")
            frames_record(page)
            scroll()
            found.append(Scrolling(way, frames_recorded(page)))
            page.wait_for_timeout(500)
        heap_after = heap_megabytes(page)
        drawn = page.locator(ROW).count()
    return [
        Figure(name="list of 100,000 workloads: opened", value=opened_ms, unit="ms"),
        *[figure for each in found for figure in _figures(each)],
        Figure(name="JavaScript heap before scrolling", value=heap_before, unit="MB"),
        Figure(name="JavaScript heap after scrolling", value=heap_after, unit="MB"),
        Figure(name="rows drawn", value=drawn, unit="rows"),
    ]


def _figures(each: Scrolling) -> list[Figure]:
    name = f"scrolling {each.way}"
    return [
        Figure(name=f"{name}: frames", value=each.rate, unit="/s", goal=50, more_is_better=True),
        Figure(name=f"{name}: frames, slowest twentieth", value=each.rate_low, unit="/s"),
        Figure(name=f"{name}: frames over {LONG_MS:g} ms", value=each.long, unit="frames"),
    ]


def _open(page: Page, url: str, password: str) -> float:
    page.goto(f"{url}/workloads")
    page.get_by_label("Username").fill(ADMINISTRATOR)
    page.get_by_label("Password", exact=True).fill(password)
    page.keyboard.press("Enter")
    page.wait_for_selector(ROW, timeout=60_000)
    begun = time.monotonic()
    page.reload()
    page.wait_for_selector(ROW, timeout=60_000)
    opened_ms = (time.monotonic() - begun) * 1000
    page.wait_for_timeout(1500)
    return opened_ms


def _wheel(page: Page, box: dict[str, float]) -> None:
    """A wheel that is turned fast, with the pointer on the rows."""
    page.mouse.move(box["left"] + box["width"] / 2, box["top"] + box["height"] / 2)
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        page.mouse.wheel(0, 240)
        page.wait_for_timeout(30)


def _drag(page: Page, box: dict[str, float]) -> None:
    """The thumb of the scroll bar, from end to end and back.

    A headless browser hides its scroll bars, so the place is set with each frame as a drag sets it.
    """
    page.mouse.move(box["left"] + box["width"] - 4, box["top"] + 4)
    page.evaluate(
        """(seconds) => new Promise((done) => {
          const box = window.podiumList;
          const begun = performance.now();
          const step = (now) => {
            const past = (now - begun) / 1000;
            const phase = (past / 3) % 2;
            const share = phase < 1 ? phase : 2 - phase;
            box.scrollTop = share * (box.scrollHeight - box.clientHeight);
            if (past < seconds) requestAnimationFrame(step); else done();
          };
          requestAnimationFrame(step);
        })""",
        SECONDS,
    )


def _glide(page: Page) -> None:
    """As a trackpad does: some pixels with each frame, somewhere in the middle of the list."""
    page.evaluate(
        """(seconds) => new Promise((done) => {
          const box = window.podiumList;
          box.scrollTop = box.scrollHeight / 2;
          const begun = performance.now();
          const step = (now) => {
            box.scrollTop += 24;
            if (now - begun < seconds * 1000) requestAnimationFrame(step); else done();
          };
          requestAnimationFrame(step);
        })""",
        SECONDS,
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.console_list", description=__doc__)
    parser.add_argument("--url", help="a server that runs already")
    parser.add_argument("--password", default=os.environ.get("PODIUM_ADMIN_PASSWORD", ""))
    parser.add_argument("--chromium", default=CHROMIUM)
    parser.add_argument("--width", type=int, default=1440)
    options = parser.parse_args()

    def say(words: str) -> None:
        print(words, file=sys.stderr)

    figures = (
        scrolled(options.url, options.password, say, chromium=options.chromium, width=options.width)
        if options.url
        else measure(say)
    )
    for figure in figures:
        met = {None: "", True: "ok", False: "miss"}[figure.met]
        print(f"{figure.name:48} {figure.value:10.1f} {figure.unit:7} {met}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
