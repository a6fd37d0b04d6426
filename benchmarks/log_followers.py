"""Five hundred people follow one job's log at once; every line must reach every one of them."""

from __future__ import annotations

import asyncio
import json
import resource
import time
from dataclasses import dataclass, field
from datetime import datetime

from benchmarks.figure import Figure, Say, quantile
from benchmarks.tenant import Tenant, own_tenant, short_spec
from benchmarks.wire import Connection, WireError

FOLLOWERS = 500
LINES = 1000
PRINTING_SECONDS = 10.0
SECONDS_MAX = 120.0

_PRINTER = """
import pathlib, sys, time
start, lines, seconds = pathlib.Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
while not start.exists():
    time.sleep(0.02)
for number in range(lines):
    print("line", number, flush=True)
    time.sleep(seconds / lines)
"""


@dataclass(slots=True)
class Follower:
    """What one follower has seen: the numbers of its lines in order, and how late each came."""

    numbers: list[int] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def follow(self, tenant: Tenant, workload_id: str) -> None:
        path = f"/api/v1/workloads/{workload_id}/logs?follow=true"
        async with Connection(tenant.server.port, tenant.token) as connection:
            try:
                status = await connection.ask("GET", path, accept="text/event-stream")
                if status != 200:
                    raise WireError(f"the log answered with status {status}")
            finally:
                self.opened.set()
            async for name, data in connection.events():
                if name == "end":
                    return
                now = time.time()
                for line in json.loads(data):
                    said, _, number = line["text"].partition(" ")
                    if said == "line":
                        self.numbers.append(int(number))
                        written = datetime.fromisoformat(line["at"]).timestamp()
                        self.late_ms.append((now - written) * 1000)


def measure(say: Say) -> list[Figure]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    with own_tenant() as tenant:
        seconds, followers, broken = asyncio.run(_follow(tenant, say))
    whole = list(range(LINES))
    missed = sum(len(set(whole) - set(each.numbers)) for each in followers)
    repeated = sum(len(each.numbers) - len(set(each.numbers)) for each in followers)
    delivered = sum(len(each.numbers) for each in followers)
    late = [value for each in followers for value in each.late_ms] or [0.0]
    return [
        Figure(
            name=f"log followers with every line in order, of {FOLLOWERS}",
            value=sum(each.numbers == whole for each in followers),
            unit="followers",
            goal=FOLLOWERS,
            more_is_better=True,
        ),
        Figure(name="log lines lost", value=missed, unit="lines", goal=0),
        Figure(name="log lines repeated", value=repeated, unit="lines", goal=0),
        Figure(name="log streams that broke", value=broken, unit="streams", goal=0),
        Figure(name="log lines delivered", value=delivered / seconds, unit="lines/s"),
        Figure(name="log line written to received, p50", value=quantile(late, 0.5), unit="ms"),
        Figure(name="log line written to received, p99", value=quantile(late, 0.99), unit="ms"),
    ]


async def _follow(tenant: Tenant, say: Say) -> tuple[float, list[Follower], int]:
    start = tenant.server.home / "start-printing"
    spec = short_spec(
        "printer", "python3", "-c", _PRINTER, str(start), str(LINES), str(PRINTING_SECONDS)
    )
    made = await asyncio.to_thread(tenant.client.workloads.submit, spec)
    followers = [Follower() for _ in range(FOLLOWERS)]
    tasks = []
    for number, follower in enumerate(followers):
        tasks.append(asyncio.create_task(follower.follow(tenant, made.id)))
        if number % 25 == 24:
            await follower.opened.wait()
            say(f"{number + 1} of {FOLLOWERS} follow")
    for follower in followers:
        await follower.opened.wait()
    say(f"{FOLLOWERS} follow {LINES} lines")
    start.touch()
    begun = time.monotonic()
    done, late = await asyncio.wait(tasks, timeout=SECONDS_MAX)
    seconds = time.monotonic() - begun
    for task in late:
        task.cancel()
    broken = len(late) + sum(task.exception() is not None for task in done)
    return seconds, followers, broken
