"""The mixed work of a large organisation, drawn by a fixed seed; `shapes` asks for it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from podium.domain.resources import ANYWHERE, Request, Topology, TopologyLevel
from podium.domain.workload import Kind
from podium.scheduling.snapshot import Demand, Expected, Share
from podium.simulation.machines import GIB, numbered

NOW_MS = 1_800_000_000_000
HOUR_MS = 3_600_000

TEAMS = 4

_SHARES_MILLI = (*(100,) * 7, *(200,) * 5, *(250,) * 3, 300, *(500,) * 4)
_GANG_GPUS = (8, 16, 32, 64, 128, 256)
_WHOLE_GPUS = (1, 2, 4, 8)
_PER_GPU = ((4000, 32 * GIB), (8000, 64 * GIB), (12_000, 96 * GIB))  # CPU and memory
_PER_SHARE = ((1000, 4 * GIB), (2000, 8 * GIB), (4000, 16 * GIB))
_TYPES = ((), (), (), (), (), (), ("H100",), ("H100",), ("H100",), ("A100",))
_PRIORITIES = (25, 50, 50, 50, 50, 50, 50, 50, 50, 75)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One job before it has a name: what each of its replicas needs, and how many there are."""

    request: Request
    replicas: int
    topology: Topology = ANYWHERE


def projects() -> list[str]:
    return [f"{team}-{word}" for team in _teams() for word in ("dev", "eval", "train")]


def share_tree(gpus: int) -> tuple[Share, ...]:
    """Below the organisation teams of growing weight, guaranteed half of `gpus` between them, and
    their projects."""
    shares = [Share(name="organisation")]
    for number, team in enumerate(_teams(), start=1):
        shares.append(
            Share(
                name=team,
                parent="organisation",
                weight=number,
                guarantees=(("", gpus // (2 * TEAMS) * 1000),),
            )
        )
        shares += [
            Share(name=project, parent=team, project=project)
            for project in projects()
            if project.startswith(f"{team}-")
        ]
    return tuple(shares)


def mixed(jobs: int, seed: int) -> list[Wanted]:
    """`jobs` jobs that ask for about one GPU each on average, in random order.

    About two thirds take a share of a GPU, the others 1, 2, 4 or 8 GPUs; one in a hundred is a
    gang of 8 to 256 GPUs in replicas of 1, 4 or 8.
    """
    draw = random.Random(seed)  # noqa: S311 - work to try, no secret
    wanted = [_gang(draw, gpus, at) for at, gpus in enumerate(_gangs(jobs))]
    for gpus, of_thousand in zip(_WHOLE_GPUS, (225, 64, 32, 16), strict=True):
        wanted += [
            Wanted(_request(draw, gpus * 1000), 1) for _ in range(jobs * of_thousand // 1000)
        ]
    while len(wanted) < jobs:
        wanted.append(Wanted(_request(draw, draw.choice(_SHARES_MILLI)), 1))
    draw.shuffle(wanted)
    return wanted


def waiting(wanted: list[Wanted], seed: int) -> list[Demand]:
    """Demands of the projects by turns of chance, submitted one a second until now."""
    draw = random.Random(seed)  # noqa: S311 - work to try, no secret
    owners = projects()
    names = numbered("w", len(wanted))
    return [
        Demand(
            workload_id=name,
            project=draw.choice(owners),
            kind=Kind.TRAINING,
            priority=draw.choice(_PRIORITIES),
            queued_at_ms=NOW_MS - (len(wanted) - at) * 1000,
            request=one.request,
            pending_ranks=tuple(range(one.replicas)),
            minimum=one.replicas,
            topology=one.topology,
            expected=expectation(draw),
        )
        for at, (name, one) in enumerate(zip(names, wanted, strict=True))
    ]


def expectation(draw: random.Random) -> Expected:
    """One to twelve hours, and at most three times as long."""
    likely_ms = draw.randint(1, 12) * HOUR_MS
    return Expected(likely_ms, 3 * likely_ms)


def _teams() -> list[str]:
    return numbered("team", TEAMS)


def _gangs(jobs: int) -> Iterator[int]:
    """Each size takes about as many GPUs as every other, all together a quarter of `jobs`."""
    for gpus in _GANG_GPUS:
        for _ in range(jobs // (26 * gpus)):
            yield gpus


def _gang(draw: random.Random, gpus: int, at: int) -> Wanted:
    size = (8, 4, 1)[at % 3]
    prefer = Topology(prefer=TopologyLevel.BLOCK)
    return Wanted(_request(draw, size * 1000), gpus // size, prefer)


def _request(draw: random.Random, gpu_milli: int) -> Request:
    whole = gpu_milli // 1000
    cpu_milli, memory_bytes = draw.choice(_PER_GPU if whole else _PER_SHARE)
    times = max(1, whole)
    return Request(
        cpu_milli=cpu_milli * times,
        memory_bytes=memory_bytes * times,
        gpu_milli=gpu_milli,
        gpu_types=draw.choice(_TYPES),
    )
