"""GPUs of this machine as NVIDIA's management library tells of them, MIG instances included.

Called by the engine's inventory, from a thread: the library may be slow.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace
from typing import Any

from podium.domain.node import Device

_MAKERS = {"NVIDIA", "TESLA", "QUADRO", "GEFORCE", "GRAPHICS", "DEVICE"}
_CHIP = re.compile(r"[A-Z]{1,2}\d{1,4}[A-Z]?")


def short_type(model: str) -> str:
    """`"NVIDIA H100 80GB HBM3"` → `"H100"`, `"NVIDIA GeForce RTX 4090"` → `"RTX4090"`."""
    words = [word for word in re.split(r"[\s-]+", model.upper()) if word and word not in _MAKERS]
    for family in ("RTX", "GTX"):
        if family in words:
            rest = words[words.index(family) + 1 :]
            if rest and re.fullmatch(r"A\d+", rest[0]):
                return rest[0]
            kept = [family]
            for word in rest:
                if word.isdigit() or word in ("PRO", "TI", "SUPER"):
                    kept.append(word)
                else:
                    break
            return "".join(kept)
    for word in words:
        if _CHIP.fullmatch(word):
            return word
    return re.sub(r"[^A-Z0-9]", "", words[0]) if words else "GPU"


class NvmlGpus:
    """Devices by NVML. `available` is False where there is no driver or no GPU.

    A GPU that stops to answer is told of as unhealthy, with what was last known of it.
    """

    def __init__(self, node: str) -> None:
        self._node = node
        self._known: dict[int, tuple[Device, ...]] = {}
        self._nvml: Any = None
        try:
            import pynvml

            pynvml.nvmlInit()
        except Exception:  # no library, no driver, or one that is broken
            return
        self._nvml = pynvml

    @property
    def available(self) -> bool:
        return self._nvml is not None and self._count() > 0

    @property
    def library(self) -> Any:
        """The library itself, for `gauges`; None where there is none."""
        return self._nvml

    def close(self) -> None:
        if self._nvml is not None:
            with contextlib.suppress(self._nvml.NVMLError):
                self._nvml.nvmlShutdown()
            self._nvml = None

    def devices(self) -> tuple[Device, ...]:
        """All devices now; a GPU in MIG mode counts as its instances."""
        found: list[Device] = []
        for gpu in range(self._count()):
            try:
                self._known[gpu] = self._gpu(gpu)
            except self._nvml.NVMLError:
                self._known[gpu] = tuple(
                    replace(device, healthy=False) for device in self._known.get(gpu, ())
                )
            found.extend(self._known[gpu])
        return tuple(replace(device, index=index) for index, device in enumerate(found))

    def _count(self) -> int:
        if self._nvml is None:
            return 0
        try:
            return int(self._nvml.nvmlDeviceGetCount())
        except self._nvml.NVMLError:
            return len(self._known)

    def _gpu(self, index: int) -> tuple[Device, ...]:
        nvml = self._nvml
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        healthy = self._healthy(handle)
        try:
            mig = nvml.nvmlDeviceGetMigMode(handle)[0] == nvml.NVML_DEVICE_MIG_ENABLE
        except nvml.NVMLError:
            mig = False  # a model without MIG
        if not mig:
            return (self._device(handle, index, healthy, profile=None),)
        instances = []
        for number in range(nvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
            try:
                instance = nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, number)
            except nvml.NVMLError:
                continue  # a place without an instance
            profile = _text(nvml.nvmlDeviceGetName(instance)).rpartition("MIG ")[2].strip()
            instances.append(self._device(instance, index, healthy, profile=profile))
        return tuple(instances)

    def _device(self, handle: Any, index: int, healthy: bool, *, profile: str | None) -> Device:
        nvml = self._nvml
        model = _text(nvml.nvmlDeviceGetName(handle))
        uuid = _text(nvml.nvmlDeviceGetUUID(handle))
        return Device(
            id=uuid,
            node=self._node,
            index=index,
            uuid=uuid,
            type=short_type(model),
            model=model,
            memory_bytes=int(nvml.nvmlDeviceGetMemoryInfo(handle).total),
            mig_profile=profile,
            healthy=healthy,
        )

    def _healthy(self, handle: Any) -> bool:
        """False once the GPU has memory rows that it could not replace."""
        try:
            return not self._nvml.nvmlDeviceGetRemappedRows(handle)[3]
        except self._nvml.NVMLError:
            return True  # a model that does not tell


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
