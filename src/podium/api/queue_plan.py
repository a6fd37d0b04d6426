"""What the scheduler planned last → the document of `GET /queue/plan`. `api/queue` calls it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from podium.api.render import eta_view, refusal_view
from podium.domain.booking import Reserved
from podium.domain.lifecycle import ReplicaState
from podium.domain.tenancy import Scope
from podium.domain.workload import Workload, asked_text
from podium.spec.views.base import utc, utc_or_none
from podium.spec.views.queue import (
    BookedSpanView,
    NodeTimelineView,
    PlannedSpanView,
    PlannedWorkloadView,
    PreemptionView,
    QueuePlanView,
    ReservationView,
    RunningSpanView,
    TimelineView,
    TurnView,
)
from podium.store.database import Transaction
from podium.store.etas import etas_of
from podium.store.node_lines import NodeLine, NodeLines, node_lines
from podium.store.policies import policies_fetch
from podium.store.preemptions import GaveWay, preemption_list
from podium.store.queue_plan import QueuePlan, QueueReservation, QueueTurn, queue_plan
from podium.store.workloads import replica_counts_many, workload_fetch_many

_PREEMPTIONS = 20
_MILLI_MS = 10**6  # in a GPU-second


def plan_view(
    tx: Transaction, scope: Scope, now_ms: int, *, until_ms: int, nodes_max: int
) -> QueuePlanView:
    """All of it, of one moment."""
    plan = queue_plan(tx, scope, now_ms)
    lines = node_lines(tx, scope, plan.reservations, now_ms, until_ms=until_ms, limit=nodes_max)
    gave_way = preemption_list(tx, scope, limit=_PREEMPTIONS)
    policy = policies_fetch(tx).scheduling
    document = _Document(tx, scope, plan, lines, gave_way)
    return QueuePlanView(
        made_at=utc_or_none(plan.made_at_ms),
        order=policy.order,
        preempt=policy.preempt,
        turns=[document.turn(at, each) for at, each in enumerate(plan.turns, start=1)],
        reservations=[document.reservation(each) for each in plan.reservations],
        timeline=TimelineView(
            from_at=utc(now_ms),
            until=utc(until_ms),
            nodes=[document.line(each, now_ms) for each in lines.lines],
            nodes_left_out=lines.left_out,
        ),
        preemptions=[document.preemption(each) for each in gave_way],
    )


class _Document:
    """The workloads that the document names, read once."""

    def __init__(
        self,
        tx: Transaction,
        scope: Scope,
        plan: QueuePlan,
        lines: NodeLines,
        gave_way: Collection[GaveWay],
    ) -> None:
        turns = {each.workload_id for each in plan.turns}
        others: set[str | None] = {each.workload_id for each in plan.reservations if each.seen}
        others |= {span.workload_id for line in lines.lines for span in line.running}
        others |= {key for each in gave_way for key in (each.workload_id, each.in_favour_of)}
        self._scope = scope
        self._workloads: Mapping[str, Workload] = workload_fetch_many(
            tx, scope, {key for key in turns | others if key is not None}
        )
        self._counts: Mapping[str, Mapping[ReplicaState, int]] = replica_counts_many(
            tx, [key for key in turns if key is not None]
        )
        self._etas = etas_of(tx, scope, [key for key in turns if key is not None])

    def turn(self, position: int, each: QueueTurn) -> TurnView:
        workload = self._of(each.workload_id)
        refusal = None
        if workload is not None:
            refusal = refusal_view(workload, self._counts[workload.id], self._scope)
        return TurnView(
            position=position,
            workload=planned_view(workload),
            project=workload and workload.project,
            inside_guarantee=each.inside,
            priority=each.priority,
            waits_for_ms=each.waits_ms,
            share_ppm=each.share_ppm,
            refusal=refusal,
            starts_at=utc_or_none(each.from_ms),
            eta=None if workload is None else eta_view(workload, self._etas),
        )

    def reservation(self, each: QueueReservation) -> ReservationView:
        workload = self._of(each.workload_id if each.seen else None)
        return ReservationView(
            workload=planned_view(workload),
            project=workload and workload.project,
            nodes=[name for name, _ in each.nodes],
            from_at=utc_or_none(each.from_ms),
        )

    def line(self, line: NodeLine, now_ms: int) -> NodeTimelineView:
        node = line.node
        healthy = [device for device in node.devices if device.healthy]
        running = []
        for span in line.running:
            workload = self._of(span.workload_id)
            running.append(
                RunningSpanView(
                    workload=planned_view(workload),
                    project=workload and workload.project,
                    gpu_milli=span.gpu_milli,
                    from_at=utc(now_ms if span.from_ms is None else span.from_ms),
                    until=utc_or_none(span.until_ms),
                    certain=span.certain,
                )
            )
        return NodeTimelineView(
            name=node.name,
            block=node.block,
            rack=node.rack,
            nvlink=node.nvlink,
            state=node.state,
            gpus=len(healthy),
            gpu_types=sorted({device.type for device in healthy}),
            running=running,
            planned=[
                PlannedSpanView(
                    workload=planned_view(self._of(span.workload_id)),
                    gpu_milli=span.gpu_milli,
                    from_at=utc_or_none(span.from_ms),
                    until=utc_or_none(span.until_ms),
                )
                for span in line.planned
            ],
            booked=[_booked(each) for each in line.booked],
            free_milli=line.free_milli,
        )

    def preemption(self, each: GaveWay) -> PreemptionView:
        return PreemptionView(
            at=utc(each.at_ms),
            workload=planned_view(self._of(each.workload_id)),
            in_favour_of=planned_view(self._of(each.in_favour_of)),
            booking=each.booking,
            replicas=each.replicas,
            justification=each.justification,
            lost_gpu_seconds=each.lost_milli_ms / _MILLI_MS,
        )

    def _of(self, workload_id: str | None) -> Workload | None:
        return None if workload_id is None else self._workloads.get(workload_id)


def planned_view(workload: Workload | None) -> PlannedWorkloadView | None:
    if workload is None:
        return None
    return PlannedWorkloadView(
        id=workload.id,
        name=workload.name,
        project=workload.project,
        team=workload.team,
        owner=workload.owner,
        replicas=workload.replicas.maximum,
        resources=asked_text(workload.request, workload.groups),
        groups=len(workload.groups),
    )


def _booked(each: Reserved) -> BookedSpanView:
    return BookedSpanView(
        name=each.name or None,
        project=each.project or None,
        maintenance=each.project is None,
        from_at=utc(each.from_ms),
        until=utc(each.until_ms),
    )
