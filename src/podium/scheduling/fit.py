"""Whether, how often and how well a replica fits on one node. Packing and refusals ask.

A `Shape` is a request made ready for one cluster: what it takes of each kind of device.
"""

from __future__ import annotations

from collections.abc import Sequence

from podium.domain.quantity import GPU_MILLI
from podium.domain.resources import Request
from podium.scheduling.cluster import DeviceKind, DeviceRoom, Grant, NodeRoom

FitKey = tuple[int, int, int, int, int]
"""Smaller is better; see `fit_key`."""

UNBOUNDED = 2**31
"""Stands for "as many as you like" where a request takes nothing of a resource."""


class Shape:
    """`count` devices a replica, each giving `grants[kind]` = (milli-GPU, bytes), None = unfit."""

    __slots__ = ("count", "grants", "request", "shared")

    def __init__(self, request: Request, kinds: Sequence[DeviceKind]) -> None:
        self.request = request
        self.count = request.mig_count or request.whole_gpus or int(request.wants_gpu)
        self.shared = request.gpu_share_bytes > 0 or 0 < request.gpu_milli < GPU_MILLI
        self.grants = [device_grant(request, kind) for kind in kinds]


def device_matches(request: Request, kind: DeviceKind) -> bool:
    """Whether the type, total memory and MIG profile are what the request names."""
    if not request.wants_gpu or kind.mig_profile != request.mig_profile:
        return False
    wanted = [name.casefold() for name in request.gpu_types]
    if wanted and kind.type.casefold() not in wanted:
        return False
    return request.gpu_memory is None or kind.memory_bytes in request.gpu_memory


def device_grant(request: Request, kind: DeviceKind) -> tuple[int, int] | None:
    """(milli-GPU, bytes) that one replica takes of each of its devices of this kind."""
    if not device_matches(request, kind):
        return None
    if request.gpu_share_bytes:
        if request.gpu_share_bytes > kind.memory_bytes:
            return None
        milli = -(-request.gpu_share_bytes * GPU_MILLI // kind.memory_bytes)
        return milli, request.gpu_share_bytes
    if 0 < request.gpu_milli < GPU_MILLI:
        return request.gpu_milli, kind.memory_bytes * request.gpu_milli // GPU_MILLI
    return GPU_MILLI, kind.memory_bytes


def device_units(room: NodeRoom, shape: Shape) -> int:
    """How many device grants of this shape the node could give now."""
    if not shape.shared:
        return _whole_devices(room, shape)
    units = 0
    for device in room.devices:
        grant = shape.grants[device.kind]
        if grant is not None and device.milli_free >= grant[0]:
            milli, size = grant
            by_memory = device.bytes_free // size if size else UNBOUNDED
            units += max(0, min(device.milli_free // milli, by_memory))
    return units


def _whole_devices(room: NodeRoom, shape: Shape) -> int:
    if room.milli_free < GPU_MILLI:
        return 0
    units = 0
    for device in room.devices:
        if device.milli_free >= GPU_MILLI:
            grant = shape.grants[device.kind]
            if grant is not None and device.bytes_free >= grant[1]:
                units += 1
    return units


def gpu_replicas(room: NodeRoom, shape: Shape) -> int:
    if shape.count == 0:
        return UNBOUNDED
    return 0 if room.gpus_kept else device_units(room, shape) // shape.count


def cpu_replicas(room: NodeRoom, shape: Shape) -> int:
    cpu = shape.request.cpu_milli
    return max(0, room.cpu_free // cpu) if cpu else UNBOUNDED


def memory_replicas(room: NodeRoom, shape: Shape) -> int:
    memory = shape.request.memory_bytes
    return max(0, room.memory_free // memory) if memory else UNBOUNDED


def capacity(room: NodeRoom, shape: Shape) -> int:
    """How many replicas the node could take now: exact, in whatever order they are placed,
    because the replicas are equal and each takes devices of its own or a part of one."""
    others = min(cpu_replicas(room, shape), memory_replicas(room, shape))
    return min(others, gpu_replicas(room, shape)) if others else 0


def fit_key(room: NodeRoom, shape: Shape) -> FitKey | None:
    """How well one replica fits, None when it does not.

    What would be left, in this order: of a shared device (the fullest first), of the node's GPUs,
    of its CPU and memory; then the node's name.
    """
    request = shape.request
    cpu_left = room.cpu_free - request.cpu_milli
    memory_left = room.memory_free - request.memory_bytes
    if (cpu_left < 0 and request.cpu_milli) or (memory_left < 0 and request.memory_bytes):
        return None
    device_left = milli = 0
    if shape.count:
        if room.gpus_kept:
            return None
        if shape.shared:
            best = _fullest(room, shape)
            if best is None:
                return None
            milli, device_left = best[1], best[0].milli_free - best[1]
        else:
            milli = shape.count * GPU_MILLI
            if room.milli_free < milli or device_units(room, shape) < shape.count:
                return None
    return device_left, room.milli_free - milli, cpu_left, memory_left, room.position


def choose(room: NodeRoom, shape: Shape) -> Grant:
    """The devices that one replica gets on a node where it fits: the fullest shared device, or
    whole ones with the least memory, neighbours in index."""
    request = shape.request
    devices: tuple[tuple[DeviceRoom, int, int], ...] = ()
    if shape.shared:
        best = _fullest(room, shape)
        assert best is not None
        devices = (best,)
    elif shape.count:
        free = []
        for device in room.devices:
            grant = shape.grants[device.kind]
            if grant and device.milli_free >= grant[0] and device.bytes_free >= grant[1]:
                free.append((device, *grant))
        free.sort(key=lambda entry: entry[2])  # stable: keeps the order of index
        devices = tuple(free[: shape.count])
        assert len(devices) == shape.count
    return Grant(request.cpu_milli, request.memory_bytes, devices)


def _fullest(room: NodeRoom, shape: Shape) -> tuple[DeviceRoom, int, int] | None:
    best: tuple[DeviceRoom, int, int] | None = None
    best_left = UNBOUNDED
    for device in room.devices:
        grant = shape.grants[device.kind]
        if grant is None or device.bytes_free < grant[1]:
            continue
        left = device.milli_free - grant[0]
        if 0 <= left < best_left:
            best, best_left = (device, *grant), left
    return best
