"""What the GPUs of this machine did, as NVIDIA's management library tells it.

Called by the NVML driver. Whatever the library refuses, such as most figures of MIG
instances, is None: nothing here fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from podium.engines.contract import DeviceMeasure
from podium.engines.devices.contract import Reading

_PERCENT_MILLI = 10


class Gauges:
    """Reads devices by their UUID. `library` is the module `pynvml`, initialised."""

    def __init__(self, library: Any) -> None:
        self._nvml = library
        self._sampled: dict[str, int] = {}  # microseconds of the last sample that was counted
        self._processes_sampled: dict[str, int] = {}

    def read(self, uuid: str, span_ms: int) -> Reading:
        nvml = self._nvml
        handle = self._ask(nvml.nvmlDeviceGetHandleByUUID, uuid)
        if handle is None:
            return Reading(measure=DeviceMeasure(device_id=uuid, span_ms=span_ms))
        memory = self._ask(nvml.nvmlDeviceGetMemoryInfo, handle)
        temperature = self._ask(nvml.nvmlDeviceGetTemperature, handle, nvml.NVML_TEMPERATURE_GPU)
        return Reading(
            measure=DeviceMeasure(
                device_id=uuid,
                span_ms=span_ms,
                busy_milli=self._busy_milli(uuid, handle),
                memory_bytes=None if memory is None else int(memory.used),
                power_milliwatts=self._ask(nvml.nvmlDeviceGetPowerUsage, handle),
                temperature_celsius=temperature,
            ),
            busy_milli_by_pid=self._busy_by_process(uuid, handle),
            memory_bytes_by_pid={
                each.pid: int(each.usedGpuMemory)
                for each in self._ask(nvml.nvmlDeviceGetComputeRunningProcesses, handle) or ()
                if each.usedGpuMemory is not None
            },
        )

    def _busy_milli(self, uuid: str, handle: Any) -> int | None:
        """The mean of all samples since the last reading, where the driver keeps samples; else
        what it says of its last moment."""
        nvml = self._nvml
        since = self._sampled.get(uuid, 0)
        kept = self._ask(
            nvml.nvmlDeviceGetSamples, handle, nvml.NVML_GPU_UTILIZATION_SAMPLES, since
        )
        if kept is not None:
            new = [each for each in kept[1] if each.timeStamp > since]
            if new:
                self._sampled[uuid] = max(each.timeStamp for each in new)
                percent = sum(int(each.sampleValue.uiVal) for each in new)
                return min(1000, percent * _PERCENT_MILLI // len(new))
        rates = self._ask(nvml.nvmlDeviceGetUtilizationRates, handle)
        return None if rates is None else min(1000, int(rates.gpu) * _PERCENT_MILLI)

    def _busy_by_process(self, uuid: str, handle: Any) -> Mapping[int, int] | None:
        """None where the driver does not tell processes apart."""
        since = self._processes_sampled.get(uuid, 0)
        try:
            kept = self._nvml.nvmlDeviceGetProcessUtilization(handle, since)
        except self._nvml.NVMLError as error:
            # "Not found" means that no process did anything since.
            quiet = getattr(error, "value", None) == self._nvml.NVML_ERROR_NOT_FOUND
            return {} if quiet else None
        except Exception:  # an old driver lacks the function
            return None
        found: dict[int, list[int]] = {}
        for each in kept:
            if each.timeStamp > since:
                found.setdefault(int(each.pid), []).append(int(each.smUtil))
                newest = max(self._processes_sampled.get(uuid, 0), int(each.timeStamp))
                self._processes_sampled[uuid] = newest
        return {
            pid: min(1000, sum(parts) * _PERCENT_MILLI // len(parts))
            for pid, parts in found.items()
        }

    def _ask(self, question: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return question(*arguments)
        except Exception:  # refused, not known to this driver, or closed meanwhile
            return None
