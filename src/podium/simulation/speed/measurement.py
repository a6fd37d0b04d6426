"""Times `decide` on one shape, in a process of its own; `podium bench scheduler` calls it."""

from __future__ import annotations

import gc
import math
import multiprocessing
import resource
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from podium.scheduling.decide import decide
from podium.scheduling.evolution import evolved
from podium.scheduling.plan import Placement, Plan
from podium.scheduling.snapshot import Demand, Snapshot
from podium.scheduling.verify import verify
from podium.scheduling.view import view_of
from podium.simulation.holds import hold_of
from podium.simulation.speed.mixture import NOW_MS
from podium.simulation.speed.shapes import SHAPES, Shape

SEED = 0
_CYCLE_MS = 1000
_MEGABYTE = 10**6


@dataclass(frozen=True, slots=True)
class CycleTimes:
    """Of all timed cycles, in milliseconds."""

    median: float
    p99: float
    total: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """`placed`, `preempted` (replicas), `refused` (workloads) and `plan_digest` are those of the
    first timed cycle. `memory_mb` is by how much the process grew at its largest, with the
    snapshot in it. `lacks` says what the plan should hold and does not; `met` is None where the
    shape was made smaller, and else whether the goal is met and nothing lacks."""

    shape: str
    placements_per_second: float
    cycle_ms: CycleTimes
    memory_mb: float
    plan_digest: str
    placed: int
    preempted: int
    refused: int
    repeat: int
    scale: float
    goal: dict[str, float]
    lacks: str
    met: bool | None


def measured_apart(name: str, *, repeat: int, scale: float = 1.0) -> Measured:
    """`measured` in a fresh process, so that neither memory nor caches of another shape count."""
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=spawning) as process:
        return process.submit(measured, name, repeat=repeat, scale=scale).result()


def measured(name: str, *, repeat: int, scale: float = 1.0) -> Measured:
    """Raises KeyError for a shape that there is not."""
    shape = SHAPES[name]
    before = _resident_bytes()
    cycles = _one_after_another(shape, repeat, scale) if shape.one_ends else []
    while len(cycles) < repeat:
        cycles.append(_fresh(shape, scale))
    first = cycles[0]
    assert shape.one_ends or all(cycle.digest == first.digest for cycle in cycles), "not pure"
    seconds = [cycle.seconds for cycle in cycles]
    placed = sum(cycle.placed for cycle in cycles)
    times = CycleTimes(
        median=round(quantile(seconds, 0.5) * 1000, 3),
        p99=round(quantile(seconds, 0.99) * 1000, 3),
        total=round(sum(seconds) * 1000, 3),
    )
    rate = round(placed / max(sum(seconds), 1e-9), 1)
    lacks = next((cycle.lacks for cycle in cycles if cycle.lacks), "")
    return Measured(
        shape=name,
        placements_per_second=rate,
        cycle_ms=times,
        memory_mb=round(max(0, _largest_bytes() - before) / _MEGABYTE, 1),
        plan_digest=first.digest,
        placed=first.placed,
        preempted=first.preempted,
        refused=first.refused,
        repeat=repeat,
        scale=scale,
        goal={key: value for key, value in asdict(shape.goal).items() if value is not None},
        lacks=lacks,
        met=None if scale != 1 else not lacks and _reached(shape, rate, times),
    )


def changed(snapshot: Snapshot, ended: str, placements: Sequence[Placement]) -> Snapshot:
    """The snapshot after the allocation `ended` has ended and `placements` have started."""
    waiting = view_of(snapshot).demands
    started: dict[str, set[int]] = {}
    for placement in placements:
        started.setdefault(placement.workload_id, set()).add(placement.rank)
    rest = [_rest(waiting[name], ranks) for name, ranks in started.items()]
    return evolved(
        snapshot,
        released=(ended,),
        held=[
            hold_of(placement, waiting[placement.workload_id], NOW_MS) for placement in placements
        ],
        left=tuple(started),
        waiting=[demand for demand in rest if demand is not None],
    )


@dataclass(frozen=True, slots=True)
class _Cycle:
    seconds: float
    placed: int
    preempted: int
    refused: int
    digest: str
    lacks: str


def _fresh(shape: Shape, scale: float) -> _Cycle:
    snapshot = shape.build(scale)
    gc.collect()
    began = time.perf_counter()
    plan = decide(snapshot, NOW_MS, SEED)
    seconds = time.perf_counter() - began
    return _cycle(shape, snapshot, plan, seconds)


def _one_after_another(shape: Shape, repeat: int, scale: float) -> list[_Cycle]:
    """The time is that of making the next snapshot from the last and deciding it."""
    snapshot = shape.build(scale)
    step = max(1, len(snapshot.holds) // (repeat + 1))
    ending = [hold.allocation_id for hold in snapshot.holds[step // 2 :: step]]
    plan = decide(snapshot, NOW_MS, SEED)
    cycles = []
    for number, ended in enumerate(ending[:repeat], start=1):
        placements = plan.placements
        gc.collect()
        began = time.perf_counter()
        snapshot = changed(snapshot, ended, placements)
        plan = decide(snapshot, NOW_MS + number * _CYCLE_MS, SEED)
        seconds = time.perf_counter() - began
        cycles.append(_cycle(shape, snapshot, plan, seconds))
    return cycles


def _cycle(shape: Shape, snapshot: Snapshot, plan: Plan, seconds: float) -> _Cycle:
    rejected = verify(snapshot, plan).rejected
    return _Cycle(
        seconds=seconds,
        placed=len(plan.placements),
        preempted=sum(len(one.ranks) for one in plan.preemptions),
        refused=sum(len(one.workload_ids) for one in plan.refusals),
        digest=plan.digest(),
        lacks=f"verify rejects: {rejected[0][1]}" if rejected else shape.lacks(snapshot, plan),
    )


def _reached(shape: Shape, rate: float, times: CycleTimes) -> bool:
    goal = shape.goal
    if goal.placements_per_second is not None:
        return rate >= goal.placements_per_second
    return goal.cycle_ms is None or times.median <= goal.cycle_ms


def _rest(demand: Demand, started: set[int]) -> Demand | None:
    pending = tuple(rank for rank in demand.pending_ranks if rank not in started)
    if not pending:
        return None
    return replace(demand, pending_ranks=pending, minimum=max(1, demand.minimum - len(started)))


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of `values` do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _resident_bytes() -> int:
    return _status_bytes("VmRSS") or _largest_bytes()


def _largest_bytes() -> int:
    """Linux counts for this program alone in /proc; getrusage may count its parent's, too."""
    unit = 1 if sys.platform == "darwin" else 1024
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return _status_bytes("VmHWM") or own


def _status_bytes(field: str) -> int | None:
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    for line in status.read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    return None
