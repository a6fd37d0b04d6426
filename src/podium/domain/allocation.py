"""The allocation: what one attempt of one replica holds on one node, until it is released."""

from __future__ import annotations

from dataclasses import dataclass

from podium.domain.holdup import HoldUp
from podium.domain.lifecycle import ReplicaState
from podium.domain.reason import Cause
from podium.domain.resources import DeviceShare


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Devices, CPU and memory held from `created_at_ms` until `released_at_ms`.

    `runtime_ms` is measured by the engine on a clock that does not jump; usage is billed from it.
    `saved_at_ms` is when the work last said that what it did so far is saved.
    """

    id: str
    workload_id: str
    project: str
    rank: int
    attempt: int
    node: str
    state: ReplicaState
    cpu_milli: int
    memory_bytes: int
    devices: tuple[DeviceShare, ...]
    created_at_ms: int
    started_at_ms: int | None = None
    released_at_ms: int | None = None
    cause: Cause | None = None
    message: str = ""
    exit_code: int | None = None
    signal: int | None = None
    runtime_ms: int = 0
    cpu_time_ms: int = 0
    memory_peak_bytes: int = 0
    saved_at_ms: int | None = None
    hold_up: HoldUp | None = None  # while it has not begun

    @property
    def gpu_milli(self) -> int:
        return sum(share.gpu_milli for share in self.devices)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a workload, project or team used. GPU time is allocated time × share of the device, in
    milli-GPU × milliseconds, and CPU time so held alike; never rounded before people read it."""

    gpu_milli_ms: int = 0
    cpu_milli_ms: int = 0
    cpu_used_ms: int = 0
    memory_peak_bytes: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            gpu_milli_ms=self.gpu_milli_ms + other.gpu_milli_ms,
            cpu_milli_ms=self.cpu_milli_ms + other.cpu_milli_ms,
            cpu_used_ms=self.cpu_used_ms + other.cpu_used_ms,
            memory_peak_bytes=max(self.memory_peak_bytes, other.memory_peak_bytes),
        )


def usage_of(allocation: Allocation, now_ms: int) -> Usage:
    """What an allocation has used up to `now_ms`, or in all once it was released."""
    if allocation.released_at_ms is not None:
        held_ms = allocation.runtime_ms
    elif allocation.started_at_ms is not None:
        held_ms = max(0, now_ms - allocation.started_at_ms)
    else:
        held_ms = 0
    return Usage(
        gpu_milli_ms=allocation.gpu_milli * held_ms,
        cpu_milli_ms=allocation.cpu_milli * held_ms,
        cpu_used_ms=allocation.cpu_time_ms,
        memory_peak_bytes=allocation.memory_peak_bytes,
    )
