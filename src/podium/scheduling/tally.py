"""Counts of what a cluster could give one shape, resource by resource; refusals read them.

Made on a cluster that does not change any more: what classes have in common is counted once.
"""

from __future__ import annotations

from dataclasses import dataclass

from podium.scheduling.cluster import Cluster, Labels
from podium.scheduling.fit import UNBOUNDED, Shape, device_units


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


@dataclass(frozen=True, slots=True)
class _Column:
    """One resource of the eligible nodes in name order, and its sum and largest value."""

    values: list[int]
    total: int
    largest: int


@dataclass(frozen=True, slots=True)
class _Gpus:
    units: _Column
    milli: _Column  # by matching device, not by node


class Tallies:
    """Counts on one cluster, for any shape."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._plain: dict[Labels, tuple[_Column, _Column]] = {}
        self._gpus: dict[tuple[object, ...], _Gpus] = {}

    def of(self, shape: Shape, labels: Labels) -> Tally:
        """Over the ready nodes with these labels."""
        request = shape.request
        cpus, memories = self._cpus_and_memories(labels)
        gpus = self._of_gpus(shape, labels)
        by_gpu = _replicas(gpus.units.values, shape.count)
        by_cpu = _replicas(cpus.values, request.cpu_milli)
        by_memory = _replicas(memories.values, request.memory_bytes)
        return Tally(
            replicas=sum(map(min, by_gpu, by_cpu, by_memory)),
            gpu_replicas=sum(by_gpu),
            cpu_replicas=sum(by_cpu),
            memory_replicas=sum(by_memory),
            without_cpu=sum(map(min, by_gpu, by_memory)),
            without_memory=sum(map(min, by_gpu, by_cpu)),
            units=gpus.units.total,
            units_on_one=gpus.units.largest,
            devices=len(gpus.milli.values),
            gpu_milli=gpus.milli.total,
            gpu_milli_on_one=gpus.milli.largest,
            cpu_milli=cpus.total,
            cpu_milli_on_one=cpus.largest,
            memory_bytes=memories.total,
            memory_bytes_on_one=memories.largest,
        )

    def _cpus_and_memories(self, labels: Labels) -> tuple[_Column, _Column]:
        if labels not in self._plain:
            rooms = self._cluster.eligible(labels)
            self._plain[labels] = (
                _column([max(0, room.cpu_free) for room in rooms]),
                _column([max(0, room.memory_free) for room in rooms]),
            )
        return self._plain[labels]

    def _of_gpus(self, shape: Shape, labels: Labels) -> _Gpus:
        key = (labels, tuple(shape.grants), shape.shared)
        if key not in self._gpus:
            rooms = self._cluster.eligible(labels)
            self._gpus[key] = _Gpus(
                _column([device_units(room, shape) for room in rooms]),
                _column(
                    [
                        max(0, device.milli_free)
                        for room in rooms
                        for device in room.devices
                        if shape.grants[device.kind] is not None
                    ]
                ),
            )
        return self._gpus[key]


def _column(values: list[int]) -> _Column:
    return _Column(values, sum(values), max(values, default=0))


def _replicas(free: list[int], wanted: int) -> list[int]:
    return [one // wanted for one in free] if wanted else [UNBOUNDED] * len(free)
