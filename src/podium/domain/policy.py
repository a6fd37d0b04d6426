"""Policy for each kind of work, as data: what a spec need not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from podium.domain.workload import Kind

PRIORITY_NAMES: Mapping[str, int] = MappingProxyType({"low": 25, "normal": 50, "high": 75})
PRIORITY_MAX = 100
RETRIES_MAX = 100
REPLICAS_MAX = 10_000
GRACE_SECONDS_MAX = 3600


class Order(StrEnum):
    """Who is served first among work of equal priority."""

    FAIR = "fair"  # the project with the least of its due, then age
    FIFO = "fifo"  # age
    ATTAINED = "attained"  # what has had the least GPU time so far, then age


class Preempt(StrEnum):
    """For whose sake running work may be stopped."""

    NEVER = "never"
    GUARANTEE = "guarantee"  # for work inside its guarantee, of work beyond its own
    PRIORITY = "priority"  # the same, and for higher priority inside a project


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulingPolicy:
    """How one cluster is shared. Times in milliseconds. `moves_max` is how much running work at
    most is stopped in one decision to start again elsewhere, so that a gang fits; 0 is never.
    Work on a node is given up `lost_after_ms` after it was marked lost; None is never."""

    order: Order = Order.FAIR
    preempt: Preempt = Preempt.PRIORITY
    half_life_ms: int = 7 * 24 * 3600 * 1000
    minimum_runtime_ms: int = 10 * 60 * 1000
    patience_ms: int = 5 * 60 * 1000
    reservations_max: int = 8
    moves_max: int = 8
    lost_after_ms: int | None = None


DEFAULT_SCHEDULING = SchedulingPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class KindPolicy:
    """Defaults of one kind of work. Amounts are for each replica.

    `priority_max` is the highest that a spec may ask for. `preemptible` work may be stopped for
    others once it has run for `minimum_runtime_ms` (None: as long as the cluster gives to all).
    Without `preempts` nobody has to give way to it. With `spread`, replicas keep apart.
    """

    priority: int
    cpu_milli: int
    memory_bytes: int
    grace_seconds: int
    priority_max: int = PRIORITY_MAX
    preemptible: bool = True
    preempts: bool = True
    minimum_runtime_ms: int | None = None
    spread: bool = False


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
        Kind.SERVICE: KindPolicy(
            priority=70,
            cpu_milli=1000,
            memory_bytes=_GIB,
            grace_seconds=30,
            preemptible=False,
            spread=True,
        ),
        Kind.WORKSPACE: KindPolicy(
            priority=60, cpu_milli=1000, memory_bytes=_GIB, grace_seconds=30, preemptible=False
        ),
    }
)
