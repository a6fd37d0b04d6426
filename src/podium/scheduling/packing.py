"""Finds places for the replicas of one demand and takes them; `decide` calls it in queue order.

Requests that are equal share a class: its candidate nodes stay in a heap that follows the
cluster's log of changes, so that a placement costs one new key and not a scan of the cluster.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence

from podium.domain.resources import Request, TopologyLevel
from podium.scheduling.cluster import Cluster, Grant, NodeRoom
from podium.scheduling.fit import FitKey, Shape, capacity, choose, fit_key
from podium.scheduling.snapshot import Demand
from podium.scheduling.topology import LEVELS, Place, place_of, smallest_named

Slot = tuple[NodeRoom, Grant]


class Candidates:
    """Nodes of one class, best fit first."""

    def __init__(self, cluster: Cluster, shape: Shape, rooms: Iterable[NodeRoom]) -> None:
        self._cluster = cluster
        self._shape = shape
        self._seen = len(cluster.changed)
        self._keys: dict[int, FitKey | None] = {
            room.position: fit_key(room, shape) for room in rooms
        }
        self._heap = [key for key in self._keys.values() if key is not None]
        heapq.heapify(self._heap)

    def best(self) -> NodeRoom | None:
        self._follow()
        while self._heap:
            key = self._heap[0]
            position = key[-1]
            if self._keys[position] == key:
                return self._cluster.nodes[position]
            heapq.heappop(self._heap)
        return None

    def _follow(self) -> None:
        changed = self._cluster.changed
        if self._seen == len(changed):
            return
        for position in dict.fromkeys(changed[self._seen :]):
            if position in self._keys:
                key = fit_key(self._cluster.nodes[position], self._shape)
                if key is not None and key != self._keys[position]:
                    heapq.heappush(self._heap, key)
                self._keys[position] = key
        self._seen = len(changed)


class RequestClass:
    """What equal requests share in one cycle.

    `most[level]` bounds how many replicas can stand together in one place of that level (None =
    anywhere). Free capacity only shrinks during a cycle, so a bound once found stays true.
    """

    def __init__(self, cluster: Cluster, request: Request) -> None:
        self.shape = Shape(request, cluster.kinds)
        self.rooms = cluster.eligible(request.node_labels)
        self.most: dict[TopologyLevel | None, int] = {}
        self._cluster = cluster
        self._candidates: Candidates | None = None

    @property
    def candidates(self) -> Candidates:
        if self._candidates is None:
            self._candidates = Candidates(self._cluster, self.shape, self.rooms)
        return self._candidates


class Packer:
    """Places demands one after another on one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._classes: dict[Request, RequestClass] = {}

    def request_class(self, request: Request) -> RequestClass:
        found = self._classes.get(request)
        if found is None:
            found = self._classes[request] = RequestClass(self._cluster, request)
        return found

    def place(self, demand: Demand, beside: Sequence[NodeRoom]) -> list[Slot]:
        """Takes places for at least `minimum` replicas and at most all, or for none.

        `beside` are the nodes where the workload already stands: a required topology binds the
        new replicas to the same place.
        """
        family = self.request_class(demand.request)
        within = demand.topology.within
        if family.most.get(within, demand.minimum) < demand.minimum:
            return []
        rooms = self._pool(demand, family, beside)
        if rooms is not None:
            return self._fill(
                Candidates(self._cluster, family.shape, rooms), family.shape, demand, exact=False
            )
        if demand.minimum > 1:
            found = room_for(family.rooms, family.shape, demand.minimum)
            if found < demand.minimum:
                family.most[None] = found
                return []
        return self._fill(family.candidates, family.shape, demand, exact=True)

    def _fill(
        self, candidates: Candidates, shape: Shape, demand: Demand, *, exact: bool
    ) -> list[Slot]:
        slots: list[Slot] = []
        while len(slots) < len(demand.pending_ranks):
            room = candidates.best()
            if room is None:
                if exact:
                    self.request_class(demand.request).most[None] = 0
                break
            grant = choose(room, shape)
            self._cluster.take(room, grant)
            slots.append((room, grant))
        assert not slots or len(slots) >= demand.minimum
        return slots

    def _pool(
        self, demand: Demand, family: RequestClass, beside: Sequence[NodeRoom]
    ) -> list[NodeRoom] | None:
        """The nodes to use, empty when no place will do, None when anywhere will do."""
        want = len(demand.pending_ranks)
        within, prefer = demand.topology.within, demand.topology.prefer
        if prefer is not None:
            for level in LEVELS:
                if within is not None and level is smallest_named(within):
                    break
                pools = places(family.rooms, level, beside)
                pool, found = _tightest(pools, family.shape, want)
                if found >= want:
                    return pool
        if within is None:
            return None
        pool, found = _tightest(places(family.rooms, within, beside), family.shape, want)
        if found >= demand.minimum:
            return pool
        if not beside:
            family.most[within] = found
        return []


def places(
    rooms: Iterable[NodeRoom], level: TopologyLevel, beside: Sequence[NodeRoom] = ()
) -> list[list[NodeRoom]]:
    """The nodes grouped by their place of `level`; with `beside`, only the place that holds all
    of those."""
    groups: dict[Place, list[NodeRoom]] = {}
    for room in rooms:
        groups.setdefault(place_of(room.node, level), []).append(room)
    if not beside:
        return list(groups.values())
    taken = dict.fromkeys(place_of(room.node, level) for room in beside)
    return [groups[place] for place in taken if place in groups] if len(taken) == 1 else []


def most_together(
    rooms: Iterable[NodeRoom],
    shape: Shape,
    within: TopologyLevel | None,
    beside: Sequence[NodeRoom] = (),
) -> int:
    """How many replicas fit now: in all, or in the one best place of `within`."""
    if within is None:
        return sum(capacity(room, shape) for room in rooms)
    return max(
        (sum(capacity(room, shape) for room in group) for group in places(rooms, within, beside)),
        default=0,
    )


def _tightest(pools: list[list[NodeRoom]], shape: Shape, want: int) -> tuple[list[NodeRoom], int]:
    """The place with the least room among those that hold `want`, else the one with the most."""
    best: list[NodeRoom] = []
    best_key: tuple[bool, int] | None = None
    best_found = 0
    for pool in pools:
        found = sum(capacity(room, shape) for room in pool)
        key = (found < want, found if found >= want else -found)
        if best_key is None or key < best_key:
            best, best_key, best_found = pool, key, found
    return best, best_found


def room_for(rooms: Iterable[NodeRoom], shape: Shape, wanted: int) -> int:
    """How many replicas fit now, counted until there are `wanted`."""
    found = 0
    for room in rooms:
        found += capacity(room, shape)
        if found >= wanted:
            break
    return found
