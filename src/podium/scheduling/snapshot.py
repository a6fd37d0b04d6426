"""What the scheduler sees: nodes, what is held on them, and what is asked for.

`store.snapshot` makes one for production; `simulation/` makes them on virtual time.
"""

from __future__ import annotations

from dataclasses import dataclass

from podium.domain.node import Node
from podium.domain.reason import Refusal
from podium.domain.resources import ANYWHERE, DeviceShare, Request, Topology
from podium.domain.workload import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One workload that has replicas to place.

    Of `pending_ranks` (ascending) at least `minimum` must be placed in the same plan, or none.
    `blocked` says why it may not be placed at all now (a dependency, say).
    """

    workload_id: str
    project: str
    kind: Kind
    priority: int
    queued_at_ms: int
    request: Request
    pending_ranks: tuple[int, ...]
    minimum: int
    topology: Topology = ANYWHERE
    blocked: Refusal | None = None

    def __post_init__(self) -> None:
        assert self.pending_ranks, "a demand has something to place"
        assert 1 <= self.minimum <= len(self.pending_ranks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What an open allocation keeps from others. `ends_at_ms` is its limit, where it has one.

    `kind` tells work that ends by itself from services and workspaces, for whose end nobody
    should wait; None counts as work that ends.
    """

    allocation_id: str
    workload_id: str
    project: str
    priority: int
    node: str
    cpu_milli: int
    memory_bytes: int
    devices: tuple[DeviceShare, ...]
    started_at_ms: int | None = None
    ends_at_ms: int | None = None
    kind: Kind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """`nodes` in name order with all their devices, whatever their state; `demands` in the order
    of the queue: priority descending, then `queued_at_ms`, then id."""

    nodes: tuple[Node, ...]
    holds: tuple[Hold, ...]
    demands: tuple[Demand, ...]
