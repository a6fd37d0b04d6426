"""Keeps what every class of request is offered on every node, and looks again only where something
changed; whoever places many requests of few classes asks it.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from podium.scheduling.space.room import Candidates, Floats, Ints, Requests, Room, candidates


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
    `take` and `put_back` only.
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
        # Nodes of one state are offered alike, so each state is looked at once.
        self._states: dict[bytes, int] = {}
        self._state = np.array([self._state_of(node) for node in range(len(room.kind))])

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

    def device(self, index: int, node: int) -> int:
        """The best device of a node for a request of class `index`, -1 unless it is for exactly
        one. Raises ValueError where it does not fit."""
        if self.prices(index)[node] == np.inf:
            raise ValueError(f"class {index} does not fit on node {node}")
        return int(self._device[index, node])

    def price_of(self, room: Room, places: Candidates) -> Floats:
        """What the prices in force say of places on any room, (P,)."""
        return self._pricing.of(room, places) if len(places.node) else np.zeros(0)

    def take(self, index: int, node: int, device: int) -> Ints:
        """Takes what one request of class `index` needs: of `device`, or of the first able ones
        when that is -1; returns the devices. Raises ValueError when it does not fit."""
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
        self._touch(node)
        return chosen

    def put_back(self, index: int, node: int, devices: Ints) -> None:
        """Gives back what `take` took for a request of class `index`."""
        requests, room = self._requests, self.room
        room.devices[node, devices] += requests.gpu_milli[index]
        room.cpu_milli[node] += requests.cpu_milli[index]
        room.memory[node] += requests.memory[index]
        self._touch(node)

    def reprice(self, pricing: Pricing) -> None:
        """Forgets every price; from now on `pricing` makes them."""
        self._pricing = pricing
        self._seen[:] = -1

    def _look(self, index: int, nodes: Ints) -> None:
        _, first, state = np.unique(self._state[nodes], return_index=True, return_inverse=True)
        seen = self.room.of(nodes[first])
        places = candidates(seen, self._requests, index)
        price = np.full(len(first), np.inf)
        device = np.full(len(first), -1, dtype=np.int64)
        if len(places.node):
            prices = self._pricing.of(seen, places)
            rows = np.arange(len(prices))
            remainder = places.left.devices[rows, np.maximum(places.device, 0)]
            order = np.lexsort((remainder, prices, places.node))
            row = places.node[order]
            cheapest = np.ones(len(order), dtype=np.bool_)
            cheapest[1:] = row[1:] != row[:-1]
            best = order[cheapest]
            price[row[cheapest]] = prices[best]
            device[row[cheapest]] = places.device[best]
        self._price[index, nodes] = price[state]
        self._device[index, nodes] = device[state]

    def _touch(self, node: int) -> None:
        self._clock += 1
        self._changed[node] = self._clock
        self._state[node] = self._state_of(node)

    def _state_of(self, node: int) -> int:
        room = self.room
        state = (room.cpu_milli, room.memory, room.kind, room.capacity_milli, room.devices)
        key = b"".join(array[node].tobytes() for array in state)
        return self._states.setdefault(key, len(self._states))
