"""This machine as a node: processors, memory, GPUs. Called by the local engine, from a thread."""

from __future__ import annotations

import os
import platform
import socket
import time
from pathlib import Path

import psutil

from podium.domain.node import Device, Node, NodeState
from podium.engines.local.gauges import Gauges
from podium.engines.local.nvml import NvmlGpus
from podium.engines.local.virtual import virtual_devices

VIRTUAL_GPUS_DEFAULT = 4
_CGROUP = Path("/sys/fs/cgroup")


class Inventory:
    """`virtual_gpus` None takes real GPUs where there are any, else virtual ones; a number asks
    for that many virtual ones and no real one.

    `devices` are those last seen; `gauges` reads them once there are real ones.
    """

    def __init__(
        self,
        *,
        node_name: str,
        engine: str,
        address: str,
        virtual_gpus: int | None,
        virtual_gpu_type: str,
    ) -> None:
        self._node_name = node_name
        self._engine = engine
        self._address = address
        self._virtual_gpus = virtual_gpus
        self._virtual_gpu_type = virtual_gpu_type
        self._nvml: NvmlGpus | None = None
        self.gauges: Gauges | None = None
        self.devices: tuple[Device, ...] = ()

    def node(self) -> Node:
        return Node(
            name=self._node_name,
            engine=self._engine,
            state=NodeState.READY,
            address=self._address,
            cpu_milli=_cpu_milli(),
            memory_bytes=_memory_bytes(),
            labels=(
                ("arch", platform.machine()),
                ("hostname", socket.gethostname()),
                ("os", platform.system().lower()),
            ),
            seen_at_ms=time.time_ns() // 1_000_000,
            devices=self._devices(),
        )

    def close(self) -> None:
        if self._nvml is not None:
            self._nvml.close()
            self._nvml = None
            self.gauges = None

    def _devices(self) -> tuple[Device, ...]:
        count = self._virtual_gpus
        if count is None:
            if self._nvml is None:
                self._nvml = NvmlGpus(self._node_name)
            if self._nvml.available:
                self.gauges = self.gauges or Gauges(self._nvml.library)
                self.devices = self._nvml.devices()
                return self.devices
            count = VIRTUAL_GPUS_DEFAULT
        self.devices = virtual_devices(
            self._node_name, count=count, device_type=self._virtual_gpu_type
        )
        return self.devices


def _cpu_milli() -> int:
    """Processors this process may use, less when a container has a smaller quota."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    quota, _, period = _read(_CGROUP / "cpu.max").partition(" ")
    if quota.isdigit() and period.isdigit():
        return max(1, min(count * 1000, int(quota) * 1000 // int(period)))
    return count * 1000


def _memory_bytes() -> int:
    total_bytes = int(psutil.virtual_memory().total)
    limit = _read(_CGROUP / "memory.max")
    return min(total_bytes, int(limit)) if limit.isdigit() else total_bytes


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
