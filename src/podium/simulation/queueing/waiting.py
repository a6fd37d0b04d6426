"""Waiting jobs of a trace by size, so that no event looks at all of them. Disciplines use it."""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Sequence

NEVER_MS = 1 << 62


class Shelves:
    """A heap for each size: `(key, job)`, least first."""

    def __init__(self) -> None:
        self._shelves: dict[int, list[tuple[int, int]]] = {}

    def add(self, gpus: int, key: int, job: int) -> None:
        heapq.heappush(self._shelves.setdefault(gpus, []), (key, job))

    def pop(self, gpus: int) -> tuple[int, int]:
        return heapq.heappop(self._shelves[gpus])

    def head(self, gpus: int) -> tuple[int, int] | None:
        shelf = self._shelves[gpus]
        return shelf[0] if shelf else None

    def heads(self, most_gpus: int) -> list[tuple[int, int, int]]:
        """`(key, job, gpus)` of the first of each size up to `most_gpus`, as a heap."""
        found = [
            (*shelf[0], gpus)
            for gpus, shelf in self._shelves.items()
            if shelf and gpus <= most_gpus
        ]
        heapq.heapify(found)
        return found


class Line:
    """Jobs of one size in the order of submission; finds the first that is short enough.

    A tree of minima over the jobs that wait, of which `jobs` are all that will ever be here.
    """

    def __init__(self, jobs: Sequence[int]) -> None:
        self._jobs = jobs
        self._width = 1 << max(0, len(jobs) - 1).bit_length()
        self._least = [NEVER_MS] * (2 * self._width)

    def set(self, job: int, estimate_ms: int) -> None:
        """`job` waits now, and is thought to run so long."""
        at = self._width + bisect_left(self._jobs, job)
        self._least[at] = estimate_ms
        self._rise(at)

    def remove(self, job: int) -> None:
        self.set(job, NEVER_MS)

    def first(self, within_ms: int = NEVER_MS - 1) -> int | None:
        """The first waiting job that is thought to run no longer than that."""
        if self._least[1] > within_ms:
            return None
        at = 1
        while at < self._width:
            at *= 2
            if self._least[at] > within_ms:
                at += 1
        return self._jobs[at - self._width]

    def _rise(self, at: int) -> None:
        least = self._least
        while at > 1:
            at //= 2
            value = min(least[2 * at], least[2 * at + 1])
            if least[at] == value:
                return
            least[at] = value


def lines(sizes: Sequence[int]) -> dict[int, Line]:
    """An empty line for each size, ascending; `sizes` are those of all jobs, in their order."""
    members: dict[int, list[int]] = {}
    for job, gpus in enumerate(sizes):
        members.setdefault(gpus, []).append(job)
    return {gpus: Line(members[gpus]) for gpus in sorted(members)}
