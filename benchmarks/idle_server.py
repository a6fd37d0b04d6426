"""What a server costs when nothing happens, and how soon after its start it is ready."""

from __future__ import annotations

import statistics
import time

import psutil

from benchmarks.figure import Figure, Say
from benchmarks.server import OwnServer, own_server

STARTS = 5
IDLE_SECONDS = 10.0


def measure(say: Say) -> list[Figure]:
    ready: list[float] = []
    resident: dict[str, float] = {}
    for number in range(1, STARTS + 1):
        say(f"start {number} of {STARTS}")
        with own_server() as server:
            ready.append(server.ready_seconds)
            if number == STARTS:
                say(f"idle for {IDLE_SECONDS:g} s")
                time.sleep(IDLE_SECONDS)
                resident = _resident_megabytes(server)
    return [
        Figure(
            name=f"start to ready on an empty home, median of {STARTS}",
            value=statistics.median(ready),
            unit="s",
            goal=2,
        ),
        Figure(
            name="resident when idle, all processes",
            value=sum(resident.values()),
            unit="MB",
            goal=150,
        ),
        Figure(name="resident when idle, server alone", value=resident["server"], unit="MB"),
    ]


def _resident_megabytes(server: OwnServer) -> dict[str, float]:
    """Of the server and of what it started, such as the warden of its jobs."""
    found = {"server": 0.0, "others": 0.0}
    top = psutil.Process(server.process.pid)
    for process in (top, *top.children(recursive=True)):
        part = "server" if process == top else "others"
        found[part] += process.memory_info().rss / 1e6
    return found
