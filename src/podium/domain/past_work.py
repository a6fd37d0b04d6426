"""Work as it was: what `store/work_history` reads and a replay runs again."""

from __future__ import annotations

from dataclasses import dataclass

from podium.domain.resources import ANYWHERE, ReplicaCount, Request, Topology
from podium.domain.workload import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class PastWork:
    """One workload. `runtime_ms` is that of a gang from its start, or of one task of an array on
    average, over all attempts; `known` is False where it had not ended. `groups` are (request,
    first rank, replicas). `waited`: when it came says when it began to wait; False for what waited
    for other work, or for a time that it named."""

    workload_id: str
    project: str
    team: str
    owner: str
    kind: Kind
    priority: int
    request: Request
    replicas: ReplicaCount
    topology: Topology = ANYWHERE
    preemptible: bool = False
    limit_ms: int | None = None
    submitted_at_ms: int
    started_at_ms: int | None
    runtime_ms: int
    known: bool
    waited: bool = True
    groups: tuple[tuple[Request, int, int], ...] = ()
