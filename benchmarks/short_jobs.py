"""A thousand short jobs, from submit until all have ended."""

from __future__ import annotations

import time
from collections import Counter

from benchmarks.figure import Figure, Say
from benchmarks.tenant import PENDING, own_tenant, short_spec
from podium.client.workloads import Filter

JOBS = 1000
SECONDS_MAX = 300.0


def measure(say: Say) -> list[Figure]:
    with own_tenant() as tenant:
        workloads = tenant.client.workloads
        pending = Filter(states=PENDING)
        say(f"{JOBS} jobs submitted")
        before = time.monotonic()
        workloads.submit_many([short_spec(f"short-{number}", "true") for number in range(JOBS)])
        while workloads.page(pending, ascending=True, limit=1).items:
            if time.monotonic() - before > SECONDS_MAX:
                break
            time.sleep(0.1)
        seconds = time.monotonic() - before
        states = Counter(view.state.value for view in workloads.list())
    ended = states["succeeded"]
    return [
        Figure(
            name=f"{JOBS} short jobs, submit to all ended",
            value=ended / seconds,
            unit="jobs/s",
            goal=40,
            more_is_better=True,
        ),
        Figure(
            name="short jobs that did not succeed",
            value=JOBS - ended,
            unit="jobs",
            goal=0,
        ),
    ]
