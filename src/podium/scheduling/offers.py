"""Keeps what every class of request is offered on every node, and looks again only where something
changed; whoever places many requests of few classes asks it.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from podium.scheduling.room import Candidates, Floats, Ints, Requests, Room, candidates


class Pricing(Protocol):
    """A way to choose: the cheapest candidate wins."""

    def of(self, room: Room, places: Candidates) -> Floats:
        """The price of each candidate, (P,), finite. `room` is as it is before the placement.

        The price of a node may depend on nothing but that node."""


class Offers:
    """The best device and its price on each node for each class, found when first asked for.

    Nodes that changed since a class was last asked for are priced again for that class alone, so a
    placement costs one node for each class and not one cluster. Of equal prices the first node
    wins, and on it the device that is left with least. `room` is taken over: change it through
    `take` only.
    """

    def __init__(self, room: Room, requests: Requests, pricing: Pricing) -> None:
        self.room = room
        self._requests = requests
        self._pricing = pricing
        shape = (len(requests), len(room.kind))
        self._price = np.full(shape, np.inf)
        self._device = np.full(shape, -1, dtype=np.int64)
        # A class has seen all changes up to its number; a node changed last at its number.
        self._clock = 0
        self._seen = np.full(len(requests), -1, dtype=np.int64)
        self._changed = np.zeros(len(room.kind), dtype=np.int64)

    def best(self, index: int) -> tuple[int, int] | None:
        """Node and device for a request of class `index`, or None where it fits nowhere. The
        device is -1 unless the request is for exactly one."""
        prices = self.prices(index)
        node = int(prices.argmin()) if len(prices) else -1
        if node < 0 or prices[node] == np.inf:
            return None
        return node, int(self._device[index, node])

    def prices(self, index: int) -> Floats:
        """The price on each node, (N,); infinite where the class does not fit. Read only."""
        dirty = np.flatnonzero(self._changed > self._seen[index])
        if len(dirty):
            self._look(index, dirty)
        self._seen[index] = self._clock
        row: Floats = self._price[index]
        return row

    def take(self, index: int, node: int, device: int) -> None:
        """Takes what one request of class `index` needs: of `device`, or of the first able ones
        when that is -1. Raises ValueError when it does not fit."""
        requests, room = self._requests, self.room
        gpus, milli = int(requests.gpus[index]), int(requests.gpu_milli[index])
        free = room.devices[node]
        chosen = np.array([device]) if device >= 0 else np.flatnonzero(free >= milli)[:gpus]
        cpu_milli = int(requests.cpu_milli[index])
        memory = int(requests.memory[index])
        if (
            len(chosen) != gpus
            or (free[chosen] < milli).any()
            or room.cpu_milli[node] < cpu_milli
            or room.memory[node] < memory
            or not requests.allowed[index, room.kind[node]]
        ):
            raise ValueError(f"class {index} does not fit on node {node}")
        free[chosen] -= milli
        room.cpu_milli[node] -= cpu_milli
        room.memory[node] -= memory
        self._clock += 1
        self._changed[node] = self._clock

    def reprice(self, pricing: Pricing) -> None:
        """Forgets every price; from now on `pricing` makes them."""
        self._pricing = pricing
        self._seen[:] = -1

    def _look(self, index: int, nodes: Ints) -> None:
        seen = self.room.of(nodes)
        places = candidates(seen, self._requests, index)
        self._price[index, nodes] = np.inf
        if not len(places.node):
            return
        prices = self._pricing.of(seen, places)
        rows = np.arange(len(prices))
        remainder = places.left.devices[rows, np.maximum(places.device, 0)]
        order = np.lexsort((remainder, prices, places.node))
        node = places.node[order]
        first = np.ones(len(order), dtype=np.bool_)
        first[1:] = node[1:] != node[:-1]
        best = order[first]
        self._price[index, nodes[node[first]]] = prices[best]
        self._device[index, nodes[node[first]]] = places.device[best]
