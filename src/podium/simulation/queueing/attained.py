"""`scheduling.order.service_order` on its own: the product's rule where runtimes are unknown.

`policies` runs it. What runs stays where it is until it ends or gives way; what gave way goes on
later, anywhere, after `restart_ms` of doing again what was not saved.
"""

from __future__ import annotations

import heapq
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass

from podium.domain.quantity import GPU_MILLI
from podium.scheduling.order import service_order
from podium.scheduling.order.service_order import Rank, Served
from podium.simulation.queueing.floor import Floor
from podium.simulation.queueing.once import Tell
from podium.simulation.queueing.trace import Course, Machines, Trace
from podium.simulation.queueing.waiting import NEVER_MS

QUANTUM_MS = 10 * 60 * 1000
_LEARN_AFTER = 50  # when one in so many more was seen, what is small is learnt anew


def run_attained(trace: Trace, machines: Machines, tell: Tell, *, restart_ms: int = 0) -> Course:
    """The whole trace, told nothing of runtimes."""
    race = _Race(trace, machines, restart_ms)
    arrived = 0
    while True:
        next_ms = trace.jobs[arrived].submitted_ms if arrived < len(trace) else NEVER_MS
        now_ms = min(next_ms, race.next_ms())
        if now_ms == NEVER_MS:
            return race.course()
        race.advance(now_ms)
        while arrived < len(trace) and trace.jobs[arrived].submitted_ms == now_ms:
            race.arrive(arrived)
            arrived += 1
        race.cycle(now_ms)
        tell(race.done)


@dataclass(slots=True)
class _Run:
    """A job while it runs. Until `working_ms` it only does again what was lost."""

    since_ms: int
    working_ms: int
    level_ms: int  # when it reaches its next level
    end_ms: int


class _Race:
    def __init__(self, trace: Trace, machines: Machines, restart_ms: int) -> None:
        count = len(trace)
        self.done = 0
        self._restart_ms = restart_ms
        self._jobs = trace.jobs
        self._names = [f"{at:09}" for at in range(count)]
        self._floor = Floor(machines)
        self._left_ms = [job.duration_ms for job in trace.jobs]
        self._levels = [0] * count
        self._counts = [0] * service_order.levels()
        self._seen = self._learn_at = 0
        self._small_ends_at = service_order.levels()
        self._bands = service_order.UNKNOWN
        self._running: dict[int, _Run] = {}
        self._waiting: list[tuple[Rank, int]] = []
        self._ranks: dict[int, Rank] = {}
        self._started_ms = [-1] * count
        self._ended_ms = [-1] * count
        self._preemptions = 0
        self._quantum_ms = NEVER_MS  # when somebody in the way has had enough
        self._events: list[tuple[int, int, int]] = []  # when, job, when that run began

    def course(self) -> Course:
        assert min(self._ended_ms) >= 0, "whatever fits the empty cluster ends"
        return Course(self._started_ms, self._ended_ms, self._preemptions)

    def next_ms(self) -> int:
        while self._events:
            at_ms, job, since_ms = self._events[0]
            run = self._running.get(job)
            if run is not None and run.since_ms == since_ms:
                return min(at_ms, self._quantum_ms)
            heapq.heappop(self._events)
        return self._quantum_ms

    def advance(self, now_ms: int) -> None:
        """Ends what ends now, and notes what reached its next level."""
        while self._events and self._events[0][0] <= now_ms:
            _, job, since_ms = heapq.heappop(self._events)
            run = self._running.get(job)
            if run is None or run.since_ms != since_ms:
                continue
            if run.end_ms <= now_ms:
                self._left_ms[job] = 0
                self._move(job, service_order.level(self._attained(job, now_ms)))
                del self._running[job], self._ranks[job]
                self._floor.give(job)
                self._ended_ms[job] = now_ms
                self.done += 1
            elif run.level_ms <= now_ms:
                self._move(job, service_order.level(self._attained(job, now_ms)))
                self._next_level(job, run, now_ms)
                self._ranks[job] = self._rank(job, now_ms)

    def arrive(self, job: int) -> None:
        self._seen += 1
        self._counts[0] += 1
        self._queue(job, self._jobs[job].submitted_ms)

    def cycle(self, now_ms: int) -> None:
        self._learn(now_ms)
        self._quantum_ms = NEVER_MS
        # Of those that may give way, nobody goes later than this.
        last = max((self._ranks[job] for job in self._running), default=None)
        at = 0
        while at < len(self._waiting):
            rank, job = self._waiting[at]
            if last is None or rank > last:
                if not self._floor.free:
                    return
                place = self._floor.find(self._jobs[job].gpus)
            else:
                place = self._floor.find(self._jobs[job].gpus) or self._cleared(job, rank, now_ms)
            if place is None:
                at += 1
                continue
            self._waiting.remove((rank, job))
            self._start(job, place, now_ms)

    def _cleared(self, job: int, rank: Rank, now_ms: int) -> tuple[tuple[int, int], ...] | None:
        """Stops those that give way to `job`, if together they leave it room."""
        later = [(other, self._ranks[other]) for other in self._running]
        evictable = {}
        for other, its in later:
            if its > rank:
                free_ms = self._running[other].since_ms + QUANTUM_MS
                if free_ms <= now_ms:
                    evictable[other] = its
                else:
                    self._quantum_ms = min(self._quantum_ms, free_ms)
        if not evictable:
            return None
        found = self._floor.clear(self._jobs[job].gpus, evictable)
        if found is None:
            return None
        victims, place = found
        for victim in victims:
            self._stop(victim, now_ms)
        return place

    def _start(self, job: int, place: Sequence[tuple[int, int]], now_ms: int) -> None:
        self._floor.take(job, place)
        again = self._started_ms[job] >= 0
        if not again:
            self._started_ms[job] = now_ms
        working_ms = now_ms + (self._restart_ms if again else 0)
        run = _Run(now_ms, working_ms, 0, working_ms + self._left_ms[job])
        self._running[job] = run
        heapq.heappush(self._events, (run.end_ms, job, now_ms))
        self._next_level(job, run, now_ms)

    def _stop(self, job: int, now_ms: int) -> None:
        run = self._running.pop(job)
        self._left_ms[job] -= max(0, now_ms - run.working_ms)
        self._floor.give(job)
        self._preemptions += 1
        self._queue(job, now_ms)

    def _next_level(self, job: int, run: _Run, now_ms: int) -> None:
        work = Served(self._names[job], self._attained(job, now_ms), 0)
        gpu_milli = self._jobs[job].gpus * GPU_MILLI
        run.level_ms = service_order.next_change_ms(work, gpu_milli, max(now_ms, run.working_ms))
        heapq.heappush(self._events, (run.level_ms, job, run.since_ms))

    def _attained(self, job: int, now_ms: int) -> int:
        run = self._running.get(job)
        served_ms = self._jobs[job].duration_ms - self._left_ms[job]
        if run is not None and self._left_ms[job]:
            served_ms += max(0, min(now_ms, run.end_ms) - run.working_ms)
        return served_ms * self._jobs[job].gpus * GPU_MILLI

    def _move(self, job: int, level: int) -> None:
        self._counts[self._levels[job]] -= 1
        self._counts[level] += 1
        self._levels[job] = level

    def _rank(self, job: int, now_ms: int) -> Rank:
        submitted_ms = self._jobs[job].submitted_ms
        work = Served(self._names[job], self._attained(job, now_ms), submitted_ms)
        return service_order.rank(work, self._bands)

    def _queue(self, job: int, now_ms: int) -> None:
        self._ranks[job] = self._rank(job, now_ms)
        insort(self._waiting, (self._ranks[job], job))

    def _learn(self, now_ms: int) -> None:
        """The bands as they stand now; where they moved, all are ranked anew."""
        if self._seen >= self._learn_at:
            self._learn_at = self._seen + max(1, self._seen // _LEARN_AFTER)
            seen = service_order.census(self._attained(job, now_ms) for job in range(self._seen))
            self._small_ends_at = service_order.ordered_from(seen)
        bands = service_order.bands(self._small_ends_at, tuple(self._counts))
        if bands != self._bands:
            self._bands = bands
            for job in self._ranks:
                self._ranks[job] = self._rank(job, now_ms)
            self._waiting = sorted((self._ranks[job], job) for _, job in self._waiting)
