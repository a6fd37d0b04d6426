"""What the check against quotas adds to a submission, among 1,000 projects with limits each."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from benchmarks.figure import Figure, Say, quantile
from podium.domain.quota import Counted, Quota, QuotaLevel
from podium.domain.resources import ReplicaCount, Request
from podium.domain.tenancy import Project
from podium.domain.workload import Kind, Program, Wish
from podium.store import projects, quotas
from podium.store.database import Database, Transaction
from podium.store.quota_check import hopeless
from podium.store.workloads import NewWorkload

PROJECTS = 1000
TEAMS = 50
ROUNDS = 200
GOAL_MS = 5


def measure(say: Say) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        took = asyncio.run(_measured(f"sqlite:///{Path(folder) / 'podium.db'}", say))
    return [
        Figure(name="quota check of a submission, p50", value=quantile(took, 0.5), unit="ms"),
        Figure(
            name="quota check of a submission, p99",
            value=quantile(took, 0.99),
            unit="ms",
            goal=GOAL_MS,
        ),
    ]


async def _measured(url: str, say: Say) -> list[float]:
    database = Database(url)
    await database.open()
    try:
        say("making projects")
        now_ms = database.now_ms()
        await database.write(lambda tx: _fill(tx, now_ms))
        return await database.read(_timed)
    finally:
        await database.close()


def _fill(tx: Transaction, now_ms: int) -> None:
    for number in range(PROJECTS):
        name, team = f"p-{number}", f"t-{number % TEAMS}"
        projects.project_insert(tx, Project(name=name, team=team, created_at_ms=now_ms))
        limits = (("", 16_000), ("H100", 8_000))
        quota = Quota(
            level=QuotaLevel.PROJECT, name=name, limits=limits, ceilings=((Counted.CPU, 64_000),)
        )
        quotas.quota_set(tx, quota, now_ms, "admin")


def _timed(tx: Transaction) -> list[float]:
    took = []
    for number in range(ROUNDS):
        request = Request(cpu_milli=1000, memory_bytes=2**30, gpu_milli=1000)
        wish = Wish(
            name="x",
            project=f"p-{number}",
            kind=Kind.TRAINING,
            program=Program(command=("true",)),
            request=request,
            replicas=ReplicaCount(1, 1),
            priority=50,
        )
        team = f"t-{number % TEAMS}"
        new = NewWorkload(
            id="w",
            wish=wish,
            team=team,
            owner="ada",
            needs=(),
            needs_open=0,
            submitted={},
            resolved={},
        )
        begun = time.perf_counter()
        hopeless(tx, [new])
        if number:  # the first prepares the statements, as the day before did
            took.append((time.perf_counter() - begun) * 1000)
    return took
