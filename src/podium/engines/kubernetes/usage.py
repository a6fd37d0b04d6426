"""What pods use, as their kubelets measure it. The engine asks them through the API server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
from msgspec import Struct

from podium.domain.errors import PodiumError
from podium.engines.contract import AllocationMeasure
from podium.engines.kubernetes.connection import Connection
from podium.engines.kubernetes.sight import ms_of

_AT_ONCE = 16


class _Cpu(Struct, kw_only=True, rename="camel"):
    time: str = ""
    usage_core_nano_seconds: int = 0


class _Memory(Struct, kw_only=True, rename="camel"):
    working_set_bytes: int = 0


class _Usage(Struct, kw_only=True):
    cpu: _Cpu | None = None
    memory: _Memory | None = None


class _PodRef(Struct, kw_only=True):
    uid: str = ""


class _PodUsage(Struct, kw_only=True):
    podRef: _PodRef  # noqa: N815 - as the kubelet spells it
    containers: list[_Usage] | None = None


class _Summary(Struct, kw_only=True):
    pods: list[_PodUsage] | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Of one pod's containers together, when its kubelet looked last."""

    at_ms: int
    cpu_ms: float
    memory_bytes: int


class PodUsage:
    """Keeps the last sample of each pod, and the most memory of all."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._samples: dict[str, Sample] = {}
        self._measures: dict[str, AllocationMeasure] = {}
        self.cpu_ms: dict[str, int] = {}
        self.memory_peak_bytes: dict[str, int] = {}

    async def measure(self, nodes: Mapping[str, Mapping[str, str]]) -> Sequence[AllocationMeasure]:
        """`nodes`: on each of these, pods by uid, and the allocation of each. Nodes that do not
        answer are left out."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def ask(node: str) -> _Summary | None:
            async with gate:
                try:
                    answer = await self._connection.get(f"/api/v1/nodes/{node}/proxy/stats/summary")
                    return msgspec.json.decode(answer, type=_Summary)
                except (PodiumError, msgspec.DecodeError):
                    return None

        summaries = await asyncio.gather(*(ask(node) for node in nodes))
        known: dict[str, str] = {}
        for allocations in nodes.values():
            known |= allocations
        self._measures = {key: each for key, each in self._measures.items() if key in known}
        self._samples = {key: each for key, each in self._samples.items() if key in known}
        for summary in summaries:
            for pod in summary.pods or () if summary is not None else ():
                if pod.podRef.uid in known:
                    self._take(pod, known[pod.podRef.uid])
        return tuple(self._measures.values())

    def forget(self, allocation_id: str) -> None:
        self.cpu_ms.pop(allocation_id, None)
        self.memory_peak_bytes.pop(allocation_id, None)

    def _take(self, pod: _PodUsage, allocation_id: str) -> None:
        sample = _sample(pod)
        before = self._samples.get(pod.podRef.uid)
        if sample is None or (before is not None and sample.at_ms <= before.at_ms):
            return
        self._samples[pod.podRef.uid] = sample
        peak = max(self.memory_peak_bytes.get(allocation_id, 0), sample.memory_bytes)
        self.memory_peak_bytes[allocation_id] = peak
        self.cpu_ms[allocation_id] = int(sample.cpu_ms)
        if before is None:
            return
        span_ms = sample.at_ms - before.at_ms
        used_ms = max(0.0, sample.cpu_ms - before.cpu_ms)
        self._measures[pod.podRef.uid] = AllocationMeasure(
            allocation_id=allocation_id,
            span_ms=span_ms,
            cpu_milli=round(used_ms * 1000 / span_ms),
            memory_bytes=sample.memory_bytes,
        )


def _sample(pod: _PodUsage) -> Sample | None:
    found = [each for each in pod.containers or () if each.cpu is not None and each.cpu.time]
    if not found:
        return None
    return Sample(
        at_ms=max(ms_of(each.cpu.time) for each in found if each.cpu is not None),
        cpu_ms=sum(each.cpu.usage_core_nano_seconds for each in found if each.cpu) / 1e6,
        memory_bytes=sum(each.memory.working_set_bytes for each in found if each.memory),
    )
