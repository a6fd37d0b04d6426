"""How long `explain`, dry runs and what-if take through the API, on a full cluster of 5,000 nodes
with 100,000 waiting. The store is real; no engine runs, as nothing starts or ends meanwhile."""

from __future__ import annotations

import asyncio
import functools
import random
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from benchmarks.figure import Figure, Say, quantile
from podium.api.app import make_app
from podium.api.board import Board
from podium.api.context import Context
from podium.api.feed import Feed
from podium.api.log_tail import LogTails
from podium.api.node_news import NodeNews
from podium.api.streams import Streams
from podium.control.foresight import Foresight
from podium.control.schedule import SEED, Sight
from podium.domain.identity import make_id
from podium.domain.lifecycle import ReplicaState, WorkloadState
from podium.domain.node import Node
from podium.domain.tenancy import Project, User, administrator_identity
from podium.domain.workload import Wish
from podium.intake.office import Office
from podium.intake.sign_in import SignIn
from podium.scheduling.decide import decide
from podium.simulation.machines import GIB, made_node, numbered
from podium.spec.workload import check, resolved
from podium.store import allocations, nodes, projects, tables, users, workloads
from podium.store.database import Database, Transaction
from podium.store.hints import Hints
from podium.store.ids import IdSource
from podium.store.picture import Picture
from podium.store.sealing import Sealer
from podium.store.workloads import NewWorkload

NODES, WAITING, ASKED = 5_000, 100_000, 40
_BATCH = 5_000
_PROJECTS = tuple(f"project-{number:02}" for number in range(20))
_HOUR_MS = 3_600_000


def measure(say: Say) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(measured(Path(folder), say, NODES, WAITING, ASKED))


async def measured(home: Path, say: Say, node_count: int, waiting: int, asked: int) -> list[Figure]:
    database = Database(f"sqlite:///{home / 'podium.db'}")
    await database.open()
    try:
        say(f"storing {node_count} nodes and {waiting} workloads")
        ids = await _fill(database, node_count, waiting)
        picture, turn = Picture(), threading.Lock()
        seen: list[Sight] = []

        def cycle(tx: Transaction) -> None:
            now_ms = database.now_ms()
            snapshot = picture.look(tx, now_ms)
            plan = decide(snapshot, now_ms, SEED)
            seen[:] = [Sight(snapshot, plan, now_ms, picture.learnt)]

        say("one cycle of the scheduler")
        await database.read(cycle)
        foresight = Foresight(database, lambda: seen[0], turn)
        async with await _client(database, home, foresight) as client:
            return await _ask(client, ids, seen[0].snapshot.nodes[7].name, asked, say)
    finally:
        await database.close()


async def _ask(
    client: httpx.AsyncClient, ids: Sequence[str], node: str, asked: int, say: Say
) -> list[Figure]:
    chance = random.Random(5)
    some = [ids[0], ids[-1], *chance.sample(list(ids), asked)]
    say("asking why")
    explained = [await _timed(client, "GET", f"/workloads/{each}/explain") for each in some]
    say("dry runs")
    tried = [
        await _timed(client, "POST", "/workloads/dry-run", _document(chance, f"new-{number}"))
        for number in range(asked // 2)
    ]
    say("what if")
    change = {"changes": [{"change": "drain", "node": node}]}
    differences = [await _timed(client, "POST", "/what-if", change) for _ in range(2)]
    words = f"{WAITING // 1000:,},000 waiting on {NODES:,} nodes"
    return [
        Figure(name=f"explain, median, {words}", value=quantile(explained, 0.5), unit="ms"),
        Figure(name="explain, slowest", value=max(explained), unit="ms", goal=200),
        Figure(name="dry run, median", value=quantile(tried, 0.5), unit="ms"),
        Figure(name="dry run, slowest", value=max(tried), unit="ms"),
        Figure(name="what-if, slowest", value=max(differences), unit="ms"),
    ]


async def _timed(client: httpx.AsyncClient, method: str, path: str, body: object = None) -> float:
    begun = time.perf_counter()
    answer = await client.request(method, f"/api/v1{path}", json=body, timeout=60)
    took_ms = (time.perf_counter() - begun) * 1000
    assert answer.status_code == 200, answer.text
    return took_ms


async def _client(database: Database, home: Path, foresight: Foresight) -> httpx.AsyncClient:
    office = Office(
        database=database,
        hints=Hints(),
        ids=IdSource(database.clock),
        sealer=Sealer(home / "secret.key"),
        uploads_path=home / "uploads",
    )
    sign_in = SignIn(office)
    context = Context(
        office=office,
        sign_in=sign_in,
        engines={},
        feed=Feed(database, office.hints),
        board=Board(database, office.hints),
        node_news=NodeNews(database, office.hints),
        log_tails=LogTails(),
        loops=(),
        streams=Streams(),
        foresight=foresight,
        about={},
    )
    root = administrator_identity("root")
    _, secret = await sign_in.make_token(root, "bench", 1)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=make_app(context)),
        base_url="http://bench",
        headers={"Authorization": f"Bearer {secret}"},
    )


async def _fill(database: Database, node_count: int, waiting: int) -> list[str]:
    """The ids of what waits."""
    now_ms = database.now_ms()
    machines = [
        made_node(
            name,
            gpus=8,
            gpu_type="H100" if number % 10 < 7 else "A100",
            cpu_milli=128_000,
            memory_bytes=1024 * GIB,
            block=f"b{number // 256}",
            rack=f"r{number // 16 % 16}",
        )
        for number, name in enumerate(numbered("n", node_count))
    ]
    await database.write(functools.partial(_furnish, machines=machines, now_ms=now_ms))
    chance = random.Random(3)
    made = [_new(chance, number, now_ms, None) for number in range(waiting)]
    for first in range(0, waiting, _BATCH):
        batch = made[first : first + _BATCH]
        await database.write(functools.partial(workloads.workload_insert, new=batch, now_ms=now_ms))
    for first in range(0, node_count, _BATCH):
        some = machines[first : first + _BATCH]
        await database.write(
            functools.partial(_occupy, machines=some, first=waiting + first, now_ms=now_ms)
        )
    return [each.id for each in made]


def _furnish(tx: Transaction, machines: Sequence[Node], now_ms: int) -> None:
    for name in _PROJECTS:
        projects.project_insert(tx, Project(name=name, team=f"t-{name}", created_at_ms=now_ms))
    user = User(username="root", created_at_ms=now_ms)
    users.user_insert(tx, user, "no-hash")
    nodes.node_report(tx, "bench", machines, now_ms)


def _document(chance: random.Random, name: str, gpus: int | None = None) -> dict[str, object]:
    resources: dict[str, object] = {"gpus": gpus or chance.choice((0.5, 1, 1, 2, 4, 8))}
    if chance.random() < 0.5:
        resources["gpu_type"] = chance.choice(("H100", "A100"))
    return {
        "name": name,
        "project": chance.choice(_PROJECTS),
        "command": "true",
        "kind": "training",
        "resources": resources,
        "priority": chance.choice((25, 50, 50, 75)),
        "max_runtime": chance.choice(("2h", "8h", "1d", "3d")),
    }


def _new(chance: random.Random, number: int, now_ms: int, gpus: int | None) -> NewWorkload:
    wish: Wish = check(_document(chance, f"w-{number}", gpus), now_ms=now_ms)
    document = resolved(wish)
    return NewWorkload(
        id=make_id("w", now_ms - 1000, number),
        wish=wish,
        team=f"t-{wish.project}",
        owner="root",
        needs=(),
        needs_open=0,
        submitted=document,
        resolved=document,
    )


def _occupy(tx: Transaction, machines: Sequence[Node], first: int, now_ms: int) -> None:
    """A workload of 8 GPUs runs on each."""
    chance = random.Random(first)
    made = [_new(chance, first + at, now_ms, 8) for at in range(len(machines))]
    made = [
        replace(
            each,
            wish=replace(
                each.wish,
                request=replace(each.wish.request, gpu_types=()),
                # As in the shape `deep-queue`: whom to stop for whom is another question.
                preemptible=False,
            ),
        )
        for each in made
    ]
    workloads.workload_insert(tx, made, now_ms)
    keys = [each.id for each in made]
    for at in range(0, len(keys), 500):
        some = keys[at : at + 500]
        table, replica = tables.workloads, tables.replicas
        tx.execute(
            sa.update(table)
            .where(table.c.id.in_(some))
            .values(state=WorkloadState.RUNNING.value, started_at_ms=now_ms - 1000)
        )
        tx.execute(
            sa.update(replica)
            .where(replica.c.workload_id.in_(some))
            .values(state=ReplicaState.RUNNING.value)
        )
    rows: list[dict[str, Any]] = []
    shares: list[dict[str, Any]] = []
    for node, each in zip(machines, made, strict=True):
        request = each.wish.request
        rows.append(
            {
                "id": f"a{each.id[1:]}",
                "workload_id": each.id,
                "project": each.wish.project,
                "rank": 0,
                "attempt": 1,
                "node": node.name,
                "state": ReplicaState.RUNNING.value,
                "cpu_milli": request.cpu_milli,
                "memory_bytes": request.memory_bytes,
                "gpu_milli": request.gpu_milli,
                "created_at_ms": now_ms - 1000,
                "started_at_ms": now_ms - chance.randrange(_HOUR_MS),
                "message": "",
                "runtime_ms": 0,
                "cpu_time_ms": 0,
                "memory_peak_bytes": 0,
                "removed": False,
            }
        )
        shares += [
            {
                "allocation_id": f"a{each.id[1:]}",
                "device_id": device.id,
                "gpu_milli": 1000,
                "memory_bytes": device.memory_bytes,
            }
            for device in node.devices
        ]
    allocations.allocation_insert(tx, rows, shares)
