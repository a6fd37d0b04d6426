"""Ten thousand workloads submitted in one call."""

from __future__ import annotations

import time

from benchmarks.figure import Figure, Say
from benchmarks.tenant import own_tenant, waiting_spec

WORKLOADS = 10_000


def measure(say: Say) -> list[Figure]:
    with own_tenant() as tenant:
        specs = [waiting_spec(f"bulk-{number}") for number in range(WORKLOADS)]
        say(f"{WORKLOADS} workloads in one call")
        before = time.monotonic()
        made = tenant.client.workloads.submit_many(specs)
        seconds = time.monotonic() - before
        if len(made) != WORKLOADS:
            raise RuntimeError(f"{len(made)} of {WORKLOADS} workloads were stored")
    return [Figure(name=f"bulk submit of {WORKLOADS} in one call", value=seconds, unit="s", goal=5)]
