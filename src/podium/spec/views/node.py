"""Nodes and devices as the API answers them."""

from __future__ import annotations

from datetime import datetime

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


class DeviceView(View):
    """One GPU, or one MIG instance."""

    id: str
    index: int
    uuid: str
    type: str = Field(examples=["H100"])
    model: str
    memory_bytes: int
    mig_profile: str | None = None
    virtual: bool = Field(description="True when Podium pretends this GPU; no hardware is there.")
    healthy: bool
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
    state: NodeState
    address: str
    labels: dict[str, str] = Field(default_factory=dict)
    rack: str = ""
    block: str = ""
    cpu_milli: int
    cpu_milli_used: int
    memory_bytes: int
    memory_bytes_used: int
    devices: list[DeviceView]
    replicas: int = Field(0, description="How many replicas are placed here, of everyone.")
    seen_at: datetime


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
