"""An hour of live updates in the console, as fast as they can be told: its memory, frames and
answers.

The hour is one of the changes, not of the clock: as many as a busy cluster makes in it are written
to the server's store, and reach the page through the real feed.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.chromium import (
    SIZE,
    browser_open,
    frames_record,
    frames_recorded,
    heap_megabytes,
    key_answered,
    signed_in,
)
from benchmarks.figure import Figure, Say, quantile
from benchmarks.many_workloads import PROJECTS, fill
from benchmarks.server import OwnServer, start
from podium.domain.identity import make_id
from podium.domain.lifecycle import WorkloadEvent
from podium.domain.reason import Cause
from podium.spec.workload import check, resolved
from podium.store import lifecycle, workloads
from podium.store.database import Database, Transaction
from podium.store.workloads import NewWorkload

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WORKLOADS = 5_000
CHANGES_A_SECOND = 20
CHANGES = 3600 * CHANGES_A_SECOND
HURRY = 40
"""How much faster than the clock the hour is told: 800 changes a second."""

GROWN_MEGABYTES = 8
_BATCHES_A_SECOND = 10
_LIVING = 400
_COUNT = """() => {
  window.podiumHeard = 0;
  window.podiumResyncs = 0;
  const add = EventSource.prototype.addEventListener;
  EventSource.prototype.addEventListener = function (name, hear, options) {
    const counted = (event) => {
      if (name === "change") window.podiumHeard += 1;
      if (name === "resync") window.podiumResyncs += 1;
      hear.call(this, event);
    };
    return add.call(this, name, counted, options);
  };
}"""


def measure(say: Say) -> list[Figure]:
    return measured(say, CHANGES)


def measured(say: Say, changes: int) -> list[Figure]:
    home = Path(tempfile.mkdtemp(prefix="podium-"))
    try:
        fill(home, WORKLOADS, say)
        server = start(home)
        try:
            with browser_open() as browser:
                who = signed_in(browser, server.url, server.password)
                return [
                    figure
                    for name, path in (("list", "/workloads"), ("Overview", "/"))
                    for figure in _hour(browser, server, who, name, path, changes, say)
                ]
        finally:
            server.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _hour(
    browser: Browser,
    server: OwnServer,
    who: object,
    name: str,
    path: str,
    changes: int,
    say: Say,
) -> Iterator[Figure]:
    context = browser.new_context(viewport=SIZE, storage_state=who)  # type: ignore[arg-type]
    context.add_init_script(f"({_COUNT})()")
    page = context.new_page()
    page.goto(server.url + path)
    page.wait_for_selector("tr[data-index]" if name == "list" else "dd")
    page.wait_for_timeout(3000)
    heaps = [heap_megabytes(page)]
    frames: list[float] = []
    answers: list[float] = []
    for part in range(3):
        say(f"{name}: third {part + 1} of the hour")
        frames_record(page)
        storm = _Storm(server.home, changes // 3)
        storm.start()
        while storm.is_alive():
            page.wait_for_timeout(1000)
            answers.append(key_answered(page)[0])
        storm.join()
        if storm.failure is not None:
            raise storm.failure
        frames += frames_recorded(page)
        _settle(page)
        heaps.append(heap_megabytes(page))
    heard, resyncs = page.evaluate("() => [window.podiumHeard, window.podiumResyncs]")
    context.close()
    of = f"an hour of updates, {name}"
    for when, heap in zip(("start", "1/3", "2/3", "end"), heaps, strict=True):
        yield Figure(name=f"{of}: heap at {when}", value=heap, unit="MB")
    # The first third fills what is kept; from there on it must not grow.
    grown = heaps[-1] - heaps[1]
    yield Figure(
        name=f"{of}: grown in its last two thirds", value=grown, unit="MB", goal=GROWN_MEGABYTES
    )
    yield Figure(name=f"{of}: changes told to the page", value=heard, unit="changes")
    yield Figure(name=f"{of}: times told to look again", value=resyncs, unit="times")
    rate = 1000 * len(frames) / sum(frames)
    yield Figure(name=f"{of}: frames", value=rate, unit="/s", goal=50, more_is_better=True)
    yield Figure(name=f"{of}: slowest twentieth of frames", value=quantile(frames, 0.95), unit="ms")
    yield Figure(name=f"{of}: a key, median", value=quantile(answers, 0.5), unit="ms", goal=100)
    yield Figure(name=f"{of}: a key, p95", value=quantile(answers, 0.95), unit="ms", goal=100)


def _settle(page: Page) -> None:
    """Until nothing is told any more."""
    before = -1
    while (heard := page.evaluate("() => window.podiumHeard")) != before:
        before = heard
        page.wait_for_timeout(2000)


class _Storm(threading.Thread):
    """Writes so many changes, evenly, with a loop of its own: the browser has the other one."""

    def __init__(self, home: Path, changes: int) -> None:
        super().__init__(daemon=True)
        self.failure: BaseException | None = None
        self._home = home
        self._changes = changes

    def run(self) -> None:
        try:
            asyncio.run(self._write())
        except BaseException as error:
            self.failure = error

    async def _write(self) -> None:
        database = Database(f"sqlite:///{self._home / 'podium.db'}")
        await database.open()
        batch = CHANGES_A_SECOND * HURRY // _BATCHES_A_SECOND
        cast = _Cast()
        begun = time.monotonic()
        try:
            for number in range(self._changes // batch):
                now_ms = database.now_ms()
                await database.write(partial(cast.change, now_ms=now_ms, count=batch))
                due = begun + (number + 1) / _BATCHES_A_SECOND
                await asyncio.sleep(max(0.0, due - time.monotonic()))
        finally:
            await database.close()


class _Cast:
    """Workloads that come, change and go: of four changes one is new work, one ends some."""

    def __init__(self) -> None:
        self._living: list[str] = []
        self._chance = random.Random(7)
        self._document = {
            "name": "any",
            "project": PROJECTS[0],
            "command": "python3 train.py",
            "resources": {"gpus": 1, "gpu_type": "NONESUCH"},
        }
        self._wish = check(self._document, now_ms=0)

    def change(self, tx: Transaction, now_ms: int, count: int) -> None:
        made = [self._new(now_ms) for _ in range(count // 4)]
        workloads.workload_insert(tx, made, now_ms)
        self._living += [each.id for each in made]
        self._chance.shuffle(self._living)
        ending = self._living[_LIVING:][: count // 4]
        ended = set(ending)
        self._living = [each for each in self._living if each not in ended]
        changing = self._chance.sample(
            self._living, min(len(self._living), count - len(made) - len(ending))
        )
        rows = lifecycle.workload_rows(tx, [*ending, *changing])
        for each in ending:
            lifecycle.workload_withdraw(
                tx, rows[each], WorkloadEvent.CANCELLED, Cause.CANCELLED, now_ms,
                message="Cancelled by ada.", actor="ada",
            )  # fmt: skip
        for each in changing:
            priority = self._chance.randrange(100)
            lifecycle.workload_change(
                tx, rows[each], {"priority": priority}, now_ms,
                message=f"Priority {priority} by ada.", actor="ada",
            )  # fmt: skip

    def _new(self, now_ms: int) -> NewWorkload:
        document = resolved(self._wish)
        return NewWorkload(
            id=make_id("w", now_ms, self._chance.getrandbits(32)),
            wish=self._wish,
            team=f"{PROJECTS[0]}-team",
            owner="ada",
            needs=(),
            needs_open=0,
            submitted=document,
            resolved=document,
        )
