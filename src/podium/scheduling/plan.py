"""What the scheduler answers: placements, refusals with reasons, and when to look again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

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
    """A running workload that must give way, for whom, and why that is right."""

    workload_id: str
    in_favour_of: str
    justification: str


@dataclass(frozen=True, slots=True)
class MigChange:
    """Instances to destroy and to create on one device before its placements can start."""

    device_id: str
    destroy: tuple[str, ...]
    create: tuple[tuple[str, int], ...]  # profile, first memory slice


@dataclass(frozen=True, slots=True)
class Reservation:
    """Nodes kept for a blocked workload from a time on."""

    workload_id: str
    nodes: tuple[str, ...]
    from_ms: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A workload (or the rest of it) that is not placed now, and the dominant reason."""

    workload_id: str
    refusal: Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The whole decision of one cycle, in the order in which it was made.

    `next_wake_ms` is when a decision may change by the passing of time alone; None = only when
    something happens.
    """

    placements: tuple[Placement, ...] = ()
    refusals: tuple[Refused, ...] = ()
    preemptions: tuple[Preemption, ...] = ()
    mig_changes: tuple[MigChange, ...] = ()
    reservations: tuple[Reservation, ...] = ()
    next_wake_ms: int | None = None

    def digest(self) -> str:
        """SHA-256 over the plan's canonical text: equal plans, equal digests, on any machine."""
        parts = (
            self.placements,
            self.refusals,
            self.preemptions,
            self.mig_changes,
            self.reservations,
            self.next_wake_ms,
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()
