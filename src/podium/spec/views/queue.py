"""The queue as the API answers it: who is next, why each still waits, and what is planned."""

from __future__ import annotations

from datetime import datetime

from pydantic import AliasChoices, ConfigDict, Field

from podium.domain.node import NodeState
from podium.domain.policy import Order, Preempt
from podium.spec.views.base import Page, View
from podium.spec.views.workload import EtaView, RefusalView, WorkloadView

_FROM = AliasChoices("from", "from_at")


class QueueEntryView(View):
    """A waiting workload. Its `waiting` says why, its position counts everyone's work."""

    position: int = Field(description="1 is next.")
    workload: WorkloadView
    eta: EtaView | None = Field(None, description="When it will start; null: nobody can know.")


class QueueProjectView(View):
    """What one project waits for and holds, in thousandths of a GPU."""

    project: str
    team: str
    waiting: int
    running: int
    gpu_milli_wanted: int
    gpu_milli_held: int
    oldest_queued_at: datetime | None


class QueueView(Page[QueueEntryView]):
    """One page of the queue in the order of service."""

    length: int = Field(description="Everyone's waiting workloads.")
    hidden: int = Field(description="Those of them that the reader may not see.")
    projects: list[QueueProjectView]


class _From(View):
    """With a field that JSON calls `from`, which is no name in Python."""

    model_config = ConfigDict(serialize_by_alias=True)


class PlannedWorkloadView(View):
    """As much of a workload as a plan has to say of it."""

    id: str = Field(examples=["w-01k2x5e8g7h3m9qz"])
    name: str
    project: str
    team: str
    owner: str
    replicas: int = Field(description="How many it asks for at most.")
    resources: str = Field(
        description="What each replica asks for; with groups, how many ask for what.",
        examples=["2 × H100 · 4 CPU · 16 GiB"],
    )
    groups: int = Field(0, description="How many groups of unlike replicas it has.")


class TurnView(View):
    """One whose turn it was when the scheduler looked last, but who waits on. Of equal asks of one
    project only the first is named. Of work that the reader may not see, only amounts are told."""

    position: int = Field(description="1 is next.")
    workload: PlannedWorkloadView | None
    project: str | None
    inside_guarantee: bool = Field(
        description="What it asks for is inside its guarantee: others can have to give way."
    )
    priority: int
    waits_for_ms: int
    share_ppm: int | None = Field(
        description="Its project's dominant share, past use included, divided by its weight, in "
        "millionths. Of equal priority, the least is served first."
    )
    refusal: RefusalView | None
    starts_at: datetime | None = Field(description="When nodes are kept for it, if that is known.")
    eta: EtaView | None


class ReservationView(_From):
    """Nodes kept for a blocked workload. Until then they serve whoever is sure to be done."""

    workload: PlannedWorkloadView | None
    project: str | None
    nodes: list[str]
    from_at: datetime | None = Field(
        validation_alias=_FROM,
        serialization_alias="from",
        description="Null: as soon as what runs there has ended.",
    )


class RunningSpanView(_From):
    """What one workload holds of a node. All that the reader may not see is one span of each
    node, from the beginning of the line and without an end."""

    workload: PlannedWorkloadView | None
    project: str | None
    gpu_milli: int
    from_at: datetime = Field(validation_alias=_FROM, serialization_alias="from")
    until: datetime | None = Field(description="Null: nobody knows.")
    certain: bool = Field(description="It ends by then at the latest, by its time limit.")


class PlannedSpanView(_From):
    """What one workload will hold of a node."""

    workload: PlannedWorkloadView | None
    gpu_milli: int
    from_at: datetime | None = Field(
        validation_alias=_FROM,
        serialization_alias="from",
        description="Null: as soon as what runs there has ended.",
    )
    until: datetime | None = Field(description="Null: nobody knows.")


class BookedSpanView(_From):
    """When a node is taken out of the common use."""

    name: str | None
    project: str | None
    maintenance: bool
    from_at: datetime = Field(validation_alias=_FROM, serialization_alias="from")
    until: datetime


class NodeTimelineView(View):
    """What stands on a node, and what will."""

    name: str
    block: str
    rack: str
    nvlink: str = ""
    state: NodeState
    gpus: int = Field(description="Healthy ones.")
    gpu_types: list[str]
    running: list[RunningSpanView]
    planned: list[PlannedSpanView]
    booked: list[BookedSpanView]
    free_milli: int = Field(
        description="Free for new work now. Before the next planned or booked time, it is for work "
        "that is sure to be done by then."
    )


class TimelineView(_From):
    """Nodes with something kept or booked first, then others by the soonest end."""

    from_at: datetime = Field(validation_alias=_FROM, serialization_alias="from")
    until: datetime
    nodes: list[NodeTimelineView]
    nodes_left_out: int = Field(description="There are so many more.")


class PreemptionView(View):
    """Work that gave way to other work, or to a booking that began."""

    at: datetime
    workload: PlannedWorkloadView | None
    in_favour_of: PlannedWorkloadView | None
    booking: str | None = Field(
        None,
        description="The booking to which it gave way; empty where the reader may not know its "
        "name, and null where it gave way to other work.",
    )
    replicas: int = Field(description="So many of its replicas were stopped.")
    justification: str
    lost_gpu_seconds: float = Field(description="GPU time since it was last saved.")


class QueuePlanView(View):
    """What the scheduler decided last about those who wait. Nothing of a project that the reader
    may not see is named: `workload` and `project` are null."""

    made_at: datetime | None = Field(
        description="Since when this is the plan; null before the first one."
    )
    order: Order
    preempt: Preempt
    turns: list[TurnView] = Field(description="The first of them, in the order of service.")
    reservations: list[ReservationView]
    timeline: TimelineView
    preemptions: list[PreemptionView] = Field(
        description="The latest that concern the reader's projects, newest first."
    )
