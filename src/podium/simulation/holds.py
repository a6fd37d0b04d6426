"""What a placement holds once its replica runs, for simulations that carry a snapshot on."""

from __future__ import annotations

from podium.scheduling.plan import Placement
from podium.scheduling.snapshot import Demand, Hold


def hold_of(
    placement: Placement, demand: Demand, started_at_ms: int, *, preemptible: bool = False
) -> Hold:
    """The first attempt of one rank: its id is the workload's and the rank."""
    return Hold(
        allocation_id=f"{placement.workload_id}/{placement.rank}",
        workload_id=placement.workload_id,
        project=demand.project,
        priority=demand.priority,
        node=placement.node,
        cpu_milli=placement.cpu_milli,
        memory_bytes=placement.memory_bytes,
        devices=placement.devices,
        started_at_ms=started_at_ms,
        kind=demand.kind,
        rank=placement.rank,
        expected=demand.expected,
        preemptible=preemptible,
        minimum=demand.minimum,
    )
