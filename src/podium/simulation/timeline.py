"""What a simulated run leaves behind: who ran where and when, and what others were told."""

from __future__ import annotations

from dataclasses import dataclass

from podium.domain.reason import Refusal
from podium.domain.resources import DeviceShare


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One replica on one node. `completed` is false while it runs and when its node was lost."""

    workload_id: str
    rank: int
    node: str
    cpu_milli: int
    memory_bytes: int
    devices: tuple[DeviceShare, ...]
    started_at_ms: int
    ended_at_ms: int | None = None
    completed: bool = False


@dataclass(frozen=True, slots=True)
class Life:
    """A workload's times; `started_at_ms` is its first start."""

    workload_id: str
    submitted_at_ms: int
    started_at_ms: int | None = None
    ended_at_ms: int | None = None

    @property
    def wait_ms(self) -> int | None:
        return None if self.started_at_ms is None else self.started_at_ms - self.submitted_at_ms


@dataclass(frozen=True, slots=True)
class RefusalNote:
    """From `at_ms` on the workload's refusal reads so."""

    at_ms: int
    workload_id: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Stop:
    """At `at_ms` these replicas gave way to another workload."""

    at_ms: int
    workload_id: str
    ranks: tuple[int, ...]
    in_favour_of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """`spans` in order of their end, then those still running; `lives` in order of the input;
    `refusals` only where they changed."""

    spans: tuple[Span, ...]
    lives: tuple[Life, ...]
    refusals: tuple[RefusalNote, ...]
    stops: tuple[Stop, ...]
    cycles: int
    ended_at_ms: int

    def life(self, workload_id: str) -> Life:
        """Raises KeyError for a workload that was not in the run."""
        for life in self.lives:
            if life.workload_id == workload_id:
                return life
        raise KeyError(workload_id)

    @property
    def unfinished(self) -> tuple[str, ...]:
        return tuple(life.workload_id for life in self.lives if life.ended_at_ms is None)
