"""A month of usage for 1,000 projects, reported from a store that is full of bills; and what
metering adds to the control loops while 10,000 replicas run."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import sqlalchemy as sa

from benchmarks.figure import Figure, Say
from benchmarks.scoped_list import _stores
from podium.api.usage_render import amounts_view, row_view
from podium.domain.budget import Budget, BudgetLevel
from podium.domain.lifecycle import ReplicaState
from podium.domain.metering import DAY_MS, Dimension
from podium.domain.reason import Cause
from podium.domain.tenancy import WHOLE, Scope
from podium.domain.usage_report import Asked, Per, month_ms
from podium.store import allocations, limits, metering, replicas, reports, samples, tables
from podium.store.budget_ledger import standings
from podium.store.database import Database, Transaction
from podium.store.replicas import End

PROJECTS = 1000
TEAMS = 50
ROWS_OF_A_DAY = 13_000
DAYS = 31
REPLICAS = 10_000
RELEASED = 200
"""Of the 10,000, in each measuring round of 10 s: work that runs for eight minutes."""
ROUNDS = 3
OBSERVED = 10
"""Looks at what runs, one a second, in a round."""
TYPES = ("A100", "H100", "L4")
KINDS = ("batch", "training", "workspace")
GOAL_MS = 2000
BUDGETS = PROJECTS + TEAMS
GOAL_PERCENT = 5
_MONTH = (2026, 10)
_ROWS = 5000


def measure(say: Say) -> list[Figure]:
    figures: list[Figure] = []
    with _stores(say) as stores:
        for dialect, url in stores:
            figures += asyncio.run(_measured(dialect, url, say))
    return figures


async def _measured(dialect: str, url: str, say: Say) -> list[Figure]:
    database = Database(url)
    await database.open()
    try:
        say(f"{dialect}: writing a month")
        rows = await _fill(database)
        took = await _reports(database, say, dialect)
        say(f"{dialect}: {REPLICAS} replicas")
        await database.write(partial(_replicas, now_ms=database.now_ms()))
        await database.write(_analyse)
        say(f"{dialect}: budgets")
        looked = await _budgets(database)
        added = await _added(database, say, dialect)
    finally:
        await database.close()
    return [
        Figure(
            name=f"a month of {PROJECTS:,} projects ({rows:,} sums) {what}, slowest, {dialect}",
            value=ms,
            unit="ms",
            goal=GOAL_MS,
        )
        for what, ms in took.items()
    ] + [
        Figure(
            name=f"a look at {BUDGETS:,} budgets with {REPLICAS:,} running, slowest, {dialect}",
            value=looked,
            unit="ms",
        ),
        Figure(
            name=f"metering adds to the CPU time of observing, measuring and releasing with "
            f"{REPLICAS:,} running, {dialect}",
            value=added,
            unit="%",
            goal=GOAL_PERCENT,
        ),
    ]


# -- reports


async def _reports(database: Database, say: Say, dialect: str) -> dict[str, float]:
    since_ms, until_ms = month_ms(*_MONTH), month_ms(_MONTH[0], _MONTH[1] + 1)
    lead = Scope(frozenset(f"p-{number:04}" for number in range(0, PROJECTS, 20)))
    asked = {
        f"by {by.value} per {per.value}": (by, per, scope)
        for by, per, scope in (
            (Dimension.PROJECT, Per.TOTAL, WHOLE),
            (Dimension.PROJECT, Per.DAY, WHOLE),
            (Dimension.COST_CENTRE, Per.MONTH, WHOLE),
            (Dimension.USER, Per.TOTAL, WHOLE),
            (Dimension.TEAM, Per.DAY, lead),
        )
    }
    took: dict[str, float] = {}
    for name, (by, per, scope) in asked.items():
        say(f"{dialect}: {name}")
        wish = Asked(by=by, per=per, since_ms=since_ms, until_ms=until_ms)
        for number in range(ROUNDS):
            begun = time.perf_counter()
            found = await database.read(
                partial(reports.report, scope=scope, asked=wish, now_ms=until_ms)
            )
            for row in found.rows[:_ROWS]:
                row_view(row).model_dump_json()
            amounts_view(found.total).model_dump_json()
            ms = (time.perf_counter() - begun) * 1000
            if number:  # the first warms the caches
                took[name] = max(took.get(name, 0.0), ms)
    return took


async def _budgets(database: Database) -> float:
    """One for each project and team, at the end of a month that is full of bills."""
    whose = [(BudgetLevel.PROJECT, f"p-{number:04}") for number in range(PROJECTS)]
    whose += [(BudgetLevel.TEAM, f"t-{number:02}") for number in range(TEAMS)]
    budgets = [
        Budget(name=target, level=level, target=target, amount=10**9, since_ms=0)
        for level, target in whose[:BUDGETS]
    ]
    at_ms = month_ms(_MONTH[0], _MONTH[1] + 1) - 1
    took = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        await database.read(partial(standings, budgets=budgets, now_ms=at_ms))
        took.append((time.perf_counter() - begun) * 1000)
    return max(took[1:])


async def _fill(database: Database) -> int:
    """Sums of days as they are after a month: each project has a few people at work."""
    first_ms = month_ms(*_MONTH)
    await database.write(lambda tx: _people(tx, first_ms))
    dice = random.Random(7)
    for day in range(DAYS):
        found: dict[tuple[Any, ...], dict[str, Any]] = {}
        while len(found) < ROWS_OF_A_DAY:
            number = dice.randrange(PROJECTS)
            row = {
                "day_ms": first_ms + day * DAY_MS,
                "project": f"p-{number:04}",
                "team": f"t-{number % TEAMS:02}",
                "cost_centre": f"cc-{number % 30:02}",
                "owner": f"u-{number:04}-{dice.randrange(6)}",
                "kind": dice.choice(KINDS),
                "gpu_type": dice.choice(TYPES),
                "rate_ms": 0,
            }
            found[tuple(row.values())] = row | {
                "gpu_milli_ms": dice.randrange(10**10),
                "borrowed_milli_ms": dice.randrange(10**8),
                "measured_milli_ms": dice.randrange(10**9),
                "idle_milli_ms": dice.randrange(10**8),
                "unbilled_milli_ms": 1000,
                "cpu_milli_ms": dice.randrange(10**10),
                "cpu_used_ms": dice.randrange(10**7),
                "memory_peak_bytes": dice.randrange(10**10),
                "replicas": 3,
            }
        rows = list(found.values())
        await database.write(partial(_insert, rows=rows))
    await database.write(_analyse)
    return DAYS * ROWS_OF_A_DAY


def _insert(tx: Transaction, rows: list[dict[str, Any]]) -> None:
    tx.execute(sa.insert(tables.usage_days), rows)


def _people(tx: Transaction, now_ms: int) -> None:
    tx.execute(
        sa.insert(tables.teams),
        [
            {"name": f"t-{number:02}", "created_at_ms": now_ms, "cost_centre": ""}
            for number in range(TEAMS)
        ],
    )
    tx.execute(
        sa.insert(tables.projects),
        [
            {
                "name": f"p-{number:04}",
                "team": f"t-{number % TEAMS:02}",
                "created_at_ms": now_ms,
                "cost_centre": f"cc-{number % 30:02}",
            }
            for number in range(PROJECTS)
        ],
    )
    for number, gpu_type in enumerate(TYPES):
        tx.execute(
            sa.insert(tables.prices).values(
                gpu_type=gpu_type,
                since_ms=now_ms - DAY_MS,
                micros_per_gpu_hour=2_500_000 + number,
                currency="EUR",
                set_by="benchmark",
            )
        )


# -- loops


async def _added(database: Database, say: Say, dialect: str) -> float:
    """In percent of the same work without metering. The two take turns, so that a machine that is
    busy with something else slows both."""
    spent = {True: 0.0, False: 0.0}
    released = 0
    for number in range(2 * ROUNDS + 2):
        metered = number % 2 == 0
        say(f"{dialect}: round {number + 1} of {2 * ROUNDS + 2}")
        with _metering(on=metered):
            begun = _cpu_seconds(database)
            await _round(database, number, released)
            took = _cpu_seconds(database) - begun
        released += RELEASED
        if number > 1:
            spent[metered] += took
    return (spent[True] / spent[False] - 1) * 100


async def _round(database: Database, number: int, released: int) -> None:
    """Ten seconds: ten looks at what runs, one measuring round, and what ended meanwhile."""
    now_ms = database.now_ms() + number * 10_000
    nodes = [f"n-{each}" for each in range(REPLICAS // 100)]
    for _ in range(OBSERVED):
        held = await database.read(
            partial(
                allocations.allocation_list_open,
                nodes=nodes,
                states=(ReplicaState.RUNNING,),
                limit=100_000,
            )
        )
        owners = {each.workload_id for each in held}
        await database.read(partial(limits.runtime_limits, ids=owners))
    measured = [
        {
            "allocation_id": f"a-{each:06}",
            "span_ms": 10_000,
            "cpu_milli": 900,
            "memory_bytes": 10**9,
            "gpu_busy_milli": 700,
            "gpu_memory_bytes": 10**9,
        }
        for each in range(released, REPLICAS)
    ]
    await database.write(
        lambda tx: samples.samples_insert(tx, now_ms, nodes=nodes, allocations=measured, devices=[])
    )
    for first in range(released, released + RELEASED, 100):
        ends = [
            End(
                allocation_id=f"a-{each:06}",
                cause=Cause.COMPLETED,
                exit_code=0,
                runtime_ms=600_000,
            )
            for each in range(first, first + 100)
        ]
        await database.write(partial(replicas.replicas_ended, ends=ends, now_ms=now_ms))


@contextmanager
def _metering(*, on: bool) -> Iterator[None]:
    """Without it nothing is billed and nothing of what is busy is counted. What fairness remembers
    of the past (`store/past_use`) is no part of it."""
    kept: list[tuple[Any, str, Callable[..., Any]]] = [
        (replicas, "bills_insert", metering.bills_insert),
        (samples, "busy_add", metering.busy_add),
    ]
    try:
        if not on:
            for room, name, _ in kept:
                setattr(room, name, lambda *_: None)
        yield
    finally:
        for room, name, function in kept:
            setattr(room, name, function)


def _cpu_seconds(database: Database) -> float:
    """Of this process; where the database is a process of its own, by the clock instead, which has
    its work in it."""
    return time.process_time() if database.dialect == "sqlite" else time.perf_counter()


def _replicas(tx: Transaction, *, now_ms: int) -> None:
    """Single-GPU work of every project, 100 on a node, running for ten minutes."""
    blank = {"memory_bytes": 10**9, "cpu_milli": 1000, "gpu_milli": 1000}
    workloads, copies, held, shares, devices, nodes = [], [], [], [], [], []
    for number in range(REPLICAS):
        key, node = f"{number:06}", f"n-{number // 100}"
        if number % 100 == 0:
            nodes.append(node)
        project = f"p-{number % PROJECTS:04}"
        workloads.append(
            {
                "id": f"w-{key}", "name": f"job-{key}", "project": project,
                "team": f"t-{number % PROJECTS % TEAMS:02}", "owner": f"u-{number % 50}",
                "kind": "batch", "state": "running", "message": "", "priority": 50, **blank,
                "gpu_share_bytes": 0, "gpu_types": "", "mig_count": 0, "node_labels": "",
                "replicas_min": 1, "replicas_max": 1, "is_array": False,
                "submitted_at_ms": now_ms, "queued_at_ms": now_ms, "started_at_ms": now_ms,
                "grace_seconds": 30, "retries": 0, "attempt": 1, "failures": 0,
                "dependencies_open": 0, "labels": "", "version": 1,
            }
        )  # fmt: skip
        copies.append(
            {"workload_id": f"w-{key}", "rank": 0, "state": "running", "attempt": 1, "failures": 0}
        )
        held.append(
            {
                "id": f"a-{key}", "workload_id": f"w-{key}", "project": project, "rank": 0,
                "attempt": 1, "node": node, "state": "running", **blank,
                "created_at_ms": now_ms - 601_000, "started_at_ms": now_ms - 600_000,
                "message": "", "runtime_ms": 0, "cpu_time_ms": 0, "memory_peak_bytes": 0,
                "removed": False,
            }
        )  # fmt: skip
        held[-1]["memory_bytes"] = 10**9
        shares.append(
            {
                "allocation_id": f"a-{key}", "device_id": f"d-{key}", "gpu_milli": 1000,
                "memory_bytes": 10**9, "gpu_type": "H100",
            }
        )  # fmt: skip
        devices.append(
            {
                "id": f"d-{key}", "node": node, "index": number % 100, "uuid": key, "type": "H100",
                "model": "H100", "memory_bytes": 80 * 10**9, "virtual": True, "healthy": True,
            }
        )  # fmt: skip
    tx.execute(
        sa.insert(tables.nodes),
        [
            {
                "name": name, "engine": "e", "state": "ready", "cordoned": False, "address": "",
                "cpu_milli": 10**6, "memory_bytes": 10**12, "labels": "", "rack": "", "block": "",
                "seen_at_ms": now_ms,
            }
            for name in nodes
        ],
    )  # fmt: skip
    for table, rows in (
        (tables.devices, devices),
        (tables.workloads, workloads),
        (tables.replicas, copies),
        (tables.allocations, held),
        (tables.allocation_devices, shares),
    ):
        tx.execute(sa.insert(table), rows)


def _analyse(tx: Transaction) -> None:
    tx.execute(sa.text("ANALYZE"))
