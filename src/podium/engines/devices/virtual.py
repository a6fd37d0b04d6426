"""A driver of GPUs that Podium pretends, with NVIDIA's geometry and NVIDIA's refusals.

Engines make one on machines without GPUs. Nothing computes on them, they are always marked as
virtual, and `trouble.Control` makes them fail.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from podium.domain.mig import Board, Profile, is_legal
from podium.engines.contract import DeviceMeasure
from podium.engines.devices.boards import VirtualBoard
from podium.engines.devices.contract import (
    ComputeInstance,
    Distance,
    Gpu,
    Health,
    Instance,
    MigMode,
    NvLink,
    Process,
    ProfileKey,
    Reading,
    Topology,
    Xid,
    key_of,
)
from podium.engines.devices.errors import (
    DriverError,
    GpuLostError,
    InsufficientResourcesError,
    InUseError,
    InvalidArgumentError,
    MissingError,
    NoPermissionError,
    NotSupportedError,
    OperatingSystemError,
    ResetRequiredError,
    error_of,
)
from podium.engines.devices.trouble import Control, GpuTrouble
from podium.engines.devices.virtual_state import (
    Cut,
    Standing,
    boot_now,
    standing_read,
    standing_write,
)

DRIVER_VERSION = "virtual"
_GIB = 2**30
_NVLINKS = {"A100": 12, "H100": 18, "H200": 18, "B200": 18, "GB200": 18, "B300": 18, "GB300": 18}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _nobody() -> Mapping[str, Sequence[int]]:
    return {}


class VirtualDriver:
    """`path` keeps the MIG state over a restart of the server, None forgets it. `users` tells which
    processes hold which device, by its UUID: what the driver of a real GPU would see by itself.
    `boot` names this run of the machine: under another one no instance is left."""

    virtual = True

    def __init__(
        self,
        boards: Sequence[VirtualBoard],
        *,
        node: str,
        path: Path | None = None,
        control: Control | None = None,
        users: Callable[[], Mapping[str, Sequence[int]]] = _nobody,
        boot: str | None = None,
        pause: Callable[[float], None] = time.sleep,
        now_ms: Callable[[], int] = _now_ms,
    ) -> None:
        self._boards = tuple(boards)
        self._node = node
        self._path = path
        self._control = control or Control()
        self._users = users
        self._boot = boot_now() if boot is None else boot
        self._pause = pause
        self._now_ms = now_ms
        self._lock = threading.RLock()
        self._uuids = [f"GPU-virtual-{node}-{index}" for index in range(len(self._boards))]
        self._index = {uuid: index for index, uuid in enumerate(self._uuids)}
        self._gpus = [self._fresh(index) for index in range(len(self._boards))]
        self._xids: dict[str, dict[int, int]] = {}  # when each was first seen

    def open(self) -> None:
        """Take up what stands since the last time, and turn MIG on where the boards ask for it."""
        with self._lock:
            known = {} if self._path is None else standing_read(self._path, self._boot)
            for index, fresh in enumerate(self._gpus):
                kept = known.get(fresh.uuid)
                if kept is not None and kept.kind == fresh.kind:
                    self._gpus[index] = kept
            for index, board in enumerate(self._boards):
                if board.mig and not self._gpus[index].mig:
                    with contextlib.suppress(DriverError):  # work is on it: it stays as it is
                        self._set_mode(index, enabled=True)
            self._save()

    def close(self) -> None:
        """Nothing is held."""

    def forget(self) -> None:
        """What a restart of the machine does: no instance is left, pending modes become real."""
        with self._lock:
            self._gpus = [each.restarted() for each in self._gpus]
            self._xids.clear()
            self._save()

    def gpus(self) -> tuple[Gpu, ...]:
        with self._lock:
            return tuple(self._gpu(index) for index in range(len(self._boards)))

    def topology(self) -> Topology:
        gpus = self.gpus()
        links = tuple(
            NvLink(gpu=gpu.uuid, peer="", links=_NVLINKS[gpu.type])
            for gpu in gpus
            if gpu.type in _NVLINKS and len(gpus) > 1
        )
        distances = {
            (one.uuid, other.uuid): (
                Distance.NUMA if one.numa_node == other.numa_node else Distance.SYSTEM
            )
            for one, other in itertools.combinations(gpus, 2)
        }
        return Topology(links=links, distances=distances)

    def health(self, gpu: str) -> Health:
        trouble = self._trouble(self._at(gpu))
        with self._lock:
            seen = self._xids.setdefault(gpu, {})
            for number in trouble.xids:
                seen.setdefault(number, self._now_ms())
        return Health(
            lost=trouble.lost,
            xids=tuple(Xid(number=number, at_ms=seen[number]) for number in trouble.xids),
            ecc_corrected=trouble.ecc_corrected,
            ecc_uncorrected=trouble.ecc_uncorrected,
            rows_failed=trouble.rows_failed,
        )

    def read(self, uuid: str, span_ms: int) -> Reading:
        nothing = Reading(measure=DeviceMeasure(device_id=uuid, span_ms=span_ms))
        at = self._index.get(uuid)
        if at is None:
            at = next((i for i, gpu in enumerate(self._gpus) if _has(gpu, uuid)), None)
        if at is None:
            return nothing
        trouble = self._trouble(at)
        if trouble.lost or "read" in trouble.fails:
            return nothing
        return Reading(
            measure=DeviceMeasure(
                device_id=uuid,
                span_ms=span_ms,
                power_milliwatts=trouble.power_milliwatts,
                temperature_celsius=trouble.temperature_celsius,
            )
        )

    def processes(self, gpu: str) -> tuple[Process, ...]:
        at = self._there(gpu)
        return self._on(at)

    def mig_mode(self, gpu: str) -> MigMode:
        at = self._there(gpu)
        mode = self._gpu(at).mig
        if mode is None:
            raise NotSupportedError(f"{self._boards[at].type} has no MIG.")
        return mode

    def mig_mode_set(self, gpu: str, *, enabled: bool) -> MigMode:
        with self._lock:
            at = self._there(gpu)
            self.mig_mode(gpu)
            self._may(at, "mode")
            self._set_mode(at, enabled=enabled)
            return self.mig_mode(gpu)

    def profiles(self, gpu: str) -> tuple[Profile, ...]:
        board = self._boards[self._there(gpu)].board
        if board is None:
            return ()
        return tuple(
            sorted(board.profiles, key=lambda one: (one.memory_slices, one.compute_slices))
        )

    def instances(self, gpu: str) -> tuple[Instance, ...]:
        at = self._there(gpu)
        shown = self._control.now().privileged
        cuts = sorted(self._gpus[at].cuts, key=lambda cut: cut.start)
        found = [self._instance(at, cut) for cut in cuts]
        return tuple(found if shown else (replace(each, start=None) for each in found))

    def create(self, gpu: str, key: ProfileKey, start: int) -> Instance:
        self._there(gpu)
        slow_ms = self._control.now().slow_ms
        if slow_ms:
            self._pause(slow_ms / 1000)
        with self._lock:
            at = self._there(gpu)
            self._may(at, "create")
            standing, profile = self._gpus[at], self._profile(at, key)
            if start not in profile.starts:
                raise InvalidArgumentError(
                    f"{profile.name} cannot start at memory slice {start}, only at "
                    f"{', '.join(map(str, profile.starts))}."
                )
            board = self._boards[at].board
            assert board is not None
            placed = [(self._profile(at, cut.key), cut.start) for cut in standing.cuts]
            if not is_legal(board, [*placed, (profile, start)]):
                raise InsufficientResourcesError(
                    f"{profile.name} was not made at memory slice {start}: others are in the way."
                )
            half = self._trouble(at).half_created
            cut = Cut(
                id=_free_id({each.id for each in standing.cuts}, whole=_is_whole(board, profile)),
                key=key,
                start=start,
                uuid="" if half else f"MIG-virtual-{self._node}-{at}-{standing.made + 1}",
            )
            self._put(at, replace(standing, made=standing.made + 1, cuts=(*standing.cuts, cut)))
            if half:
                raise DriverError("The instance was made by half.")
            return self._instance(at, cut)

    def destroy(self, gpu: str, instance: int) -> None:
        with self._lock:
            at = self._there(gpu)
            self._may(at, "destroy")
            standing = self._gpus[at]
            left = tuple(cut for cut in standing.cuts if cut.id != instance)
            if len(left) == len(standing.cuts):
                raise MissingError(f"The GPU has no instance {instance}.")
            if any(process.instance == instance for process in self._on(at)):
                raise InUseError(f"A process is on instance {instance}.")
            self._put(at, replace(standing, cuts=left))

    def _set_mode(self, at: int, *, enabled: bool) -> None:
        """As the real driver: a mode that cannot change now is pending."""
        standing = self._gpus[at]
        if standing.mig == enabled:
            self._put(at, replace(standing, pending=enabled))
            return
        if standing.cuts:
            raise InUseError("MIG cannot be turned off while the GPU has instances.")
        if self._on(at):
            self._put(at, replace(standing, pending=enabled))
            raise InUseError("Something is on the GPU. The MIG mode changes once it is idle.")
        if self._trouble(at).reset_required:
            self._put(at, replace(standing, pending=enabled))
            raise ResetRequiredError("The MIG mode changes once the GPU has been reset.")
        self._put(at, replace(standing, mig=enabled, pending=enabled))

    def _at(self, gpu: str) -> int:
        try:
            return self._index[gpu]
        except KeyError:
            raise InvalidArgumentError(f"This machine has no GPU {gpu}.") from None

    def _there(self, gpu: str) -> int:
        """Its place; raises GpuLostError."""
        at = self._at(gpu)
        if self._trouble(at).lost:
            raise GpuLostError
        return at

    def _trouble(self, at: int) -> GpuTrouble:
        return self._control.of(self._uuids[at], at)

    def _may(self, at: int, action: str) -> None:
        if not self._control.now().privileged:
            raise NoPermissionError
        failure = self._trouble(at).fails.get(action)
        if failure is not None:
            raise error_of(failure)

    def _on(self, at: int) -> tuple[Process, ...]:
        """Who is on it, by device: the whole GPU, or one of its instances."""
        standing = self._gpus[at]
        holders = dict(self._users())
        for uuid, pids in self._trouble(at).processes.items():
            holders[uuid] = (*holders.get(uuid, ()), *pids)
        found = [Process(pid=pid) for pid in holders.get(standing.uuid, ())]
        found += [
            Process(pid=pid, instance=cut.id)
            for cut in standing.cuts
            if cut.uuid
            for pid in holders.get(cut.uuid, ())
        ]
        return tuple(sorted(found, key=lambda process: process.pid))

    def _profile(self, at: int, key: ProfileKey) -> Profile:
        """Raises NotSupportedError while MIG is off, and for a profile that the board lacks."""
        board = self._boards[at].board
        if board is None or not self._gpus[at].mig:
            raise NotSupportedError("MIG is off on this GPU.")
        for profile in board.profiles:
            if key_of(profile) == key:
                return profile
        raise NotSupportedError(f"{board.name} has no MIG profile of {key}.")

    def _instance(self, at: int, cut: Cut) -> Instance:
        profile = self._profile(at, cut.key)
        whole = ComputeInstance(
            id=0,
            uuid=cut.uuid,
            compute_slices=profile.compute_slices,
            name=profile.name,
            memory_bytes=profile.memory_bytes,
        )
        return Instance(
            gpu=self._uuids[at],
            id=cut.id,
            key=cut.key,
            name=profile.name,
            start=cut.start,
            size=profile.memory_slices,
            compute=(whole,) if cut.uuid else (),
        )

    def _gpu(self, index: int) -> Gpu:
        board, standing = self._boards[index], self._gpus[index]
        mode = MigMode(current=standing.mig, pending=standing.pending)
        return Gpu(
            uuid=standing.uuid,
            index=index,
            type=board.type,
            name=f"Virtual {board.type} ({board.memory_bytes // _GIB} GiB)",
            memory_bytes=board.memory_bytes,
            pci_bus_id=f"{index:08X}:01:00.0",
            numa_node=2 * index // len(self._boards),
            mig=None if board.board is None else mode,
            driver_version=DRIVER_VERSION,
            virtual=True,
        )

    def _fresh(self, index: int) -> Standing:
        board = self._boards[index]
        kind = board.type if board.board is None else board.board.name
        return Standing(uuid=self._uuids[index], kind=kind)

    def _put(self, at: int, standing: Standing) -> None:
        """Keep it on disk first: what was answered must be true after a crash."""
        before = self._gpus[at]
        self._gpus[at] = standing
        try:
            self._save()
        except OperatingSystemError:
            self._gpus[at] = before
            raise

    def _save(self) -> None:
        if self._path is None:
            return
        try:
            standing_write(self._path, self._boot, self._gpus)
        except OSError as error:
            raise OperatingSystemError(
                f"The state of the virtual GPUs cannot be written: {error.strerror}."
            ) from error


def _has(gpu: Standing, uuid: str) -> bool:
    return any(cut.uuid == uuid for cut in gpu.cuts)


def _is_whole(board: Board, profile: Profile) -> bool:
    return profile.memory_slices == board.memory_slices


def _free_id(taken: set[int], *, whole: bool) -> int:
    """Ids of instances that ended are used again, as the real driver does."""
    return next(each for each in itertools.count(0 if whole else 1) if each not in taken)
