"""The named policies of the packing experiment: Podium's own, and those that it is compared with.

The experiment asks each for one place after another, and takes it. All but `random` choose the
cheapest of the candidates, so they differ only in how they price them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Protocol

import numpy as np

from podium.scheduling.placing.offers import Offers, Pricing
from podium.scheduling.placing.pricing import Mix, Prices
from podium.scheduling.space.room import WHOLE_MILLI, Candidates, Floats, Ints, Requests, Room
from podium.simulation.packing.fgd import Fragmentation


class Policy(Protocol):
    offers: Offers

    def find(self, index: int) -> tuple[int, int] | None:
        """Node and device for a request of class `index` that has just come, if it fits anywhere;
        the device is as in `Offers.best`."""


Maker = Callable[[Room, Requests, Ints, int], Policy]
"""Makes a policy from the empty room, the classes, how often each is in the list, and the seed."""


class Cheapest:
    """The cheapest candidate by prices that stay the same."""

    def __init__(self, room: Room, requests: Requests, pricing: Pricing) -> None:
        self.offers = Offers(room, requests, pricing)

    def find(self, index: int) -> tuple[int, int] | None:
        return self.offers.best(index)


class Podium:
    """Prices made of the requests seen so far, and of nothing else."""

    def __init__(self, room: Room, requests: Requests) -> None:
        self._requests = requests
        self._mix = Mix(len(requests))
        self._prices = Prices(requests, self._mix, room)
        self.offers = Offers(room, requests, self._prices)

    def find(self, index: int) -> tuple[int, int] | None:
        self._mix.see(index)
        if self._prices.stale(self._mix, self.offers.room):
            self._prices = Prices(self._requests, self._mix, self.offers.room)
            self.offers.reprice(self._prices)
        return self.offers.best(index)


class Random:
    """Any node on which it fits, and any device of that node."""

    def __init__(self, room: Room, requests: Requests, seed: int) -> None:
        self._requests = requests
        self.offers = Offers(room, requests, FirstFit())
        self._draw = random.Random(seed)  # noqa: S311 an experiment, no secret

    def find(self, index: int) -> tuple[int, int] | None:
        nodes = np.flatnonzero(self.offers.prices(index) < np.inf)
        if not len(nodes):
            return None
        node, device = int(self._draw.choice(nodes)), -1
        if self._requests.gpus[index] == 1:
            free = self.offers.room.devices[node]
            able = np.flatnonzero(free >= self._requests.gpu_milli[index])
            device = int(self._draw.choice(able))
        return node, device


class FirstFit:
    """The first node in order; of its devices, as everywhere, the tightest."""

    def of(self, room: Room, places: Candidates) -> Floats:  # noqa: ARG002 one price fits all nodes
        return np.zeros(len(places.node))


class BestFit:
    """The node that is left with least, CPU and GPU counting alike, each as a share of what the
    largest node has."""

    def __init__(self, room: Room) -> None:
        self._cpu_milli = max(1, int(room.cpu_milli.max()))
        self._gpu_milli = max(1, int(room.capacity_milli.max()))

    def of(self, room: Room, places: Candidates) -> Floats:  # noqa: ARG002 only the rest counts
        left = places.left
        share = left.cpu_milli / self._cpu_milli + left.devices.sum(axis=1) / self._gpu_milli
        return np.asarray(np.rint(share * 1e6))


class Packing:
    """GPUs in use before idle GPUs, nodes in use before idle nodes."""

    def of(self, room: Room, places: Candidates) -> Floats:
        before = room.devices[places.node]
        begun = ((before == WHOLE_MILLI) & (places.left.devices < WHOLE_MILLI)).sum(axis=1)
        idle = before.sum(axis=1) == room.capacity_milli[places.node]
        return np.where(begun == 0, 0.0, np.where(idle, 2.0, 1.0))


_MAKERS: dict[str, Maker] = {
    "podium": lambda room, requests, _counts, _seed: Podium(room, requests),
    "fgd": lambda room, requests, counts, _seed: Cheapest(
        room, requests, Fragmentation(requests, counts)
    ),
    "first-fit": lambda room, requests, _counts, _seed: Cheapest(room, requests, FirstFit()),
    "best-fit": lambda room, requests, _counts, _seed: Cheapest(room, requests, BestFit(room)),
    "packing": lambda room, requests, _counts, _seed: Cheapest(room, requests, Packing()),
    "random": lambda room, requests, _counts, seed: Random(room, requests, seed),
}

NAMES = tuple(_MAKERS)


def policy_named(name: str) -> Maker:
    """Raises KeyError."""
    return _MAKERS[name]
