"""Equal nodes and who stands where. `attained` places jobs here and makes some give way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from podium.scheduling.order.service_order import Rank
from podium.simulation.queueing.rooms import Place
from podium.simulation.queueing.trace import Machines


class Floor:
    """As in `Rooms`, a job of a node's size or less stands on one node, a larger one on whole
    empty nodes, and what is left over shares another; but the fullest node that fits is taken."""

    def __init__(self, machines: Machines) -> None:
        self._size = machines.gpus_per_node
        self._free = [machines.gpus_per_node] * machines.nodes
        self._on: list[dict[int, int]] = [{} for _ in range(machines.nodes)]
        self._places: dict[int, Place] = {}
        self.free = machines.gpus

    def find(self, gpus: int) -> Place | None:
        """Where a job would stand without anybody giving way."""
        if gpus > self.free:
            return None
        whole, rest = divmod(gpus, self._size) if gpus > self._size else (0, gpus)
        empty = [node for node, free in enumerate(self._free) if free == self._size]
        if len(empty) < whole:
            return None
        place = [(node, self._size) for node in empty[:whole]]
        if rest:
            taken = set(empty[:whole])
            fitting = [
                (free, node)
                for node, free in enumerate(self._free)
                if free >= rest and node not in taken
            ]
            if not fitting:
                return None
            place.append((min(fitting)[1], rest))
        return tuple(place)

    def clear(self, gpus: int, evictable: Mapping[int, Rank]) -> tuple[list[int], Place] | None:
        """Whom to stop and where a job then stands: the place that stops the fewest GPUs. On one
        node the last in rank go first, and none that need not. None where it is not enough."""
        whole, rest = divmod(gpus, self._size) if gpus > self._size else (0, gpus)
        leaving: dict[int, dict[int, list[int]]] = {}  # by GPUs needed, then node
        prices: dict[int, dict[int, int]] = {}
        for need in {self._size if whole else rest, rest} - {0}:
            leaving[need], prices[need] = {}, {}
            for node in range(len(self._free)):
                victims = self._victims(node, need, evictable)
                if victims is not None:
                    leaving[need][node] = victims
                    prices[need][node] = sum(self._gpus_of(victim) for victim in victims)
        place: list[tuple[int, int]] = []
        stopped: dict[int, None] = {}
        if whole:
            nodes = sorted(prices[self._size], key=lambda node: (prices[self._size][node], node))
            if len(nodes) < whole:
                return None
            for node in nodes[:whole]:
                place.append((node, self._size))
                stopped.update(dict.fromkeys(leaving[self._size][node]))
        if rest:
            taken = {node for node, _ in place}
            nodes = [node for node in prices[rest] if node not in taken]
            if not nodes:
                return None
            best = min(nodes, key=lambda node: (prices[rest][node], self._free[node], node))
            place.append((best, rest))
            stopped.update(dict.fromkeys(leaving[rest][best]))
        return list(stopped), tuple(place)

    def take(self, job: int, place: Sequence[tuple[int, int]]) -> None:
        self._places[job] = tuple(place)
        for node, gpus in place:
            assert self._free[node] >= gpus
            self._free[node] -= gpus
            self._on[node][job] = gpus
            self.free -= gpus

    def give(self, job: int) -> None:
        for node, gpus in self._places.pop(job):
            self._free[node] += gpus
            del self._on[node][job]
            self.free += gpus

    def _gpus_of(self, job: int) -> int:
        return sum(gpus for _, gpus in self._places[job])

    def _victims(self, node: int, need: int, evictable: Mapping[int, Rank]) -> list[int] | None:
        free, victims = self._free[node], []
        here = self._on[node]
        willing = [job for job in here if job in evictable]
        willing.sort(key=evictable.__getitem__, reverse=True)
        for job in willing:
            if free >= need:
                break
            victims.append(job)
            free += here[job]
        if free < need:
            return None
        for job in list(victims):
            if free - here[job] >= need:
                free -= here[job]
                victims.remove(job)
        return victims
