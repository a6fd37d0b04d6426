"""The driver of real GPUs, by NVIDIA's management library (NVML).

Engines make one; where it cannot be opened, its error says in plain words what is missing.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from podium.domain.mig import Profile
from podium.engines.devices.contract import (
    Distance,
    Gpu,
    Health,
    Instance,
    MigMode,
    NvLink,
    Process,
    ProfileKey,
    Reading,
    Recovery,
    Topology,
    Xid,
)
from podium.engines.devices.errors import (
    DriverError,
    GpuLostError,
    GpuNotFoundError,
    InUseError,
    InvalidArgumentError,
    NotSupportedError,
    ResetRequiredError,
    UninitializedError,
    error_of,
)
from podium.engines.devices.gauges import Gauges
from podium.engines.devices.library import NOBODY, Library, short_type, text
from podium.engines.devices.nvml_mig import NvmlMig

_XIDS_MAX = 64
_PCI = Path("/sys/bus/pci/devices")
_PROCESS_LISTS = (
    "nvmlDeviceGetComputeRunningProcesses",
    "nvmlDeviceGetMPSComputeRunningProcesses",
    "nvmlDeviceGetGraphicsRunningProcesses",
)
_DISTANCES = {
    0: Distance.BOARD,
    10: Distance.SWITCH,
    20: Distance.SWITCHES,
    30: Distance.BRIDGE,
    40: Distance.NUMA,
    50: Distance.SYSTEM,
}
_RECOVERIES = {
    1: Recovery.RESET,
    2: Recovery.REBOOT,
    3: Recovery.DRAIN,
    4: Recovery.DRAIN,
    6: Recovery.RESET,
    7: Recovery.REBOOT,
}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class NvmlDriver:
    """`module` stands in for `pynvml` in tests; `pci` is where the kernel tells of the bus."""

    virtual = False

    def __init__(
        self, module: Any = None, *, pci: Path = _PCI, now_ms: Callable[[], int] = _now_ms
    ) -> None:
        self._module = module
        self._pci = pci
        self._now_ms = now_ms
        self._nvml: Library | None = None
        self._gauges: Gauges | None = None
        self._events: Any = None
        self._watched: set[str] = set()
        self._seen: dict[str, Gpu] = {}
        self._lost: set[str] = set()
        self._xids: dict[str, deque[Xid]] = {}
        self._lock = threading.RLock()

    def open(self) -> None:
        nvml = Library(self._module)
        nvml.ask("nvmlInit")
        self._nvml = nvml
        self._events = nvml.told("nvmlEventSetCreate")
        self._gauges = Gauges(nvml.module)
        if not self.gpus():
            self.close()
            raise GpuNotFoundError

    def close(self) -> None:
        if self._nvml is not None:
            with contextlib.suppress(DriverError):
                if self._events is not None:
                    self._nvml.ask("nvmlEventSetFree", self._events)
                self._nvml.ask("nvmlShutdown")
        self._nvml = self._gauges = self._events = None
        self._watched.clear()

    def gpus(self) -> tuple[Gpu, ...]:
        nvml = self._library()
        version = text(nvml.told("nvmlSystemGetDriverVersion") or "")
        with self._lock:
            found: dict[str, Gpu] = {}
            for index in range(nvml.ask("nvmlDeviceGetCount")):
                try:
                    gpu = self._gpu(index, version)
                except DriverError:
                    continue  # it was lost, or another container has it
                found[gpu.uuid] = gpu
                self._watch(gpu.uuid)
            self._lost = set(self._seen) - set(found)
            self._seen |= found
            return tuple(sorted(self._seen.values(), key=lambda gpu: gpu.index))

    def topology(self) -> Topology:
        nvml = self._library()
        gpus = [gpu for gpu in self.gpus() if gpu.uuid not in self._lost]
        handles = {gpu.uuid: self._handle(gpu.uuid) for gpu in gpus}
        levels = {
            (one.uuid, other.uuid): nvml.told(
                "nvmlDeviceGetTopologyCommonAncestor", handles[one.uuid], handles[other.uuid]
            )
            for one, other in itertools.combinations(gpus, 2)
        }
        return Topology(
            links=tuple(
                NvLink(gpu=uuid, peer=peer, links=count)
                for uuid, handle in handles.items()
                for peer, count in sorted(self._links(handle, gpus).items())
            ),
            distances={
                pair: _DISTANCES[level] for pair, level in levels.items() if level in _DISTANCES
            },
        )

    def health(self, gpu: str) -> Health:
        nvml = self._library()
        self._hear()
        xids = tuple(self._xids.get(gpu, ()))
        try:
            handle = self._handle(gpu)
            ecc = [
                nvml.told("nvmlDeviceGetTotalEccErrors", handle, kind, nvml.NVML_VOLATILE_ECC)
                for kind in (
                    nvml.NVML_MEMORY_ERROR_TYPE_CORRECTED,
                    nvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED,
                )
            ]
            rows = nvml.told("nvmlDeviceGetRemappedRows", handle)
            return Health(
                xids=xids,
                ecc_corrected=ecc[0],
                ecc_uncorrected=ecc[1],
                rows_pending=bool(rows and rows[2]),
                rows_failed=bool(rows and rows[3]),
                recovery=self._recovery(handle),
            )
        except GpuLostError:
            return Health(lost=True, xids=xids)

    def read(self, uuid: str, span_ms: int) -> Reading:
        self._library()
        assert self._gauges is not None
        return self._gauges.read(uuid, span_ms)

    def processes(self, gpu: str) -> tuple[Process, ...]:
        nvml = self._library()
        handle = self._handle(gpu)
        found: dict[tuple[int, int | None], Process] = {}
        parts = [(instance, device) for instance, _, device in NvmlMig(nvml, handle).devices()]
        for part, device in [(None, handle), *parts]:
            for name in _PROCESS_LISTS:
                for each in nvml.told(name, device) or ():
                    instance = getattr(each, "gpuInstanceId", NOBODY)
                    instance = part if instance in (NOBODY, None) else int(instance)
                    used = each.usedGpuMemory
                    found[each.pid, instance] = Process(
                        pid=int(each.pid),
                        memory_bytes=None if used is None else int(used),
                        instance=instance,
                    )
        known = {pid for pid, instance in found if instance is not None}
        return tuple(
            process
            for (pid, instance), process in sorted(found.items(), key=lambda item: item[0][0])
            if instance is not None or pid not in known
        )

    def mig_mode(self, gpu: str) -> MigMode:
        current, pending = self._library().ask("nvmlDeviceGetMigMode", self._handle(gpu))
        return MigMode(current=bool(current), pending=bool(pending))

    def mig_mode_set(self, gpu: str, *, enabled: bool) -> MigMode:
        nvml = self._library()
        if not enabled and self.instances(gpu):
            raise InUseError("MIG cannot be turned off while the GPU has instances.")
        status = nvml.ask("nvmlDeviceSetMigMode", self._handle(gpu), int(enabled))
        with self._lock:
            self._watched.discard(gpu)  # changing the mode may have reset the GPU
        if status:
            raise error_of(int(status), _MODE_WORDS.get(int(status), ""))
        mode = self.mig_mode(gpu)
        if mode.current != enabled:
            raise ResetRequiredError("The MIG mode changes once the GPU has been reset.")
        return mode

    def profiles(self, gpu: str) -> tuple[Profile, ...]:
        return self._mig(gpu).profiles()

    def instances(self, gpu: str) -> tuple[Instance, ...]:
        try:
            if not self.mig_mode(gpu).current:
                return ()
        except NotSupportedError:
            return ()
        return self._mig(gpu).instances()

    def create(self, gpu: str, key: ProfileKey, start: int) -> Instance:
        with self._lock:
            return self._mig(gpu).create(key, start)

    def destroy(self, gpu: str, instance: int) -> None:
        with self._lock:
            if any(process.instance == instance for process in self.processes(gpu)):
                raise InUseError(f"A process is on instance {instance}.")
            self._mig(gpu).destroy(instance)

    def _library(self) -> Library:
        if self._nvml is None:
            raise UninitializedError
        return self._nvml

    def _mig(self, gpu: str) -> NvmlMig:
        handle = self._handle(gpu)
        seen = self._seen[gpu]
        return NvmlMig(self._library(), handle, gpu, seen.name, seen.memory_bytes)

    def _handle(self, gpu: str) -> Any:
        """Asked anew each time: a reset makes old handles void."""
        if gpu not in self._seen:
            raise InvalidArgumentError(f"This machine has no GPU {gpu}.")
        if gpu in self._lost:
            raise GpuLostError
        try:
            return self._library().ask("nvmlDeviceGetHandleByUUID", gpu)
        except DriverError as error:
            if error.name in ("NVML_ERROR_NOT_FOUND", GpuLostError.name):
                raise GpuLostError from error
            raise

    def _gpu(self, index: int, version: str) -> Gpu:
        nvml = self._library()
        handle = nvml.ask("nvmlDeviceGetHandleByIndex", index)
        uuid = text(nvml.ask("nvmlDeviceGetUUID", handle))
        name = text(nvml.ask("nvmlDeviceGetName", handle))
        mode = nvml.told("nvmlDeviceGetMigMode", handle)
        bus = text(nvml.ask("nvmlDeviceGetPciInfo", handle).busId)
        return Gpu(
            uuid=uuid,
            index=index,
            type=short_type(name),
            name=name,
            memory_bytes=int(nvml.ask("nvmlDeviceGetMemoryInfo", handle).total),
            pci_bus_id=bus,
            numa_node=self._numa_node(bus),
            mig=None if mode is None else MigMode(current=bool(mode[0]), pending=bool(mode[1])),
            driver_version=version,
        )

    def _numa_node(self, bus: str) -> int | None:
        """As the kernel tells it; the library only knows of GPUs that are NUMA nodes themselves."""
        domain, _, rest = bus.lower().partition(":")
        try:
            node = int((self._pci / f"{domain[-4:]}:{rest}" / "numa_node").read_text())
        except (OSError, ValueError):
            return None
        return node if node >= 0 else None

    def _links(self, handle: Any, gpus: list[Gpu]) -> dict[str, int]:
        """How many active links go to each peer."""
        nvml = self._library()
        by_bus = {gpu.pci_bus_id.lower(): gpu.uuid for gpu in gpus}
        peers: dict[str, int] = {}
        for link in range(nvml.NVML_NVLINK_MAX_LINKS):
            if not nvml.told("nvmlDeviceGetNvLinkState", handle, link):
                continue
            kind = nvml.told("nvmlDeviceGetNvLinkRemoteDeviceType", handle, link)
            peer = ""
            if kind != nvml.NVML_NVLINK_DEVICE_TYPE_SWITCH:
                remote = nvml.told("nvmlDeviceGetNvLinkRemotePciInfo", handle, link)
                if remote is None:
                    continue
                bus = text(remote.busId)
                peer = by_bus.get(bus.lower(), bus)
            peers[peer] = peers.get(peer, 0) + 1
        return peers

    def _recovery(self, handle: Any) -> Recovery:
        nvml = self._library()
        field = getattr(nvml.module, "NVML_FI_DEV_GET_GPU_RECOVERY_ACTION", None)
        values = None if field is None else nvml.told("nvmlDeviceGetFieldValues", handle, [field])
        if not values or values[0].nvmlReturn:
            return Recovery.NONE
        return _RECOVERIES.get(int(values[0].value.uiVal), Recovery.NONE)

    def _watch(self, uuid: str) -> None:
        """Ask to be told of errors; models that cannot tell are left alone."""
        nvml = self._library()
        if self._events is None or uuid in self._watched:
            return
        self._watched.add(uuid)
        with contextlib.suppress(DriverError):
            handle = nvml.ask("nvmlDeviceGetHandleByUUID", uuid)
            kinds = int(nvml.ask("nvmlDeviceGetSupportedEventTypes", handle))
            if kinds & nvml.nvmlEventTypeXidCriticalError:
                nvml.ask(
                    "nvmlDeviceRegisterEvents",
                    handle,
                    nvml.nvmlEventTypeXidCriticalError,
                    self._events,
                )

    def _hear(self) -> None:
        """Take what the driver logged since, without waiting."""
        nvml = self._library()
        with self._lock:
            for _ in range(_XIDS_MAX):
                try:
                    event = nvml.ask("nvmlEventSetWait_v2", self._events, 0)
                    uuid = text(nvml.ask("nvmlDeviceGetUUID", event.device))
                except DriverError:
                    return  # nothing more, or the GPU went away: its own health tells
                instance = int(event.gpuInstanceId)
                xid = Xid(
                    number=int(event.eventData),
                    at_ms=self._now_ms(),
                    instance=None if instance == NOBODY else instance,
                )
                heard = self._xids.setdefault(uuid, deque(maxlen=_XIDS_MAX))
                # One fault may repeat its error many times a second.
                if heard and replace(heard[-1], at_ms=xid.at_ms) == xid:
                    heard.pop()
                heard.append(xid)


_MODE_WORDS = {
    InUseError.value: "Something is on the GPU. The MIG mode changes once it is idle.",
    ResetRequiredError.value: "The MIG mode changes once the GPU has been reset.",
}
