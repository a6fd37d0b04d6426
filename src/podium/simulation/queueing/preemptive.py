"""Policies that decide anew at each event who runs: shortest remaining time or service first.

`policies` runs them. A preempted job goes on later where it was, without any cost: this is what
the literature compares with, not what a cluster can do.
"""

from __future__ import annotations

import heapq

from podium.simulation.queueing.learning import Learning
from podium.simulation.queueing.once import Tell
from podium.simulation.queueing.rooms import Rooms
from podium.simulation.queueing.trace import Course, Machines, Trace
from podium.simulation.queueing.waiting import NEVER_MS, Shelves


def run_preemptive(
    trace: Trace,
    machines: Machines,
    estimates_ms: list[int],
    tell: Tell,
    *,
    by_service: bool,
    learning: Learning | None = None,
) -> Course:
    """Least remaining first: time, or time × GPUs `by_service`. Whatever fits, runs. With
    `learning`, the likely runtimes that it knows stand for the estimates."""
    race = _Race(trace, machines, estimates_ms, by_service=by_service, learning=learning)
    jobs = trace.jobs
    arrived = 0
    while True:
        now_ms = min(
            jobs[arrived].submitted_ms if arrived < len(jobs) else NEVER_MS, race.next_end_ms()
        )
        if now_ms == NEVER_MS:
            return race.course()
        race.end_until(now_ms)
        while arrived < len(jobs) and jobs[arrived].submitted_ms == now_ms:
            race.arrive(arrived)
            arrived += 1
        race.cycle(now_ms)
        tell(race.done)


class _Race:
    def __init__(
        self,
        trace: Trace,
        machines: Machines,
        estimates_ms: list[int],
        *,
        by_service: bool,
        learning: Learning | None,
    ) -> None:
        count = len(trace)
        self.done = 0
        self._machines = machines
        self._learning = learning
        self._sizes = [job.gpus for job in trace.jobs]
        self._weights = self._sizes if by_service else [1] * count
        self._true_left_ms = [job.duration_ms for job in trace.jobs]
        self._left_ms = list(estimates_ms)  # as believed; of those that run, when they started
        self._since_ms: dict[int, int] = {}  # of those that run
        self._ends: list[tuple[int, int]] = []
        self._shelves = Shelves()
        self._started_ms: list[int | None] = [None] * count
        self._ended_ms = [0] * count
        self._preemptions = 0

    def course(self) -> Course:
        started_ms = [at_ms for at_ms in self._started_ms if at_ms is not None]
        assert len(started_ms) == len(self._sizes), "whatever fits runs in the end"
        return Course(started_ms, self._ended_ms, self._preemptions)

    def next_end_ms(self) -> int:
        """Ends of jobs that were preempted meanwhile are dropped on the way."""
        while self._ends:
            end_ms, job = self._ends[0]
            since_ms = self._since_ms.get(job)
            if since_ms is not None and since_ms + self._true_left_ms[job] == end_ms:
                return end_ms
            heapq.heappop(self._ends)
        return NEVER_MS

    def end_until(self, now_ms: int) -> None:
        while self.next_end_ms() == now_ms:
            _, job = heapq.heappop(self._ends)
            del self._since_ms[job]
            self._ended_ms[job] = now_ms
            self.done += 1
            if self._learning is not None:
                self._learning.ended(job)

    def arrive(self, job: int) -> None:
        if self._learning is not None:
            self._left_ms[job] = self._learning.expected(job).likely_ms
        self.wait(job)

    def wait(self, job: int) -> None:
        self._shelves.add(self._sizes[job], self._left_ms[job] * self._weights[job], job)

    def cycle(self, now_ms: int) -> None:
        """Fills the empty cluster again, least key first. Only the first of each size that waits
        is looked at: when it does not fit, none behind it does."""
        rooms = Rooms(self._machines)
        order = self._shelves.heads(rooms.free)
        for job, since_ms in self._since_ms.items():
            left_ms = max(0, self._left_ms[job] - (now_ms - since_ms))
            order.append((left_ms * self._weights[job], job, self._sizes[job]))
        heapq.heapify(order)
        too_large = rooms.free + 1
        chosen: set[int] = set()
        begun: list[int] = []
        while order and rooms.free:
            _, job, gpus = heapq.heappop(order)
            if gpus >= too_large:
                continue
            place = rooms.find(gpus)
            if place is None:
                too_large = gpus
                continue
            rooms.take(place)
            if job in self._since_ms:
                chosen.add(job)
                continue
            begun.append(job)
            self._shelves.pop(gpus)
            head = self._shelves.head(gpus)
            if head is not None:
                heapq.heappush(order, (*head, gpus))
        for job in [job for job in self._since_ms if job not in chosen]:
            self._preempt(job, now_ms)
        for job in begun:
            self._begin(job, now_ms)

    def _begin(self, job: int, now_ms: int) -> None:
        self._since_ms[job] = now_ms
        if self._started_ms[job] is None:
            self._started_ms[job] = now_ms
        heapq.heappush(self._ends, (now_ms + self._true_left_ms[job], job))

    def _preempt(self, job: int, now_ms: int) -> None:
        served_ms = now_ms - self._since_ms.pop(job)
        self._true_left_ms[job] -= served_ms
        self._left_ms[job] = max(0, self._left_ms[job] - served_ms)
        self._preemptions += 1
        self.wait(job)
