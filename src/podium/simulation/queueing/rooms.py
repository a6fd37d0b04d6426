"""Free GPUs of equal nodes, first fit by node number. The reference policies place jobs in it."""

from __future__ import annotations

from podium.simulation.queueing.trace import Machines

Place = tuple[tuple[int, int], ...]
"""Pairs of node number and GPUs taken there."""


class Rooms:
    """A job of one node's size or less stands on one node, which it may share. A larger one takes
    whole empty nodes, and what is left over shares another node."""

    __slots__ = ("_at_least", "_free", "_size", "free")

    def __init__(self, machines: Machines) -> None:
        everywhere = (1 << machines.nodes) - 1
        self._size = machines.gpus_per_node
        self._free = [machines.gpus_per_node] * machines.nodes
        # Bit n of entry k says that node n has k free GPUs or more: first fit is its lowest bit.
        self._at_least = [everywhere] * (machines.gpus_per_node + 1)
        self.free = machines.gpus

    def fits(self, gpus: int) -> bool:
        """What fits not makes larger jobs not fit either."""
        if gpus <= self._size:
            return self._at_least[gpus] != 0
        whole, rest = divmod(gpus, self._size)
        if self._at_least[self._size].bit_count() < whole:
            return False
        return rest == 0 or self._at_least[rest].bit_count() > whole

    def find(self, gpus: int) -> Place | None:
        """Where the job would stand; None where there is no room."""
        if gpus <= self._size:
            nodes = self._at_least[gpus]
            return (((nodes & -nodes).bit_length() - 1, gpus),) if nodes else None
        if not self.fits(gpus):
            return None
        whole, rest = divmod(gpus, self._size)
        place = []
        empty, taken = self._at_least[self._size], 0
        for _ in range(whole):
            lowest = empty & -empty
            place.append((lowest.bit_length() - 1, self._size))
            empty ^= lowest
            taken |= lowest
        if rest:
            others = self._at_least[rest] & ~taken
            place.append(((others & -others).bit_length() - 1, rest))
        return tuple(place)

    def take(self, place: Place) -> None:
        for node, gpus in place:
            free = self._free[node]
            bit = 1 << node
            for level in range(free - gpus + 1, free + 1):
                self._at_least[level] ^= bit
            self._free[node] = free - gpus
            self.free -= gpus

    def give(self, place: Place) -> None:
        for node, gpus in place:
            free = self._free[node]
            bit = 1 << node
            for level in range(free + 1, free + gpus + 1):
                self._at_least[level] ^= bit
            self._free[node] = free + gpus
            self.free += gpus
