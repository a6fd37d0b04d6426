"""Moves one placed pod elsewhere so that a pod that found no room gets it; the packing experiment
asks, when moves are allowed.
"""

from __future__ import annotations

import numpy as np

from podium.scheduling.placing.offers import Offers
from podium.scheduling.space.room import Bools, Candidates, Floats, Ints, Requests, Room, candidates

LOOKED_AT = 128
"""So many moves are compared, those to the cheapest places."""


class Moves:
    """Knows what stands where, and moves a pod when that makes room for one that fits nowhere.

    Of the moves that do, the one that costs least by the prices in force: what the pod takes in its
    new place and the new one in its stead, less what the pod gives back. Only where that is no more
    than the GPU share that the new one gets, so not for pods without GPUs: GPU work would lose the
    CPU that it still finds. At most `per_thousand` moves
    for 1,000 arrivals so far; unused ones are kept.
    """

    def __init__(self, offers: Offers, requests: Requests, per_thousand: int) -> None:
        self.made = 0
        self._offers = offers
        self._requests = requests
        self._per_thousand = per_thousand
        self._arrivals = 0
        self._placed = 0
        # Room only shrinks, except by a move: until the next one these stay without any.
        self._hopeless: set[int] = set()
        self._class: Ints = np.zeros(1024, dtype=np.int64)
        self._node: Ints = np.zeros(1024, dtype=np.int64)
        self._on: Bools = np.zeros((1024, offers.room.devices.shape[1]), dtype=np.bool_)

    def arrived(self) -> None:
        """One more pod came; the allowance grows."""
        self._arrivals += 1

    def stands(self, index: int, node: int, devices: Ints) -> None:
        """A pod of class `index` was placed."""
        if self._placed == len(self._class):
            self._class = np.concatenate([self._class, np.zeros_like(self._class)])
            self._node = np.concatenate([self._node, np.zeros_like(self._node)])
            self._on = np.concatenate([self._on, np.zeros_like(self._on)])
        self._set(self._placed, index, node, devices)
        self._placed += 1

    def room_for(self, index: int) -> tuple[int, int] | None:
        """Node and device that one move has made free for a request of class `index`, which fits
        nowhere."""
        allowed = self._per_thousand * self._arrivals // 1000
        if self.made >= allowed or index in self._hopeless or not self._requests.gpus[index]:
            return None
        pods = self._that_free_enough(index)
        price, to = self._elsewhere(pods)
        order = np.argsort(price, kind="stable")[:LOOKED_AT]
        order = order[price[order] < np.inf]
        if not len(order):
            self._hopeless.add(index)
            return None
        pods, price, to = pods[order], price[order], to[order]
        cost = price + self._exchange(pods, index)
        best = int(cost.argmin())
        if cost[best] > self._requests.taken_milli[index]:
            return None
        pod, target = int(pods[best]), int(to[best])
        moved, source = int(self._class[pod]), int(self._node[pod])
        self._offers.put_back(moved, source, np.flatnonzero(self._on[pod]))
        taken = self._offers.take(moved, target, self._offers.device(moved, target))
        self._set(pod, moved, target, taken)
        self.made += 1
        self._hopeless.clear()
        return source, self._offers.device(index, source)

    def _set(self, pod: int, index: int, node: int, devices: Ints) -> None:
        self._class[pod], self._node[pod] = index, node
        self._on[pod] = False
        self._on[pod, devices] = True

    def _that_free_enough(self, index: int) -> Ints:
        """Placed pods without any one of which the request fits on their node."""
        requests, room = self._requests, self._offers.room
        classes, node = self._class[: self._placed], self._node[: self._placed]
        enough = requests.allowed[index][room.kind[node]]
        for free, each in (
            (room.cpu_milli, requests.cpu_milli),
            (room.memory, requests.memory),
        ):
            enough &= free[node] + each[classes] >= each[index]
        pods = np.flatnonzero(enough)
        able = self._devices_without(pods) >= max(1, int(requests.gpu_milli[index]))
        return np.asarray(pods[able.sum(axis=1) >= requests.gpus[index]])

    def _devices_without(self, pods: Ints) -> Ints:
        given = self._requests.gpu_milli[self._class[pods]][:, None] * self._on[pods]
        return np.asarray(self._offers.room.devices[self._node[pods]] + given)

    def _elsewhere(self, pods: Ints) -> tuple[Floats, Ints]:
        """Price and node of the cheapest place for each pod on another node than its own;
        infinite where there is none."""
        price = np.full(len(pods), np.inf)
        to = np.zeros(len(pods), dtype=np.int64)
        for index in np.unique(self._class[pods]).tolist():
            prices = self._offers.prices(index)
            first = int(prices.argmin())
            others = prices.copy()
            others[first] = np.inf
            second = int(others.argmin())
            mine = self._class[pods] == index
            stay = mine & (self._node[pods] == first)
            price[mine], to[mine] = prices[first], first
            price[stay], to[stay] = others[second], second
        return price, to

    def _exchange(self, pods: Ints, index: int) -> Floats:
        """What the request costs in the stead of each pod, less what the pod gives back."""
        room, requests = self._offers.room, self._requests
        node, classes = self._node[pods], self._class[pods]
        left = Room(
            cpu_milli=room.cpu_milli[node] + requests.cpu_milli[classes],
            memory=room.memory[node] + requests.memory[classes],
            devices=self._devices_without(pods),
            kind=room.kind[node],
            capacity_milli=room.capacity_milli[node],
        )
        cost = self._cheapest(left, candidates(left, requests, index))
        for each in np.unique(classes).tolist():
            rows = np.flatnonzero(classes == each)
            part = left.of(rows)
            cost[rows] -= self._cheapest(part, candidates(part, requests, each))
        return cost

    def _cheapest(self, room: Room, places: Candidates) -> Floats:
        cost = np.full(len(room.kind), np.inf)
        np.minimum.at(cost, places.node, self._offers.price_of(room, places))
        return cost
