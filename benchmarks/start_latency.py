"""From submit to the process running, on an idle server: the job itself tells when it ran."""

from __future__ import annotations

import time

from benchmarks.figure import Figure, Say, quantile
from benchmarks.tenant import own_tenant, short_spec

SAMPLES = 100
PAUSE_SECONDS = 0.05


def measure(say: Say) -> list[Figure]:
    milliseconds: list[float] = []
    with own_tenant() as tenant:
        workloads = tenant.client.workloads
        for sample in range(SAMPLES + 1):
            before = time.time()
            made = workloads.submit(short_spec(f"latency-{sample}", "date", "+%s.%N"))
            workloads.wait(made.id, timeout_seconds=30)
            said = workloads.logs(made.id).split()
            if sample:  # the first one loads what the server has not yet needed
                milliseconds.append((float(said[-1]) - before) * 1000)
            say(f"{sample} of {SAMPLES} started")
            time.sleep(PAUSE_SECONDS)
    return [
        Figure(
            name="submit to running, median", value=quantile(milliseconds, 0.5), unit="ms", goal=100
        ),
        Figure(
            name="submit to running, p99", value=quantile(milliseconds, 0.99), unit="ms", goal=300
        ),
    ]
