"""Nodes and devices as the API answers them."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from podium.domain.node import NodeState
from podium.spec.views.base import View


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
    workloads: list[str] = Field(
        default_factory=list, description="Ids of holders that the reader may see."
    )


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
    seen_at: datetime
