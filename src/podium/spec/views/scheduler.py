"""The documents of the scheduler's cycles: what is recorded of them, and how good they were."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from podium.domain.reason import WaitReason
from podium.spec.views.base import Page, View
from podium.spec.views.queue import PreemptionView


class RefusedForView(View):
    reason: WaitReason
    count: int


class CycleView(View):
    """One cycle that changed something."""

    id: int
    at: datetime = Field(description="The time for which it decided.")
    took_ms: float = Field(description="All of it: reading, deciding, writing.")
    read_ms: float
    decide_ms: float
    seed: int
    version: str = Field(description="Of the Podium that decided.")
    digest: str = Field(description="SHA-256 of its plan.")
    nodes: int
    waiting: int = Field(description="Workloads that waited for a place.")
    running: int = Field(description="Workloads that had one.")
    placed: int = Field(description="Replicas that got a place.")
    preempted: int = Field(description="Workloads that were asked to give way.")
    refused: int = Field(description="Workloads that wait on, or the rest of them does.")
    told: int = Field(description="So many of them for another reason than before.")
    reserved: int = Field(description="Workloads for which nodes are kept.")
    stale: int = Field(description="Parts of its plan that no longer held when they were written.")
    bytes: int = Field(description="Of its record, without the whole snapshot that it builds on.")
    reasons: list[RefusedForView] = Field(description="Of all that were refused.")


class CyclesKeptView(View):
    """What is kept of cycles, and how much at most."""

    cycles: int
    bytes: int
    since: datetime | None
    cycles_max: int
    bytes_max: int
    hours: int
    note: str = Field(description="Why nothing is recorded now, or not all of it; else empty.")


class CyclesView(Page[CycleView]):
    kept: CyclesKeptView


class CyclePlacementView(View):
    workload: str
    rank: int
    node: str
    devices: list[str]


class CyclePreemptionView(View):
    workload: str
    replicas: int
    in_favour_of: str = Field(description="A workload, or a booking.")
    justification: str
    lost_gpu_seconds: float


class CycleReservationView(View):
    workload: str
    nodes: list[str]
    from_at: datetime | None


class CycleDetailView(CycleView):
    """With the first of what it decided; the record has all of it."""

    placements: list[CyclePlacementView]
    preemptions: list[CyclePreemptionView]
    reservations: list[CycleReservationView]


class ReplayView(View):
    """What deciding again has shown."""

    id: int
    same: bool
    digest: str = Field(description="Of the plan now.")
    recorded_digest: str
    difference: str = Field(description="The first one in words; empty where it is the same.")
    version: str = Field(description="Of the Podium that decided first.")
    replayed_with: str
    took_ms: float


class SchedulerMinuteView(View):
    """One step of time, which begins at `at`."""

    at: datetime
    cycles: int
    recorded: int = Field(description="Cycles that changed something.")
    placed: int
    preempted: int
    told: int
    stale: int
    waiting: int = Field(description="At the end of the step.")
    median_ms: float = Field(description="Of one cycle.")
    p99_ms: float
    reasons: list[RefusedForView] = Field(
        description="Workloads refused at the end of the step, by reason."
    )


class SchedulerMinutesView(View):
    since: datetime
    until: datetime
    step_seconds: int
    items: list[SchedulerMinuteView] = Field(
        description="Oldest first, without steps in which no cycle was."
    )


class GaveWayView(PreemptionView):
    """With all ids, for those who run the cluster."""

    id: int
    whole: bool = Field(description="All of it was stopped, and not only some replicas.")


class OutsideView(View):
    """Those that did not start in the range that they were told."""

    count: int
    median_ms: int = Field(description="How far outside.")
    worst_ms: int


class CalibrationGroupView(View):
    waited: str = Field(description="Up to how long they waited: 10m, 1h, 1d, or longer.")
    started: int
    inside: int


class CalibrationView(View):
    """How good the times were that waiting work was told, of work that was told one since `since`
    and has started."""

    since: datetime
    started: int
    inside: int = Field(description="Started inside the range that was told last.")
    inside_first: int = Field(
        description="Started inside the range of the first forecast, before it was widened."
    )
    sooner: OutsideView
    later: OutsideView
    overdue: int = Field(description="Still wait, though the end of their range has passed.")
    median_error_ms: int = Field(
        description="Median distance between the likely time told first and the start."
    )
    groups: list[CalibrationGroupView]
