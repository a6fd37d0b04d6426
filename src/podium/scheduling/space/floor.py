"""What is free on every node during one cycle; placements take from it.

Nodes are grouped by their state, so that whoever looks for room looks at states, which are few,
and not at nodes.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np

from podium.scheduling.snapshot import Hold
from podium.scheduling.space.layout import ANY, Layout, Where
from podium.scheduling.space.masks import SLICED, least, less
from podium.scheduling.space.room import Bools, Ints


class Free(NamedTuple):
    """What is free on one node; `devices` by column, as `masks` has it."""

    cpu_milli: int
    memory_bytes: int
    devices: tuple[int, ...]

    def less(self, cpu_milli: int, memory_bytes: int, devices: Iterable[tuple[int, int]]) -> Free:
        """What is left when this is taken; `devices` are columns and amounts."""
        left = list(self.devices)
        for column, amount in devices:
            value = left[column]
            left[column] = value - amount if value < SLICED else less(value, amount)
        return Free(self.cpu_milli - cpu_milli, self.memory_bytes - memory_bytes, tuple(left))

    def least(self, other: Free) -> Free:
        """What both have."""
        return Free(
            min(self.cpu_milli, other.cpu_milli),
            min(self.memory_bytes, other.memory_bytes),
            tuple(map(least, self.devices, other.devices)),
        )


def freed(layout: Layout, free: Free, hold: Hold) -> Free:
    """What is free on the node of a hold once that has ended."""
    columns = layout.columns(hold.node, hold.devices)
    return free.less(
        -hold.cpu_milli, -hold.memory_bytes, [(column, -milli) for column, milli in columns]
    )


class Pool:
    """The nodes that some requests may use, grouped by state. `appeared` logs the states that a
    node came into when no other was in it."""

    def __init__(self, state: Ints, allowed: Bools) -> None:
        self.allowed = allowed
        self.members: dict[int, list[int]] = {}
        self.count: dict[int, int] = {}
        self._state = state
        positions = np.flatnonzero(allowed)
        order = np.argsort(state[positions], kind="stable")
        ordered = positions[order]
        numbers, starts = np.unique(state[ordered], return_index=True)
        for number, group in zip(
            numbers.tolist(), np.split(ordered, starts[1:]) if len(starts) else [], strict=True
        ):
            self.members[number] = group.tolist()  # ascending, so a heap
            self.count[number] = len(group)
        # In the order of their first nodes, which says nothing about how states are numbered.
        self.appeared = sorted(self.members, key=lambda number: self.members[number][0])

    def first(self, number: int) -> int:
        """The first node in this state; there is one."""
        heap = self.members[number]
        while self._state[heap[0]] != number:
            heappop(heap)
        return heap[0]

    def move(self, at: int, before: int, after: int) -> None:
        """Node `at` has changed its state."""
        self.count[before] -= 1
        count = self.count.get(after, 0)
        self.count[after] = count + 1
        if count == 0:
            self.members[after] = [at]
            self.appeared.append(after)
        else:
            heappush(self.members[after], at)


class Floor:
    """Free CPU, memory and devices by node position, and the state of each node."""

    def __init__(self, layout: Layout, holds: Iterable[Hold] = (), *, all_up: bool = False) -> None:
        """`holds` are taken already; nodes and devices that are gone or ill give nothing. `all_up`
        pretends that every node is ready and every device healthy."""
        self.layout = layout
        self.ready: Bools = np.ones(len(layout.nodes), np.bool_) if all_up else layout.is_ready
        cpu_milli = [node.cpu_milli for node in layout.nodes]
        memory_bytes = [node.memory_bytes for node in layout.nodes]
        devices = [
            layout.whole(at) if all_up else layout.idle(at) for at in range(len(layout.nodes))
        ]
        for hold in holds:
            at = layout.position.get(hold.node)
            if at is not None:
                cpu_milli[at] -= hold.cpu_milli
                memory_bytes[at] -= hold.memory_bytes
                for column, amount in layout.columns(hold.node, hold.devices):
                    devices[at][column] = less(devices[at][column], amount)
        self.free = [
            Free(*each) for each in zip(cpu_milli, memory_bytes, map(tuple, devices), strict=True)
        ]
        self.state: Ints = np.array(
            [
                layout.state(shelf, *free)
                for shelf, free in zip(layout.shelf, self.free, strict=True)
            ],
            dtype=np.int64,
        )
        self._pools: dict[Where, Pool] = {}

    def fork(self) -> Floor:
        """A copy that changes for itself."""
        other = Floor.__new__(Floor)
        other.layout, other.ready = self.layout, self.ready
        other.free = self.free.copy()
        other.state = self.state.copy()
        other._pools = {}
        return other

    def pool(self, where: Where) -> Pool:
        """The ready nodes that will do."""
        found = self._pools.get(where)
        if found is None:
            allowed = self.ready if where == ANY else self.ready & self.layout.chosen(where)
            found = self._pools[where] = Pool(self.state, allowed)
        return found

    def gpu_milli(self) -> Ints:
        """Milli-GPU free on each node, (N,)."""
        states = self.layout.states.of
        numbers, rows = np.unique(self.state, return_inverse=True)
        sums = [states[number].gpu_milli for number in numbers.tolist()]
        return np.array(sums, dtype=np.int64)[rows]

    def cpu_milli(self) -> Ints:
        """Milli-CPU free on each node, (N,)."""
        states = self.layout.states.of
        numbers, rows = np.unique(self.state, return_inverse=True)
        return np.array([states[number].cpu_milli for number in numbers.tolist()], np.int64)[rows]

    def set(self, at: int, free: Free) -> None:
        """So much is free on node `at` from now on."""
        self.free[at] = free
        after = self.layout.state(self.layout.shelf[at], *free)
        before = int(self.state[at])
        if before != after:
            self.state[at] = after
            for pool in self._pools.values():
                if pool.allowed[at]:
                    pool.move(at, before, after)

    def take(
        self, at: int, cpu_milli: int, memory_bytes: int, devices: Iterable[tuple[int, int]]
    ) -> None:
        """Takes from node `at`, or gives back what is negative; `devices` are columns and
        amounts."""
        self.set(at, self.free[at].less(cpu_milli, memory_bytes, devices))
