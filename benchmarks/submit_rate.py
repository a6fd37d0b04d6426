"""How many single submissions a second the API takes, from sixteen clients at once."""

from __future__ import annotations

import asyncio
import json
import time

from benchmarks.figure import Figure, Say, quantile
from benchmarks.tenant import Tenant, own_tenant, waiting_spec
from benchmarks.wire import Connection

CLIENTS = 16
REQUESTS = 3000
SECONDS_MAX = 30.0


def measure(say: Say) -> list[Figure]:
    with own_tenant() as tenant:
        seconds, took, refused = asyncio.run(_load(tenant, say))
    return [
        Figure(
            name=f"POST /workloads, {CLIENTS} clients",
            value=len(took) / seconds,
            unit="requests/s",
            goal=300,
            more_is_better=True,
        ),
        Figure(name="POST /workloads, p50", value=quantile(took, 0.5), unit="ms"),
        Figure(name="POST /workloads, p99", value=quantile(took, 0.99), unit="ms", goal=250),
        Figure(name="POST /workloads, refused", value=refused, unit="requests", goal=0),
    ]


async def _load(tenant: Tenant, say: Say) -> tuple[float, list[float], int]:
    numbers = iter(range(REQUESTS))
    took: list[float] = []
    refused = 0
    begun = time.monotonic()

    async def send() -> None:
        nonlocal refused
        async with Connection(tenant.server.port, tenant.token) as connection:
            for number in numbers:
                body = json.dumps(waiting_spec(f"rate-{number}")).encode()
                before = time.monotonic()
                if before - begun > SECONDS_MAX:
                    return
                status = await connection.ask("POST", "/api/v1/workloads", body)
                await connection.body()
                took.append((time.monotonic() - before) * 1000)
                refused += status != 201
                if len(took) % 100 == 0:
                    say(f"{len(took)} of {REQUESTS} submitted")

    await asyncio.gather(*(send() for _ in range(CLIENTS)))
    return time.monotonic() - begun, took, refused
