"""Demand against what is guaranteed, and how many GPUs would shorten the wait."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from podium.spec.views.base import View


class DemandBy(StrEnum):
    TEAM = "team"
    PROJECT = "project"
    COST_CENTRE = "cost_centre"


class DemandReasonView(View):
    """Why work waited."""

    reason: str = Field(examples=["resources", "quota"])
    gpu_hours: float = Field(description="GPU-hours that were asked for meanwhile.")
    workload_hours: float = Field(description="Hours that workloads waited so, added up.")


class DemandPointView(View):
    """A span of the report, averages of it."""

    at: datetime
    held_gpus: float
    wanted_gpus: float = Field(description="Held and waited for.")


class DemandView(View):
    """One team, project or cost centre, and one GPU type."""

    name: str
    gpu_type: str = Field(description="Empty: work that takes any of several types.")
    held_gpu_hours: float
    waited_gpu_hours: float = Field(description="Asked for and not had, for want of room or right.")
    held_gpus: float = Field(description="On average over the whole time.")
    wanted_gpus: float = Field(description="Held and waited for, on average over the whole time.")
    peak_gpus: float = Field(description="The same of the highest hour.")
    guarantee_gpus: float = Field(description="As it is now.")
    over_hours: int = Field(description="Hours in which more was wanted than is guaranteed.")
    started: int = Field(description="Workloads that started for the first time.")
    wait_mean_seconds: float | None = Field(description="Of those that started.")
    reasons: list[DemandReasonView]
    curve: list[DemandPointView] = Field(
        default_factory=list,
        description="By hour, of more than a week by day; of as many rows as were asked for.",
    )


class DemandReportView(View):
    by: DemandBy
    since: datetime
    until: datetime
    hours: int = Field(description="Hours for which anything is known.")
    items: list[DemandView] = Field(description="What waited most first.")


class PlanRequest(View):
    """What is to be found out."""

    days: int = Field(7, ge=1, le=90, description="How much of the past is replayed.")
    gpu_types: list[str] = Field(
        default_factory=list, max_length=20, description="Only these; all types if left out."
    )
    target: float = Field(
        0.5, gt=0.0, lt=1.0, description="The mean wait that is wanted, as a part of what it was."
    )
    most: int = Field(1024, ge=1, le=10_000, description="No more GPUs of a type are tried.")


class PlanWaitView(View):
    """Of workloads of one team that asked for GPUs: mean waits before and after."""

    team: str
    workloads: int
    before_seconds: float
    after_seconds: float


class PlanTypeView(View):
    """What more GPUs of one type do. Waits are means over the workloads that could use them."""

    gpu_type: str
    gpus: int = Field(description="There now.")
    workloads: int
    before_seconds: float
    after_seconds: float | None
    more: int | None = Field(
        description="The least number that is enough; null: none that was tried."
    )
    tried_most: int
    teams: list[PlanWaitView]
    note: str = Field(description="What is to be said of it, or empty.")


class PlanCalibrationView(View):
    """How well a replay with the GPUs that are there gives the waits that were."""

    workloads: int
    recorded_mean_seconds: float
    replayed_mean_seconds: float
    recorded_median_seconds: float
    replayed_median_seconds: float
    near: float = Field(description="Of how many the wait came within 5 min or a quarter, 0 to 1.")


class PlanResultView(View):
    since: datetime
    until: datetime
    workloads: int
    target: float
    replays: int
    took_seconds: float
    finished: bool = Field(description="False: time ran out, and types may be missing.")
    types: list[PlanTypeView]
    calibration: PlanCalibrationView
    assumptions: list[str]


class PlanStateView(View):
    """A plan that is being made, or was."""

    id: str
    state: str = Field(description="running, done or failed.")
    progress: float = Field(description="0 to 1, roughly.")
    doing: str = Field(description="What is being tried, in words.")
    error: str
    result: PlanResultView | None
