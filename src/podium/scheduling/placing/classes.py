"""Equal requests as one class: how many fit on each state, and the best node for the next one.

`decide` asks the class of a demand for its places. What was found for a state holds for every
node that is ever in it, so a placement costs a look at one state and not at the cluster.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np

from podium.domain.resources import Request, TopologyLevel
from podium.scheduling.placing.cuts import Instance, instances_of
from podium.scheduling.placing.fit import Shape, capacity, choices, whole_devices
from podium.scheduling.placing.worths import Worths
from podium.scheduling.space.floor import Floor, Free
from podium.scheduling.space.layout import State, where_of
from podium.scheduling.space.room import Ints

Key = tuple[int, ...]
"""Smaller is better: price, what is left of a shared device, of the node's GPUs, CPU and memory.
The last entries only tell states apart."""


_UNKNOWN = -1


class Grant(NamedTuple):
    """What one replica takes from one node: `devices` are column, amount (`masks`) and bytes;
    where it gets MIG instances, `instances` are their profiles and starts, in the same order."""

    at: int
    devices: tuple[tuple[int, int, int], ...]
    instances: tuple[tuple[str, int], ...] = ()


class RequestClass:
    """One class on one floor. It follows what happens there by itself."""

    def __init__(self, floor: Floor, request: Request, worths: Worths) -> None:
        self.request = request
        self.floor = floor
        self.shape = Shape(request, floor.layout.kinds)
        self.pool = floor.pool(where_of(request))
        self.worths = worths
        self._epoch = -1
        self._capacities: Ints = np.zeros(0, dtype=np.int64)
        self._keys: dict[int, Key | None] = {}
        self._heap: list[tuple[Key, int]] = []
        self._followed = 0
        # Bounds of how many replicas fit together in one place of a level (None = anywhere). Room
        # only shrinks during a cycle, so a bound once found stays true.
        self.most: dict[TopologyLevel | None, int] = {}

    def capacities(self, floor: Floor | None = None) -> Ints:
        """How many replicas each node takes now, (N,), or on another floor of the same layout."""
        floor = floor or self.floor
        layout = floor.layout
        states = layout.states.of
        known = self._capacities
        if len(known) < len(states):
            known = np.full(2 * len(states), _UNKNOWN, dtype=np.int64)
            known[: len(self._capacities)] = self._capacities
            self._capacities = known
        found = known[floor.state]
        if (found == _UNKNOWN).any():
            for number in np.unique(floor.state[found == _UNKNOWN]).tolist():
                state = states[number]
                known[number] = capacity(self.shape, state, layout.shelves[state.shelf])
            found = known[floor.state]
        return np.where(self.pool.allowed, found, 0)

    def room_for(self, wanted: int) -> int:
        """How many replicas fit now, counted until there are `wanted`."""
        layout = self.floor.layout
        states = layout.states.of
        found = 0
        for number, count in self.pool.count.items():
            if count:
                state = states[number]
                found += count * capacity(self.shape, state, layout.shelves[state.shelf])
                if found >= wanted:
                    break
        return found

    def best(self) -> int | None:
        """The node for the next replica, None when it fits nowhere."""
        self._follow()
        count = self.pool.count
        while self._heap:
            number = self._heap[0][1]
            if count[number]:
                return self.pool.first(number)
            heappop(self._heap)
            del self._keys[number]
        return None

    def key(self, at: int) -> Key | None:
        """How well the next replica fits on node `at`, None where it does not."""
        number = int(self.floor.state[at])
        if self._epoch != self.worths.epoch or number not in self._keys:
            return self._scored([number])[0]
        return self._keys[number]

    def grant(self, at: int) -> Grant:
        """What the next replica gets on a node where it fits."""
        if not self.shape.shared:
            return self.grant_from(at, self.floor.free[at])
        key = self.key(at)
        assert key is not None
        kind, wanted = key[-2], key[-1]
        shelf = self.floor.layout.shelves[self.floor.layout.shelf[at]]
        column = next(
            column
            for column, milli in enumerate(self.floor.free[at].devices)
            if milli == wanted and shelf[column] == kind
        )
        return self._grant_of(at, (column,))

    def grant_from(self, at: int, free: Free) -> Grant:
        """What a replica gets on a node where it fits when so much is free: of shared devices the
        fullest, of whole ones those with the least memory."""
        layout = self.floor.layout
        shelf = layout.shelves[layout.shelf[at]]
        if not self.shape.count:
            return Grant(at, ())
        if self.shape.need is not None:
            return self._instances_from(at, free)
        if not self.shape.shared:
            chosen = whole_devices(self.shape, free.devices, shelf)
            assert chosen is not None
            return self._grant_of(at, chosen)
        left = [
            (milli - amount[0], column)
            for column, milli in enumerate(free.devices)
            if (amount := self.shape.grants[shelf[column]]) is not None and milli >= amount[0]
        ]
        return self._grant_of(at, (min(left)[1],))

    def _instances_from(self, at: int, free: Free) -> Grant:
        layout = self.floor.layout
        chosen = self._choose(free.devices, layout.shelves[layout.shelf[at]])
        assert chosen is not None
        return grant_of_instances(at, chosen)

    def _choose(self, devices: Sequence[int], shelf: Sequence[int]) -> tuple[Instance, ...] | None:
        shape = self.shape
        assert shape.need is not None
        choose = self.worths.slices.chooser(shape.need)
        return instances_of(shape.cuts, shape.grants, shape.count, devices, shelf, choose)

    def _grant_of(self, at: int, columns: tuple[int, ...]) -> Grant:
        layout = self.floor.layout
        shelf = layout.shelves[layout.shelf[at]]
        taken = []
        for column in columns:
            amount = self.shape.grants[shelf[column]]
            assert amount is not None
            taken.append((column, *amount))
        return Grant(at, tuple(taken))

    def take(self, grant: Grant) -> None:
        take(self.floor, self.request, grant)

    def _follow(self) -> None:
        appeared = self.pool.appeared
        if self._epoch != self.worths.epoch:
            self._epoch = self.worths.epoch
            self._keys.clear()
            self._heap.clear()
            fresh = [number for number, count in self.pool.count.items() if count]
        elif self._followed < len(appeared):
            fresh = [
                number
                for number in dict.fromkeys(appeared[self._followed :])
                if number not in self._keys and self.pool.count[number]
            ]
        else:
            return
        self._followed = len(appeared)
        for number, key in zip(fresh, self._scored(fresh), strict=True):
            self._keys[number] = key
            if key is not None:
                heappush(self._heap, (key, number))

    def _scored(self, numbers: list[int]) -> list[Key | None]:
        """The best key of each state."""
        layout, request = self.floor.layout, self.request
        shape = self.shape
        if shape.need is not None:
            return [self._scored_instances(layout.states.of[number]) for number in numbers]
        ways: list[tuple[int, int, int, int]] = []  # row, state after, device left, kind
        before: list[int] = []
        for row, number in enumerate(numbers):
            state = layout.states.of[number]
            shelf = layout.shelves[state.shelf]
            for chosen in choices(shape, state, shelf):
                left = list(state.devices)
                for at in chosen:
                    amount = shape.grants[shelf[at]]
                    assert amount is not None
                    left[at] -= amount[0]
                after = layout.state(
                    state.shelf,
                    state.cpu_milli - request.cpu_milli,
                    state.memory_bytes - request.memory_bytes,
                    tuple(left),
                )
                shared = shape.shared and bool(chosen)
                ways.append(
                    (row, after, left[chosen[0]] if shared else 0, chosen[0] if shared else -1)
                )
                before.append(number)
        best: list[Key | None] = [None] * len(numbers)
        prices = self.worths.prices(before, [way[1] for way in ways])
        for price, (row, after, device_left, device) in zip(prices, ways, strict=True):
            number = numbers[row]
            state, rest = layout.states.of[number], layout.states.of[after]
            key = (
                price,
                device_left,
                rest.gpu_milli if layout.sliced else sum(rest.devices),
                rest.cpu_milli,
                rest.memory_bytes,
                state.shelf,
                *state.devices,
                layout.shelves[state.shelf][device] if device >= 0 else -1,
                state.devices[device] if device >= 0 else -1,
            )
            known = best[row]
            if known is None or key < known:
                best[row] = key
        return best

    def _scored_instances(self, state: State) -> Key | None:
        request = self.request
        cpu_milli = state.cpu_milli - request.cpu_milli
        memory_bytes = state.memory_bytes - request.memory_bytes
        if cpu_milli < 0 or memory_bytes < 0:
            return None
        chosen = self._choose(state.devices, self.floor.layout.shelves[state.shelf])
        if chosen is None:
            return None
        price = sum(each.price for each in chosen)
        left = sum(each.left for each in chosen)
        rest = (state.gpu_milli, cpu_milli, memory_bytes, state.shelf)
        return (price, left, *rest, *state.devices, -1, -1)


def grant_of_instances(at: int, chosen: Sequence[Instance]) -> Grant:
    return Grant(
        at,
        tuple((each.column, each.amount, each.memory_bytes) for each in chosen),
        tuple(
            ("", 0) if each.profile is None else (each.profile.name, each.start) for each in chosen
        ),
    )


def taken(request: Request, grant: Grant) -> tuple[int, int, list[tuple[int, int]]]:
    """What `Free.less` and `Floor.take` want: CPU, memory, and amounts by column."""
    devices = [(column, milli) for column, milli, _ in grant.devices]
    return request.cpu_milli, request.memory_bytes, devices


def take(floor: Floor, request: Request, grant: Grant) -> None:
    """Takes from a floor what one replica of the request was granted."""
    floor.take(grant.at, *taken(request, grant))
