"""Readings of real GPUs, with a library that answers and refuses as NVIDIA's does."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from podium.engines.devices.gauges import Gauges

UUID = "GPU-7"


class NvmlError(Exception):
    def __init__(self, value: int) -> None:
        super().__init__()
        self.value = value


class Library:
    """Answers what `facts` holds by the function's name and refuses everything else."""

    NVMLError = NvmlError
    NVML_ERROR_NOT_FOUND = 6
    NVML_TEMPERATURE_GPU = 0
    NVML_GPU_UTILIZATION_SAMPLES = 1

    def __init__(self, **facts: Any) -> None:
        self.facts = facts

    def __getattr__(self, name: str) -> Any:
        def answer(*_: Any) -> Any:
            fact = self.facts.get(name, NvmlError(3))
            if isinstance(fact, Exception):
                raise fact
            return fact

        return answer


def sample(at: int, percent: int) -> SimpleNamespace:
    return SimpleNamespace(timeStamp=at, sampleValue=SimpleNamespace(uiVal=percent))


def process(at: int, pid: int, percent: int) -> SimpleNamespace:
    return SimpleNamespace(timeStamp=at, pid=pid, smUtil=percent)


@pytest.fixture
def library() -> Library:
    return Library(
        nvmlDeviceGetHandleByUUID="handle",
        nvmlDeviceGetMemoryInfo=SimpleNamespace(used=11),
        nvmlDeviceGetTemperature=61,
        nvmlDeviceGetPowerUsage=350_000,
        nvmlDeviceGetSamples=(0, [sample(1, 20), sample(2, 60)]),
        nvmlDeviceGetUtilizationRates=SimpleNamespace(gpu=99),
        nvmlDeviceGetComputeRunningProcesses=[
            SimpleNamespace(pid=5, usedGpuMemory=7), SimpleNamespace(pid=6, usedGpuMemory=None),
        ],
        nvmlDeviceGetProcessUtilization=[process(1, 5, 30), process(2, 5, 50), process(2, 6, 4)],
    )  # fmt: skip


def test_a_gpu_that_tells_all(library: Library) -> None:
    reading = Gauges(library).read(UUID, 10_000)
    told = reading.measure
    assert (told.device_id, told.span_ms, told.busy_milli) == (UUID, 10_000, 400)
    assert (told.memory_bytes, told.power_milliwatts, told.temperature_celsius) == (11, 350_000, 61)
    assert reading.busy_milli_by_pid == {5: 400, 6: 40}
    assert reading.memory_bytes_by_pid == {5: 7}


def test_samples_are_counted_once_and_the_last_moment_stands_in(library: Library) -> None:
    gauges = Gauges(library)
    gauges.read(UUID, 10_000)
    again = gauges.read(UUID, 10_000)
    assert again.measure.busy_milli == 990
    assert again.busy_milli_by_pid == {}
    library.facts["nvmlDeviceGetSamples"] = (0, [sample(2, 60), sample(3, 10)])
    assert gauges.read(UUID, 10_000).measure.busy_milli == 100


@pytest.mark.parametrize(
    "refused",
    [
        "nvmlDeviceGetHandleByUUID", "nvmlDeviceGetMemoryInfo", "nvmlDeviceGetTemperature",
        "nvmlDeviceGetPowerUsage", "nvmlDeviceGetSamples", "nvmlDeviceGetUtilizationRates",
        "nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetProcessUtilization",
    ],
)  # fmt: skip
def test_one_refusal_costs_no_other_figure(refused: str, library: Library) -> None:
    whole = Gauges(library).read(UUID, 1).measure
    del library.facts[refused]
    told = Gauges(library).read(UUID, 1).measure
    names = ("busy_milli", "memory_bytes", "power_milliwatts", "temperature_celsius")
    missing = [name for name in names if getattr(told, name) != getattr(whole, name)]
    assert len(missing) <= (4 if refused == "nvmlDeviceGetHandleByUUID" else 1)


def test_mig_and_quiet_gpus(library: Library) -> None:
    for name in ("nvmlDeviceGetSamples", "nvmlDeviceGetUtilizationRates"):
        del library.facts[name]
    library.facts["nvmlDeviceGetProcessUtilization"] = NvmlError(6)
    reading = Gauges(library).read(UUID, 1)
    assert reading.measure.busy_milli is None
    assert reading.busy_milli_by_pid == {}, "no process did anything"
    library.facts["nvmlDeviceGetProcessUtilization"] = AttributeError("an old library")
    assert Gauges(library).read(UUID, 1).busy_milli_by_pid is None
