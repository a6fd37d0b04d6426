"""The one reason why something waits: what the plan says, in the words of those at the front, and
which constraint that is. Never a second opinion: where the two differ, the plan is right."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from podium.domain.reason import Evidence, Refusal, WaitReason
from podium.scheduling.explain.values import Constraint
from podium.scheduling.placing.fit import Shape
from podium.scheduling.plan import Plan
from podium.scheduling.reasons.refusals import Refusals
from podium.scheduling.snapshot import Demand, Snapshot
from podium.scheduling.space.floor import Floor
from podium.scheduling.view import View

_JUDGED = (
    WaitReason.CAPACITY,
    WaitReason.FRAGMENTATION,
    WaitReason.TOPOLOGY,
    WaitReason.UNHEALTHY_NODES,
    WaitReason.POLICY,
    WaitReason.IMPOSSIBLE_SIZE,
    WaitReason.IMPOSSIBLE_TYPE,
    WaitReason.NO_NODES,
)
"""What `Refusals` says of the state that a cycle leaves behind; other reasons were found on the
way, and are the same for all."""

_CONSTRAINTS: Mapping[WaitReason, Constraint] = MappingProxyType(
    {
        WaitReason.DEPENDENCY: Constraint.ITSELF,
        WaitReason.START_TIME: Constraint.ITSELF,
        WaitReason.NEW: Constraint.TURN,
        WaitReason.PRIORITY: Constraint.TURN,
        WaitReason.RESERVATION: Constraint.BOOKING,
        WaitReason.IMPOSSIBLE_TYPE: Constraint.KIND,
        WaitReason.IMPOSSIBLE_SIZE: Constraint.SIZE,
        WaitReason.NO_NODES: Constraint.NODES,
        WaitReason.UNHEALTHY_NODES: Constraint.HEALTH,
        WaitReason.TOPOLOGY: Constraint.TOPOLOGY,
        WaitReason.POLICY: Constraint.LABELS,
        WaitReason.QUOTA: Constraint.QUOTA,
        WaitReason.BUDGET: Constraint.QUOTA,
    }
)
_FACTS: Mapping[str, Constraint] = MappingProxyType(
    {
        "gpus_free": Constraint.GPUS,
        "cpus_free": Constraint.CPUS,
        "memory_free": Constraint.MEMORY,
    }
)


def front_refusal(
    snapshot: Snapshot,
    view: View,
    plan: Plan,
    floor: Floor,
    demand: Demand,
    refusal: Refusal,
    beside: Sequence[int],
) -> Refusal:
    """`refusal` of the plan, with what is free now and who holds the rest, as the first of the
    queue hear it. `floor` is what nobody holds after the cycle."""
    if refusal.reason not in _JUDGED or demand.parts or demand.blocked is not None:
        return refusal
    if demand.workload_id not in view.demands:
        view = replace(
            view,
            demands=ChainMap({demand.workload_id: demand}, view.demands),  # type: ignore[arg-type]
        )
    shapes: dict[object, Shape] = {}
    judge = Refusals(
        snapshot,
        view,
        floor,
        plan.placements,
        Evidence("holder", demand.workload_id, demand.project),  # never told: see _JUDGED
        lambda request: shapes.setdefault(request, Shape(request, view.layout.kinds)),
    )
    placed = sum(each.workload_id == demand.workload_id for each in plan.placements)
    found = judge.of(demand, placed, beside, front=True)
    return found if found.reason is refusal.reason else refusal


def constraint_of(refusal: Refusal) -> Constraint:
    """What binds, by the reason and the facts behind it."""
    known = _CONSTRAINTS.get(refusal.reason)
    if known is not None:
        return known
    for each in refusal.evidence:
        if each.fact in _FACTS:
            return _FACTS[each.fact]
    return Constraint.NODE
