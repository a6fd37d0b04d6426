"""Nodes and devices as the API answers them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from podium.domain.lifecycle import ReplicaState
from podium.domain.node import NodeState
from podium.domain.workload import Kind
from podium.spec.views.base import View


class HolderView(View):
    """A replica that holds a device or a part of it, and that the reader may see."""

    workload_id: str
    name: str
    project: str
    owner: str
    kind: Kind
    rank: int
    gpu_milli: int
    since: datetime


class SliceView(View):
    """One MIG instance of a GPU: it stands, or will be made for work that was placed there."""

    profile: str = Field(examples=["1g.10gb"])
    start: int = Field(description="Its first memory slice.")
    size: int = Field(description="How many memory slices it has.")
    uuid: str = Field("", description="Of its MIG device; empty until it stands.")
    state: Literal["held", "idle", "busy"] = Field(
        description="`held` by work of Podium's, `idle`, or `busy` with something else."
    )
    allocation_id: str | None = Field(None, description="Who has it, if the reader may see that.")
    holder: HolderView | None = None


class RoomView(View):
    """How many more instances of one profile could be placed on a GPU now."""

    profile: str
    count: int


class DeviceView(View):
    """One GPU, or one MIG instance that stands for itself."""

    id: str
    index: int
    uuid: str
    type: str = Field(examples=["H100"])
    model: str
    memory_bytes: int
    mig_profile: str | None = None
    mig: bool = Field(False, description="In MIG mode, and cut as work asks for it.")
    board: str = Field("", description="Which board it is, in MIG mode.", examples=["H100-80GB"])
    memory_slices: int = Field(0, description="Of the whole board, in MIG mode.")
    pinned: bool = Field(False, description="Its layout stays as an operator made it.")
    share_milli: int = Field(
        0,
        description="What each share of it takes, where it is handed out in one size alone: 1000 "
        "is only whole, 0 any share.",
    )
    slices: list[SliceView] = Field(default_factory=list, description="By their starts.")
    room: list[RoomView] = Field(
        default_factory=list,
        description="What could still be placed, the smallest profile first. Each count stands for "
        "itself.",
    )
    mig_board: str = Field(
        "", description="The same, in MIG mode or not; empty for what Podium cannot cut."
    )
    drift: str = Field(
        "",
        description="What somebody else than Podium changed last on it, as with nvidia-smi.",
        examples=["1g.10gb at slice 3 vanished"],
    )
    drift_at: datetime | None = Field(None, description="When that was seen.")
    virtual: bool = Field(description="True when Podium pretends this GPU; no hardware is there.")
    healthy: bool
    fault: str = Field("", description="Why it is not healthy, where that is known.")
    gpu_milli_used: int = Field(description="1000 when the whole device is held.")
    memory_bytes_used: int
    holders: list[HolderView] = Field(
        default_factory=list, description="Holders that the reader may see."
    )
    busy_milli: int | None = Field(
        None, description="Really used, as last measured: 1000 is busy all the time."
    )
    power_watts: float | None = None
    temperature_celsius: float | None = None


class NodeView(View):
    """One machine: what it has and what is held on it."""

    name: str
    engine: str
    cluster: str = Field("", description="Its cluster; empty for a server's own machine.")
    state: NodeState
    address: str
    labels: dict[str, str] = Field(default_factory=dict)
    rack: str = ""
    block: str = ""
    nvlink: str = Field("", description="The NVLink domain that it shares with other nodes.")
    pool: str = Field("", description="Its pool, where that is open to a project of the reader's.")
    cpu_milli: int
    cpu_milli_used: int
    memory_bytes: int
    memory_bytes_used: int
    devices: list[DeviceView]
    replicas: int = Field(0, description="How many replicas are placed here, of everyone.")
    seen_at: datetime
    lost_since: datetime | None = Field(None, description="When it was marked lost, while it is.")
    given_up: int = Field(
        0,
        description="How many replicas were given up here and may still run. While there are any, "
        "nothing new is placed here.",
    )


class NodeReleaseView(View):
    """What was given up on a lost node, so that it can go on elsewhere."""

    name: str
    replicas: int
    workloads: int
    reports_again: bool = Field(
        description="True when the node did so meanwhile; it keeps what was not given up yet."
    )


class NodeReplicaView(View):
    """A replica on a node, with what it holds there."""

    allocation_id: str
    workload_id: str
    name: str
    project: str
    owner: str
    kind: Kind
    rank: int
    state: ReplicaState
    cpu_milli: int
    memory_bytes: int
    devices: list[int] = Field(description="Indexes of its devices.")
    since: datetime
