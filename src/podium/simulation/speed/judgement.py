"""What a plan should hold for its shape and does not, in words, or ""; `shapes` names them."""

from __future__ import annotations

from podium.domain.quantity import GPU_MILLI
from podium.scheduling.plan import Plan
from podium.scheduling.snapshot import Snapshot


def all_placed(snapshot: Snapshot, plan: Plan) -> str:
    wanted = sum(demand.minimum for demand in snapshot.demands)
    placed = len(plan.placements)
    return "" if placed >= wanted else f"{placed:,} of {wanted:,} replicas are placed"


def nearly_full(snapshot: Snapshot, plan: Plan) -> str:
    capacity = sum(len(node.devices) for node in snapshot.nodes) * GPU_MILLI
    given = sum(share.gpu_milli for one in plan.placements for share in one.devices)
    return "" if given * 100 >= capacity * 95 else f"{given / capacity:.1%} of the GPUs are given"


def all_reclaimed(snapshot: Snapshot, plan: Plan) -> str:
    stopped = sum(len(one.ranks) for one in plan.preemptions)
    total = len(snapshot.holds)
    return "" if stopped == total else f"{stopped:,} of {total:,} are reclaimed"


def all_refused(snapshot: Snapshot, plan: Plan) -> str:
    told = sum(len(refused.workload_ids) for refused in plan.refusals)
    waits = len(snapshot.demands)
    if plan.placements:
        return "something is placed"
    return "" if told == waits else f"{told:,} of {waits:,} have a reason"


def all_told(snapshot: Snapshot, plan: Plan) -> str:
    heard = {placement.workload_id for placement in plan.placements}
    for refused in plan.refusals:
        heard.update(refused.workload_ids)
    silent = sum(demand.workload_id not in heard for demand in snapshot.demands)
    return f"{silent:,} neither start nor have a reason" if silent else ""
