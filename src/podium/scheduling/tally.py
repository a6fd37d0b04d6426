"""Counts of what a floor could give one shape, resource by resource; refusals read them.

Made on a floor that does not change any more. Nodes in equal states are counted together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from podium.domain.quantity import GPU_MILLI
from podium.scheduling.fit import UNBOUNDED, Shape, capacity
from podium.scheduling.floor import Floor
from podium.scheduling.layout import Labels, State
from podium.scheduling.room import Bools, Ints


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
        self._allowed: dict[Labels, Bools] = {}
        self._states: dict[Labels, list[tuple[State, int]]] = {}

    def allowed(self, labels: Labels) -> Bools:
        """The ready nodes with these labels, (N,)."""
        if labels not in self._allowed:
            ready = self.floor.ready
            self._allowed[labels] = ready & self.floor.layout.labelled(labels) if labels else ready
        return self._allowed[labels]

    def fits(self, shape: Shape, labels: Labels) -> Ints:
        """How many replicas each node takes, (N,)."""
        layout = self.floor.layout
        if not len(self.floor.state):
            return np.zeros(0, dtype=np.int64)
        numbers, rows = np.unique(self.floor.state, return_inverse=True)
        states = [layout.states.of[number] for number in numbers.tolist()]
        counts = [capacity(shape, state, layout.shelves[state.shelf]) for state in states]
        return np.where(self.allowed(labels), np.array(counts, dtype=np.int64)[rows], 0)

    def room_for(self, shape: Shape, labels: Labels) -> int:
        """How many replicas fit in all."""
        layout = self.floor.layout
        return sum(
            count * capacity(shape, state, layout.shelves[state.shelf])
            for state, count in self._by_state(labels)
        )

    def of(self, shape: Shape, labels: Labels) -> Tally:
        """Over the ready nodes with these labels."""
        request, layout = shape.request, self.floor.layout
        sums = dict.fromkeys(_SUMS, 0)
        most = dict.fromkeys(_MOST, 0)
        for state, count in self._by_state(labels):
            units = devices = milli = 0
            for kind, free in zip(layout.shelves[state.shelf], state.devices, strict=True):
                grant = shape.grants[kind]
                if grant is not None:
                    devices += 1
                    milli += max(0, free)
                    most["gpu_milli"] = max(most["gpu_milli"], free)
                    if shape.shared:
                        units += max(0, free) // grant[0]
                    elif free >= GPU_MILLI:
                        units += 1
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

    def _by_state(self, labels: Labels) -> list[tuple[State, int]]:
        if labels not in self._states:
            numbers, counts = np.unique(self.floor.state[self.allowed(labels)], return_counts=True)
            states = self.floor.layout.states.of
            self._states[labels] = [
                (states[number], count)
                for number, count in zip(numbers.tolist(), counts.tolist(), strict=True)
            ]
        return self._states[labels]


_SUMS = (
    "replicas", "gpu_replicas", "cpu_replicas", "memory_replicas", "without_cpu",
    "without_memory", "units", "devices", "gpu_milli", "cpu_milli", "memory_bytes",
)  # fmt: skip
_MOST = ("units", "gpu_milli", "cpu_milli", "memory_bytes")
