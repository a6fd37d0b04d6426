"""Policy for each kind of work, as data: what a spec need not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from podium.domain.workload import Kind

PRIORITY_NAMES: Mapping[str, int] = MappingProxyType({"low": 25, "normal": 50, "high": 75})
PRIORITY_MAX = 100
RETRIES_MAX = 100
REPLICAS_MAX = 10_000
GRACE_SECONDS_MAX = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class KindPolicy:
    """Defaults of one kind of work. Amounts are for each replica."""

    priority: int
    cpu_milli: int
    memory_bytes: int
    grace_seconds: int


_GIB = 2**30

KIND_POLICIES: Mapping[Kind, KindPolicy] = MappingProxyType(
    {
        Kind.TRAINING: KindPolicy(priority=50, cpu_milli=1000, memory_bytes=_GIB, grace_seconds=30),
        Kind.BATCH: KindPolicy(
            priority=25, cpu_milli=1000, memory_bytes=_GIB // 2, grace_seconds=10
        ),
        Kind.EVALUATION: KindPolicy(
            priority=40, cpu_milli=1000, memory_bytes=_GIB, grace_seconds=10
        ),
        Kind.SERVICE: KindPolicy(priority=70, cpu_milli=1000, memory_bytes=_GIB, grace_seconds=30),
        Kind.WORKSPACE: KindPolicy(
            priority=60, cpu_milli=1000, memory_bytes=_GIB, grace_seconds=30
        ),
    }
)
