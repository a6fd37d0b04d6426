"""Changes of a cluster as values, and the snapshot after them: what `what_if` plays through."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from podium.domain.node import MigInstance, Node, NodeState
from podium.domain.quantity import GPU_MILLI
from podium.domain.resources import ANYWHERE, DeviceShare, Request
from podium.domain.workload import Kind
from podium.scheduling.explain.values import Stopped
from podium.scheduling.order.queue import queue_order
from podium.scheduling.parts import Asking, parts_from
from podium.scheduling.snapshot import Booking, Demand, Hold, Share, Snapshot
from podium.scheduling.space.topology import several_clusters, within_reach
from podium.scheduling.view import is_movable


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaEdited:
    """New amounts of a share, as `Share` has them; None leaves them as they are."""

    share: str
    guarantees: tuple[tuple[str, int], ...] | None = None
    limits: tuple[tuple[str, int], ...] | None = None
    weight: int | None = None
    per_user: tuple[tuple[str, int], ...] | None = None
    ceilings: tuple[tuple[str, int], ...] | None = None


@dataclass(frozen=True, slots=True)
class NodeDrained:
    """It takes no new work, and what runs there stops and waits again."""

    node: str


@dataclass(frozen=True, slots=True)
class NodeCordoned:
    """It takes no new work; what runs there goes on."""

    node: str


@dataclass(frozen=True, slots=True)
class NodeLost:
    """It is gone, and what ran there waits again."""

    node: str


@dataclass(frozen=True, slots=True)
class NodesAdded:
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class BookingAdded:
    booking: Booking


@dataclass(frozen=True, slots=True)
class WorkloadAdded:
    demand: Demand


@dataclass(frozen=True, slots=True)
class WorkloadRemoved:
    """Waiting or running."""

    workload_id: str


@dataclass(frozen=True, slots=True)
class PriorityChanged:
    workload_id: str
    priority: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutChanged:
    """A GPU is cut into these instances (profile, start) for good. Work in other instances stays
    until it ends, and what it blocks comes after; with `moves`, saved work there starts again
    elsewhere."""

    node: str
    gpu: int
    board: str
    instances: tuple[tuple[str, int], ...]
    moves: bool = False


Edit = (
    QuotaEdited
    | NodeDrained
    | NodeCordoned
    | NodeLost
    | NodesAdded
    | BookingAdded
    | WorkloadAdded
    | WorkloadRemoved
    | PriorityChanged
    | LayoutChanged
)


class UnknownNameError(KeyError):
    """An edit names a share, node or workload that the snapshot does not have."""

    def __init__(self, noun: str, name: str) -> None:
        super().__init__(name)
        self.noun = noun
        self.name = name


def edited(
    snapshot: Snapshot, edits: Iterable[Edit], now_ms: int
) -> tuple[Snapshot, tuple[Stopped, ...]]:
    """The snapshot after the edits, in their order, and what stops by them. UnknownNameError."""
    stopped: list[Stopped] = []
    for edit in edits:
        snapshot = _one(snapshot, edit, now_ms, stopped)
    return snapshot, tuple(stopped)


def _one(snapshot: Snapshot, edit: Edit, now_ms: int, stopped: list[Stopped]) -> Snapshot:
    match edit:
        case QuotaEdited():
            return replace(snapshot, shares=_shares(snapshot.shares, edit))
        case NodeCordoned(node=name):
            return _in_state(snapshot, name, NodeState.CORDONED)
        case NodeDrained(node=name):
            after = _in_state(snapshot, name, NodeState.CORDONED)
            return _without(after, name, now_ms, f"node {name} is drained", stopped)
        case NodeLost(node=name):
            after = _in_state(snapshot, name, NodeState.LOST)
            return _without(after, name, now_ms, f"node {name} is lost", stopped)
        case LayoutChanged():
            return _cut(snapshot, edit, now_ms, stopped)
        case NodesAdded(nodes=nodes):
            known = {node.name: node for node in (*snapshot.nodes, *nodes)}
            return replace(snapshot, nodes=tuple(known[name] for name in sorted(known)))
        case BookingAdded(booking=booking):
            for name in booking.nodes:
                _known("node", name, (node.name for node in snapshot.nodes))
            return replace(snapshot, bookings=(*snapshot.bookings, booking))
        case WorkloadAdded(demand=demand):
            return replace(snapshot, demands=queue_order((*snapshot.demands, demand)))
        case WorkloadRemoved(workload_id=workload_id):
            _known("workload", workload_id, _workloads(snapshot))
            return replace(
                snapshot,
                demands=_others(snapshot.demands, (workload_id,)),
                holds=tuple(each for each in snapshot.holds if each.workload_id != workload_id),
            )
        case PriorityChanged(workload_id=workload_id, priority=priority):
            _known("workload", workload_id, _workloads(snapshot))
            return replace(
                snapshot,
                demands=queue_order(
                    replace(each, priority=priority) if each.workload_id == workload_id else each
                    for each in snapshot.demands
                ),
                holds=tuple(
                    replace(each, priority=priority) if each.workload_id == workload_id else each
                    for each in snapshot.holds
                ),
            )


def _cut(snapshot: Snapshot, edit: LayoutChanged, now_ms: int, stopped: list[Stopped]) -> Snapshot:
    """What is wanted beside what is in use: the scheduler gives out an instance when all of its
    slices are free, so whatever is in the way only has to end."""
    _known("node", edit.node, (node.name for node in snapshot.nodes))
    device = next(
        (
            each
            for node in snapshot.nodes
            for each in node.devices
            if each.node == edit.node and each.index == edit.gpu
        ),
        None,
    )
    if device is None:
        raise UnknownNameError("gpu", f"{edit.node}/{edit.gpu}")
    used = tuple(
        each
        for each in device.instances
        if each.busy and (each.profile, each.start) not in edit.instances
    )
    cut = replace(
        device,
        board=edit.board,
        pinned=True,
        instances=(*(MigInstance(*each) for each in edit.instances), *used),
    )
    after = replace(
        snapshot,
        nodes=tuple(
            replace(node, devices=tuple(cut if each is device else each for each in node.devices))
            if node.name == edit.node
            else node
            for node in snapshot.nodes
        ),
    )
    if not edit.moves:
        return after
    leaving = {
        hold.workload_id
        for hold in snapshot.holds
        if is_movable(hold)
        for share in hold.devices
        if share.device_id == device.id
        and (share.mig_profile, share.mig_start) not in edit.instances
    }
    why = f"GPU {edit.gpu} of node {edit.node} is cut anew, and it starts again elsewhere"
    return _without(after, edit.node, now_ms, why, stopped, only=leaving)


def _known(noun: str, name: str, names: Iterable[str]) -> None:
    if name not in set(names):
        raise UnknownNameError(noun, name)


def _workloads(snapshot: Snapshot) -> Iterator[str]:
    """Waiting or running."""
    yield from (each.workload_id for each in snapshot.demands)
    yield from (each.workload_id for each in snapshot.holds)


def _shares(shares: Sequence[Share], edit: QuotaEdited) -> tuple[Share, ...]:
    _known("share", edit.share, (share.name for share in shares))
    return tuple(
        replace(
            share,
            guarantees=share.guarantees if edit.guarantees is None else edit.guarantees,
            limits=share.limits if edit.limits is None else edit.limits,
            weight=share.weight if edit.weight is None else edit.weight,
            per_user=share.per_user if edit.per_user is None else edit.per_user,
            ceilings=share.ceilings if edit.ceilings is None else edit.ceilings,
        )
        if share.name == edit.share
        else share
        for share in shares
    )


def _in_state(snapshot: Snapshot, name: str, state: NodeState) -> Snapshot:
    _known("node", name, (node.name for node in snapshot.nodes))
    return replace(
        snapshot,
        nodes=tuple(
            replace(node, state=state) if node.name == name else node for node in snapshot.nodes
        ),
    )


def _others(demands: Iterable[Demand], left: Collection[str]) -> tuple[Demand, ...]:
    return tuple(each for each in demands if each.workload_id not in left)


def _without(
    snapshot: Snapshot,
    node: str,
    now_ms: int,
    why: str,
    stopped: list[Stopped],
    *,
    only: Collection[str] | None = None,
) -> Snapshot:
    """Without what runs on a node, or `only` some workloads: tasks and spare replicas for
    themselves, gangs as a whole. What stops waits again, with its age in the queue."""
    holds: dict[str, list[Hold]] = {}
    for hold in snapshot.holds:
        holds.setdefault(hold.workload_id, []).append(hold)
    waiting = {each.workload_id: each for each in snapshot.demands}
    gone: set[str] = set()
    for workload_id, theirs in holds.items():
        going = [hold for hold in theirs if hold.node == node]
        if not going or (only is not None and workload_id not in only):
            continue
        first = theirs[0]
        whole = first.minimum > 0 and len(theirs) - len(going) < first.minimum
        if whole:
            going = theirs
        gone.update(hold.allocation_id for hold in going)
        stopped.append(Stopped(workload_id=workload_id, project=first.project, why=why))
        waiting[workload_id] = _again(
            snapshot, waiting.get(workload_id), going, now_ms, whole=whole
        )
    return replace(
        snapshot,
        holds=tuple(hold for hold in snapshot.holds if hold.allocation_id not in gone),
        demands=queue_order(waiting.values()),
    )


def _again(
    snapshot: Snapshot,
    waits: Demand | None,
    going: Sequence[Hold],
    now_ms: int,
    *,
    whole: bool,
) -> Demand:
    """The demand of what stops, joined with what of the workload waits already."""
    first = going[0]
    ranks = sorted({hold.rank for hold in going})
    if waits is not None and not waits.parts:
        every = tuple(sorted({*waits.pending_ranks, *ranks}))
        minimum = min(len(every), first.minimum) if whole else waits.minimum
        return replace(waits, pending_ranks=every, minimum=max(1, minimum))
    limits = [
        hold.ends_at_ms - hold.started_at_ms
        for hold in going
        if hold.ends_at_ms is not None and hold.started_at_ms is not None
    ]
    minimum = min(len(ranks), max(1, first.minimum)) if whole else 1
    asked = [
        Asking(hold.request or _request_of(snapshot, hold), hold.rank, 1)
        for hold in sorted(going, key=lambda each: each.rank)
    ]
    parts = parts_from(asked, ranks) if minimum == len(ranks) else ()
    apart = minimum > 1 and several_clusters(snapshot.nodes)
    return Demand(
        workload_id=first.workload_id,
        project=first.project,
        kind=first.kind or Kind.TRAINING,
        priority=first.priority,
        queued_at_ms=first.queued_at_ms or now_ms,
        request=parts[0].request if parts else asked[0].request,
        pending_ranks=tuple(ranks),
        minimum=minimum,
        parts=parts if len(parts) > 1 else (),
        topology=within_reach(ANYWHERE) if apart else ANYWHERE,
        limit_ms=max(limits, default=None),
        expected=first.expected,
        attained_milli_ms=first.attained_milli_ms,
    )


def _request_of(snapshot: Snapshot, hold: Hold) -> Request:
    """What a hold shows of the request: as much of the same type, anywhere."""
    devices = {
        device.id: device
        for node in snapshot.nodes
        if node.name == hold.node
        for device in node.devices
    }
    found = [devices[share.device_id] for share in hold.devices if share.device_id in devices]
    types = tuple(sorted({device.type for device in found}))
    plain = Request(cpu_milli=hold.cpu_milli, memory_bytes=hold.memory_bytes, gpu_types=types)
    profiles = [share.mig_profile for share in hold.devices if share.mig_profile]
    profiles += [device.mig_profile for device in found if device.mig_profile]
    if profiles:
        return replace(plain, mig_profile=profiles[0], mig_count=len(hold.devices))
    return replace(plain, gpu_milli=_milli(hold.devices))


def _milli(devices: Sequence[DeviceShare]) -> int:
    total = sum(share.gpu_milli for share in devices)
    return total if total < GPU_MILLI else total // GPU_MILLI * GPU_MILLI
