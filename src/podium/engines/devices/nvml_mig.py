"""MIG of one real GPU: what it can be cut into, its instances, making and ending them.

Called by the NVML driver, with a handle of the GPU.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator
from typing import Any

from podium.domain.mig import Profile, board_of
from podium.engines.devices.contract import ComputeInstance, Instance, ProfileKey, key_of
from podium.engines.devices.errors import (
    DriverError,
    FunctionNotFoundError,
    InvalidArgumentError,
    MissingError,
    NoPermissionError,
    NotSupportedError,
    error_of,
)
from podium.engines.devices.library import Library, text

# Kinds for graphics, and those with none or all of the media engines, are left out: they are other
# settings of the same slices, which nobody can ask for.
_PROFILES = (
    "1_SLICE",
    "1_SLICE_REV1",
    "1_SLICE_REV2",
    "2_SLICE",
    "2_SLICE_REV1",
    "3_SLICE",
    "4_SLICE",
    "6_SLICE",
    "7_SLICE",
    "8_SLICE",
)
_MEDIA = ("1_SLICE_REV1", "2_SLICE_REV1")
# Without 1_SLICE_REV1 and 7_SLICE_NVL, which are others again under another number.
_COMPUTE_PROFILES = (
    "1_SLICE",
    "2_SLICE",
    "3_SLICE",
    "4_SLICE",
    "6_SLICE",
    "7_SLICE",
    "8_SLICE",
)
_SLICES = 8
_MIB = 2**20


class NvmlMig:
    """`handle` is the library's of the whole GPU; name and memory find its board in the table, for
    what the driver tells only to root."""

    def __init__(
        self, nvml: Library, handle: Any, gpu: str = "", name: str = "", memory_bytes: int = 0
    ) -> None:
        self._nvml = nvml
        self._handle = handle
        self._gpu = gpu
        self._name = name
        self._memory_bytes = memory_bytes

    def devices(self) -> Iterator[tuple[int, int, Any]]:
        """GPU instance, compute instance and handle of each MIG device."""
        nvml = self._nvml
        for number in range(nvml.told("nvmlDeviceGetMaxMigDeviceCount", self._handle) or 0):
            device = nvml.told("nvmlDeviceGetMigDeviceHandleByIndex", self._handle, number)
            if device is None:
                continue  # a place without an instance
            with contextlib.suppress(DriverError):
                yield (
                    int(nvml.ask("nvmlDeviceGetGpuInstanceId", device)),
                    int(nvml.ask("nvmlDeviceGetComputeInstanceId", device)),
                    device,
                )

    def profiles(self) -> tuple[Profile, ...]:
        board = board_of(self._name, self._memory_bytes)
        found = []
        for kind in _PROFILES:
            info = self._profile_info(kind)
            if info is None:
                continue
            try:
                starts, size = self._placements(info.id)
            except NoPermissionError:
                return board.profiles if board is not None else ()
            key = ProfileKey(int(info.sliceCount), size, kind in _MEDIA)
            known = [each for each in (board.profiles if board else ()) if key_of(each) == key]
            name = text(getattr(info, "name", b"")).removeprefix("MIG").strip()
            memory_bytes = int(info.memorySizeMB) * _MIB
            found.append(
                Profile(
                    name=name or (known[0].name if known else _name(key, memory_bytes)),
                    compute_slices=key.compute_slices,
                    memory_slices=size,
                    starts=starts,
                    max_instances=int(info.instanceCount),
                    media=key.media,
                    memory_bytes=memory_bytes,
                    multiprocessors=int(info.multiprocessorCount),
                    smi_id=int(info.id),
                )
            )
        return tuple(sorted(found, key=lambda one: (one.memory_slices, one.compute_slices)))

    def instances(self) -> tuple[Instance, ...]:
        devices = {(gpu, compute): device for gpu, compute, device in self.devices()}
        try:
            found = [
                self._instance(profile, handle, info, devices)
                for profile, handle, info in self._gpu_instances()
            ]
        except NoPermissionError:
            found = self._by_devices(devices)
        return tuple(sorted(found, key=lambda one: (one.start is None, one.start, one.id)))

    def create(self, key: ProfileKey, start: int) -> Instance:
        nvml = self._nvml
        profile = next((each for each in self.profiles() if key_of(each) == key), None)
        if profile is None:
            raise NotSupportedError(f"This GPU has no MIG profile of {key}.")
        if start not in profile.starts:
            raise InvalidArgumentError(
                f"{profile.name} cannot start at memory slice {start}, only at "
                f"{', '.join(map(str, profile.starts))}."
            )
        placement = nvml.c_nvmlGpuInstancePlacement_t(start=start, size=profile.memory_slices)
        try:
            handle = nvml.ask(
                "nvmlDeviceCreateGpuInstanceWithPlacement",
                self._handle,
                profile.smi_id,
                ctypes.byref(placement),
            )
        except DriverError as error:
            words = f"{profile.name} was not made at memory slice {start}: {error.message}"
            raise error_of(error.value, words) from error
        try:
            whole = max(self._compute_profiles(handle), key=lambda info: int(info.sliceCount))
            nvml.ask("nvmlGpuInstanceCreateComputeInstance", handle, whole.id)
        except (DriverError, ValueError) as error:
            with contextlib.suppress(DriverError):
                nvml.ask("nvmlGpuInstanceDestroy", handle)
            if isinstance(error, DriverError):
                raise
            raise NotSupportedError(f"{profile.name} can hold no compute instance.") from error
        info = nvml.ask("nvmlGpuInstanceGetInfo", handle)
        devices = {(gpu, compute): device for gpu, compute, device in self.devices()}
        return self._instance(profile, handle, info, devices)

    def destroy(self, instance: int) -> None:
        nvml = self._nvml
        for _, handle, info in self._gpu_instances():
            if int(info.id) == instance:
                for compute, _ in self._compute_instances(handle):
                    nvml.ask("nvmlComputeInstanceDestroy", compute)
                nvml.ask("nvmlGpuInstanceDestroy", handle)
                return
        raise MissingError(f"The GPU has no instance {instance}.")

    def _profile_info(self, kind: str) -> Any:
        number = getattr(self._nvml.module, f"NVML_GPU_INSTANCE_PROFILE_{kind}", None)
        if number is None:
            return None
        for version in (2, 1):
            try:
                return self._nvml.ask(
                    "nvmlDeviceGetGpuInstanceProfileInfo", self._handle, number, version=version
                )
            except FunctionNotFoundError:
                continue  # an older driver, which does not tell the name
            except (NotSupportedError, InvalidArgumentError):
                return None
        return None

    def _placements(self, profile: int) -> tuple[tuple[int, ...], int]:
        """Starts and size."""
        nvml = self._nvml
        count = ctypes.c_uint(0)
        name = "nvmlDeviceGetGpuInstancePossiblePlacements"
        nvml.ask(name, self._handle, profile, None, ctypes.byref(count))
        places = (nvml.c_nvmlGpuInstancePlacement_t * max(1, count.value))()
        nvml.ask(name, self._handle, profile, places, ctypes.byref(count))
        found = places[: count.value]
        return tuple(sorted({int(place.start) for place in found})), max(
            (int(place.size) for place in found), default=0
        )

    def _gpu_instances(self) -> Iterator[tuple[Profile, Any, Any]]:
        """Profile, handle and the library's facts of each. Raises NoPermissionError."""
        nvml = self._nvml
        for profile in self.profiles():
            handles = (nvml.c_nvmlGpuInstance_t * profile.max_instances)()
            count = ctypes.c_uint(0)
            nvml.ask(
                "nvmlDeviceGetGpuInstances",
                self._handle,
                profile.smi_id,
                handles,
                ctypes.byref(count),
            )
            for handle in handles[: count.value]:
                yield profile, handle, nvml.ask("nvmlGpuInstanceGetInfo", handle)

    def _compute_profiles(self, instance: Any) -> Iterator[Any]:
        nvml = self._nvml
        engine = nvml.NVML_COMPUTE_INSTANCE_ENGINE_PROFILE_SHARED
        for kind in _COMPUTE_PROFILES:
            number = getattr(nvml.module, f"NVML_COMPUTE_INSTANCE_PROFILE_{kind}", None)
            if number is None:
                continue
            for version in (2, 1):
                try:
                    yield nvml.ask(
                        "nvmlGpuInstanceGetComputeInstanceProfileInfo",
                        instance,
                        number,
                        engine,
                        version=version,
                    )
                except FunctionNotFoundError:
                    continue
                except (NotSupportedError, InvalidArgumentError):
                    pass
                break

    def _compute_instances(self, instance: Any) -> Iterator[tuple[Any, Any]]:
        """Handle and the library's facts of each."""
        nvml = self._nvml
        for profile in self._compute_profiles(instance):
            handles = (nvml.c_nvmlComputeInstance_t * max(1, int(profile.instanceCount)))()
            count = ctypes.c_uint(0)
            nvml.ask(
                "nvmlGpuInstanceGetComputeInstances",
                instance,
                profile.id,
                handles,
                ctypes.byref(count),
            )
            for handle in handles[: count.value]:
                yield handle, nvml.ask("nvmlComputeInstanceGetInfo", handle)

    def _instance(
        self, profile: Profile, handle: Any, info: Any, devices: dict[tuple[int, int], Any]
    ) -> Instance:
        number = int(info.id)
        computes = sorted(int(facts.id) for _, facts in self._compute_instances(handle))
        return Instance(
            gpu=self._gpu,
            id=number,
            key=key_of(profile),
            name=profile.name,
            start=int(info.placement.start),
            size=int(info.placement.size),
            compute=tuple(
                self._compute(compute, devices[number, compute], profile)
                for compute in computes
                if (number, compute) in devices
            ),
        )

    def _compute(self, number: int, device: Any, profile: Profile | None) -> ComputeInstance:
        nvml = self._nvml
        name = text(nvml.ask("nvmlDeviceGetName", device)).rpartition("MIG ")[2].strip()
        attributes = nvml.told("nvmlDeviceGetAttributes", device)
        slices = profile.compute_slices if profile is not None else 1
        if attributes is not None:
            slices = int(attributes.computeInstanceSliceCount)
        return ComputeInstance(
            id=number,
            uuid=text(nvml.ask("nvmlDeviceGetUUID", device)),
            compute_slices=slices,
            name=name,
            memory_bytes=int(nvml.ask("nvmlDeviceGetMemoryInfo", device).total),
        )

    def _by_devices(self, devices: dict[tuple[int, int], Any]) -> list[Instance]:
        """Without the privilege: what the MIG devices themselves tell, which is not where they
        lie."""
        nvml = self._nvml
        found: dict[int, list[ComputeInstance]] = {}
        sizes: dict[int, ProfileKey] = {}
        profiles = self.profiles()
        for (number, compute), device in sorted(devices.items()):
            made = self._compute(compute, device, None)
            name = made.name.partition("c.")[2] or made.name
            attributes = nvml.told("nvmlDeviceGetAttributes", device)
            known = next((key_of(each) for each in profiles if each.name == name), None)
            if known is not None:
                sizes[number] = known
            elif attributes is not None:
                share = int(attributes.memorySizeMB) * _MIB * _SLICES
                slices = -(-share // max(1, self._memory_bytes))
                sizes[number] = ProfileKey(int(attributes.gpuInstanceSliceCount), slices)
            else:
                continue
            found.setdefault(number, []).append(made)
        return [
            Instance(
                gpu=self._gpu,
                id=number,
                key=sizes[number],
                name=computes[0].name.partition("c.")[2] or computes[0].name,
                start=None,
                size=sizes[number].memory_slices,
                compute=tuple(computes),
            )
            for number, computes in sorted(found.items())
        ]


def _name(key: ProfileKey, memory_bytes: int) -> str:
    gigabytes = round(memory_bytes / 2**30)
    return f"{key.compute_slices}g.{gigabytes}gb{'+me' if key.media else ''}"
