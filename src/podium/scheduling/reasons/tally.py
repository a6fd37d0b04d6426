"""Counts of what a floor could give one shape, resource by resource; refusals read them.

Made on a floor that does not change any more. Nodes in equal states are counted together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from podium.scheduling.placing.fit import UNBOUNDED, Shape, capacity, units_of
from podium.scheduling.space.floor import Floor
from podium.scheduling.space.layout import ANY, State, Where
from podium.scheduling.space.masks import milli_of
from podium.scheduling.space.room import Bools, Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """`*_replicas` counts replicas as if the named resource were all that matters; `without_cpu`
    and `without_memory` as if that one did not. `units` are grants of devices; `gpu_milli` is
    free on matching devices, `gpu_milli_on_one` on the freest of them."""

    replicas: int
    gpu_replicas: int
    cpu_replicas: int
    memory_replicas: int
    without_cpu: int
    without_memory: int
    units: int
    units_on_one: int
    devices: int
    gpu_milli: int
    gpu_milli_on_one: int
    cpu_milli: int
    cpu_milli_on_one: int
    memory_bytes: int
    memory_bytes_on_one: int


class Tallies:
    """Counts on one floor, for any shape."""

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self._allowed: dict[Where, Bools] = {}
        self._states: dict[Where, list[tuple[State, int]]] = {}

    def allowed(self, where: Where) -> Bools:
        """The ready nodes that will do, (N,)."""
        if where not in self._allowed:
            ready = self.floor.ready
            chosen = ready if where == ANY else ready & self.floor.layout.chosen(where)
            self._allowed[where] = chosen
        return self._allowed[where]

    def fits(self, shape: Shape, where: Where) -> Ints:
        """How many replicas each node takes, (N,)."""
        layout = self.floor.layout
        if not len(self.floor.state):
            return np.zeros(0, dtype=np.int64)
        numbers, rows = np.unique(self.floor.state, return_inverse=True)
        states = [layout.states.of[number] for number in numbers.tolist()]
        counts = [capacity(shape, state, layout.shelves[state.shelf]) for state in states]
        return np.where(self.allowed(where), np.array(counts, dtype=np.int64)[rows], 0)

    def room_for(self, shape: Shape, where: Where) -> int:
        """How many replicas fit in all."""
        layout = self.floor.layout
        return sum(
            count * capacity(shape, state, layout.shelves[state.shelf])
            for state, count in self._by_state(where)
        )

    def of(self, shape: Shape, where: Where) -> Tally:
        """Over the ready nodes that will do."""
        request, layout = shape.request, self.floor.layout
        sums = dict.fromkeys(_SUMS, 0)
        most = dict.fromkeys(_MOST, 0)
        for state, count in self._by_state(where):
            units = devices = milli = 0
            for kind, free in zip(layout.shelves[state.shelf], state.devices, strict=True):
                grant = shape.grants[kind]
                if grant is not None:
                    devices += 1
                    left = max(0, milli_of(free))
                    milli += left
                    most["gpu_milli"] = max(most["gpu_milli"], left)
                    units += units_of(shape, kind, grant, free)
            by_gpu = units // shape.count if shape.count else UNBOUNDED
            by_cpu = state.cpu_milli // request.cpu_milli if request.cpu_milli else UNBOUNDED
            by_memory = (
                state.memory_bytes // request.memory_bytes if request.memory_bytes else UNBOUNDED
            )
            for name, value in (
                ("replicas", min(by_gpu, by_cpu, by_memory)),
                ("gpu_replicas", by_gpu),
                ("cpu_replicas", by_cpu),
                ("memory_replicas", by_memory),
                ("without_cpu", min(by_gpu, by_memory)),
                ("without_memory", min(by_gpu, by_cpu)),
                ("units", units),
                ("devices", devices),
                ("gpu_milli", milli),
                ("cpu_milli", state.cpu_milli),
                ("memory_bytes", state.memory_bytes),
            ):
                sums[name] += count * value
            most["units"] = max(most["units"], units)
            most["cpu_milli"] = max(most["cpu_milli"], state.cpu_milli)
            most["memory_bytes"] = max(most["memory_bytes"], state.memory_bytes)
        return Tally(**sums, **{f"{name}_on_one": value for name, value in most.items()})

    def _by_state(self, where: Where) -> list[tuple[State, int]]:
        if where not in self._states:
            numbers, counts = np.unique(self.floor.state[self.allowed(where)], return_counts=True)
            states = self.floor.layout.states.of
            self._states[where] = [
                (states[number], count)
                for number, count in zip(numbers.tolist(), counts.tolist(), strict=True)
            ]
        return self._states[where]


_SUMS = (
    "replicas", "gpu_replicas", "cpu_replicas", "memory_replicas", "without_cpu",
    "without_memory", "units", "devices", "gpu_milli", "cpu_milli", "memory_bytes",
)  # fmt: skip
_MOST = ("units", "gpu_milli", "cpu_milli", "memory_bytes")
