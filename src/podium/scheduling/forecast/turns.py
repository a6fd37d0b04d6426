"""Who waits, in the order in which they will be served: what `ahead` plays through."""

from __future__ import annotations

from dataclasses import dataclass

from podium.scheduling.ground import fairness_of
from podium.scheduling.order.attained import attained_of
from podium.scheduling.order.service import Service
from podium.scheduling.placing.fit import Shape
from podium.scheduling.snapshot import Demand, Snapshot
from podium.scheduling.view import Ask, View

_PIECES = 32
"""An array takes its turns in at most so many pieces."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One turn: `least` replicas at once or nothing, and up to `most`; `alone` for tasks of an
    array, which run and end each by itself."""

    at: int
    demand: Demand
    ask: Ask
    least: int
    most: int
    alone: bool


def turns(snapshot: Snapshot, view: View, now_ms: int, most: int) -> list[Entry]:
    """The first `most` turns, as if each got what it asks for and nothing ever ended."""
    fairness = fairness_of(snapshot, view)
    attained = attained_of(snapshot, view, now_ms)
    service = Service(view, fairness, snapshot.policy, None if attained is None else attained.by)
    shapes: dict[int, Shape] = {}
    taken: dict[str, int] = {}
    found: list[Entry] = []
    while len(found) < most and (turn := service.next()) is not None:
        line, queue, _ = turn
        demand = queue.head
        before = taken.get(demand.workload_id, 0)
        # Of a gang of unlike groups the first is waited for, which is the hardest to place.
        pending = len(demand.parts[0].ranks if demand.parts else demand.pending_ranks)
        standing = demand.workload_id in view.held
        if demand.elastic:
            pending = 0 if standing else demand.minimum
        alone = demand.minimum == 1 and pending > 1
        count = min(pending - before, -(-pending // _PIECES)) if alone else pending
        if count <= 0:
            line.step()
            continue
        least = 1 if alone else min(demand.minimum, pending)
        found.append(Entry(len(found), demand, queue.ask, least, count, alone))
        request = demand.request
        shape = shapes.get(id(request))
        if shape is None:
            shape = shapes[id(request)] = Shape(request, view.layout.kinds)
        gpu: tuple[tuple[str, int], ...] = ()
        if shape.kinds:
            milli = view.milli_of(request)
            gpu = ((view.layout.kinds[shape.kinds[0]].type, count * milli),)
        fairness.add(demand.project, gpu, count * request.cpu_milli, count * request.memory_bytes)
        taken[demand.workload_id] = before + count
        if before + count >= pending:
            line.step()
    return found
