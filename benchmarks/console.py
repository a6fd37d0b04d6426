"""The console in a headless Chromium: what it loads, how soon it answers, how soon a change on the
server is on the screen."""

from __future__ import annotations

import gzip
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import podium
from benchmarks.chromium import SIZE, browser_open, key_answered, signed_in
from benchmarks.figure import Figure, Say, quantile
from benchmarks.many_workloads import PROJECTS, fill
from benchmarks.server import OwnServer, start

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Response

WORKLOADS = 2_000
LOADS = 5
CHANGES = 30
PAGES = {
    "Overview": "/",
    "Workloads": "/workloads",
    "one workload": "/workloads/{id}?tab=resources",
    "New workload": "/submit",
    "Queue": "/queue",
    "Nodes and GPUs": "/nodes",
    "Account": "/account",
}
FIGURES = """() => {
  const heading = [...document.querySelectorAll("h2")].find((h) => h.textContent === "GPUs");
  const number = heading?.closest("section")?.querySelector("dd");
  return /[0-9]/.test(number?.textContent ?? "");
}"""
_SEEN = """([name, words]) => new Promise((done, fail) => {
  const told = () => [...document.querySelectorAll("tr")].some(
    (row) => row.textContent.includes(name) && row.textContent.includes(words));
  const look = () => { if (told()) { observer.disconnect(); done(Date.now()); } };
  const observer = new MutationObserver(look);
  observer.observe(document.body, { childList: true, subtree: true, characterData: true });
  setTimeout(() => { observer.disconnect(); fail(new Error(`${name}: no ${words}`)); }, 15000);
  look();
})"""


def measure(say: Say) -> list[Figure]:
    home = Path(tempfile.mkdtemp(prefix="podium-"))
    try:
        fill(home, WORKLOADS, say)
        server = start(home)
        try:
            with browser_open() as browser:
                return _measured(browser, server, say)
        finally:
            server.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _measured(browser: Browser, server: OwnServer, say: Say) -> list[Figure]:
    who = signed_in(browser, server.url, server.password)
    with server.administrator() as client:
        say("what each page loads")
        figures = _loaded(browser, server, who, client)
        say("how soon it answers")
        figures += _answering(browser, server, who)
        say("how soon a change shows")
        figures += _changing(browser, server, who, client)
    return figures


def _loaded(
    browser: Browser, server: OwnServer, who: object, client: podium.Client
) -> list[Figure]:
    """JavaScript of each page for who comes with nothing in the browser's cache."""
    one = next(iter(client.workloads.list(limit=1))).id
    figures = []
    for name, path in PAGES.items():
        context = _context(browser, who)
        scripts: dict[str, int] = {}

        def keep(response: Response, found: dict[str, int] = scripts) -> None:
            if response.url.split("?")[0].endswith(".js") and response.ok:
                # As a server would send it, whether or not this one compresses.
                found[response.url] = len(gzip.compress(response.body(), 9))

        page = context.new_page()
        page.on("response", keep)
        page.goto(server.url + path.format(id=one), wait_until="load")
        page.wait_for_selector("h1")
        page.wait_for_timeout(1500)
        figures.append(
            Figure(
                name=f"JavaScript of {name}, gzip",
                value=sum(scripts.values()) / 1000,
                unit="kB",
                goal=300 if path == "/" else None,
            )
        )
        context.close()
    return figures


def _answering(browser: Browser, server: OwnServer, who: object) -> list[Figure]:
    """From navigation to the Overview's figures, and to its answer to a key after that."""
    shown, answered = [], []
    for _ in range(LOADS + 1):
        context = _context(browser, who)
        page = context.new_page()
        page.goto(server.url, wait_until="commit")
        page.wait_for_function(FIGURES, polling="raf")
        shown.append(cast(float, page.evaluate("() => performance.now()")))
        answered.append(key_answered(page)[1])
        context.close()
    # The first one warms the server.
    return [
        Figure(name="Overview's figures on the screen", value=quantile(shown[1:], 0.5), unit="ms"),
        Figure(
            name="Overview interactive: it answered a key",
            value=quantile(answered[1:], 0.5),
            unit="ms",
            goal=1500,
        ),
    ]


def _changing(
    browser: Browser, server: OwnServer, who: object, client: podium.Client
) -> list[Figure]:
    """From the request that changes something to the row on the screen that says so."""
    context = _context(browser, who)
    page = context.new_page()
    page.goto(f"{server.url}/workloads")
    page.wait_for_selector("tr[data-index]")
    page.wait_for_timeout(1000)
    took: list[float] = []
    for number in range(CHANGES // 2):
        name = f"seen-{number}"
        spec = {
            "name": name,
            "project": PROJECTS[0],
            "command": ["true"],
            "resources": {"gpus": 1, "gpu_type": "NONESUCH"},
        }
        begun, made = time.time(), client.workloads.submit(spec)
        took.append(_seen_ms(page, name, "", begun))
        page.wait_for_timeout(300)
        begun = time.time()
        client.workloads.cancel(made.id)
        took.append(_seen_ms(page, name, "Cancelled", begun))
        page.wait_for_timeout(300)
    context.close()
    of = "a change on the server is on the screen"
    return [
        Figure(name=f"{of}, median", value=quantile(took, 0.5), unit="ms", goal=1000),
        Figure(name=f"{of}, p99", value=quantile(took, 0.99), unit="ms", goal=1000),
    ]


def _seen_ms(page: Page, name: str, words: str, begun: float) -> float:
    return cast(float, page.evaluate(_SEEN, [name, words])) - begun * 1000


def _context(browser: Browser, who: Any) -> BrowserContext:
    return browser.new_context(viewport=SIZE, storage_state=who)
