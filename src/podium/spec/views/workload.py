"""Workloads, their replicas, history, reasons and usage, as the API answers them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from pydantic import Field

from podium.domain.lifecycle import ReplicaState, WorkloadState
from podium.domain.reason import Cause, WaitReason
from podium.domain.resources import Isolation
from podium.domain.workload import Kind
from podium.spec.views.base import Page, View


class EvidenceView(View):
    """One fact behind a reason."""

    fact: str = Field(examples=["gpus_free"])
    value: str = Field(examples=["2"])
    subject: str = Field("", description="What the fact is about, such as a node's name.")


class RefusalView(View):
    """Why a workload waits: one dominant typed reason."""

    reason: WaitReason
    message: str = Field(description="One plain sentence.")
    remedy: str = Field("", description="What would let it start.")
    evidence: list[EvidenceView] = Field(default_factory=list)
    since: datetime


class EtaView(View):
    """When a workload will start: as often before `likely` as after it, and rarely outside of
    `early` and `late`."""

    early: datetime
    likely: datetime
    late: datetime


class CostView(View):
    """Money, by the prices that held at the time."""

    amount: Decimal = Field(examples=["12.40"])
    currency: str = Field(examples=["EUR"])


class UsageView(View):
    """What was used. GPU-seconds count allocated time times the share of the device."""

    gpu_seconds: float
    cpu_seconds_allocated: float
    cpu_seconds_used: float
    memory_peak_bytes: int
    cost: CostView | None = Field(
        None, description="Null where a GPU type that was used has no price."
    )


class ReplicaCountsView(View):
    """How many replicas are in each state; `total` is what was asked for."""

    total: int
    waiting: int = 0
    scheduled: int = 0
    starting: int = 0
    running: int = 0
    stopping: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0


class ResourcesView(View):
    """What each replica asks for, in words that the spec uses and in integers."""

    cpu_milli: int
    memory_bytes: int
    gpu_milli: int = Field(description="1000 is one whole GPU.")
    gpu_share_bytes: int = 0
    gpu_types: list[str] = Field(default_factory=list)
    mig_profile: str | None = None
    isolation: Isolation = Field(
        Isolation.NONE, description="What a share of a GPU must have, at least."
    )
    pools: list[str] = Field(default_factory=list, description="Those that its spec names.")
    text: str = Field(description="In words.", examples=["2 × H100 · 4 CPU · 16 GiB"])


class GroupView(View):
    """Replicas of one gang that run and need the same."""

    name: str = Field(examples=["learner"])
    replicas: int
    first_rank: int = Field(description="Its ranks are this one and those that follow.")
    resources: ResourcesView


class WorkloadView(View):
    """A workload as lists show it."""

    id: str = Field(examples=["w-01k2x5e8g7h3m9qz"])
    name: str
    project: str
    team: str
    owner: str
    kind: Kind
    state: WorkloadState
    cause: Cause | None = Field(None, description="Why it is in this state.")
    message: str = Field("", description="One plain sentence about its state now.")
    priority: int
    resources: ResourcesView = Field(
        description="Of each replica. Where there are groups, the numbers are those of the group "
        "with the most GPUs for each replica, and `text` is about all of them."
    )
    replicas: ReplicaCountsView
    groups: list[GroupView] = Field(
        default_factory=list, description="Where the replicas are not all alike."
    )
    gpu_milli: int = Field(
        0, description="Of all replicas together, without shares by memory and MIG instances."
    )
    array: bool = Field(False, description="True when the replicas are tasks of an array.")
    attempt: int = Field(description="Counts from 1; grows with each retry or preemption.")
    retries: int
    submitted_at: datetime
    queued_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    deadline: datetime | None = None
    max_runtime_seconds: int | None = None
    waiting: RefusalView | None = Field(None, description="Set while it is queued.")
    labels: dict[str, str] = Field(default_factory=dict)
    version: int = Field(description="Grows with each change.")


class DeviceShareView(View):
    """A device, or a part of one, that a replica holds."""

    index: int
    uuid: str
    type: str
    gpu_milli: int
    memory_bytes: int
    virtual: bool
    mig_profile: str = Field("", description="Of a MIG instance that was cut for it.")
    mig_start: int = Field(0, description="The first memory slice of that instance.")


class HoldUpView(View):
    """What keeps a replica that has its place from beginning. Without a cause it is on its way,
    e.g. its image is being pulled; with one it is taken back for that unless it passes."""

    cause: Cause | None = None
    message: str = Field(description="One plain sentence.")
    remedy: str = Field("", description="What helps, where something has to be done.")
    since: datetime


class WorkloadHoldUpView(HoldUpView):
    """What most of all keeps a workload from beginning."""

    rank: int = Field(description="The first replica that it is so with.")
    replicas: int = Field(description="So many of them have the same.")


class ReplicaView(View):
    """One rank's latest attempt: where it runs or ran, and how it ended."""

    rank: int
    group: str | None = Field(None, description="The group that it belongs to, if there are any.")
    state: ReplicaState
    attempt: int
    allocation_id: str | None = None
    node: str | None = None
    devices: list[DeviceShareView] = Field(default_factory=list)
    started_at: datetime | None = None
    ended_at: datetime | None = None
    saved_at: datetime | None = Field(
        None, description="When it last said that what it did so far is saved."
    )
    exit_code: int | None = None
    signal: int | None = None
    cause: Cause | None = None
    message: str = ""
    hold_up: HoldUpView | None = Field(None, description="While it has its place and not begun.")
    usage: UsageView


class EventView(View):
    """One line of a workload's history."""

    seq: int
    at: datetime
    workload_id: str
    project: str
    rank: int | None = None
    kind: str = Field(examples=["WorkloadScheduled"])
    state: str = Field(description="The state after the event.")
    cause: Cause
    message: str = ""
    actor: str = Field(description="A username, or `podium`.")


class WorkloadDetailView(WorkloadView):
    """A workload with all that is known about it."""

    submitted_spec: dict[str, object] = Field(description="As it was sent.")
    resolved_spec: dict[str, object] = Field(description="With every default filled in.")
    replica_list: list[ReplicaView] = Field(
        description="The first 1,000 ranks; `GET …/replicas` pages through all."
    )
    group_states: dict[str, ReplicaCountsView] = Field(
        default_factory=dict, description="How many replicas of each group are in each state."
    )
    depends_on: list[str] = Field(default_factory=list, description="Ids of what it waits for.")
    saved_at: datetime | None = Field(
        None,
        description="When it last said that what it did so far is saved, in this attempt or "
        "before; null for arrays, where each task says so for itself.",
    )
    eta: EtaView | None = Field(
        None, description="When it will start, while it is queued; null: nobody can know."
    )
    hold_up: WorkloadHoldUpView | None = Field(
        None, description="What keeps it from beginning, while it has its place; null: not known."
    )
    remedy: str = Field("", description="What helps against why it failed, where something does.")
    usage: UsageView


class WorkloadSort(StrEnum):
    """What a list of workloads can be in order of."""

    SUBMITTED = "submitted"
    NAME = "name"
    PROJECT = "project"
    OWNER = "owner"
    KIND = "kind"
    STATE = "state"
    PRIORITY = "priority"
    STARTED = "started"
    ENDED = "ended"
    GPUS = "gpus"


TOTAL_MAX = 100_000


class WorkloadPage(Page[WorkloadView]):
    """One page of a list, with how many there are in all."""

    total: int = Field(description="How many match, on all pages; 100,001 means more than 100,000.")


class ChangeRequest(View):
    """New values for a workload that has not ended. What is left out stays as it is."""

    priority: int | None = Field(None, ge=0, le=100)
    max_runtime: str | None = Field(
        None, max_length=40, description="A duration, or `none` for no limit.", examples=["4h"]
    )
    deadline: str | None = Field(
        None, max_length=60, description="A time, or `none`.", examples=["2026-03-01T18:00:00Z"]
    )


class SelectionView(View):
    """Which workloads an action is for: `ids`, or else all that match these filters of a list
    and have not ended. At least one of them is needed."""

    ids: list[str] = Field(default_factory=list, max_length=1000)
    project: list[str] = Field(default_factory=list, max_length=50)
    state: list[WorkloadState] = Field(default_factory=list, max_length=20)
    kind: list[Kind] = Field(default_factory=list, max_length=20)
    owner: str | None = Field(None, max_length=63)
    name: str | None = Field(None, max_length=63)
    label: list[str] = Field(default_factory=list, max_length=20)
    q: str | None = Field(None, max_length=100)
    node: str | None = Field(None, max_length=253)
    reason: list[WaitReason] = Field(default_factory=list, max_length=20)


class ActionRequest(View):
    """The same action on many workloads, at most 10,000. Each is done for itself."""

    action: Literal["cancel", "change"]
    selection: SelectionView
    change: ChangeRequest | None = Field(None, description="With the action `change`.")
    reason: str = Field("", max_length=500)


class ActionFaultView(View):
    """Why the action was not done on one of them."""

    id: str
    detail: str


class ActionView(View):
    """What an action on many did."""

    done: int
    unchanged: int = Field(description="Those that had ended, or were so already.")
    faults: list[ActionFaultView] = Field(description="At most 100.")
    fault_count: int


class SubmittedView(View):
    """What a submission made. `created` is false when an idempotency key was seen before."""

    id: str
    name: str
    project: str
    state: WorkloadState
    created: bool = True


class SubmittedManyView(View):
    """What a bulk submission made, in the order of its specs."""

    items: list[SubmittedView]


class LogLineView(View):
    """One line of a log. A stream's `lines` event carries a list of them."""

    rank: int
    at: datetime | None = Field(None, description="Null on a line of Podium's own about a gap.")
    stream: Literal["out", "err", "podium"]
    text: str
    attempt: int = Field(1, description="The replica's attempt that wrote it.")
    offset: int = Field(0, description="Where it begins in the log of that attempt, in bytes.")


class ChangeView(View):
    """One message of the live stream: an event, and the workload after it."""

    event: EventView
    workload: WorkloadView
