"""Why something waits, what would become of a wish, and what a change would do."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from podium.domain.lifecycle import WorkloadState
from podium.domain.quota import (
    AMOUNT_MILLI_MAX,
    CEILING_MAX,
    WEIGHT_MAX,
    Counted,
    QuotaLevel,
)
from podium.domain.workload import Kind
from podium.spec.views.base import View
from podium.spec.views.budget import BudgetOutlook
from podium.spec.views.workload import CostView, EtaView, EventView, RefusalView, WorkloadHoldUpView

_NAME = Annotated[str, Field(min_length=1, max_length=63)]
_NODE = Annotated[str, Field(min_length=1, max_length=253)]
_MILLI = Annotated[int, Field(ge=0, le=AMOUNT_MILLI_MAX)]


class NamedWorkloadView(View):
    """A workload that the reader may see. One of another project stands as null."""

    id: str = Field(examples=["w-01k2x5e8g7h3m9qz"])
    name: str
    project: str
    owner: str


class NodeGroupView(View):
    """Nodes that fell out for the same reason."""

    fell: str = Field(description="The kind of reason.", examples=["gpus"])
    words: str = Field(examples=["2 of 8 GPUs free"])
    count: int
    nodes: list[str] = Field(description="Some of them.")


class HeldByView(View):
    """Work that holds of what is waited for."""

    workload: NamedWorkloadView | None = Field(description="Null: work of another project.")
    gpu_milli: int
    cpu_milli: int
    replicas: int
    until: datetime | None = Field(description="When the last of it ends; null: nobody knows.")
    sure: bool = Field(description="By its time limit; else by how long like work runs.")
    ending: bool = Field(description="It was asked to end.")
    starts_now: bool = Field(description="It gets this only now, before the one that waits.")


class PlaceInLineView(View):
    """Where it stands, 1 is next. Positions count everyone's work."""

    in_project: int
    project_waiting: int
    overall: int
    waiting: int
    turn: int | None = Field(description="In the order of service; null: not among the first.")
    ahead: list[NamedWorkloadView] = Field(description="Some that are served before it.")
    ahead_hidden: int = Field(description="So many more of these belong to projects of others.")


class EntitledView(View):
    """What a share above the workload may use of a GPU type, in thousandths of a GPU."""

    level: QuotaLevel
    name: str = Field(description="`organisation` for the organisation.")
    gpu_type: str = Field(description="`all` is all types together.")
    guarantee_milli: int | None
    limit_milli: int | None
    used_milli: int


class QuotaAfterView(EntitledView):
    """The same, and how it would stand once the work runs."""

    after_milli: int


class FieldChangeView(View):
    """A field of the spec, and its new value; null leaves the field out."""

    field: str = Field(examples=["resources.gpus"])
    value: Any = Field(examples=[2])


class QuotaEditView(View):
    """An amount to set anew, in thousandths of a GPU, or as `counted` says."""

    level: QuotaLevel | None = Field(description="Null: of a share that the reader may not see.")
    name: str | None
    kind: Literal["guarantee", "limit", "per_user", "ceiling"] = Field(
        description="Its guarantee or limit of GPUs, its cap for each person, or a limit of what "
        "is no GPU."
    )
    gpu_type: str | None = Field(description="`all` is all types together; null: of no GPU.")
    counted: Counted | None = Field(description="What a ceiling counts; the name says the unit.")
    owner: str | None = Field(description="The person whom a cap stands in the way of.")
    from_amount: int | None
    to_amount: int | None


class OfferedPlaceView(View):
    node: str
    replicas: int


class OfferedChangeView(View):
    """A change with which it would start now; it was tried by deciding again."""

    axis: str = Field(examples=["gpus"])
    how: Literal["resubmit", "change", "quota"] = Field(
        description="Submit it again with these fields; change it as it waits; or ask for quota."
    )
    before: str
    after: str
    sentence: str = Field(examples=["With 2 instead of 4 GPUs it starts now."])
    fields: list[FieldChangeView]
    quota: list[QuotaEditView]
    places: list[OfferedPlaceView] = Field(description="Where it would then start.")
    delays: int = Field(description="So many that have nodes kept for them would start later.")
    exact: bool = Field(description="No smaller change of the kind does; else not all were tried.")


class GivingWayView(View):
    """Running work that would be stopped, or lose replicas, in favour of it."""

    workload: NamedWorkloadView | None
    replicas: int
    why: str


class ExplanationView(View):
    """The answer to "why is it not running?" — or what it is doing instead."""

    workload_id: str
    state: WorkloadState
    headline: str = Field(description="One plain sentence.")
    waiting: RefusalView | None = None
    hold_up: WorkloadHoldUpView | None = Field(
        None, description="What keeps it from beginning, while it has its place; null: not known."
    )
    remedy: str = Field("", description="What helps against why it failed, where something does.")
    queue_position: int | None = Field(None, description="1 is next; null when not queued.")
    queue_length: int | None = None
    events: list[EventView] = Field(default_factory=list, description="The latest, newest last.")
    looked_at: datetime | None = Field(
        None, description="When the scheduler decided what follows; null: not yet, or not waiting."
    )
    starts_now: bool = False
    constraint: str | None = Field(None, description="What binds.", examples=["gpus"])
    groups: list[NodeGroupView] = Field(
        default_factory=list, description="Why the nodes fell out; all of them are in one group."
    )
    nodes_considered: int = 0
    holders: list[HeldByView] = Field(default_factory=list, description="The largest.")
    holders_in_all: int = 0
    position: PlaceInLineView | None = None
    quotas: list[EntitledView] = Field(default_factory=list)
    eta: EtaView | None = None
    kept: bool = Field(False, description="Nodes are kept for it.")
    kept_from: datetime | None = None
    giving_way: list[GivingWayView] = Field(default_factory=list)
    changes: list[OfferedChangeView] = Field(
        default_factory=list, description="The smallest of each kind, the gentlest kind first."
    )


class ForecastCostView(View):
    """By the prices of now; of several types that would do, by the dearest."""

    gpu_types: list[str]
    per_hour: CostView
    likely: CostView | None = Field(description="For as long as like work runs, where known.")
    most: CostView | None = Field(description="Up to its time limit; null without one.")


class DryRunView(View):
    """What would become of one document if it were submitted now."""

    name: str
    project: str
    kind: Kind
    verdict: Literal["starts", "waits", "impossible"]
    headline: str = Field(description="One plain sentence.")
    remedy: str = ""
    places: list[OfferedPlaceView] = Field(description="Where it starts, if at once.")
    eta: EtaView | None = Field(description="When it starts, if not now; null: nobody can say.")
    position: PlaceInLineView | None = Field(description="Null where it starts at once.")
    constraint: str | None = None
    groups: list[NodeGroupView]
    nodes_considered: int
    holders: list[HeldByView]
    holders_in_all: int
    giving_way: list[GivingWayView]
    delays: int = Field(description="So many with nodes kept for them would start later.")
    displaces: int = Field(description="So many that would start now would not.")
    cost: ForecastCostView | None = Field(description="Null without GPUs, or without prices.")
    quotas: list[QuotaAfterView]
    budgets: list[BudgetOutlook] = Field(description="What it would spend of which budgets.")
    changes: list[OfferedChangeView] = Field(description="With which it would start now.")
    resolved: dict[str, object] = Field(description="The document with every default filled in.")


class DryRunsView(View):
    """In the order of the documents; each is looked at as if those before it were submitted."""

    items: list[DryRunView]
    looked_at: datetime = Field(description="When the scheduler saw the cluster so.")


class QuotaWhat(View):
    """A quota is edited; what is not named stays as it is."""

    change: Literal["quota"]
    level: QuotaLevel
    name: str = Field("", max_length=63, description="Empty for the organisation.")
    guarantees: dict[str, _MILLI] = Field(
        default_factory=dict, max_length=100, description="By GPU type, `all` for all together."
    )
    limits: dict[str, _MILLI | None] = Field(
        default_factory=dict, max_length=100, description="Null takes a limit away."
    )
    per_user: dict[str, _MILLI | None] = Field(
        default_factory=dict, max_length=100, description="Caps for each person; null: none."
    )
    ceilings: dict[Counted, Annotated[int, Field(ge=0, le=CEILING_MAX)] | None] = Field(
        default_factory=dict,
        description="Limits of what is no GPU, as quotas have them; null takes one away.",
    )
    weight: int | None = Field(None, ge=0, le=WEIGHT_MAX)


class DrainWhat(View):
    """The node takes no new work, and what runs there stops and waits again."""

    change: Literal["drain"]
    node: _NODE


class CordonWhat(View):
    """The node takes no new work; what runs there goes on."""

    change: Literal["cordon"]
    node: _NODE


class LoseWhat(View):
    """The node fails, and what ran there waits again."""

    change: Literal["lose"]
    node: _NODE


class AddNodesWhat(View):
    """Nodes like one that there is; `gpus` and `gpu_type` give them other GPUs."""

    change: Literal["add_nodes"]
    like: _NODE
    count: int = Field(1, ge=1, le=1000)
    gpus: int | None = Field(None, ge=0, le=64)
    gpu_type: str | None = Field(None, min_length=1, max_length=63)


class BookWhat(View):
    """Nodes are kept for a project, or for maintenance where none is named."""

    change: Literal["book"]
    nodes: list[_NODE] = Field(min_length=1, max_length=10_000)
    from_at: str = Field("now", max_length=60)
    until_at: str = Field(max_length=60, examples=["8h"])
    project: str | None = Field(None, max_length=63)


class LayoutWhat(View):
    """A GPU is cut into MIG instances for good. Work in others stays until it ends."""

    change: Literal["layout"]
    node: _NODE
    gpu: int = Field(ge=0, le=63, description="Its number on the node.")
    layout: str = Field(max_length=400, examples=["3g.40gb@4,4x1g.10gb"])
    move: bool = Field(False, description="Saved work in the way starts again elsewhere.")


class SubmitWhat(View):
    """A workload is submitted."""

    change: Literal["submit"]
    workload: dict[str, Any] = Field(description="A workload spec.")


class CancelWhat(View):
    """A workload ends, waiting or running."""

    change: Literal["cancel"]
    workload: str = Field(max_length=64, description="Its id.")


class PriorityWhat(View):
    """A workload gets another priority."""

    change: Literal["priority"]
    workload: str = Field(max_length=64, description="Its id.")
    priority: int = Field(ge=0, le=100)


What = Annotated[
    QuotaWhat
    | DrainWhat
    | CordonWhat
    | LoseWhat
    | AddNodesWhat
    | BookWhat
    | LayoutWhat
    | SubmitWhat
    | CancelWhat
    | PriorityWhat,
    Field(discriminator="change"),
]


class WhatIfRequest(View):
    """Changes, in their order. Administrators may try all of them, others those of their own
    work."""

    changes: list[What] = Field(min_length=1, max_length=50)


class MovedView(View):
    """Waiting work whose start changes. Null times: nobody can say."""

    workload: NamedWorkloadView
    before: datetime | None
    after: datetime | None
    why: str = Field("", description="Why it waits, or cannot start any more.")


class StoppedView(View):
    workload: NamedWorkloadView
    why: str


class HiddenView(View):
    """How much of each list is work that the reader may not see."""

    earlier: int = 0
    later: int = 0
    never: int = 0
    possible: int = 0
    stopped: int = 0
    spared: int = 0


class ReasonShiftView(View):
    """How many wait for a reason, before and after."""

    reason: str
    before: int
    after: int


class WhatIfView(View):
    """The difference between what would happen without and with the changes. Nothing is done."""

    sentence: str = Field(description="The whole in one plain sentence.")
    stopped: list[StoppedView] = Field(description="Running work that would stop.")
    spared: list[StoppedView] = Field(description="What would have been stopped without them.")
    earlier: list[MovedView]
    later: list[MovedView]
    never: list[MovedView] = Field(description="What could not start any more.")
    possible: list[MovedView] = Field(description="What never could, and then can.")
    fresh: list[MovedView] = Field(description="What is only in the queue with the changes.")
    hidden: HiddenView
    reasons: list[ReasonShiftView] = Field(description="Those whose counts change.")
    waiting: int = Field(description="Everyone's waiting workloads.")
    looked_at_starts: int = Field(description="Of so many the starts could be compared.")
    looked_at: datetime = Field(description="When the scheduler saw the cluster so.")
