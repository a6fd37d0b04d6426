"""A cluster on virtual time: runs `decide` and `verify` at each event; tests and what-if use it.

Time jumps from event to event. Nothing here knows how to schedule: a snapshot goes in, a plan
comes out and is verified, as in production.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from podium.domain.node import Node, NodeState
from podium.domain.policy import DEFAULT_SCHEDULING, Order, SchedulingPolicy
from podium.domain.quantity import GPU_MILLI
from podium.domain.resources import ANYWHERE, ReplicaCount, Request, Topology
from podium.domain.workload import Kind
from podium.scheduling.decide import decide
from podium.scheduling.evolution import evolved, past_set
from podium.scheduling.parts import Asking, parts_from
from podium.scheduling.plan import Placement, Plan, Preemption
from podium.scheduling.snapshot import Booking, Demand, Expected, Hold, Share, Snapshot
from podium.scheduling.space.topology import several_clusters, within_reach
from podium.scheduling.verify import verify
from podium.simulation.history import History
from podium.simulation.timeline import Life, RefusalNote, Span, Stop, Timeline

Decide = Callable[[Snapshot, int, int], Plan]


_ALWAYS_MS = 10**16
"""When work last saved that loses nothing when it is stopped: later than any time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work that arrives at `submitted_at_ms` and truly runs for `runtime_ms`.

    A gang runs that long from its first start, however many replicas join later; each task of an
    array runs that long by itself. `limit_ms` is what the scheduler is told, where it is told, and
    `expected` what it may guess. `groups` are those of a gang whose replicas ask for different
    things; `request` is then that of one of them. Work that is stopped for others begins again,
    or, when it is `saved`, goes on where it was.
    """

    workload_id: str
    submitted_at_ms: int
    runtime_ms: int
    request: Request
    replicas: ReplicaCount = ReplicaCount(1, 1)  # noqa: RUF009 - frozen
    project: str = "default"
    priority: int = 50
    kind: Kind = Kind.TRAINING
    topology: Topology = ANYWHERE
    limit_ms: int | None = None
    expected: Expected | None = None
    preemptible: bool = False
    saved: bool = False
    elastic: bool = False
    spread: bool = False
    groups: tuple[Asking, ...] = ()
    owner: str = ""


@dataclass(frozen=True, slots=True)
class NodeChange:
    """At `at_ms` the node of that name becomes this one, or joins. Work on a lost node is lost:
    a gang starts over whole, an array repeats the tasks."""

    at_ms: int
    node: Node


class World:
    """One run. `decide` may be another policy of the same shape."""

    def __init__(
        self,
        nodes: Sequence[Node],
        jobs: Sequence[Job],
        changes: Sequence[NodeChange] = (),
        *,
        seed: int = 0,
        policy: Decide = decide,
        shares: Sequence[Share] = (),
        bookings: Sequence[Booking] = (),
        scheduling: SchedulingPolicy = DEFAULT_SCHEDULING,
    ) -> None:
        self._nodes = {node.name: node for node in nodes}
        self._apart = several_clusters(nodes)
        self._jobs = {job.workload_id: job for job in jobs}
        assert len(self._jobs) == len(jobs), "workload ids are unique"
        self._seed = seed
        self._policy = policy
        self._pending: dict[str, list[int]] = {}
        self._running: dict[str, dict[int, Span]] = {}  # by workload, then rank
        self._done: list[Span] = []
        self._lives = {job.workload_id: Life(job.workload_id, job.submitted_at_ms) for job in jobs}
        self._refused: dict[str, RefusalNote] = {}
        self._notes: list[RefusalNote] = []
        self._cycles = 0
        self._pushed = 0
        self._done_ms: dict[str, int] = {}  # of work that is saved
        self._had: dict[str, int] = {}  # milli-GPU x milliseconds before the present attempt
        self._history = History() if scheduling.order is Order.ATTAINED else None
        self._stops: list[Stop] = []
        self._snapshot = Snapshot(
            nodes=tuple(self._nodes[name] for name in sorted(self._nodes)),
            holds=(),
            demands=(),
            shares=tuple(shares),
            bookings=tuple(bookings),
            policy=scheduling,
        )
        # What has happened since the snapshot was made.
        self._released: list[str] = []
        self._held: list[Hold] = []
        self._touched: dict[str, None] = {}
        # (time, order at the same time, count, what): ends first, so that room is free again.
        self._events: list[tuple[int, int, int, Span | NodeChange | Job | None]] = []
        for change in changes:
            self._push(change.at_ms, 1, change)
        for job in jobs:
            self._push(job.submitted_at_ms, 2, job)

    @property
    def jobs(self) -> list[Job]:
        return list(self._jobs.values())

    @property
    def gpu_milli(self) -> int:
        """What all devices have in all."""
        return sum(GPU_MILLI * len(node.devices) for node in self._nodes.values())

    def run(self, until_ms: int | None = None) -> Timeline:
        """Runs until nothing more happens, or to `until_ms`."""
        now_ms = 0
        while self._events and (until_ms is None or self._events[0][0] <= until_ms):
            now_ms = self._events[0][0]
            while self._events and self._events[0][0] == now_ms:
                self._apply(heapq.heappop(self._events)[3], now_ms)
            self._cycle(now_ms)
        return Timeline(
            spans=(*self._done, *self._all_running()),
            lives=tuple(self._lives.values()),
            refusals=tuple(self._notes),
            stops=tuple(self._stops),
            cycles=self._cycles,
            ended_at_ms=now_ms if until_ms is None else until_ms,
        )

    def _push(self, at_ms: int, order: int, what: Span | NodeChange | Job | None) -> None:
        self._pushed += 1
        heapq.heappush(self._events, (at_ms, order, self._pushed, what))

    def _apply(self, what: Span | NodeChange | Job | None, now_ms: int) -> None:
        if isinstance(what, Job):
            self._pending[what.workload_id] = list(range(what.replicas.maximum))
            self._touched[what.workload_id] = None
        elif isinstance(what, NodeChange):
            self._nodes[what.node.name] = what.node
            nodes = tuple(self._nodes[name] for name in sorted(self._nodes))
            self._snapshot = replace(self._snapshot, nodes=nodes)
            if what.node.state is NodeState.LOST:
                self._lose(what.node.name, now_ms)
        elif what is not None and self._of(what.workload_id).get(what.rank) is what:
            self._end(what, now_ms, completed=True)
            if not self._of(what.workload_id):
                self._finish(what.workload_id, now_ms)

    def _of(self, workload_id: str) -> dict[int, Span]:
        return self._running.setdefault(workload_id, {})

    def _all_running(self) -> list[Span]:
        return [span for spans in self._running.values() for span in spans.values()]

    def _end(self, span: Span, now_ms: int, *, completed: bool) -> None:
        milli = sum(share.gpu_milli for share in span.devices)
        had = self._had.get(span.workload_id, 0)
        self._had[span.workload_id] = had + milli * (now_ms - span.started_at_ms)
        del self._running[span.workload_id][span.rank]
        self._released.append(allocation_id(span))
        self._touched[span.workload_id] = None
        self._done.append(replace(span, ended_at_ms=now_ms, completed=completed))

    def _finish(self, workload_id: str, now_ms: int) -> None:
        """The last running replica ended: a gang is done, an array when no task waits."""
        if self._jobs[workload_id].replicas.array and self._pending.get(workload_id):
            return
        self._pending.pop(workload_id, None)
        del self._running[workload_id]
        if self._history is not None:
            self._history.ended(self._had.get(workload_id, 0))
        self._lives[workload_id] = replace(self._lives[workload_id], ended_at_ms=now_ms)

    def _lose(self, node: str, now_ms: int) -> None:
        hit = [span for span in self._all_running() if span.node == node]
        for workload_id in dict.fromkeys(span.workload_id for span in hit):
            job = self._jobs[workload_id]
            spans = list(self._of(workload_id).values())
            if job.replicas.array:
                spans = [span for span in spans if span.node == node]
            for span in spans:
                self._end(span, now_ms, completed=False)
            again = [*self._pending.get(workload_id, []), *(span.rank for span in spans)]
            self._pending[workload_id] = sorted(again)

    def _cycle(self, now_ms: int) -> None:
        self._cycles += 1
        snapshot = self._snapshot = self._changed(now_ms)
        plan = self._policy(snapshot, now_ms, self._seed)
        verdict = verify(snapshot, plan)
        for preemption in plan.preemptions:
            self._give_way(preemption, now_ms)
        for placement in verdict.accepted:
            self._start(placement, now_ms)
        if plan.preemptions:
            self._push(now_ms, 3, None)
        for refused in plan.refusals:
            for workload_id in refused.workload_ids:
                known = self._refused.get(workload_id)
                if known is None or known.refusal != refused.refusal:
                    note = RefusalNote(now_ms, workload_id, refused.refusal)
                    self._refused[workload_id] = note
                    self._notes.append(note)
        if plan.next_wake_ms is not None and plan.next_wake_ms > now_ms:
            self._push(plan.next_wake_ms, 3, None)

    def _give_way(self, preemption: Preemption, now_ms: int) -> None:
        """Stops the replicas at once; they wait again."""
        job = self._jobs[preemption.workload_id]
        spans = [self._of(job.workload_id)[rank] for rank in preemption.ranks]
        whole = len(spans) == len(self._of(job.workload_id))
        if job.saved and whole and not job.replicas.array:
            began_ms = min(span.started_at_ms for span in spans)
            self._done_ms[job.workload_id] = (
                self._done_ms.get(job.workload_id, 0) + now_ms - began_ms
            )
        for span in spans:
            self._end(span, now_ms, completed=False)
        again = [*self._pending.get(job.workload_id, []), *preemption.ranks]
        self._pending[job.workload_id] = sorted(again)
        self._stops.append(Stop(now_ms, job.workload_id, preemption.ranks, preemption.in_favour_of))

    def _start(self, placement: Placement, now_ms: int) -> None:
        job = self._jobs[placement.workload_id]
        started_at_ms = now_ms
        if not job.replicas.array:
            others = self._of(job.workload_id).values()
            started_at_ms = min((span.started_at_ms for span in others), default=now_ms)
        span = Span(
            workload_id=job.workload_id,
            rank=placement.rank,
            node=placement.node,
            cpu_milli=placement.cpu_milli,
            memory_bytes=placement.memory_bytes,
            devices=placement.devices,
            started_at_ms=now_ms,
        )
        self._of(job.workload_id)[placement.rank] = span
        self._pending[job.workload_id].remove(placement.rank)
        self._touched[job.workload_id] = None
        self._held.append(self._hold(span))
        life = self._lives[job.workload_id]
        if life.started_at_ms is None:
            self._lives[job.workload_id] = replace(life, started_at_ms=now_ms)
        left_ms = job.runtime_ms - self._done_ms.get(job.workload_id, 0)
        self._push(started_at_ms + left_ms, 0, span)

    def _changed(self, now_ms: int) -> Snapshot:
        waiting = [
            self._demand(self._jobs[workload_id], self._pending[workload_id])
            for workload_id in self._touched
            if self._pending.get(workload_id)
        ]
        left = [each for each in self._touched if not self._pending.get(each)]
        changed = evolved(
            self._snapshot, released=self._released, held=self._held, left=left, waiting=waiting
        )
        self._released, self._held, self._touched = [], [], {}
        if self._history is not None:
            active = [*self._of_running(now_ms), *self._of_waiting()]
            return past_set(changed, self._history.past(active))
        return changed

    def _of_running(self, now_ms: int) -> list[int]:
        """What each running workload has had."""
        found = []
        for workload_id, spans in self._running.items():
            if spans:
                now = sum(
                    share.gpu_milli * (now_ms - span.started_at_ms)
                    for span in spans.values()
                    for share in span.devices
                )
                found.append(self._had.get(workload_id, 0) + now)
        return found

    def _of_waiting(self) -> list[int]:
        return [
            self._had.get(workload_id, 0)
            for workload_id, ranks in self._pending.items()
            if ranks and not self._running.get(workload_id)
        ]

    def _demand(self, job: Job, ranks: list[int]) -> Demand:
        running = job.replicas.maximum - len(ranks)
        minimum = 1 if job.replicas.array else max(1, job.replicas.minimum - running)
        parts = parts_from(job.groups, ranks)
        meets = job.replicas.maximum > 1 and not job.replicas.array and job.kind is not Kind.SERVICE
        return Demand(
            workload_id=job.workload_id,
            project=job.project,
            kind=job.kind,
            priority=job.priority,
            queued_at_ms=job.submitted_at_ms,
            request=parts[0].request if parts else job.request,
            parts=parts if len(parts) > 1 else (),
            pending_ranks=tuple(ranks),
            minimum=minimum,
            topology=within_reach(job.topology) if meets and self._apart else job.topology,
            limit_ms=job.limit_ms,
            expected=job.expected,
            elastic=job.elastic,
            spread=job.spread,
            attained_milli_ms=self._had.get(job.workload_id, 0),
            owner=job.owner,
        )

    def _hold(self, span: Span) -> Hold:
        job = self._jobs[span.workload_id]
        movable = job.preemptible and job.saved and job.replicas.maximum == 1
        return Hold(
            allocation_id=allocation_id(span),
            workload_id=span.workload_id,
            project=job.project,
            priority=job.priority,
            node=span.node,
            cpu_milli=span.cpu_milli,
            memory_bytes=span.memory_bytes,
            devices=span.devices,
            started_at_ms=span.started_at_ms,
            ends_at_ms=None if job.limit_ms is None else span.started_at_ms + job.limit_ms,
            kind=job.kind,
            rank=span.rank,
            expected=job.expected,
            preemptible=job.preemptible,
            attained_milli_ms=self._had.get(job.workload_id, 0),
            queued_at_ms=job.submitted_at_ms,
            minimum=0 if job.replicas.array else job.replicas.minimum,
            saved_at_ms=_ALWAYS_MS if job.saved else None,
            request=job.request if movable else None,
            gpu_types=job.request.gpu_types,
            owner=job.owner,
        )


def allocation_id(span: Span) -> str:
    """The name of one attempt: unlike those before and after it on the same rank."""
    return f"{span.workload_id}/{span.rank}@{span.started_at_ms}"
