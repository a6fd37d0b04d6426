"""Stands in for the module `pynvml` on machines without a GPU: its real constants, structures and
errors, over a small model of one machine. The NVML driver cannot tell the difference."""

# The names are the library's
# ruff: noqa: N802

from __future__ import annotations

import ctypes
import itertools
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pynvml

from podium.domain.mig import Board, Profile, is_legal

MIB = 2**20
_KINDS = {
    (1, 1, False): "1_SLICE",
    (1, 1, True): "1_SLICE_REV1",
    (1, 2, False): "1_SLICE_REV2",
    (2, 2, False): "2_SLICE",
    (2, 2, True): "2_SLICE_REV1",
    (3, 4, False): "3_SLICE",
    (4, 4, False): "4_SLICE",
    (7, 8, False): "7_SLICE",
}
_COMPUTE = {1: 0, 2: 1, 3: 2, 4: 3, 7: 4}  # slices → number of the profile


@dataclass
class Made:
    """A GPU instance, with the slices of its compute instances by their ids."""

    id: int
    profile: Profile
    start: int
    compute: dict[int, int] = field(default_factory=dict)
    serial: int = 0


@dataclass
class Card:
    uuid: str
    index: int
    board: Board | None
    name: str
    memory_bytes: int
    mig: list[int] = field(default_factory=lambda: [0, 0])
    instances: dict[int, Made] = field(default_factory=dict)
    processes: dict[str, list[int]] = field(default_factory=dict)
    lost: bool = False
    ecc: list[int] = field(default_factory=lambda: [0, 0])
    rows: tuple[int, int, int, int] = (0, 0, 0, 0)
    recovery: int = 0


@dataclass
class Device:
    """A handle of a GPU or of a MIG device of it."""

    card: Card
    instance: int | None = None
    compute: int = 0


class StandIn:
    def __init__(self, *boards: Board, plain: int = 0) -> None:
        self.cards = [
            Card(f"GPU-{n}", n, board, f"NVIDIA {board.name.split('-')[0]}", board.memory_bytes)
            for n, board in enumerate(boards)
        ]
        for _ in range(plain):
            number = len(self.cards)
            self.cards.append(Card(f"GPU-{number}", number, None, "NVIDIA L4", 24 << 30))
        self.privileged = True
        self.reset_required = False
        self.refuse_compute = 0
        self.old = False  # without the newer functions
        self.events: list[tuple[Card, int, int]] = []
        self.opened = 0
        self._serials = itertools.count(1)
        self._handles: dict[int, tuple[Card, int, int | None]] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("nvml") and callable(getattr(pynvml, name, None)):
            if isinstance(getattr(pynvml, name), type):
                return getattr(pynvml, name)
            return self._refuse  # a function that this machine does not have
        return getattr(pynvml, name)

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)

    # The machine

    def nvmlInit(self) -> None:
        self.opened += 1

    def nvmlShutdown(self) -> None:
        self.opened -= 1

    def nvmlSystemGetDriverVersion(self) -> str:
        return "580.95.05"

    def nvmlDeviceGetCount(self) -> int:
        return len(self.cards)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Device:
        return Device(self._alive(self.cards[index]))

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> Device:
        for card in self.cards:
            if card.uuid == uuid:
                return Device(self._alive(card))
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)

    def nvmlDeviceGetUUID(self, device: Device) -> str:
        card = device.card
        if device.instance is None:
            return card.uuid
        made = card.instances[device.instance]
        return f"MIG-{card.index}-{made.serial}-{device.compute}"

    def nvmlDeviceGetName(self, device: Device) -> str:
        if device.instance is None:
            return device.card.name
        made = device.card.instances[device.instance]
        slices = made.compute[device.compute]
        part = "" if slices == made.profile.compute_slices else f"{slices}c."
        return f"{device.card.name} MIG {part}{made.profile.name}"

    def nvmlDeviceGetPciInfo(self, device: Device) -> Any:
        return SimpleNamespace(busId=f"{device.card.index:08X}:C1:00.0")

    def nvmlDeviceGetMemoryInfo(self, device: Device) -> Any:
        total = device.card.memory_bytes
        if device.instance is not None:
            total = device.card.instances[device.instance].profile.memory_bytes
        return SimpleNamespace(total=total, used=0)

    def nvmlDeviceGetTopologyCommonAncestor(self, *_: Device) -> int:
        return pynvml.NVML_TOPOLOGY_SYSTEM

    def nvmlDeviceGetNvLinkState(self, device: Device, link: int) -> int:
        if link >= 4:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_INVALID_ARGUMENT)
        return int(len(self.cards) > 1 and link < 3)

    def nvmlDeviceGetNvLinkRemoteDeviceType(self, device: Device, link: int) -> int:
        return pynvml.NVML_NVLINK_DEVICE_TYPE_SWITCH if link else pynvml.NVML_NVLINK_DEVICE_TYPE_GPU

    def nvmlDeviceGetNvLinkRemotePciInfo(self, device: Device, link: int) -> Any:
        peer = self.cards[(device.card.index + 1) % len(self.cards)]
        return self.nvmlDeviceGetPciInfo(Device(peer))

    # Health and use

    def nvmlDeviceGetTotalEccErrors(self, device: Device, kind: int, counter: int) -> int:
        assert counter == pynvml.NVML_VOLATILE_ECC
        return self._alive(device.card).ecc[kind]

    def nvmlDeviceGetRemappedRows(self, device: Device) -> tuple[int, int, int, int]:
        return self._alive(device.card).rows

    def nvmlDeviceGetFieldValues(self, device: Device, fields: list[int]) -> Any:
        values = (pynvml.c_nvmlFieldValue_t * len(fields))()
        values[0].value.uiVal = device.card.recovery
        return values

    def nvmlEventSetCreate(self) -> str:
        return "events"

    def nvmlEventSetFree(self, events: str) -> None:
        assert events == "events"

    def nvmlDeviceGetSupportedEventTypes(self, device: Device) -> int:
        return pynvml.nvmlEventTypeXidCriticalError

    def nvmlDeviceRegisterEvents(self, device: Device, kinds: int, events: str) -> None:
        assert kinds == pynvml.nvmlEventTypeXidCriticalError

    def nvmlEventSetWait_v2(self, events: str, timeout_ms: int) -> Any:
        assert timeout_ms == 0
        if not self.events:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_TIMEOUT)
        card, number, instance = self.events.pop(0)
        return SimpleNamespace(device=Device(card), eventData=number, gpuInstanceId=instance)

    def nvmlDeviceGetComputeRunningProcesses(self, device: Device) -> list[Any]:
        nobody = 0xFFFFFFFF
        pids = device.card.processes.get(self.nvmlDeviceGetUUID(device), [])
        instance = nobody if device.instance is None else device.instance
        return [SimpleNamespace(pid=pid, usedGpuMemory=MIB, gpuInstanceId=instance) for pid in pids]

    # MIG

    def nvmlDeviceGetMigMode(self, device: Device) -> list[int]:
        card = self._alive(device.card)
        if card.board is None:
            self._refuse()
        return list(card.mig)

    def nvmlDeviceSetMigMode(self, device: Device, mode: int) -> int:
        self._root()
        card = device.card
        self.nvmlDeviceGetMigMode(device)
        card.mig[1] = mode
        if any(card.processes.values()):
            return int(pynvml.NVML_ERROR_IN_USE)
        if self.reset_required:
            return int(pynvml.NVML_ERROR_RESET_REQUIRED)
        card.mig[0] = mode
        return 0

    def nvmlDeviceGetMaxMigDeviceCount(self, device: Device) -> int:
        return 7 if device.card.board is not None else 0

    def nvmlDeviceGetMigDeviceHandleByIndex(self, device: Device, index: int) -> Device:
        found = [
            Device(device.card, made.id, compute)
            for made in device.card.instances.values()
            for compute in sorted(made.compute)
        ]
        if index >= len(found):
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return found[index]

    def nvmlDeviceGetGpuInstanceId(self, device: Device) -> int:
        assert device.instance is not None
        return device.instance

    def nvmlDeviceGetComputeInstanceId(self, device: Device) -> int:
        return device.compute

    def nvmlDeviceGetAttributes(self, device: Device) -> Any:
        assert device.instance is not None
        made = device.card.instances[device.instance]
        return SimpleNamespace(
            gpuInstanceSliceCount=made.profile.compute_slices,
            computeInstanceSliceCount=made.compute[device.compute],
            memorySizeMB=made.profile.memory_bytes // MIB,
        )

    def nvmlDeviceGetGpuInstanceProfileInfo(
        self, device: Device, number: int, version: int = 2
    ) -> Any:
        if self.old and version == 2:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_FUNCTION_NOT_FOUND)
        for profile in self._profiles(device.card):
            kind = _KINDS[profile.compute_slices, profile.memory_slices, profile.media]
            if getattr(pynvml, f"NVML_GPU_INSTANCE_PROFILE_{kind}") == number:
                facts = SimpleNamespace(
                    id=profile.smi_id,
                    sliceCount=profile.compute_slices,
                    instanceCount=profile.max_instances,
                    multiprocessorCount=profile.multiprocessors or 1,
                    memorySizeMB=profile.memory_bytes // MIB,
                )
                if version == 2:
                    facts.name = f"MIG {profile.name}".encode()
                return facts
        return self._refuse()

    def nvmlDeviceGetGpuInstancePossiblePlacements(
        self, device: Device, profile_id: int, places: Any, count: Any
    ) -> None:
        self._root()
        profile = self._profile(device.card, profile_id)
        count._obj.value = len(profile.starts)
        if places is not None:
            for place, start in zip(places, profile.starts, strict=True):
                place.start, place.size = start, profile.memory_slices

    def nvmlDeviceCreateGpuInstanceWithPlacement(
        self, device: Device, profile_id: int, placement: Any
    ) -> Any:
        card = device.card
        if not card.mig[0] or card.board is None:
            self._refuse()
        self._root()
        profile, start = self._profile(card, profile_id), placement._obj.start
        assert placement._obj.size == profile.memory_slices
        placed = [(made.profile, made.start) for made in card.instances.values()]
        assert card.board is not None
        if not is_legal(card.board, [*placed, (profile, start)]):
            raise pynvml.NVMLError(pynvml.NVML_ERROR_INSUFFICIENT_RESOURCES)
        number = next(each for each in itertools.count(1) if each not in card.instances)
        card.instances[number] = Made(number, profile, start, serial=next(self._serials))
        return self._handle(card, number, None, pynvml.c_nvmlGpuInstance_t)

    def nvmlGpuInstanceDestroy(self, handle: Any) -> None:
        self._root()
        card, number, _ = self._facts(handle)
        if card.instances[number].compute:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_IN_USE)
        del card.instances[number]

    def nvmlDeviceGetGpuInstances(
        self, device: Device, profile_id: int, handles: Any, count: Any
    ) -> None:
        self._root()
        found = [
            made for made in device.card.instances.values() if made.profile.smi_id == profile_id
        ]
        for at, made in enumerate(found):
            handles[at] = self._handle(device.card, made.id, None, pynvml.c_nvmlGpuInstance_t)
        count._obj.value = len(found)

    def nvmlGpuInstanceGetInfo(self, handle: Any) -> Any:
        card, number, _ = self._facts(handle)
        made = card.instances[number]
        return SimpleNamespace(
            id=made.id,
            profileId=made.profile.smi_id,
            placement=SimpleNamespace(start=made.start, size=made.profile.memory_slices),
        )

    def nvmlGpuInstanceGetComputeInstanceProfileInfo(
        self, handle: Any, number: int, engine: int, version: int = 2
    ) -> Any:
        assert engine == pynvml.NVML_COMPUTE_INSTANCE_ENGINE_PROFILE_SHARED
        if self.old and version == 2:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_FUNCTION_NOT_FOUND)
        card, instance, _ = self._facts(handle)
        whole = card.instances[instance].profile.compute_slices
        slices = {profile: size for size, profile in _COMPUTE.items()}.get(number, 99)
        if slices > whole:
            self._refuse()
        return SimpleNamespace(id=number, sliceCount=slices, instanceCount=whole // slices)

    def nvmlGpuInstanceCreateComputeInstance(self, handle: Any, profile_id: int) -> Any:
        self._root()
        if self.refuse_compute:
            raise pynvml.NVMLError(self.refuse_compute)
        card, number, _ = self._facts(handle)
        made = card.instances[number]
        compute = next(each for each in itertools.count() if each not in made.compute)
        made.compute[compute] = next(
            size for size, profile in _COMPUTE.items() if profile == profile_id
        )
        return self._handle(card, number, compute, pynvml.c_nvmlComputeInstance_t)

    def nvmlGpuInstanceGetComputeInstances(
        self, handle: Any, profile_id: int, handles: Any, count: Any
    ) -> None:
        card, number, _ = self._facts(handle)
        sizes = {profile: size for size, profile in _COMPUTE.items()}
        made = card.instances[number]
        found = [each for each, size in made.compute.items() if size == sizes[profile_id]]
        for at, compute in enumerate(found):
            handles[at] = self._handle(card, number, compute, pynvml.c_nvmlComputeInstance_t)
        count._obj.value = len(found)

    def nvmlComputeInstanceGetInfo(self, handle: Any) -> Any:
        return SimpleNamespace(id=self._facts(handle)[2])

    def nvmlComputeInstanceDestroy(self, handle: Any) -> None:
        self._root()
        card, number, compute = self._facts(handle)
        assert compute is not None
        if card.processes.get(self.nvmlDeviceGetUUID(Device(card, number, compute))):
            raise pynvml.NVMLError(pynvml.NVML_ERROR_IN_USE)
        del card.instances[number].compute[compute]

    # The model

    def _alive(self, card: Card) -> Card:
        if card.lost:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)
        return card

    def _root(self) -> None:
        if not self.privileged:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NO_PERMISSION)

    def _profiles(self, card: Card) -> tuple[Profile, ...]:
        return () if card.board is None else card.board.profiles

    def _profile(self, card: Card, number: int) -> Profile:
        return next(each for each in self._profiles(card) if each.smi_id == number)

    def _handle(self, card: Card, number: int, compute: int | None, kind: Any) -> Any:
        """A pointer that nobody follows, as the library gives them."""
        address = 8 * (1 + len(self._handles))
        self._handles[address] = (card, number, compute)
        return ctypes.cast(address, kind)

    def _facts(self, handle: Any) -> tuple[Card, int, int | None]:
        return self._handles[ctypes.cast(handle, ctypes.c_void_p).value or 0]
