"""Runtimes learnt from attempts that ended, for work that says nothing of its own.

Who builds a snapshot asks for it: the store in production, `simulation` on virtual time.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from podium.domain.workload import Kind
from podium.scheduling.snapshot import Expected

LIKELY = 0.5
MOST = 0.95
_PRIOR = 8  # samples of its own that weigh as much as what the wider group says
_KEPT = 512  # samples of a group; older ones are forgotten
_FEWEST = 3  # in all, before anything is said
_STEEPEST = 20.0
_FAR = 500.0

Group = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Like:
    """What is known of work before it runs. `stem` is its name without numbers at the end."""

    project: str
    kind: Kind
    gpu_milli: int
    stem: str | None = None
    owner: str | None = None


@dataclass(slots=True)
class _Samples:
    by_age: deque[int] = field(default_factory=deque)
    by_length: list[int] = field(default_factory=list)

    def add(self, ran_ms: int) -> None:
        self.by_age.append(ran_ms)
        insort(self.by_length, ran_ms)
        if len(self.by_age) > _KEPT:
            del self.by_length[bisect_left(self.by_length, self.by_age.popleft())]

    def quantile(self, share: float) -> int:
        return self.by_length[min(len(self.by_length) - 1, int(len(self.by_length) * share))]


class Runtimes:
    """What was learnt so far. Bounded: the last 512 attempts of each group of like work."""

    def __init__(self, history: Iterable[tuple[Like, int]] = ()) -> None:
        """`history`, oldest first: attempts that ended by themselves, done or failed, and how many
        milliseconds they ran. Leave out those that were stopped for others or lost."""
        self._groups: dict[Group, _Samples] = {}
        for like, ran_ms in history:
            self.add(like, ran_ms)

    def add(self, like: Like, ran_ms: int) -> None:
        assert ran_ms >= 0
        for group in _groups(like):
            self._groups.setdefault(group, _Samples()).add(ran_ms)

    def expected(self, like: Like) -> Expected | None:
        """Of the most like work, held back by the wider groups where there was little of it. None
        while nothing is known. Wide to narrow: all, kind, project, its size, its owner, its name.
        """
        everything, *narrower = _groups(like)
        samples = self._groups.get(everything)
        if samples is None or len(samples.by_length) < _FEWEST:
            return None
        likely, most = (_log(samples.quantile(share)) for share in (LIKELY, MOST))
        for group in narrower:
            samples = self._groups.get(group)
            if samples is None:
                continue
            own = len(samples.by_length) / (len(samples.by_length) + _PRIOR)
            likely += own * (_log(samples.quantile(LIKELY)) - likely)
            most += own * (_log(samples.quantile(MOST)) - most)
        likely_ms = round(math.exp(likely))
        return Expected(likely_ms, max(likely_ms, round(math.exp(most))))


def revised(before: Expected, ran_ms: int) -> Expected:
    """The same, knowing that it has run `ran_ms` and goes on: never less than before, and always
    some time ahead. Still counted from the start.

    Between and beyond the two values the odds of ending follow the log-logistic curve through
    them: most work ends early, and what did not may go on for as long again.
    """
    if ran_ms <= 0:
        return before
    likely_ms = max(1, before.likely_ms)
    spread = math.log(max(1.0, before.most_ms / likely_ms))
    steepness = _STEEPEST
    if spread > 0:
        steepness = min(_STEEPEST, math.log(MOST / (1 - MOST)) / spread)
    passed = steepness * math.log(ran_ms / likely_ms)
    found = []
    for share in (LIKELY, MOST):
        times = 1 / (1 - share)  # one in so many is still there
        if passed > _FAR:
            at = math.log(times) + passed
        else:
            at = math.log(times - 1 + times * math.exp(passed))
        found.append(math.ceil(likely_ms * math.exp(at / steepness)))
    likely = max(before.likely_ms, found[0], ran_ms + 1)
    return Expected(likely, max(before.most_ms, found[1], likely))


def stem(name: str) -> str:
    """A name without what counts its runs: `sweep-lr-017` and `sweep-lr-018` are alike."""
    return name.rstrip("0123456789-_.") or name


def _groups(like: Like) -> Iterator[Group]:
    yield ()
    yield ("kind", like.kind)
    yield ("project", like.project, like.kind)
    yield ("size", like.project, like.kind, like.gpu_milli)
    if like.owner is not None:
        yield ("owner", like.project, like.kind, like.owner)
    if like.stem is not None:
        yield ("stem", like.project, like.stem)


def _log(ran_ms: int) -> float:
    return math.log(max(1, ran_ms))
