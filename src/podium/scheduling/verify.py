"""Checks a plan against fresh rows before it is committed; `store.commit_plan` calls this.

It counts again from nodes and holds and shares no bookkeeping with `decide`, so that a mistake
there, or a row that changed since, cannot give a device away twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from podium.domain.mig import BOARDS, Placed, Profile, is_legal
from podium.domain.node import Device, Node, NodeState
from podium.domain.quantity import GPU_MILLI
from podium.domain.resources import DeviceShare, Isolation, Request
from podium.scheduling.limits_kept import LimitsKept
from podium.scheduling.plan import Placement, Plan
from podium.scheduling.reasons.wording import level_word
from podium.scheduling.snapshot import Demand, Snapshot
from podium.scheduling.space.topology import place_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Which placements still hold, in the plan's order, and which workloads must be decided again
    (id, reason in plain words)."""

    accepted: tuple[Placement, ...] = ()
    rejected: tuple[tuple[str, str], ...] = ()


def verify(snapshot: Snapshot, plan: Plan) -> Verdict:
    """Accepts each workload's placements whole or not at all; those accepted count as held for
    the ones after."""
    ledger, limits = _Ledger(snapshot), LimitsKept(snapshot)
    demands = {demand.workload_id: demand for demand in snapshot.demands}
    standing: dict[str, list[str]] = {}
    for hold in snapshot.holds:
        standing.setdefault(hold.workload_id, []).append(hold.node)
    accepted: list[Placement] = []
    rejected: list[tuple[str, str]] = []
    groups: dict[str, list[Placement]] = {}
    for placement in plan.placements:
        groups.setdefault(placement.workload_id, []).append(placement)
    for workload_id, group in groups.items():
        demand = demands.get(workload_id)
        if demand is None:
            rejected.append((workload_id, "it does not wait for a place any more"))
            continue
        objection = (
            _ranks(demand, group)
            or _requests(ledger, demand, group)
            or _together(ledger, demand, group, standing.get(workload_id, []))
            or limits.objection(demand, group)
            or ledger.take_all(group)
        )
        if objection:
            rejected.append((workload_id, objection))
        else:
            limits.take(demand, group)
            accepted.extend(group)
    return Verdict(accepted=tuple(accepted), rejected=tuple(rejected))


class _Ledger:
    """What each node and each device has left."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.nodes: dict[str, Node] = {node.name: node for node in snapshot.nodes}
        self.devices: dict[tuple[str, str], Device] = {}
        self._cpu: dict[str, int] = {}
        self._memory: dict[str, int] = {}
        self._gpu: dict[tuple[str, str], tuple[int, int]] = {}
        self._instances: dict[tuple[str, str], list[Placed]] = {}
        for node in snapshot.nodes:
            self._cpu[node.name] = node.cpu_milli
            self._memory[node.name] = node.memory_bytes
            for device in node.devices:
                self.devices[node.name, device.id] = device
                self._gpu[node.name, device.id] = (GPU_MILLI, device.memory_bytes)
                if device.board:
                    self._instances[node.name, device.id] = [
                        (profile, each.start)
                        for each in device.instances
                        if each.busy and (profile := _profile(device, each.profile)) is not None
                    ]
        for hold in snapshot.holds:
            if hold.node in self.nodes:
                self._book(hold.node, hold.cpu_milli, hold.memory_bytes, hold.devices, sign=-1)

    def take_all(self, group: list[Placement]) -> str:
        """Book all of them, or none and say why not."""
        for index, placement in enumerate(group):
            objection = self._short(placement)
            if objection:
                for booked in group[:index]:
                    self._book_placement(booked, sign=1)
                return objection
            self._book_placement(placement, sign=-1)
        return ""

    def _short(self, placement: Placement) -> str:
        name = placement.node
        if placement.cpu_milli > max(0, self._cpu[name]):
            return f"{name} has too few CPUs free"
        if placement.memory_bytes > max(0, self._memory[name]):
            return f"{name} has too little memory free"
        for share in placement.devices:
            milli, size = self._gpu[name, share.device_id]
            if share.gpu_milli > milli or share.memory_bytes > size:
                index = self.devices[name, share.device_id].index
                return f"GPU {index} of {name} is taken"
        return self._overlap(placement)

    def _overlap(self, placement: Placement) -> str:
        """What is wrong with its MIG instances beside those that are held."""
        wanted: dict[tuple[str, str], list[Placed]] = {}
        for share in placement.devices:
            key = (placement.node, share.device_id)
            profile = _profile(self.devices[key], share.mig_profile)
            if profile is not None:
                wanted.setdefault(key, []).append((profile, share.mig_start))
        for key, instances in wanted.items():
            device = self.devices[key]
            if not is_legal(BOARDS[device.board], [*self._instances[key], *instances]):
                return f"slices of GPU {device.index} of {placement.node} are taken"
        return ""

    def _book_placement(self, placement: Placement, *, sign: int) -> None:
        self._book(
            placement.node,
            placement.cpu_milli,
            placement.memory_bytes,
            placement.devices,
            sign=sign,
        )

    def _book(
        self,
        node: str,
        cpu_milli: int,
        memory_bytes: int,
        devices: tuple[DeviceShare, ...],
        *,
        sign: int,
    ) -> None:
        self._cpu[node] += sign * cpu_milli
        self._memory[node] += sign * memory_bytes
        for share in devices:
            key = (node, share.device_id)
            if key in self._gpu:  # a device that is gone has nothing to give
                milli, size = self._gpu[key]
                self._gpu[key] = (
                    milli + sign * share.gpu_milli,
                    size + sign * share.memory_bytes,
                )
                profile = _profile(self.devices[key], share.mig_profile)
                if profile is not None and sign < 0:
                    self._instances[key].append((profile, share.mig_start))
                elif profile is not None:
                    self._instances[key].remove((profile, share.mig_start))


def _profile(device: Device, name: str) -> Profile | None:
    """Of an instance on a GPU that is cut."""
    board = BOARDS.get(device.board)
    return None if board is None or not name else board.profile(name)


def _ranks(demand: Demand, group: list[Placement]) -> str:
    if demand.blocked is not None:
        return f"it may not start now: {demand.blocked.message}"
    ranks = [placement.rank for placement in group]
    if len(frozenset(ranks)) < len(ranks):
        return "a rank is placed twice"
    pending = frozenset(demand.pending_ranks)
    gone = [rank for rank in ranks if rank not in pending]
    if gone:
        return f"rank {gone[0]} does not wait for a place any more"
    if len(group) < demand.minimum:
        return f"{len(group)} replicas are placed, but it needs {demand.minimum} at once"
    return ""


def _requests(ledger: _Ledger, demand: Demand, group: list[Placement]) -> str:
    """Each placement is on a node that may take it and grants what the request asks for."""
    requests = {rank: part.request for part in demand.parts for rank in part.ranks}
    for placement in group:
        request = requests.get(placement.rank, demand.request)
        node = ledger.nodes.get(placement.node)
        if node is None:
            return f"{placement.node} is gone"
        if node.state is not NodeState.READY:
            return f"{node.name} is {node.state.value}"
        if any(label not in node.labels for label in request.node_labels):
            return f"{node.name} lacks a label that it asks for"
        if request.pools and node.pool not in request.pools:
            pool = f"in pool {node.pool}" if node.pool else "in no pool"
            return f"{node.name} is {pool}, where it may not stand"
        if (placement.cpu_milli, placement.memory_bytes) != (
            request.cpu_milli,
            request.memory_bytes,
        ):
            return "its request has changed"
        objection = _devices(ledger, request, placement)
        if objection:
            return objection
    return ""


def _devices(ledger: _Ledger, request: Request, placement: Placement) -> str:
    wanted = request.mig_count or request.whole_gpus or int(request.wants_gpu)
    distinct = frozenset((share.device_id, share.mig_start) for share in placement.devices)
    if len(placement.devices) != wanted or len(distinct) != wanted:
        return "its request has changed"
    for share in placement.devices:
        device = ledger.devices.get((placement.node, share.device_id))
        if device is None:
            return f"a GPU of {placement.node} is gone"
        if not device.healthy:
            return f"GPU {device.index} of {placement.node} is not healthy"
        types = [name.casefold() for name in request.gpu_types]
        objection = _instance(device, request, share) if device.board else ""
        if objection:
            return objection
        if (
            (not device.board and device.mig_profile != request.mig_profile)
            or (types and device.type.casefold() not in types)
            or (request.gpu_memory is not None and device.memory_bytes not in request.gpu_memory)
        ):
            return f"GPU {device.index} of {placement.node} is not what it asks for"
        if not device.board and not _amount_right(request, device, share):
            return "its request has changed"
    return ""


def _instance(device: Device, request: Request, share: DeviceShare) -> str:
    """Whether it is an instance that the request may have, on a GPU that is cut."""
    where = f"GPU {device.index} of {device.node}"
    profile, board = _profile(device, share.mig_profile), BOARDS[device.board]
    if profile is None or share.mig_start not in profile.starts:
        return f"{where} is cut into MIG instances now"
    if device.pinned and not any(
        (each.profile, each.start) == (profile.name, share.mig_start) for each in device.instances
    ):
        return f"{where} has no such instance, and its layout is pinned"
    if (share.gpu_milli, share.memory_bytes) != (
        profile.memory_slices * GPU_MILLI // board.memory_slices,
        profile.memory_bytes,
    ):
        return "its request has changed"
    enough = (
        request.mig_profile == profile.name
        if request.mig_profile is not None
        else request.isolation is Isolation.MIG
        and profile.memory_bytes >= request.gpu_share_bytes
        and profile.memory_slices * GPU_MILLI >= request.gpu_milli * board.memory_slices
        and profile.compute_slices * GPU_MILLI >= request.gpu_milli * board.compute_slices
    )
    return "" if enough and request.gpu_milli < GPU_MILLI else "its request has changed"


def _amount_right(request: Request, device: Device, share: DeviceShare) -> bool:
    shared = request.gpu_share_bytes > 0 or 0 < request.gpu_milli < GPU_MILLI
    if device.share_milli and shared != (device.share_milli < GPU_MILLI):
        return False
    if device.share_milli and shared:
        size = device.memory_bytes * device.share_milli // GPU_MILLI
        return (
            request.gpu_milli <= share.gpu_milli == device.share_milli
            and request.gpu_share_bytes <= size
            and share.memory_bytes == (request.gpu_share_bytes or size)
        )
    if request.gpu_share_bytes:
        # Rounded up: one thousandth less would be too little of the device.
        covers = share.gpu_milli * device.memory_bytes >= request.gpu_share_bytes * GPU_MILLI
        spare = (share.gpu_milli - 1) * device.memory_bytes >= request.gpu_share_bytes * GPU_MILLI
        return covers and not spare and share.memory_bytes == request.gpu_share_bytes
    if 0 < request.gpu_milli < GPU_MILLI:
        size = device.memory_bytes * request.gpu_milli // GPU_MILLI
        return (share.gpu_milli, share.memory_bytes) == (request.gpu_milli, size)
    return (share.gpu_milli, share.memory_bytes) == (GPU_MILLI, device.memory_bytes)


def _together(ledger: _Ledger, demand: Demand, group: list[Placement], standing: list[str]) -> str:
    within = demand.topology.within
    if within is None:
        return ""
    names = [placement.node for placement in group]
    names += [name for name in standing if name in ledger.nodes]
    if len(frozenset(place_of(ledger.nodes[name], within) for name in names)) > 1:
        return f"its replicas would not stand in one {level_word(within)}"
    return ""
