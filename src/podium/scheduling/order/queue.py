"""The order of the queue, and where in it a workload stands. Snapshots and reads use it."""

from __future__ import annotations

from collections.abc import Iterable

from podium.scheduling.snapshot import Demand


def queue_key(demand: Demand) -> tuple[int, int, str]:
    """Sorts demands into the order of the queue: priority, then age, then id."""
    return (-demand.priority, demand.queued_at_ms, demand.workload_id)


def queue_order(demands: Iterable[Demand]) -> tuple[Demand, ...]:
    return tuple(sorted(demands, key=queue_key))


def queue_position(demands: Iterable[Demand], workload_id: str) -> int | None:
    """1 for the next in the queue; None when the workload does not wait."""
    for position, demand in enumerate(queue_order(demands), start=1):
        if demand.workload_id == workload_id:
            return position
    return None
