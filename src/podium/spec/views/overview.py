"""What the first page of the console and `podium overview` show, as one document."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from podium.domain.lifecycle import WorkloadState
from podium.domain.reason import WaitReason
from podium.spec.views.base import View
from podium.spec.views.workload import WorkloadView


class GpuTypeView(View):
    """All GPUs of one type. Shares are in thousandths of a device."""

    type: str = Field(examples=["H100"])
    virtual: bool
    devices: int
    unhealthy: int = Field(description="Devices that take no work.")
    held_milli: int = Field(description="Allocated: 1000 is one whole device.")
    busy_milli: int | None = Field(
        description="Really used, as last measured; null where nothing measures."
    )
    idle_devices: int = Field(description="Held devices that did next to nothing when measured.")


class ReasonCountView(View):
    """How many workloads wait for one reason."""

    reason: WaitReason
    count: int
    example: str = Field(description="The sentence of the one that waits longest.")


class QueueSummaryView(View):
    """The queue in figures. Waits are in seconds up to now."""

    waiting: int
    wait_seconds_median: float | None = None
    wait_seconds_max: float | None = None
    gpu_milli_wanted: int = 0
    reasons: list[ReasonCountView] = Field(default_factory=list, description="Most frequent first.")


class NodeHealthView(View):
    """Nodes by state, and their unhealthy devices."""

    ready: int
    cordoned: int
    lost: int
    unhealthy_devices: int


class FinishingView(View):
    """A running workload and when its time is up at the latest."""

    workload: WorkloadView
    by: datetime


class HourView(View):
    """GPU time within one hour."""

    start: datetime
    gpu_seconds: float


class GpuHoursView(View):
    """GPU time of today and yesterday, in the reader's time zone."""

    today_gpu_seconds: float
    yesterday_gpu_seconds: float = Field(description="All of yesterday.")
    yesterday_so_far_gpu_seconds: float = Field(description="Yesterday up to this time of day.")
    hours: list[HourView] = Field(description="The last 48 hours, oldest first.")


class CapacityPointView(View):
    """GPUs over the whole cluster at one time, in thousandths of a device."""

    at: datetime
    devices_milli: int
    held_milli: int
    busy_milli: int | None
    wanted_milli: int = Field(description="What the queue asked for.")


class OverviewView(View):
    """The cluster is the same for everyone; workloads are those that the reader may see."""

    at: datetime
    gpus: list[GpuTypeView]
    workloads: dict[WorkloadState, int]
    queue: QueueSummaryView
    nodes: NodeHealthView
    failed_last_day: int
    failed: list[WorkloadView] = Field(description="The latest failures, at most 5.")
    finishing: list[FinishingView] = Field(description="What ends next, at most 5.")
    gpu_hours: GpuHoursView


class CapacityView(View):
    """How the cluster's GPUs were used over time, oldest first."""

    points: list[CapacityPointView]
