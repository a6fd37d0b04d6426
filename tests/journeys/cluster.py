"""A cluster as it stands in the middle of a working day, for the console to be looked at: three
racks of machines that no engine runs, and twenty hours of work on them."""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from podium.domain.lifecycle import ReplicaState
from podium.domain.node import Device, Node, NodeState
from podium.domain.reason import Cause
from podium.domain.tenancy import Project, administrator_identity
from podium.scheduling.placing.stranded import Stock
from podium.store import nodes, projects, replicas, samples, tables
from podium.store.database import Database, Transaction
from podium.store.fragmentation import fragmentation_insert
from podium.store.replicas import End
from turned_clock import TurnedClock
from unit.house import House

GIB = 2**30
ENGINE = "far"
MINUTE_MS = 60_000
HOURS = 20
SAYS = {
    Cause.EXIT_CODE: "It ended with exit code 1.",
    Cause.OUT_OF_MEMORY: "It used more than the 240 GiB of memory that it asked for.",
    Cause.MAX_RUNTIME: "It ran for its time limit of 1 h 20 min.",
}
TEAMS = {
    "language-models": "research",
    "speech": "research",
    "vision": "perception",
    "robotics": "perception",
    "platform": "platform",
}


@dataclass(frozen=True)
class Job:
    """Something that was submitted `at` minutes ago. It runs so many minutes, then ends with
    `cause`; None runs or waits still."""

    at: int
    owner: str
    name: str
    project: str
    kind: str
    resources: dict[str, object]
    minutes: int | None = None
    cause: Cause = Cause.COMPLETED
    more: tuple[tuple[str, object], ...] = ()


def _gpus(count: int, gpu_type: str, cpus: int | None = None) -> dict[str, object]:
    return {
        "gpus": count,
        "gpu_type": gpu_type,
        "cpus": cpus or 12 * count,
        "memory": f"{120 * count}GiB",
    }


def _jobs() -> list[Job]:
    h100, a100, l40s = (lambda n, t=t: _gpus(n, t) for t in ("H100", "A100", "L40S"))
    jobs = [
        Job(1180, "chen", "pretrain-7b", "language-models", "training", h100(8),
            more=(("replicas", 4), ("max_runtime", "2d"), ("priority", 75),
                  ("labels", {"run": "42", "model": "7b"}))),
        Job(700, "ada", "finetune-instruct", "language-models", "training", h100(8),
            more=(("replicas", 2), ("max_runtime", "12h"))),
        Job(400, "grace", "clip-large", "vision", "training", h100(8),
            more=(("max_runtime", "10h"), ("labels", {"dataset": "laion"}))),
        Job(350, "eva", "whisper-distil", "speech", "training", h100(4),
            more=(("max_runtime", "8h"),)),
        Job(300, "admin", "reward-model", "language-models", "training", h100(4),
            more=(("max_runtime", "6h"),)),
        Job(900, "hugo", "grasp-policy", "robotics", "training", a100(8),
            more=(("replicas", 2), ("max_runtime", "1d"))),
        Job(260, "femi", "segment-anything", "vision", "training", a100(4)),
        Job(220, "ada", "notebook-ada", "language-models", "workspace", a100(1)),
        Job(215, "juan", "notebook-juan", "robotics", "workspace",
            {"gpus": 0.5, "gpu_type": "A100", "cpus": 6, "memory": "40GiB"}),
        Job(500, "dana", "chat-endpoint", "language-models", "service", l40s(2),
            more=(("replicas", 2),)),
        Job(130, "eva", "eval-librispeech", "speech", "evaluation", l40s(1)),
        Job(1150, "ines", "tokenise-shards", "platform", "batch",
            {"cpus": 30, "memory": "64GiB"}, 95),
        Job(1000, "chen", "eval-mmlu-4200", "language-models", "evaluation", l40s(1), 22),
        Job(980, "grace", "augment-coco", "vision", "batch", {"cpus": 16, "memory": "32GiB"}, 48),
        Job(760, "eva", "vad-baseline", "speech", "training", a100(2), 175),
        Job(610, "juan", "sim-rollouts", "robotics", "batch", a100(1), 130,
            more=(("array", 4),)),
        Job(420, "ada", "sft-ablation-lr", "language-models", "training", a100(2),
            61, Cause.EXIT_CODE),
        Job(330, "femi", "detector-fp8", "vision", "training", a100(2), 12, Cause.OUT_OF_MEMORY),
        Job(240, "hugo", "domain-random", "robotics", "batch", a100(1), 80, Cause.MAX_RUNTIME),
        Job(180, "admin", "eval-reward-v2", "language-models", "evaluation", l40s(1), 35),
        Job(150, "admin", "tokenizer-stats", "language-models", "batch", l40s(1),
            7, Cause.EXIT_CODE),
        Job(100, "ines", "nightly-backup", "platform", "batch", {"cpus": 4, "memory": "8GiB"}, 9),
        Job(185, "chen", "pretrain-13b", "language-models", "training", h100(8),
            more=(("replicas", 4), ("priority", 75))),
        Job(95, "grace", "clip-huge", "vision", "training", h100(8), more=(("replicas", 2),)),
        Job(80, "admin", "dpo-round-3", "language-models", "training", h100(8)),
        Job(75, "eva", "asr-multilingual", "speech", "training", h100(4)),
        Job(60, "femi", "depth-sweep", "vision", "batch", h100(1),
            more=(("array", 12), ("priority", 25))),
        Job(45, "juan", "blackwell-bench", "robotics", "evaluation", _gpus(1, "B200")),
        Job(30, "ada", "dpo-eval", "language-models", "evaluation", h100(1)),
        # What room is left by CPUs, so that nothing more is ever placed on these machines.
        *(Job(120, "ines", f"etl-{name}", "platform", "batch", {"cpus": cpus, "memory": "16GiB"})
          for name, cpus in (("clicks", 30), ("sensors", 24), ("captions", 12), ("audio", 12))),
    ]  # fmt: skip
    return sorted(jobs, key=lambda job: -job.at)


def _node(name: str, count: int, gpu_type: str, memory_gib: int, block: str, rack: str) -> Node:
    models = {
        "H100": "NVIDIA H100 80GB HBM3",
        "A100": "NVIDIA A100-SXM4-80GB",
        "L40S": "NVIDIA L40S",
    }
    return Node(
        name=name,
        engine=ENGINE,
        state=NodeState.READY,
        address=f"10.4.{ord(block[-1]) - 96}.{int(name[-2:])}",
        cpu_milli=12_000 * count,
        memory_bytes=1024 * GIB,
        labels=(("os", "linux"), ("zone", "north")),
        block=block,
        rack=rack,
        devices=tuple(
            Device(
                id=f"{name}-gpu{index}",
                node=name,
                index=index,
                uuid=f"GPU-{name}-{index}",
                type=gpu_type,
                model=models[gpu_type],
                memory_bytes=memory_gib * GIB,
                healthy=not (name == "amp-04" and index == 6),
            )
            for index in range(count)
        ),
    )


MACHINES = (
    *(_node(f"hop-{n:02}", 8, "H100", 80, "hall-a", f"rack-a{1 + (n > 4)}") for n in range(1, 9)),
    *(_node(f"amp-{n:02}", 8, "A100", 80, "hall-b", "rack-b1") for n in range(1, 5)),
    *(_node(f"ada-{n:02}", 4, "L40S", 48, "hall-b", "rack-b2") for n in range(1, 4)),
)
LOST, CORDONED = "ada-03", "amp-04"


def cluster_fill(home: Path) -> None:
    """Writes the day into an empty home, before a server runs in it."""
    home.mkdir(parents=True, exist_ok=True)
    # On a thread of its own: a browser's loop may run on this one.
    _apart(lambda: asyncio.run(_fill(home)))


async def _fill(home: Path) -> None:
    now_ms = time.time_ns() // 1_000_000
    clock = TurnedClock(now_ms - HOURS * 60 * MINUTE_MS)
    database = Database(f"sqlite:///{home / 'podium.db'}", clock=clock)
    await database.open()
    house = House(database, clock, home)
    try:
        await house.write(_furnish)
        due: list[tuple[int, str, Job]] = []
        for job in _jobs():
            await _live_until(house, now_ms - job.at * MINUTE_MS, due)
            who = administrator_identity(job.owner, "t-1")
            document = {
                "name": job.name, "project": job.project, "kind": job.kind,
                "command": "python train.py", "resources": job.resources, **dict(job.more),
            }  # fmt: skip
            made = await house.submit(document, who=who)
            clock.advance(1500)
            await house.cycle()
            placed = await house.held_ids(made, ReplicaState.SCHEDULED)
            clock.advance(4000)
            await house.launch(placed)
            clock.advance(9000)
            await house.run(placed)
            if job.minutes is not None:
                due.append((now_ms - (job.at - job.minutes) * MINUTE_MS, made, job))
                due.sort(key=lambda each: each[0])
        await _live_until(house, now_ms - 5_000, due)
        await house.write(_measures)
    finally:
        await database.close()


async def _live_until(house: House, at_ms: int, due: list[tuple[int, str, Job]]) -> None:
    """Turns the clock, and on the way ends what ends until then."""
    while due and due[0][0] <= at_ms:
        end_ms, workload_id, job = due.pop(0)
        house.clock.advance(max(0, end_ms - house.now_ms))
        ids = await house.held_ids(workload_id)
        ends = [
            End(
                allocation_id=each,
                cause=job.cause,
                message=SAYS.get(job.cause, ""),
                exit_code=1 if job.cause is Cause.EXIT_CODE else None,
                runtime_ms=(job.minutes or 0) * MINUTE_MS,
                cpu_time_ms=(job.minutes or 0) * MINUTE_MS * 9,
                memory_peak_bytes=61 * GIB,
            )
            for each in ids
        ]
        await house.write(partial(_end, ends))
    house.clock.advance(max(0, at_ms - house.now_ms))


def _end(ends: list[End], tx: Transaction, now_ms: int) -> None:
    replicas.replicas_ended(tx, ends, now_ms)


def _furnish(tx: Transaction, now_ms: int) -> None:
    for name, team in TEAMS.items():
        projects.project_insert(tx, Project(name=name, team=team, created_at_ms=now_ms))
    nodes.node_report(tx, ENGINE, MACHINES, now_ms)


def _measures(tx: Transaction, now_ms: int) -> None:
    """A day of the whole cluster's use, and some hours of each running replica's."""
    devices_milli = sum(len(each.devices) for each in MACHINES) * 1000
    for minute in range(24 * 60, 0, -5):
        share = 0.62 + 0.2 * math.sin(minute / 190) + 0.06 * math.sin(minute / 31)
        held = int(devices_milli * min(1.0, share + 0.12))
        samples.capacity_insert(
            tx,
            now_ms - minute * MINUTE_MS,
            5 * MINUTE_MS,
            samples.Capacity(
                devices_milli=devices_milli,
                held_milli=held,
                busy_milli=int(held * (0.78 + 0.1 * math.sin(minute / 47))),
                wanted_milli=int(60_000 * max(0.0, math.sin(minute / 220 + 1.5))),
            ),
        )
    free = {"H100": 14_000, "A100": 9_000, "L40S": 6_000}
    for minute in range(24 * 60, 0, -5):
        part = 0.4 + 0.3 * math.sin(minute / 190 + 2) + 0.05 * math.sin(minute / 29)
        found = [
            Stock(
                gpu_type=gpu_type,
                pool="",
                free_milli=int(milli * part),
                stranded_milli=int(milli * part * (0.3 + 0.2 * math.sin(minute / 97 + milli))),
                split_milli=int(milli * part * 0.3),
            )
            for gpu_type, milli in free.items()
        ]
        fragmentation_insert(tx, now_ms - minute * MINUTE_MS, 5 * MINUTE_MS, found)
    table = tables.allocations
    for row in tx.execute(sa.select(table).where(table.c.released_at_ms.is_(None))).mappings():
        for minute in range(min(240, (now_ms - row["created_at_ms"]) // MINUTE_MS), 0, -1):
            wave = math.sin(minute / 17 + row["rank"])
            values = {
                "allocation_id": row["id"],
                "span_ms": MINUTE_MS,
                "cpu_milli": int(row["cpu_milli"] * (0.5 + 0.12 * wave)),
                "memory_bytes": int(row["memory_bytes"] * (0.6 + 0.03 * wave)),
                "gpu_busy_milli": int(row["gpu_milli"] * (0.86 + 0.1 * wave)),
                "gpu_memory_bytes": int(row["gpu_milli"] * 70e6),
            }
            tx.execute(
                sa.insert(tables.allocation_samples),
                {"at_ms": now_ms - minute * MINUTE_MS, **values},
            )


@contextlib.contextmanager
def cluster_reported(home: Path) -> Iterator[None]:
    """While it lasts, the machines are heard of every few seconds, as from their engines."""
    over = threading.Event()
    engine = sa.create_engine(f"sqlite:///{home / 'podium.db'}", connect_args={"timeout": 20})

    def report() -> None:
        busy = [each for each in MACHINES if each.name != LOST]
        turn = 0
        while True:
            now_ms = time.time_ns() // 1_000_000
            with engine.begin() as tx:
                nodes.node_report(tx, ENGINE, busy, now_ms)
                if turn == 0:
                    nodes.node_cordon(tx, CORDONED, cordoned=True)
                if turn % 2 == 0:
                    _devices_measured(tx, now_ms, turn)
            turn += 1
            if over.wait(5):
                return

    thread = threading.Thread(target=report, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(30)
        engine.dispose()


def _devices_measured(tx: Transaction, now_ms: int, turn: int) -> None:
    part, held = tables.allocation_devices, tables.allocations
    used = dict(
        tx.execute(
            sa.select(part.c.device_id, sa.func.sum(part.c.gpu_milli))
            .join(held, held.c.id == part.c.allocation_id)
            .where(held.c.released_at_ms.is_(None))
            .group_by(part.c.device_id)
        ).all()
    )
    values: list[dict[str, Any]] = []
    for number, device in enumerate(d for m in MACHINES if m.name != LOST for d in m.devices):
        share = used.get(device.id, 0) / 1000
        # A few hold a GPU and do nothing with it.
        work = 0.0 if number % 13 == 5 else 0.72 + 0.25 * math.sin(number + turn / 20)
        values.append(
            {
                "device_id": device.id,
                "span_ms": 10_000,
                "busy_milli": int(1000 * share * work),
                "memory_bytes": int(device.memory_bytes * share * 0.83),
                "power_milliwatts": int(75_000 + 540_000 * share * work),
                "temperature_celsius": int(34 + 33 * share * work),
            }
        )
    samples.samples_insert(
        tx, now_ms, nodes=[each.name for each in MACHINES], allocations=[], devices=values
    )


def _apart(function: Callable[[], None]) -> None:
    failed: list[BaseException] = []

    def run() -> None:
        try:
            function()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
