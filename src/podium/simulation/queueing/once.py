"""Policies that start a job once and let it end: first in first out, greedy orders, EASY.

`policies` runs them. Time is in integer milliseconds and jumps from event to event; at each, ends
come first, then submissions, then starts.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from podium.simulation.queueing.rooms import Place, Rooms
from podium.simulation.queueing.trace import Course, Machines, Trace
from podium.simulation.queueing.waiting import NEVER_MS, Shelves, lines

Tell = Callable[[int], None]
"""Hears now and then how many jobs have ended."""

Start = Callable[[int], bool]
"""Starts a job where there is room for it, and says whether there was."""


class Discipline(Protocol):
    """Who of those that wait goes next. Jobs are numbers in the order of the trace."""

    def add(self, job: int) -> None: ...

    def ended(self, job: int) -> None: ...

    def cycle(self, now_ms: int, rooms: Rooms, start: Start) -> None: ...


class InOrder:
    """First in, first out: who comes first blocks all behind."""

    def __init__(self) -> None:
        self._waiting: deque[int] = deque()

    def add(self, job: int) -> None:
        self._waiting.append(job)

    def ended(self, job: int) -> None:
        pass

    def cycle(self, now_ms: int, rooms: Rooms, start: Start) -> None:
        del now_ms, rooms
        while self._waiting and start(self._waiting[0]):
            self._waiting.popleft()


class Greedy:
    """In the order of a key that never changes, whatever fits: nobody blocks anybody."""

    def __init__(self, sizes: Sequence[int], keys: Sequence[int]) -> None:
        self._sizes = sizes
        self._keys = keys
        self._shelves = Shelves()

    def add(self, job: int) -> None:
        self._shelves.add(self._sizes[job], self._keys[job], job)

    def ended(self, job: int) -> None:
        pass

    def cycle(self, now_ms: int, rooms: Rooms, start: Start) -> None:
        del now_ms
        if not rooms.free:
            return
        too_large = rooms.free + 1
        heads = self._shelves.heads(rooms.free)
        while heads:
            _, job, gpus = heapq.heappop(heads)
            if gpus >= too_large:
                continue
            if not start(job):
                too_large = gpus
                continue
            self._shelves.pop(gpus)
            head = self._shelves.head(gpus)
            if head is not None:
                heapq.heappush(heads, (*head, gpus))


class EasyBackfill:
    """In order of submission; while the first is blocked, others may pass that do not delay it.

    The first gets a reservation: when, by the expected ends, as many GPUs are free as it needs.
    Another may pass if it ends by then, or fits into what will be left beside the first. GPUs are
    counted, whatever node they are on, as is usual for EASY; fragments may delay the first longer.
    A job that outlives its expected end is expected to end at any moment.
    """

    def __init__(self, sizes: Sequence[int], estimates_ms: Sequence[int]) -> None:
        self._sizes = sizes
        self._estimates_ms = estimates_ms
        self._waiting: deque[int] = deque()
        self._gone: set[int] = set()
        self._lines = lines(sizes)
        self._ends: list[tuple[int, int]] = []  # when expected, job; ascending
        self._expected_ms: dict[int, int] = {}

    def add(self, job: int) -> None:
        self._waiting.append(job)
        self._lines[self._sizes[job]].set(job, self._estimates_ms[job])

    def ended(self, job: int) -> None:
        end = (self._expected_ms.pop(job), job)
        del self._ends[bisect_left(self._ends, end)]

    def cycle(self, now_ms: int, rooms: Rooms, start: Start) -> None:
        while self._waiting:
            if self._waiting[0] in self._gone:
                self._gone.discard(self._waiting.popleft())
            elif start(self._waiting[0]):
                self._started(self._waiting.popleft(), now_ms)
            else:
                break
        if self._waiting and rooms.free:
            self._backfill(self._waiting[0], now_ms, rooms, start)

    def _backfill(self, first: int, now_ms: int, rooms: Rooms, start: Start) -> None:
        until_ms, beside = self.reservation(first, now_ms, rooms)
        within_ms = until_ms - now_ms
        line = self._lines[self._sizes[first]]
        line.remove(first)
        too_large = rooms.free + 1
        while (found := self._candidate(within_ms, beside, too_large)) is not None:
            gpus = self._sizes[found]
            if not start(found):
                too_large = gpus
                continue
            self._gone.add(found)
            if self._estimates_ms[found] > within_ms:
                beside -= gpus
            self._started(found, now_ms)
            too_large = min(too_large, rooms.free + 1)
        line.set(first, self._estimates_ms[first])

    def reservation(self, first: int, now_ms: int, rooms: Rooms) -> tuple[int, int]:
        """When `first` has GPUs enough by count, and how many are left beside it then."""
        free, wanted, until_ms = rooms.free, self._sizes[first], now_ms
        for expected_ms, job in self._ends:
            at_ms = max(expected_ms, now_ms + 1)
            if free >= wanted and at_ms > until_ms:
                break
            free += self._sizes[job]
            until_ms = at_ms
        return until_ms, free - wanted

    def _candidate(self, within_ms: int, beside: int, too_large: int) -> int | None:
        best: int | None = None
        for gpus, line in self._lines.items():
            if gpus >= too_large:
                break
            found = line.first(NEVER_MS - 1 if gpus <= beside else within_ms)
            if found is not None and (best is None or found < best):
                best = found
        return best

    def _started(self, job: int, now_ms: int) -> None:
        self._lines[self._sizes[job]].remove(job)
        self._expected_ms[job] = now_ms + self._estimates_ms[job]
        insort(self._ends, (self._expected_ms[job], job))


def run_once(trace: Trace, machines: Machines, discipline: Discipline, tell: Tell) -> Course:
    """The whole trace under a discipline that never takes back what it started."""
    jobs = trace.jobs
    rooms = Rooms(machines)
    places: dict[int, Place] = {}
    ends: list[tuple[int, int]] = []
    started_ms, ended_ms = [0] * len(jobs), [0] * len(jobs)
    arrived = done = 0
    now_ms = 0

    def start(job: int) -> bool:
        place = rooms.find(jobs[job].gpus)
        if place is None:
            return False
        rooms.take(place)
        places[job] = place
        started_ms[job] = now_ms
        ended_ms[job] = now_ms + jobs[job].duration_ms
        heapq.heappush(ends, (ended_ms[job], job))
        return True

    while arrived < len(jobs) or ends:
        now_ms = min(
            jobs[arrived].submitted_ms if arrived < len(jobs) else NEVER_MS,
            ends[0][0] if ends else NEVER_MS,
        )
        while ends and ends[0][0] == now_ms:
            _, job = heapq.heappop(ends)
            rooms.give(places.pop(job))
            discipline.ended(job)
            done += 1
        while arrived < len(jobs) and jobs[arrived].submitted_ms == now_ms:
            discipline.add(arrived)
            arrived += 1
        discipline.cycle(now_ms, rooms, start)
        tell(done)
    return Course(started_ms, ended_ms)
