"""What a policy may believe of runtimes that nobody tells: learnt from the jobs that ended before.

`policies` wraps the comparison policies in it for `--runtimes unknown`.
"""

from __future__ import annotations

from podium.domain.quantity import GPU_MILLI
from podium.domain.workload import Kind
from podium.scheduling.forecast.runtimes import Like, Runtimes
from podium.scheduling.snapshot import Expected
from podium.simulation.queueing.once import Discipline, Start
from podium.simulation.queueing.rooms import Rooms
from podium.simulation.queueing.trace import Trace

FIRST_GUESS = Expected(3_600_000, 24 * 3_600_000)
"""While no job has ended."""


class Learning:
    """One run's knowledge. A job is judged once, when it is submitted."""

    def __init__(self, trace: Trace) -> None:
        self._jobs = trace.jobs
        self._known = Runtimes()

    def ended(self, job: int) -> None:
        self._known.add(self._like(job), self._jobs[job].duration_ms)

    def expected(self, job: int) -> Expected:
        return self._known.expected(self._like(job)) or FIRST_GUESS

    def _like(self, job: int) -> Like:
        found = self._jobs[job]
        return Like(project=found.group or "", kind=Kind.TRAINING, gpu_milli=found.gpus * GPU_MILLI)


class Learnt:
    """A discipline whose list of estimates is filled as jobs come. `most` takes the long view, as a
    reservation should; else the likely one."""

    def __init__(
        self, inner: Discipline, estimates_ms: list[int], learning: Learning, *, most: bool
    ) -> None:
        self._inner = inner
        self._estimates_ms = estimates_ms
        self._learning = learning
        self._most = most

    def add(self, job: int) -> None:
        expected = self._learning.expected(job)
        self._estimates_ms[job] = expected.most_ms if self._most else expected.likely_ms
        self._inner.add(job)

    def ended(self, job: int) -> None:
        self._learning.ended(job)
        self._inner.ended(job)

    def cycle(self, now_ms: int, rooms: Rooms, start: Start) -> None:
        self._inner.cycle(now_ms, rooms, start)
