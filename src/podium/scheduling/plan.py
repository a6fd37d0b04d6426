"""What the scheduler answers: placements, refusals with reasons, and when to look again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from podium.domain.reason import Refusal
from podium.domain.resources import DeviceShare


@dataclass(frozen=True, slots=True)
class Placement:
    """One rank of one workload on one node, with the devices it gets."""

    workload_id: str
    rank: int
    node: str
    cpu_milli: int
    memory_bytes: int
    devices: tuple[DeviceShare, ...]


@dataclass(frozen=True, slots=True)
class Preemption:
    """Running work that must give way, for whom, why that is right, and what it costs.

    `ranks` are the replicas that stop: all of them, or those above the minimum of an elastic gang,
    or single tasks of an array. `lost_milli_ms` is the work thrown away, in milli-GPU x
    milliseconds since it was last saved.
    """

    workload_id: str
    ranks: tuple[int, ...]
    in_favour_of: str
    justification: str
    lost_milli_ms: int = 0


@dataclass(frozen=True, slots=True)
class Reservation:
    """Nodes kept for a blocked workload, which is expected to start there at `from_ms`; None =
    nobody can say when, because what stands there has no expected end. `replicas` is how many of
    it each of the nodes is kept for."""

    workload_id: str
    nodes: tuple[str, ...]
    from_ms: int | None
    replicas: tuple[int, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """Workloads (or the rest of them) that are not placed now, and their dominant reason."""

    workload_ids: tuple[str, ...]
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Turn:
    """One whose turn it was, but who waits on: `inside` its guarantee, or not."""

    workload_id: str
    inside: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The whole decision of one cycle, in the order in which it was made.

    `turns` are the first that wait, in the order of service, one for each line of equal asks.
    `next_wake_ms` is when a decision may change by the passing of time alone; None = only when
    something happens.
    """

    placements: tuple[Placement, ...] = ()
    refusals: tuple[Refused, ...] = ()
    preemptions: tuple[Preemption, ...] = ()
    reservations: tuple[Reservation, ...] = ()
    turns: tuple[Turn, ...] = ()
    next_wake_ms: int | None = None

    def digest(self) -> str:
        """SHA-256 over the plan's canonical text: equal plans, equal digests, on any machine."""
        parts = (
            self.placements,
            self.refusals,
            self.preemptions,
            self.reservations,
            self.turns,
            self.next_wake_ms,
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()
