"""When, and on which nodes, a demand that does not fit now is expected to fit. `blocked` keeps
these nodes for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from podium.domain.resources import TopologyLevel
from podium.scheduling.placing.classes import RequestClass
from podium.scheduling.placing.gangs import replicas_by_node
from podium.scheduling.snapshot import Demand, Hold
from podium.scheduling.space.floor import Floor, Free, freed
from podium.scheduling.space.keeping import Kept, replicas_on
from podium.scheduling.space.room import Bools, Ints
from podium.scheduling.view import View

ENDS_MAX = 20_000
"""So many ends are looked at for one demand; what starts only after them has no time yet."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Nodes, how many replicas of the demand each is kept for, and what is free there then.
    `sure`: it fits at `from_ms` by what running work is allowed at most, not by what is usual."""

    from_ms: int | None
    counts: tuple[tuple[int, int], ...]
    free: dict[int, Free]
    sure: bool


def earliest_slot(
    view: View, kept: Kept, family: RequestClass, demand: Demand, now_ms: int
) -> Slot | None:
    """The first time at which the minimum fits as running work ends; None when too little of it
    has an expected end. Nodes on which something else is kept at that time are left out."""
    layout, within = view.layout, demand.topology.within
    capacities = family.capacities()
    capacities[list(kept.nodes)] = 0
    places = np.zeros(len(capacities), np.int64) if within is None else layout.places(within)
    totals = np.bincount(places, weights=capacities, minlength=1).astype(np.int64)
    free: dict[int, Free] = {}
    sure = True
    for looked, (end_ms, hold) in enumerate(ends_of(view, now_ms)):
        at = layout.position.get(hold.node)
        if looked >= ENDS_MAX:
            break
        if at is None or not family.pool.allowed[at] or kept.bars(at, demand, end_ms):
            continue
        free[at] = freed(layout, free.get(at, kept.free(at)), hold)
        sure = sure and end_ms == hold.ends_at_ms
        more = replicas_on(family, at, free[at])
        totals[places[at]] += more - capacities[at]
        capacities[at] = more
        if totals[places[at]] >= demand.minimum:
            counts = replicas_by_node(
                family, demand.topology, capacities, demand.minimum, demand.minimum
            )
            rooms = {at: free.get(at, kept.free(at)) for at, _ in counts}
            return Slot(end_ms, tuple(counts), rooms, sure)
    return None


def ends_of(view: View, now_ms: int) -> Iterator[tuple[int, Hold]]:
    """Holds in the order in which they are expected to end. What should have ended already counts
    as half done: it is given as long again as it is late."""
    late = []
    for end_ms, allocation_id in view.ends:
        if end_ms > now_ms:
            break
        late.append((now_ms + max(1000, now_ms - end_ms), allocation_id))
    late.sort()
    on_time = iter(view.ends[len(late) :])
    following = next(on_time, None)
    for entry in late:
        while following is not None and following <= entry:
            yield following[0], view.holds[following[1]]
            following = next(on_time, None)
        yield entry[0], view.holds[entry[1]]
    while following is not None:
        yield following[0], view.holds[following[1]]
        following = next(on_time, None)


def drained_slot(drained: Floor, kept: Kept, family: RequestClass, demand: Demand) -> Slot | None:
    """The nodes with the least to drain on which the minimum fits once all has ended that ends by
    itself, without a time; None when it would not fit even then."""
    capacities = np.minimum(family.capacities(drained), demand.minimum)
    capacities[list(kept.nodes)] = 0
    if int(capacities.sum()) < demand.minimum:
        return None
    floor = family.floor
    gpu: Ints = np.zeros(len(capacities), np.int64)
    if family.shape.count:
        gpu = drained.gpu_milli() - floor.gpu_milli()
    cpu = drained.cpu_milli() - floor.cpu_milli()
    able: Bools = capacities > 0
    order = np.lexsort((np.arange(len(able)), cpu, gpu))
    order = order[able[order]]
    within = demand.topology.within
    best: tuple[tuple[int, int, int], list[tuple[int, int]]] | None = None
    for group in _groups(family, within, order):
        fits = capacities[group]
        before = np.cumsum(fits) - fits
        used = group[before < demand.minimum]
        if int(fits.sum()) < demand.minimum:
            continue
        price = (int(gpu[used].sum()), int(cpu[used].sum()), int(used[0]))
        if best is None or price < best[0]:
            missing = demand.minimum
            counts = []
            for at in used.tolist():
                share = min(missing, int(capacities[at]))
                counts.append((at, share))
                missing -= share
            best = (price, counts)
    if best is None:
        return None
    rooms = {at: drained.free[at] for at, _ in best[1]}
    return Slot(None, tuple(best[1]), rooms, sure=False)


def _groups(family: RequestClass, within: TopologyLevel | None, order: Ints) -> Iterator[Ints]:
    if within is None:
        yield order
        return
    places = family.floor.layout.places(within)[order]
    for place in dict.fromkeys(places.tolist()):
        yield order[places == place]
