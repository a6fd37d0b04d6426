"""What everyone has had so far, when a cycle serves by that (`Order.ATTAINED`).

`service_order` has the rule; here it meets a view: who runs and since when, who waits, and when
the order changes by the passing of time.
"""

from __future__ import annotations

from collections.abc import Iterator

from podium.domain.policy import Order
from podium.scheduling.order.service_order import (
    UNKNOWN,
    Bands,
    Rank,
    Served,
    bands,
    level,
    may_preempt,
    next_change_ms,
    rank,
)
from podium.scheduling.snapshot import Demand, Hold, Snapshot
from podium.scheduling.view import View


class Attained:
    """The ranks of one cycle."""

    def __init__(self, snapshot: Snapshot, view: View, now_ms: int) -> None:
        self._now_ms = now_ms
        self._running = {
            workload_id: served
            for workload_id, ids in view.held.items()
            if (served := _served([view.holds[each] for each in ids], now_ms)) is not None
        }
        self.by = self._bands(snapshot, view)

    def may_take(self, demand: Demand, workload_id: str) -> bool:
        """Whether the demand may take the place of what runs. That this has had its quantum is
        looked at before, where units are made."""
        entry = self._running.get(workload_id)
        waiting = Served(demand.workload_id, demand.attained_milli_ms, demand.queued_at_ms)
        return entry is not None and may_preempt(waiting, entry[0], self.by, self._now_ms, 0)

    def of_running(self, workload_id: str) -> Rank | None:
        """None for what has not started yet."""
        entry = self._running.get(workload_id)
        return None if entry is None else rank(entry[0], self.by)

    def changes_ms(self) -> Iterator[int]:
        """When running work reaches another level."""
        for served, gpu_milli in self._running.values():
            if gpu_milli:
                yield next_change_ms(served, gpu_milli, self._now_ms)

    def _bands(self, snapshot: Snapshot, view: View) -> Bands:
        past = snapshot.past
        if past is None:
            return UNKNOWN
        counts = list(past.finished)
        for line in view.lines.values():
            for ask, waiting in line.items():
                counts[ask.level] += len(waiting.ids)
        for served, _ in self._running.values():
            counts[level(served.attained_milli_ms)] += 1
        return bands(past.small_ends_at, tuple(counts))


def attained_of(snapshot: Snapshot, view: View, now_ms: int) -> Attained | None:
    """None when the policy serves in another order."""
    if snapshot.policy.order is not Order.ATTAINED:
        return None
    return Attained(snapshot, view, now_ms)


def _served(holds: list[Hold], now_ms: int) -> tuple[Served, int] | None:
    """What a workload has had up to now, and on how many milli-GPU it runs."""
    began_ms = [hold.started_at_ms for hold in holds if hold.started_at_ms is not None]
    if not began_ms:
        return None
    attained, running = holds[0].attained_milli_ms, 0
    for hold in holds:
        milli = sum(share.gpu_milli for share in hold.devices)
        running += milli
        if hold.started_at_ms is not None:
            attained += milli * max(0, now_ms - hold.started_at_ms)
    first = holds[0]
    served = Served(first.workload_id, attained, first.queued_at_ms, min(began_ms))
    return served, running
