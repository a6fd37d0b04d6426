"""Runs a model on virtual time through `decide`; `podium bench admission` measures with it.

A cycle follows whatever arrived or ended, at least `interval_ms` after the last one. Only the
making of the snapshot and the decision count as computing.
"""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from podium.domain.quantity import GPU_MILLI
from podium.scheduling.decide import decide
from podium.scheduling.evolution import evolved
from podium.scheduling.plan import Placement, Plan, Preemption
from podium.scheduling.snapshot import Demand, Hold, Snapshot
from podium.simulation.admission.model import Model
from podium.simulation.holds import hold_of

_IDLE_CYCLES_MAX = 100
"""After so many in which nothing moved, what still waits will wait for ever."""

Decide = Callable[[Snapshot, int, int], Plan]
Tell = Callable[[int, int], None]
"""Told how many workloads have been admitted, of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Waits are from arrival to the first admission, by class in order of the model; `used_share`
    is the part of the nominal quotas that was in use from the first arrival to the last end.
    `over` says which capacity or limit was exceeded first, or ""."""

    waits_ms: dict[str, list[int]]
    workloads: int
    admitted: int
    evictions: int
    cycles: int
    computing_seconds: float
    wall_seconds: float
    makespan_ms: int
    used_share: float
    over: str


@dataclass(slots=True)
class _Changes:
    """What happened since the last snapshot: allocations released, workloads started and no
    longer waiting, demands that wait."""

    released: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    waiting: list[Demand] = field(default_factory=list)


class Admission:
    """One run. With `charged`, a cycle takes as much virtual time as it computed: placements
    start at its end, as in a server, and the figures then depend on the machine. `policy` may be
    another of the shape of `decide`."""

    def __init__(
        self,
        model: Model,
        *,
        interval_ms: int = 10,
        charged: bool = False,
        seed: int = 0,
        policy: Decide = decide,
    ) -> None:
        self._model = model
        self._interval_ms = max(1, interval_ms)
        self._charged = charged
        self._seed = seed
        self._policy = policy
        self._arrivals = {one.demand.workload_id: one for one in model.arrivals}
        self._last = Snapshot(
            nodes=model.nodes, holds=(), demands=(), shares=model.shares, policy=model.policy
        )
        self._changes = _Changes()
        self._waits_for: set[str] = set()
        self._holds: dict[str, list[Hold]] = {}
        self._attempts: dict[str, int] = {}
        self._ends: list[tuple[int, str, int]] = []  # time, workload, attempt
        self._waits: dict[str, list[int]] = {one.class_name: [] for one in model.arrivals}
        self._ledger = _Ledger(model)
        self._seconds = 0.0
        self._cycles = 0
        self._evictions = 0
        self._used_milli_ms = 0
        self._last_ms = 0

    def run(self, tell: Tell) -> Outcome:
        began = time.perf_counter()
        arrivals, came, earliest_ms = self._model.arrivals, 0, 0
        wake_ms: int | None = None
        idle = 0
        while came < len(arrivals) or self._ends or wake_ms is not None:
            times = [self._ends[0][0]] if self._ends else []
            times += [arrivals[came].at_ms] if came < len(arrivals) else []
            times += [wake_ms] if wake_ms is not None else []
            now_ms = max(min(times), earliest_ms)
            while came < len(arrivals) and arrivals[came].at_ms <= now_ms:
                self._wait(arrivals[came].demand)
                came += 1
            while self._ends and self._ends[0][0] <= now_ms:
                self._end(*heapq.heappop(self._ends))
            plan, lasted_ms = self._cycle(now_ms)
            earliest_ms = now_ms + max(self._interval_ms, lasted_ms)
            wake_ms = earliest_ms if plan.preemptions else plan.next_wake_ms
            moving = plan.placements or plan.preemptions or self._ends or came < len(arrivals)
            idle = 0 if moving else idle + 1
            if idle > _IDLE_CYCLES_MAX or not (plan.preemptions or self._waits_for):
                wake_ms = None
            tell(len(self._attempts), len(arrivals))
        span_ms = max(1, self._last_ms - arrivals[0].at_ms)
        return Outcome(
            waits_ms=self._waits,
            workloads=len(arrivals),
            admitted=len(self._attempts),
            evictions=self._evictions,
            cycles=self._cycles,
            computing_seconds=self._seconds,
            wall_seconds=time.perf_counter() - began,
            makespan_ms=self._last_ms,
            used_share=self._used_milli_ms / (self._model.quota_milli * span_ms),
            over=self._ledger.over,
        )

    def _cycle(self, now_ms: int) -> tuple[Plan, int]:
        before = time.process_time()
        plan = self._policy(self._snapshot(), now_ms, self._seed)
        seconds = time.process_time() - before
        self._seconds += seconds
        self._cycles += 1
        lasted_ms = math.ceil(seconds * 1000) if self._charged else 0
        for preemption in plan.preemptions:
            self._evict(preemption, now_ms)
        self._start(plan.placements, now_ms + lasted_ms)
        return plan, lasted_ms

    def _snapshot(self) -> Snapshot:
        """The one place where the next snapshot is made from what changed."""
        changes, self._changes = self._changes, _Changes()
        self._last = evolved(
            self._last,
            released=changes.released,
            held=[hold for name in changes.left for hold in self._holds.get(name, ())],
            left=changes.left,
            waiting=changes.waiting,
        )
        return self._last

    def _wait(self, demand: Demand) -> None:
        self._waits_for.add(demand.workload_id)
        self._changes.waiting.append(demand)

    def _start(self, placements: tuple[Placement, ...], now_ms: int) -> None:
        groups: dict[str, list[Placement]] = {}
        for placement in placements:
            groups.setdefault(placement.workload_id, []).append(placement)
        for workload_id, group in groups.items():
            arrival = self._arrivals[workload_id]
            assert len(group) == arrival.demand.minimum, "gangs start whole"
            if workload_id not in self._attempts:
                self._waits[arrival.class_name].append(now_ms - arrival.at_ms)
            attempt = self._attempts.get(workload_id, 0) + 1
            self._attempts[workload_id] = attempt
            holds = [
                hold_of(placement, arrival.demand, now_ms, preemptible=True) for placement in group
            ]
            self._holds[workload_id] = holds
            self._changes.left.append(workload_id)
            self._waits_for.discard(workload_id)
            self._ledger.book(holds, 1)
            heapq.heappush(self._ends, (now_ms + arrival.runtime_ms, workload_id, attempt))
        self._ledger.check()

    def _end(self, at_ms: int, workload_id: str, attempt: int) -> None:
        if self._attempts[workload_id] != attempt or workload_id not in self._holds:
            return  # it was evicted before
        self._release(workload_id, at_ms)
        self._last_ms = max(self._last_ms, at_ms)

    def _evict(self, preemption: Preemption, now_ms: int) -> None:
        """All of it, and at once: nothing here has replicas to spare, or a grace."""
        workload_id = preemption.workload_id
        if workload_id not in self._holds:
            return
        self._release(workload_id, now_ms)
        self._evictions += 1
        self._wait(self._arrivals[workload_id].demand)

    def _release(self, workload_id: str, at_ms: int) -> None:
        holds = self._holds.pop(workload_id)
        self._changes.released += [hold.allocation_id for hold in holds]
        self._ledger.book(holds, -1)
        for hold in holds:
            held_ms = max(0, at_ms - (hold.started_at_ms or 0))
            self._used_milli_ms += held_ms * sum(share.gpu_milli for share in hold.devices)


class _Ledger:
    """Counts again what is held of each device, queue and cohort, by no rule of the scheduler."""

    def __init__(self, model: Model) -> None:
        self._limits = {share.name: share.limits[0][1] for share in model.shares if share.limits}
        self._parents = {share.name: share.parent for share in model.shares}
        self._held: dict[str, int] = {}
        self._touched: set[str] = set()
        self.over = ""

    def book(self, holds: list[Hold], sign: int) -> None:
        for hold in holds:
            total = 0
            for share in hold.devices:
                self._add(share.device_id, sign * share.gpu_milli)
                total += share.gpu_milli
            self._add(hold.project, sign * total)
            parent = self._parents[hold.project]
            if parent is not None:
                self._add(parent, sign * total)

    def check(self) -> None:
        for name in sorted(self._touched) if not self.over else ():
            most = self._limits.get(name) if name in self._parents else GPU_MILLI
            if most is not None and self._held[name] > most:
                self.over = f"{name} holds {self._held[name]} of {most} milli-GPU"
                break
        self._touched.clear()

    def _add(self, name: str, milli: int) -> None:
        self._held[name] = self._held.get(name, 0) + milli
        self._touched.add(name)
