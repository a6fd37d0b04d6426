"""Domain values → the documents of `spec/views`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate

from podium.api.holdups import hold_up_view
from podium.api.slices import board_name, room_views, slice_views
from podium.domain.allocation import Usage, usage_of
from podium.domain.cluster import cluster_of
from podium.domain.event import Event
from podium.domain.lifecycle import ReplicaState, WorkloadState
from podium.domain.mig import BOARDS
from podium.domain.node import Device, Node
from podium.domain.reason import CLOSED_POOL, Evidence, Refusal, WaitReason
from podium.domain.resources import DeviceShare, Request
from podium.domain.tenancy import Scope
from podium.domain.workload import Recovery, ReplicaGroup, Workload, asked_text, member_of
from podium.scheduling.forecast.eta import Eta
from podium.spec.views.base import utc, utc_or_none
from podium.spec.views.node import DeviceView, HolderView, NodeReplicaView, NodeView
from podium.spec.views.notice import NoticeView
from podium.spec.views.workload import (
    CostView,
    DeviceShareView,
    EtaView,
    EventView,
    EvidenceView,
    GroupView,
    RefusalView,
    ReplicaCountsView,
    ReplicaView,
    ResourcesView,
    UsageView,
    WorkloadView,
)
from podium.spec.workload import request_text
from podium.store.allocations import RankFacts
from podium.store.holdings import Holder, NodeLoad, NodeReplica, Slot
from podium.store.notices import Notice
from podium.store.samples import DeviceLoad
from podium.store.usage import Bill

_NEW = Refusal(WaitReason.NEW, "Just submitted; the scheduler looks at it next.")


def workload_view(
    workload: Workload, counts: Mapping[ReplicaState, int], scope: Scope
) -> WorkloadView:
    return WorkloadView(
        id=workload.id,
        name=workload.name,
        project=workload.project,
        team=workload.team,
        owner=workload.owner,
        kind=workload.kind,
        state=workload.state,
        cause=workload.cause,
        message=workload.message,
        priority=workload.priority,
        resources=resources_view(workload.request, asked_text(workload.request, workload.groups)),
        replicas=_counts_view(workload.replicas.maximum, counts),
        groups=group_views(workload.groups),
        gpu_milli=workload.gpu_milli,
        array=workload.replicas.array,
        attempt=workload.attempt,
        retries=workload.retries,
        submitted_at=utc(workload.submitted_at_ms),
        queued_at=utc(workload.queued_at_ms),
        started_at=utc_or_none(workload.started_at_ms),
        ended_at=utc_or_none(workload.ended_at_ms),
        deadline=utc_or_none(workload.deadline_ms),
        max_runtime_seconds=workload.max_runtime_seconds,
        waiting=refusal_view(workload, counts, scope),
        labels=dict(workload.labels),
        version=workload.version,
    )


def _may_hear(evidence: Evidence, scope: Scope) -> bool:
    if evidence.fact == CLOSED_POOL:
        return scope.projects is None
    return evidence.fact != "holder" or scope.admits(evidence.subject)


def refusal_view(
    workload: Workload, counts: Mapping[ReplicaState, int], scope: Scope
) -> RefusalView | None:
    """Why (the rest of) a workload waits. Holders that the reader may not see are left out."""
    waits = workload.state is WorkloadState.QUEUED or (
        (workload.replicas.array or _replaces(workload))
        and workload.ended_at_ms is None
        and counts.get(ReplicaState.WAITING, 0) > 0
    )
    if not waits:
        return None
    refusal = workload.refusal or _NEW
    since_ms = workload.refused_since_ms or workload.queued_at_ms
    return RefusalView(
        reason=refusal.reason,
        message=refusal.message,
        remedy=refusal.remedy,
        evidence=[
            EvidenceView(fact=each.fact, value=each.value, subject=each.subject)
            for each in refusal.evidence
            if _may_hear(each, scope)
        ],
        since=utc(since_ms),
    )


def _replaces(workload: Workload) -> bool:
    """Whether it runs on without replicas that it lost, until they have a place again."""
    lasting = workload.recovery is Recovery.REPLACE and not workload.replicas.resize
    return lasting and workload.state is WorkloadState.RUNNING


def eta_view(workload: Workload, etas: Mapping[str, Eta]) -> EtaView | None:
    """What is said of a workload, while it waits."""
    eta = etas.get(workload.id)
    if eta is None or workload.state is not WorkloadState.QUEUED:
        return None
    return EtaView(early=utc(eta.early_ms), likely=utc(eta.likely_ms), late=utc(eta.late_ms))


def group_views(groups: Sequence[ReplicaGroup]) -> list[GroupView]:
    begins = accumulate((group.count for group in groups), initial=0)
    return [
        GroupView(
            name=group.name,
            replicas=group.count,
            first_rank=first_rank,
            resources=resources_view(group.request, request_text(group.request)),
        )
        for group, first_rank in zip(groups, begins, strict=False)
    ]


def group_states(
    workload: Workload, counts: Mapping[str, Mapping[ReplicaState, int]]
) -> dict[str, ReplicaCountsView]:
    """`counts` by the names of the groups."""
    return {
        group.name: _counts_view(group.count, counts.get(group.name, {}))
        for group in workload.groups
    }


def _counts_view(total: int, counts: Mapping[ReplicaState, int]) -> ReplicaCountsView:
    return ReplicaCountsView(total=total, **{state.value: count for state, count in counts.items()})


def resources_view(request: Request, text: str) -> ResourcesView:
    return ResourcesView(
        cpu_milli=request.cpu_milli,
        memory_bytes=request.memory_bytes,
        gpu_milli=request.gpu_milli,
        gpu_share_bytes=request.gpu_share_bytes,
        gpu_types=list(request.gpu_types),
        mig_profile=request.mig_profile,
        isolation=request.isolation,
        pools=list(request.pools),
        text=text,
    )


def usage_view(used: Usage | Bill) -> UsageView:
    usage, cost = (used.usage, used.cost) if isinstance(used, Bill) else (used, None)
    return UsageView(
        gpu_seconds=usage.gpu_milli_ms / 1e6,
        cpu_seconds_allocated=usage.cpu_milli_ms / 1e6,
        cpu_seconds_used=usage.cpu_used_ms / 1000,
        memory_peak_bytes=usage.memory_peak_bytes,
        cost=None if cost is None else CostView(amount=cost.amount, currency=cost.currency),
    )


def replica_view(
    facts: RankFacts, workload: Workload, devices: Mapping[str, Device], now_ms: int
) -> ReplicaView:
    held, member = facts.allocation, member_of(workload.groups, facts.rank)
    group = None if member is None else member.group.name
    if held is None:
        return ReplicaView(
            rank=facts.rank,
            group=group,
            state=facts.state,
            attempt=facts.attempt,
            usage=usage_view(Usage()),
        )
    return ReplicaView(
        rank=facts.rank,
        group=group,
        state=facts.state,
        attempt=held.attempt,
        allocation_id=held.id,
        node=held.node,
        devices=[_share_view(each, devices.get(each.device_id)) for each in held.devices],
        started_at=utc_or_none(held.started_at_ms),
        ended_at=utc_or_none(held.released_at_ms),
        saved_at=utc_or_none(held.saved_at_ms),
        exit_code=held.exit_code,
        signal=held.signal,
        cause=held.cause,
        message=held.message,
        hold_up=hold_up_view(held.hold_up),
        usage=usage_view(usage_of(held, now_ms)),
    )


def event_view(event: Event) -> EventView:
    return EventView(
        seq=event.seq,
        at=utc(event.at_ms),
        workload_id=event.workload_id,
        project=event.project,
        rank=event.rank,
        kind=event.kind,
        state=event.state,
        cause=event.cause,
        message=event.message,
        actor=event.actor,
    )


def node_view(
    node: Node,
    load: NodeLoad,
    measured: Mapping[str, DeviceLoad],
    pools: Collection[str],
    given_up: int = 0,
) -> NodeView:
    """`pools` are the names of those that the reader may see."""
    holders: dict[str, list[Holder]] = {}
    for each in load.holders:
        holders.setdefault(each.device_id, []).append(each)
    slots: dict[str, list[Slot]] = {}
    for slot in load.slots:
        slots.setdefault(slot.device_id, []).append(slot)
    milli, memory = dict(load.gpu_milli), dict(load.gpu_memory_bytes)
    return NodeView(
        name=node.name,
        engine=node.engine,
        cluster=cluster_of(node.engine),
        state=node.state,
        address=node.address,
        labels=dict(node.labels),
        rack=node.rack,
        block=node.block,
        nvlink=node.nvlink,
        pool=node.pool if node.pool in pools else "",
        cpu_milli=node.cpu_milli,
        cpu_milli_used=load.cpu_milli,
        memory_bytes=node.memory_bytes,
        memory_bytes_used=load.memory_bytes,
        devices=[
            _device_view(
                each,
                milli.get(each.id, 0),
                memory.get(each.id, 0),
                holders.get(each.id, []),
                slots.get(each.id, []),
                measured.get(each.id, _UNMEASURED),
            )
            for each in node.devices
        ],
        replicas=load.replicas,
        seen_at=utc(node.seen_at_ms),
        lost_since=None if node.lost_at_ms is None else utc(node.lost_at_ms),
        given_up=given_up,
    )


_UNMEASURED = DeviceLoad(
    busy_milli=None, memory_bytes=None, power_milliwatts=None, temperature_celsius=None
)


def _device_view(
    device: Device,
    milli_held: int,
    memory_bytes_held: int,
    holders: list[Holder],
    slots: list[Slot],
    load: DeviceLoad,
) -> DeviceView:
    power, board = load.power_milliwatts, BOARDS.get(device.board)
    seen = {each.mig_start: (each.allocation_id, _holder_view(each)) for each in holders}
    return DeviceView(
        id=device.id,
        index=device.index,
        uuid=device.uuid,
        type=device.type,
        model=device.model,
        memory_bytes=device.memory_bytes,
        mig_profile=device.mig_profile,
        virtual=device.virtual,
        healthy=device.healthy,
        fault=device.fault,
        gpu_milli_used=milli_held,
        memory_bytes_used=memory_bytes_held,
        holders=_merged(holders),
        mig=board is not None,
        board=device.board,
        memory_slices=0 if board is None else board.memory_slices,
        pinned=device.pinned,
        share_milli=device.share_milli,
        slices=slice_views(device, slots, seen),
        room=room_views(device, slots),
        mig_board=board_name(device),
        drift=device.drift,
        drift_at=utc_or_none(device.drift_at_ms),
        busy_milli=load.busy_milli,
        power_watts=None if power is None else power / 1000,
        temperature_celsius=load.temperature_celsius,
    )


def _merged(holders: list[Holder]) -> list[HolderView]:
    """One for each replica, whatever it has of the device."""
    found: dict[str, Holder] = {}
    for each in holders:
        other = found.get(each.allocation_id)
        milli = each.gpu_milli + (0 if other is None else other.gpu_milli)
        found[each.allocation_id] = replace(each, gpu_milli=milli)
    return [_holder_view(each) for each in found.values()]


def _holder_view(holder: Holder) -> HolderView:
    return HolderView(
        workload_id=holder.workload_id,
        name=holder.name,
        project=holder.project,
        owner=holder.owner,
        kind=holder.kind,
        rank=holder.rank,
        gpu_milli=holder.gpu_milli,
        since=utc(holder.since_ms),
    )


def node_replica_view(replica: NodeReplica) -> NodeReplicaView:
    return NodeReplicaView(
        allocation_id=replica.allocation_id,
        workload_id=replica.workload_id,
        name=replica.name,
        project=replica.project,
        owner=replica.owner,
        kind=replica.kind,
        rank=replica.rank,
        state=replica.state,
        cpu_milli=replica.cpu_milli,
        memory_bytes=replica.memory_bytes,
        devices=list(replica.devices),
        since=utc(replica.since_ms),
    )


def notice_view(notice: Notice) -> NoticeView:
    return NoticeView(
        seq=notice.seq,
        at=utc(notice.at_ms),
        level=notice.level,
        sentence=notice.sentence,
        workload_id=notice.workload_id,
        workload_name=notice.workload_name,
        project=notice.project,
        budget=notice.budget,
        read=notice.read,
    )


def _share_view(share: DeviceShare, device: Device | None) -> DeviceShareView:
    return DeviceShareView(
        index=device.index if device else -1,
        uuid=device.uuid if device else share.device_id,
        type=device.type if device else "",
        gpu_milli=share.gpu_milli,
        memory_bytes=share.memory_bytes,
        virtual=device.virtual if device else False,
        mig_profile=share.mig_profile,
        mig_start=share.mig_start,
    )
