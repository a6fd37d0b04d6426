"""A store with 100,000 workloads, and how long any page of their list takes.

`python -m benchmarks.many_workloads HOME [COUNT]` only fills a home, for `podium up --home HOME`
to be tried on. What lives in it waits for a GPU that nobody has, or runs on nodes that no engine
reports, so that a server leaves it as it is.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import json
import random
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.figure import Figure, Say, quantile
from benchmarks.server import OwnServer, start
from benchmarks.wire import Connection
from podium.domain.identity import make_id
from podium.domain.lifecycle import WORKLOAD_ENDS, ReplicaState, WorkloadState
from podium.domain.reason import Cause, Evidence, Refusal, WaitReason
from podium.domain.rights import DEVELOPER
from podium.domain.tenancy import Project
from podium.domain.workload import Wish
from podium.spec.workload import check, resolved
from podium.store import allocations, projects, queue, tables, workloads
from podium.store.database import Database, Transaction
from podium.store.workloads import NewWorkload

WORKLOADS = 100_000
PROJECTS = ("vision", "speech", "search", "genomics", "robotics", "climate", "finance", "commons")
MINE = PROJECTS[:3]
OWNERS = ("ada", "bob", "chen", "dana", "eva", "femi", "grace", "hugo", "ines", "juan")
KINDS = ("training", "batch", "evaluation", "service", "workspace")
SORTS = (
    "submitted", "name", "project", "owner", "kind", "state", "priority", "started", "ended", "gpus"
)  # fmt: skip
FILTERS = (
    "state=failed",
    "state=queued&state=running",
    "project=vision&project=climate",
    "owner=ada&kind=training",
    "q=train-12",
    "node=far-007",
    "reason=impossible_type",
    "label=team%3Dblue",
)
PAGE = 100
ROUNDS = 3
_BATCH = 2000
_DAYS = 60
_NODES = 50
_LIVING = 0.03  # of all; half of them wait and half run


@dataclass(frozen=True, slots=True)
class Made:
    """One workload on its way into the store, with where it is to be in its life."""

    new: NewWorkload
    submitted_at_ms: int
    state: WorkloadState
    node: str


def measure(say: Say) -> list[Figure]:
    with _filled_server(say) as (server, token):
        with server.administrator() as administrator:
            root = administrator.tokens.create("benchmark").token
        everyone = asyncio.run(_pages(server, root, WORKLOADS, "administrator", say))
        total = asyncio.run(_total(server, token))
        member = asyncio.run(_pages(server, token, total, "member", say))
    figures = []
    for who, took in (("administrator", everyone), ("member of 3 projects", member)):
        by_time = max(ms for (sort, _), ms in took.items() if sort == "submitted")
        other = max(ms for (sort, _), ms in took.items() if sort in SORTS[1:])
        chosen = max(ms for (sort, _), ms in took.items() if sort not in SORTS)
        of = f"of {WORKLOADS} workloads, {who}"
        figures += [
            Figure(name=f"slowest page by submission {of}", value=by_time, unit="ms", goal=100),
            Figure(name=f"slowest page in any other order {of}", value=other, unit="ms", goal=250),
            Figure(name=f"slowest filtered page {of}", value=chosen, unit="ms", goal=250),
        ]
    return figures


@contextlib.contextmanager
def _filled_server(say: Say) -> Iterator[tuple[OwnServer, str]]:
    """A server on such a store, and the token of a member of some of its projects."""
    home = Path(tempfile.mkdtemp(prefix="podium-"))
    try:
        fill(home, WORKLOADS, say)
        server = start(home)
        try:
            with server.administrator() as administrator:
                secret = f"chosen-{server.port}"
                administrator.users.create("member", password=secret)
                for project in MINE:
                    administrator.projects.set_member(project, "member", DEVELOPER)
            with server.sign_in("member", secret) as client:
                yield server, client.tokens.create("benchmark").token
        finally:
            server.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


async def _total(server: OwnServer, token: str) -> int:
    async with Connection(server.port, token) as connection:
        await connection.ask("GET", "/api/v1/workloads?limit=1")
        return int(json.loads(await connection.body())["total"])


async def _pages(
    server: OwnServer, token: str, total: int, who: str, say: Say
) -> dict[tuple[str, str], float]:
    """Median milliseconds of each page, by what it is in order of (or its filter) and where."""
    took: dict[tuple[str, str], list[float]] = {}
    async with Connection(server.port, token) as connection:

        async def ask(key: tuple[str, str], path: str) -> None:
            begun = time.monotonic()
            status = await connection.ask("GET", path)
            body = await connection.body()
            took.setdefault(key, []).append((time.monotonic() - begun) * 1000)
            if status != 200:
                raise RuntimeError(f"{path} was answered with {status}: {body[:300]!r}")

        for number in range(1, ROUNDS + 1):
            say(f"{who}: round {number} of {ROUNDS}")
            for sort in SORTS:
                for offset in (0, total // 2, max(0, total - PAGE)):
                    for order in ("up", "down"):
                        query = f"sort={sort}&order={order}&offset={offset}&limit={PAGE}"
                        await ask((sort, f"{order} {offset}"), f"/api/v1/workloads?{query}")
            for chosen in FILTERS:
                for sort in ("submitted", "name"):
                    query = f"{chosen}&sort={sort}&limit={PAGE}"
                    await ask((chosen, sort), f"/api/v1/workloads?{query}")
    return {key: quantile(values, 0.5) for key, values in took.items()}


def fill(home: Path, count: int, say: Say) -> None:
    """Make a home whose store holds `count` workloads: most ended, some waiting, some running."""
    home.mkdir(parents=True, exist_ok=True)
    asyncio.run(fill_store(f"sqlite:///{home / 'podium.db'}", count, say))


async def fill_store(url: str, count: int, say: Say, names: Sequence[str] = PROJECTS) -> None:
    """Workloads of projects of these names, each of a team of its own."""
    database = Database(url)
    await database.open()
    try:
        now_ms = database.now_ms()
        await database.write(functools.partial(_projects, names=names, now_ms=now_ms))
        chance = random.Random(7)
        for first in range(0, count, _BATCH):
            say(f"{first} of {count} workloads stored")
            made = [
                _one(number, count, names, now_ms, chance)
                for number in range(first, min(first + _BATCH, count))
            ]
            await database.write(functools.partial(_store, made=made))
    finally:
        await database.close()


def _projects(tx: Transaction, names: Sequence[str], now_ms: int) -> None:
    for name in names:
        projects.project_insert(tx, Project(name=name, team=f"{name}-team", created_at_ms=now_ms))


@functools.cache
def _wish(kind: str, gpus: int, priority: int, colour: str) -> Wish:
    document = {
        "name": "any",
        "project": "any",
        "kind": kind,
        "command": "python3 train.py --epochs 10",
        "resources": {"gpus": gpus, "gpu_type": "NONESUCH"} if gpus else {"cpus": 2},
        "priority": priority,
        "max_runtime": "8h",
        "labels": {"team": colour},
    }
    return check(document, now_ms=0)


def _one(number: int, count: int, names: Sequence[str], now_ms: int, chance: random.Random) -> Made:
    at_ms = now_ms - int((1 - number / count) * _DAYS * 86_400_000) - 60_000
    lives = number >= count * (1 - _LIVING)
    if lives:
        state = WorkloadState.QUEUED if number % 2 else WorkloadState.RUNNING
    else:
        ends = (WorkloadState.SUCCEEDED,) * 7 + (WorkloadState.FAILED,) * 2
        state = chance.choice((*ends, WorkloadState.CANCELLED))
    gpus = chance.choice((1, 1, 2, 4, 8)) if lives else chance.choice((0, 1, 1, 2, 4, 8))
    project = chance.choice(names)
    wish = _wish(
        chance.choice(KINDS),
        gpus,
        chance.choice((10, 25, 40, 50, 50, 75, 90)),
        chance.choice(("blue", "green", "red")),
    )
    wish = replace(wish, name=f"train-{chance.randrange(count)}", project=project)
    document = resolved(wish)
    return Made(
        NewWorkload(
            id=make_id("w", at_ms, number),
            wish=wish,
            team=f"{wish.project}-team",
            owner=chance.choice(OWNERS),
            needs=(),
            needs_open=0,
            submitted=document,
            resolved=document,
        ),
        at_ms,
        state,
        f"far-{number % _NODES:03}",
    )


def _store(tx: Transaction, made: Sequence[Made]) -> None:
    """Insert them as the API does, then bring all of them at once to where they are to be."""
    workloads.workload_insert(tx, [each.new for each in made], made[0].submitted_at_ms)
    table = tables.workloads
    tx.execute(
        sa.update(table)
        .where(table.c.id == sa.bindparam("key"))
        .values({name: sa.bindparam(f"new_{name}") for name in _MOVED}),
        [{"key": each.new.id} | _moved(each) for each in made],
    )
    replica = tables.replicas
    tx.execute(
        sa.update(replica)
        .where(replica.c.workload_id == sa.bindparam("key"))
        .values(state=sa.bindparam("new_state")),
        [{"key": each.new.id, "new_state": _REPLICA[each.state].value} for each in made],
    )
    placed = [_allocation(each) for each in made if each.state is not WorkloadState.QUEUED]
    if placed:
        allocations.allocation_insert(tx, placed, [])
    waiting = [each for each in made if each.state is WorkloadState.QUEUED]
    queue.refusal_update(tx, [(each.new.id, _REFUSAL) for each in waiting], made[0].submitted_at_ms)


_REFUSAL = Refusal(
    WaitReason.IMPOSSIBLE_TYPE,
    "No node has a GPU of type NONESUCH.",
    "Ask for a type that this cluster has.",
    (Evidence("gpu_types", "A100"),),
)
_MOVED = (
    "state", "cause", "message", "submitted_at_ms", "queued_at_ms", "started_at_ms", "ended_at_ms"
)  # fmt: skip
_REPLICA = {
    WorkloadState.QUEUED: ReplicaState.WAITING,
    WorkloadState.RUNNING: ReplicaState.RUNNING,
    **{state: ReplicaState(state.value) for state in WORKLOAD_ENDS},
}
_CAUSES = {
    WorkloadState.QUEUED: (Cause.SUBMITTED, ""),
    WorkloadState.RUNNING: (Cause.STARTED, ""),
    WorkloadState.SUCCEEDED: (Cause.COMPLETED, "Ran for 42 min."),
    WorkloadState.FAILED: (Cause.EXIT_CODE, "It ended with exit code 1."),
    WorkloadState.CANCELLED: (Cause.CANCELLED, "Cancelled by ada."),
}


def _moved(made: Made) -> dict[str, Any]:
    at_ms = made.submitted_at_ms
    cause, message = _CAUSES[made.state]
    started_ms = None if made.state is WorkloadState.QUEUED else at_ms + 40_000
    values = {
        "state": made.state.value,
        "cause": cause.value,
        "message": message,
        "submitted_at_ms": at_ms,
        "queued_at_ms": at_ms,
        "started_at_ms": started_ms,
        "ended_at_ms": at_ms + 50_000 if made.state in WORKLOAD_ENDS else None,
    }
    return {f"new_{name}": values[name] for name in _MOVED}


def _allocation(made: Made) -> dict[str, Any]:
    wish, ended = made.new.wish, made.state in WORKLOAD_ENDS
    return {
        "id": "a" + made.new.id[1:],
        "workload_id": made.new.id,
        "project": wish.project,
        "rank": 0,
        "attempt": 1,
        "node": made.node,
        "state": _REPLICA[made.state].value,
        "cpu_milli": wish.request.cpu_milli,
        "memory_bytes": wish.request.memory_bytes,
        "gpu_milli": wish.request.gpu_milli,
        "created_at_ms": made.submitted_at_ms + 30_000,
        "started_at_ms": made.submitted_at_ms + 40_000,
        "released_at_ms": made.submitted_at_ms + 50_000 if ended else None,
        "cause": _CAUSES[made.state][0].value if ended else None,
        "message": "",
        "runtime_ms": 10_000 if ended else 0,
        "cpu_time_ms": 5_000 if ended else 0,
        "memory_peak_bytes": 0,
        "removed": ended,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_workloads")
    parser.add_argument("home", type=Path, help="an empty folder, made when it is missing")
    parser.add_argument("count", type=int, nargs="?", default=WORKLOADS)
    options = parser.parse_args()
    fill(options.home, options.count, lambda words: print(words, flush=True))
