"""This machine as a node: processors, memory, GPUs. Called by the local engine, from a thread."""

from __future__ import annotations

import functools
import os
import platform
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import structlog

from podium.domain.node import Device, Node, NodeState
from podium.domain.resources import ISOLATION_LABEL, MPS_LABEL
from podium.engines.devices.boards import VirtualBoard, board_of_type
from podium.engines.devices.contract import Driver
from podium.engines.devices.cutting import Cutter
from podium.engines.devices.errors import DriverError
from podium.engines.devices.known import Known
from podium.engines.devices.listing import Listing
from podium.engines.devices.nvml import NvmlDriver
from podium.engines.devices.relayout import Relayout
from podium.engines.devices.trouble import Control
from podium.engines.devices.virtual import VirtualDriver
from podium.engines.local.holders import granted, holders
from podium.engines.local.mps import pipe_directory
from podium.engines.local.site import Site
from podium.engines.local.walls import Walls

VIRTUAL_GPUS_DEFAULT = 4
_VIRTUAL = "virtual-gpus"
_CGROUP = Path("/sys/fs/cgroup")
_log = structlog.get_logger(__name__)


class Inventory:
    """`virtual_gpus` None takes real GPUs where there are any, else four usual virtual ones; boards
    ask for those and no real one. `home` keeps what virtual GPUs remember.

    `devices` are those last seen. `cutter` makes MIG instances on them, `layouts` those that an
    operator wants.
    """

    def __init__(
        self,
        *,
        node_name: str,
        engine: str,
        address: str,
        virtual_gpus: Sequence[VirtualBoard] | None,
        home: Path,
        site: Site,
        walls: Walls,
    ) -> None:
        self._site = site
        self._walls = walls
        self._node_name = node_name
        self._engine = engine
        self._address = address
        self._virtual_gpus = virtual_gpus
        self._home = home
        self._opening = threading.Lock()
        self._driver: Driver | None = None
        self._listing: Listing | None = None
        active = home / "allocations" / "active"
        self.cutter = Cutter(
            lambda: self.driver,
            functools.partial(granted, active),
            known=Known(home / "mig.json"),
        )
        self.layouts = Relayout(lambda: self.driver, self.cutter)
        self.devices: tuple[Device, ...] = ()

    def node(self) -> Node:
        return Node(
            name=self._node_name,
            engine=self._engine,
            state=NodeState.READY,
            address=self._address,
            cpu_milli=_cpu_milli(),
            memory_bytes=_memory_bytes(),
            labels=self._labels(),
            block=self._site.block,
            rack=self._site.rack,
            nvlink=self._site.nvlink,
            seen_at_ms=time.time_ns() // 1_000_000,
            devices=self._devices(),
        )

    def _labels(self) -> tuple[tuple[str, str], ...]:
        """What keeps work apart cannot be said otherwise by an operator."""
        own = _own_labels() | dict(self._site.labels) | {ISOLATION_LABEL: self._walls.level.value}
        return tuple(sorted(own.items()))

    def close(self) -> None:
        if self._driver is not None:
            self._driver.close()
            self._driver = self._listing = None

    @property
    def driver(self) -> Driver:
        """The driver of this machine's GPUs, opened."""
        with self._opening:
            if self._driver is None:
                self._driver = self._opened()
            return self._driver

    def _devices(self) -> tuple[Device, ...]:
        if self._listing is None:
            self._listing = Listing(self.driver, self._node_name, self.cutter)
        self.devices = self._listing.devices()
        return self.devices

    def _opened(self) -> Driver:
        boards = self._virtual_gpus
        if boards is None:
            real = NvmlDriver()
            try:
                real.open()
            except DriverError as error:
                _log.info("no_real_gpu", why=error.message, virtual_gpus=VIRTUAL_GPUS_DEFAULT)
                boards = [board_of_type("A100")] * VIRTUAL_GPUS_DEFAULT
            else:
                return real
        virtual = VirtualDriver(
            boards,
            node=self._node_name,
            path=self._home / _VIRTUAL / "state.json",
            control=Control(self._home / _VIRTUAL / "trouble.json"),
            users=functools.partial(holders, self._home / "allocations" / "active"),
        )
        virtual.open()
        return virtual


def _own_labels() -> dict[str, str]:
    labels = {
        "arch": platform.machine(),
        "hostname": socket.gethostname(),
        "os": platform.system().lower(),
    }
    return labels | dict([MPS_LABEL]) if pipe_directory() is not None else labels


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
