"""What a replica asks for and what it is granted, as integers with units."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from podium.domain.quantity import GPU_MILLI, Range, format_bytes, format_milli


class TopologyLevel(StrEnum):
    """Places, smallest first. They usually hold each other, but an NVLink domain may be larger
    than a rack. Nodes of different clusters do not reach each other."""

    NODE = "node"
    NVLINK = "nvlink"
    RACK = "rack"
    BLOCK = "block"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class Topology:
    """Where the replicas of a gang must (`within`) or should (`prefer`) stand together."""

    within: TopologyLevel | None = None
    prefer: TopologyLevel | None = None


ANYWHERE = Topology()


class Isolation(StrEnum):
    """What keeps those apart who share a GPU."""

    NONE = "none"  # the GPU takes turns between them, and they share its memory
    MPS = "mps"  # they run at once, each with its part of threads and memory
    MIG = "mig"  # each has slices of the chip that nobody else can reach


CLUSTER_LABEL = "cluster"
"""The key of the label that names a node's cluster."""

MPS_LABEL = ("podium.io/mps", "true")
"""The label of nodes where MPS runs."""

ISOLATION_LABEL = "podium.io/isolation"
"""The label that says how a node keeps the work of different projects apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What each replica needs. Exactly one of these shapes of GPU demand holds:

    - none: `gpu_milli == 0`, no fraction by memory, no MIG profile;
    - whole devices: `gpu_milli` a multiple of 1000;
    - a share of one device: `0 < gpu_milli < 1000`;
    - a share by memory: `gpu_share_bytes > 0` (the milli follows from the device's memory);
    - MIG: `mig_profile` set, `mig_count` instances.

    `gpu_memory` filters devices by their total memory; `gpu_types` by type, empty = any; `pools`
    filters nodes by their pool, empty = any. `isolation` is the least that a share of a GPU must
    have; it says nothing where whole devices are asked for.
    """

    cpu_milli: int
    memory_bytes: int
    gpu_milli: int = 0
    gpu_share_bytes: int = 0
    gpu_types: tuple[str, ...] = ()
    gpu_memory: Range | None = None
    mig_profile: str | None = None
    mig_count: int = 0
    node_labels: tuple[tuple[str, str], ...] = ()
    pools: tuple[str, ...] = ()
    isolation: Isolation = Isolation.NONE

    def __post_init__(self) -> None:
        assert self.cpu_milli >= 0
        assert self.memory_bytes >= 0
        shapes = (self.gpu_milli > 0) + (self.gpu_share_bytes > 0) + (self.mig_profile is not None)
        assert shapes <= 1, "a replica asks for GPUs in one way"
        assert self.gpu_milli < GPU_MILLI or self.gpu_milli % GPU_MILLI == 0, "1.5 GPUs"
        assert (self.mig_profile is None) == (self.mig_count == 0)

    @property
    def wants_gpu(self) -> bool:
        return self.gpu_milli > 0 or self.gpu_share_bytes > 0 or self.mig_profile is not None

    @property
    def whole_gpus(self) -> int:
        """Count of whole devices, 0 for shares, MIG and CPU-only work."""
        return self.gpu_milli // GPU_MILLI


@dataclass(frozen=True, slots=True)
class DeviceShare:
    """A part of one device: all of it (1000) or less, and the memory that goes with it. Of a GPU
    that is cut it is the MIG instance of this profile at this start."""

    device_id: str
    gpu_milli: int
    memory_bytes: int
    mig_profile: str = ""
    mig_start: int = 0

    def __post_init__(self) -> None:
        assert 0 < self.gpu_milli <= GPU_MILLI


@dataclass(frozen=True, slots=True)
class ReplicaCount:
    """How many replicas, and what they mean.

    A gang starts with at least `minimum` at once. With `resize` it is elastic: while it runs,
    replicas join and leave, between `minimum` and `maximum`. An array is `maximum` tasks that start
    and end each for itself (`minimum` is then 1).
    """

    minimum: int
    maximum: int
    array: bool = False
    resize: bool = False

    def __post_init__(self) -> None:
        assert 1 <= self.minimum <= self.maximum
        assert not self.array or self.minimum == 1
        assert not self.resize or (self.minimum < self.maximum and not self.array)


def most_gpus(request: Request) -> tuple[int, int]:
    """Orders requests by how much GPU a replica takes: a MIG instance as a device, and what is
    shared by memory below everything that says how much."""
    return request.gpu_milli + request.mig_count * GPU_MILLI, request.gpu_share_bytes


def request_text(request: Request) -> str:
    """What each replica asks for, for people: `2 × H100 · 4 CPU · 16 GiB`."""
    parts = [f"{format_milli(request.cpu_milli)} CPU", format_bytes(request.memory_bytes)]
    types = " or ".join(request.gpu_types)
    if request.mig_profile is not None:
        instances = f"{request.mig_count} × " if request.mig_count > 1 else ""
        parts.insert(0, f"{instances}{request.mig_profile}{f' of {types}' if types else ''}")
    elif request.gpu_share_bytes:
        parts.insert(
            0, f"{format_bytes(request.gpu_share_bytes)} of {types or 'a GPU'}{_apart(request)}"
        )
    elif request.gpu_milli:
        count = format_milli(request.gpu_milli)
        shared = request.gpu_milli < GPU_MILLI
        gpus = f"{count} GPU" if shared and not types else f"{count} × {types or 'GPU'}"
        parts.insert(0, gpus + _memory_text(request.gpu_memory) + _apart(request))
    return " · ".join(parts)


def _apart(request: Request) -> str:
    """What keeps it apart from those who share the GPU."""
    if request.isolation is Isolation.NONE:
        return ""
    return f" by {request.isolation.value.upper()}"


def _memory_text(memory: Range | None) -> str:
    if memory is None:
        return ""
    low = format_bytes(memory.minimum)
    if memory.maximum is None:
        return f" with {low} or more"
    high = format_bytes(memory.maximum)
    return f" with {low} to {high}" if memory.minimum else f" with up to {high}"
