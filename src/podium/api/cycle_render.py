"""Cycles of the scheduler, their minutes and what became of them → documents of the API."""

from __future__ import annotations

from collections.abc import Mapping

from podium.api.queue_plan import planned_view
from podium.domain.reason import WaitReason
from podium.domain.workload import Workload
from podium.scheduling.forecast.calibration import Calibration, Outside
from podium.scheduling.plan import Plan
from podium.spec.views.base import utc, utc_or_none
from podium.spec.views.scheduler import (
    CalibrationGroupView,
    CalibrationView,
    CycleDetailView,
    CyclePlacementView,
    CyclePreemptionView,
    CycleReservationView,
    CycleView,
    GaveWayView,
    OutsideView,
    RefusedForView,
    SchedulerMinuteView,
)
from podium.store.cycles import CycleRow
from podium.store.preemptions import GaveWay
from podium.store.scheduler_minutes import Minutes

_MILLI_MS = 10**6  # in a GPU-second
_SHOWN = 50


def cycle_view(row: CycleRow) -> CycleView:
    return CycleView(
        id=row.id,
        at=utc(row.at_ms),
        took_ms=row.took_us / 1000,
        read_ms=row.read_us / 1000,
        decide_ms=row.decide_us / 1000,
        seed=row.seed,
        version=row.version,
        digest=row.digest,
        nodes=row.nodes,
        waiting=row.waiting,
        running=row.running,
        placed=row.placed,
        preempted=row.preempted,
        refused=row.refused,
        told=row.told,
        reserved=row.reserved,
        stale=row.stale,
        bytes=row.bytes,
        reasons=_reasons(row.reasons),
    )


def cycle_detail_view(row: CycleRow, plan: Plan) -> CycleDetailView:
    return CycleDetailView(
        **dict(cycle_view(row)),
        placements=[
            CyclePlacementView(
                workload=each.workload_id,
                rank=each.rank,
                node=each.node,
                devices=[share.device_id for share in each.devices],
            )
            for each in plan.placements[:_SHOWN]
        ],
        preemptions=[
            CyclePreemptionView(
                workload=each.workload_id,
                replicas=len(each.ranks),
                in_favour_of=each.in_favour_of,
                justification=each.justification,
                lost_gpu_seconds=each.lost_milli_ms / _MILLI_MS,
            )
            for each in plan.preemptions[:_SHOWN]
        ],
        reservations=[
            CycleReservationView(
                workload=each.workload_id,
                nodes=list(each.nodes),
                from_at=utc_or_none(each.from_ms),
            )
            for each in plan.reservations[:_SHOWN]
        ],
    )


def minute_view(minutes: Minutes) -> SchedulerMinuteView:
    return SchedulerMinuteView(
        at=utc(minutes.at_ms),
        cycles=minutes.cycles,
        recorded=minutes.recorded,
        placed=minutes.placed,
        preempted=minutes.preempted,
        told=minutes.told,
        stale=minutes.stale,
        waiting=minutes.waiting,
        median_ms=minutes.median_us / 1000,
        p99_ms=minutes.p99_us / 1000,
        reasons=_reasons(minutes.reasons),
    )


def gave_way_view(each: GaveWay, known: Mapping[str, Workload]) -> GaveWayView:
    return GaveWayView(
        id=each.seq,
        at=utc(each.at_ms),
        workload=planned_view(known.get(each.workload_id or "")),
        in_favour_of=planned_view(known.get(each.in_favour_of or "")),
        booking=each.booking,
        replicas=each.replicas,
        whole=each.whole,
        justification=each.justification,
        lost_gpu_seconds=each.lost_milli_ms / _MILLI_MS,
    )


def calibration_view(found: Calibration, since_ms: int) -> CalibrationView:
    return CalibrationView(
        since=utc(since_ms),
        started=found.started,
        inside=found.inside,
        inside_first=found.inside_first,
        sooner=_outside(found.sooner),
        later=_outside(found.later),
        overdue=found.overdue,
        median_error_ms=found.median_error_ms,
        groups=[
            CalibrationGroupView(waited=each.waited, started=each.started, inside=each.inside)
            for each in found.groups
        ],
    )


def _outside(found: Outside) -> OutsideView:
    return OutsideView(count=found.count, median_ms=found.median_ms, worst_ms=found.worst_ms)


def _reasons(counts: Mapping[str, int]) -> list[RefusedForView]:
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return [RefusedForView(reason=WaitReason(reason), count=count) for reason, count in ordered]
