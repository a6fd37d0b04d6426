"""Whether, how often and how a replica fits on a node in a given state. Classes and refusals ask.

A `Shape` is a request made ready for one cluster: what it takes of each kind of device.
"""

from __future__ import annotations

from collections.abc import Sequence

from podium.domain.quantity import GPU_MILLI
from podium.domain.resources import Request
from podium.scheduling.placing.cuts import Cut, cut_milli, cut_of, instances_left, need_of
from podium.scheduling.placing.slices import Need
from podium.scheduling.space.layout import DeviceKind, State

UNBOUNDED = 2**31
"""Stands for "as many as you like" where a request takes nothing of a resource."""


class Shape:
    """`count` devices a replica, each giving `grants[kind]` = (milli-GPU, bytes), None = unfit."""

    __slots__ = ("count", "cuts", "grants", "kinds", "milli", "need", "ranks", "request", "shared")

    def __init__(self, request: Request, kinds: Sequence[DeviceKind]) -> None:
        self.request = request
        self.count = request.mig_count or request.whole_gpus or int(request.wants_gpu)
        # What it asks of an instance; then `cuts` are the kinds of GPUs that can be cut for it.
        self.need = need_of(request)
        self.cuts = [_cut(request, self.need, kind) for kind in kinds]
        shares = request.gpu_share_bytes > 0 or 0 < request.gpu_milli < GPU_MILLI
        self.shared = shares and self.need is None
        self.grants = [device_grant(request, kind) for kind in kinds]
        # Milli-GPU of one replica, on the first kind that gives it.
        first = next((grant for grant in self.grants if grant is not None), None)
        self.milli = 0 if first is None else self.count * first[0]
        # Whole devices are taken from the kinds with the least memory first.
        self.kinds = sorted(
            (at for at, grant in enumerate(self.grants) if grant is not None),
            key=lambda at: kinds[at].memory_bytes,
        )
        self.ranks: list[int | None] = [None] * len(kinds)
        for rank, at in enumerate(self.kinds):
            self.ranks[at] = rank


def _cut(request: Request, need: Need | None, kind: DeviceKind) -> Cut | None:
    if need is None or not kind.board or not _named(request, kind):
        return None
    return cut_of(need, kind)


def device_matches(request: Request, kind: DeviceKind) -> bool:
    """Whether the type, total memory and MIG profile are what the request names, and whether
    those who share are kept apart as it asks."""
    if not request.wants_gpu or not _named(request, kind):
        return False
    need = need_of(request)
    if kind.board:
        return need is not None and cut_of(need, kind) is not None
    if need is not None and request.mig_profile is None:
        return False
    return kind.mig_profile == request.mig_profile


def _named(request: Request, kind: DeviceKind) -> bool:
    wanted = [name.casefold() for name in request.gpu_types]
    if wanted and kind.type.casefold() not in wanted:
        return False
    return request.gpu_memory is None or kind.memory_bytes in request.gpu_memory


def device_grant(request: Request, kind: DeviceKind) -> tuple[int, int] | None:
    """(milli-GPU, bytes) that one replica takes of each of its devices of this kind."""
    if not device_matches(request, kind):
        return None
    cut = _cut(request, need_of(request), kind)
    if cut is not None:
        return cut_milli(cut), min(profile.memory_bytes for profile in cut.profiles)
    shared = request.gpu_share_bytes > 0 or 0 < request.gpu_milli < GPU_MILLI
    if kind.share_milli and shared != (kind.share_milli < GPU_MILLI):
        return None
    if shared and kind.share_milli:
        return _one_size(request, kind)
    if request.gpu_share_bytes:
        if request.gpu_share_bytes > kind.memory_bytes:
            return None
        # Rounded up, so that milli-GPU alone say what is free: where they suffice, so does memory.
        milli = -(-request.gpu_share_bytes * GPU_MILLI // kind.memory_bytes)
        return milli, request.gpu_share_bytes
    if 0 < request.gpu_milli < GPU_MILLI:
        return request.gpu_milli, kind.memory_bytes * request.gpu_milli // GPU_MILLI
    return GPU_MILLI, kind.memory_bytes


def _one_size(request: Request, kind: DeviceKind) -> tuple[int, int] | None:
    """A share of a device that knows one size of them. Two of them may lie on two devices, so each
    must be enough for itself."""
    size = kind.memory_bytes * kind.share_milli // GPU_MILLI
    if request.gpu_milli > kind.share_milli or request.gpu_share_bytes > size:
        return None
    return kind.share_milli, request.gpu_share_bytes or size


def capacity(shape: Shape, state: State, shelf: Sequence[int]) -> int:
    """How many replicas a node in this state takes: exact, in whatever order they are placed,
    because the replicas are equal and each takes devices of its own or a part of one."""
    request = shape.request
    fits = UNBOUNDED
    if request.cpu_milli:
        fits = state.cpu_milli // request.cpu_milli
    if request.memory_bytes:
        fits = min(fits, state.memory_bytes // request.memory_bytes)
    if not shape.count or not fits:
        return fits
    units = 0
    for kind, free in zip(shelf, state.devices, strict=True):
        grant = shape.grants[kind]
        if grant is not None:
            units += units_of(shape, kind, grant, free)
    return min(fits, units // shape.count)


def units_of(shape: Shape, kind: int, grant: tuple[int, int], free: int) -> int:
    """How often one device gives what the shape takes of one."""
    cut = shape.cuts[kind]
    if cut is not None:
        return instances_left(cut, free)
    return free // grant[0] if free >= grant[0] else 0


def choices(shape: Shape, state: State, shelf: Sequence[int]) -> list[tuple[int, ...]]:
    """The ways in which one replica may take devices of a node in this state, as positions of
    `state.devices`: one for whole devices, one for each different amount left on a shared one.
    Instances are chosen by `cuts.instances_of`."""
    request = shape.request
    if state.cpu_milli < request.cpu_milli or state.memory_bytes < request.memory_bytes:
        return []
    if not shape.count:
        return [()]
    if not shape.shared:
        chosen = whole_devices(shape, state.devices, shelf)
        return [chosen] if chosen else []
    found: list[tuple[int, ...]] = []
    seen: list[tuple[int, int]] = []
    last_kind = last_milli = -1
    for at, (kind, milli) in enumerate(zip(shelf, state.devices, strict=True)):
        if milli == last_milli and kind == last_kind:  # mostly so, as they are in order
            continue
        last_kind, last_milli = kind, milli
        grant = shape.grants[kind]
        if grant is not None and milli >= grant[0] and (kind, milli) not in seen:
            seen.append((kind, milli))
            found.append((at,))
    return found


def whole_devices(
    shape: Shape, devices: Sequence[int], shelf: Sequence[int]
) -> tuple[int, ...] | None:
    """The first idle devices of the kind with the least memory, neighbours in index; None when
    there are too few."""
    idle = [at for at, milli in enumerate(devices) if milli == GPU_MILLI]
    if len(idle) < shape.count:
        return None
    ranks = shape.ranks
    able = [at for at in idle if ranks[shelf[at]] is not None]
    if len(able) < shape.count:
        return None
    if len(shape.kinds) > 1:
        able.sort(key=lambda at: ranks[shelf[at]] or 0)  # stable: keeps the order of index
    return tuple(able[: shape.count])
