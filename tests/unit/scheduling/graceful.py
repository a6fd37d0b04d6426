"""A world in which work that gives way takes its time to stop, as it does in production; the tests
of histories use it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from podium.scheduling.plan import Preemption
from podium.simulation.timeline import Span, Stop
from podium.simulation.world import World

STOPS_MAX = 120
"""More than this in one history of a dozen workloads is work that takes turns in stopping."""


@dataclass(frozen=True, slots=True)
class _Gone:
    """The grace of these is over."""

    workload_id: str
    spans: tuple[Span, ...]


class GracefulWorld(World):
    def __init__(self, *args: Any, grace_ms: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._grace_ms = grace_ms

    def _give_way(self, preemption: Preemption, now_ms: int) -> None:
        name, ranks = preemption.workload_id, preemption.ranks
        spans = tuple(self._of(name)[rank] for rank in ranks)
        self._held += [replace(self._hold(each), ending=True) for each in spans]
        self._stops.append(Stop(now_ms, name, ranks, preemption.in_favour_of))
        assert len(self._stops) <= STOPS_MAX, f"no end of it: {self._stops[-6:]}"
        # Not all at once, or nobody would see how one half has stopped.
        grace_ms = self._grace_ms // (1 + len(self._stops) % 3)
        self._push(now_ms + max(1, grace_ms), 0, _Gone(name, spans))  # type: ignore[arg-type]

    def _apply(self, what: Any, now_ms: int) -> None:
        if not isinstance(what, _Gone):
            super()._apply(what, now_ms)
            return
        running = self._running.get(what.workload_id, {})
        left = [each for each in what.spans if running.get(each.rank) is each]
        for span in left:
            self._end(span, now_ms, completed=False)
        if left:
            again = [*self._pending.get(what.workload_id, []), *(span.rank for span in left)]
            self._pending[what.workload_id] = sorted(again)
