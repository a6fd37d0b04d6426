"""The queue: who is next, why each still waits, and what is planned."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from podium.api.answers import answer, decode_number_cursor, encode_cursor
from podium.api.context import Ctx, Who
from podium.api.parameters import Cursor, Limit, OneProject
from podium.api.queue_plan import plan_view
from podium.api.render import eta_view, workload_view
from podium.domain.tenancy import WHOLE
from podium.spec.views.base import utc_or_none
from podium.spec.views.queue import QueueEntryView, QueuePlanView, QueueProjectView, QueueView
from podium.store import etas, queue, workloads
from podium.store.database import Transaction
from podium.store.queue import ProjectQueue

router = APIRouter(prefix="/queue", tags=["queue"])
_HOUR_MS = 3_600_000


@router.get("", response_model=QueueView)
async def show_queue(
    context: Ctx,
    who: Who,
    project: OneProject = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Waiting workloads that you can see, in the order of service, and each project's share."""
    after = max(0, decode_number_cursor(cursor, 0))

    def read(tx: Transaction) -> QueueView:
        places = queue.queue_page(tx, who.scope, project, limit=limit + 1, after=after)
        shown = places[:limit]
        found = workloads.workload_fetch_many(tx, who.scope, [each for _, each in shown])
        counts = workloads.replica_counts_many(tx, found)
        expected = etas.etas_of(tx, who.scope, found)
        length = queue.queue_length(tx, WHOLE)
        return QueueView(
            items=[
                QueueEntryView(
                    position=position,
                    workload=workload_view(found[each], counts[each], who.scope),
                    eta=eta_view(found[each], expected),
                )
                for position, each in shown
            ],
            next_cursor=encode_cursor(str(shown[-1][0])) if len(places) > limit else None,
            length=length,
            hidden=length - queue.queue_length(tx, who.scope),
            projects=[_project(each) for each in queue.queue_projects(tx, who.scope, project)],
        )

    return answer(await context.database.read(read))


@router.get("/plan", response_model=QueuePlanView)
async def show_plan(
    context: Ctx,
    who: Who,
    nodes: Annotated[
        int, Query(ge=1, le=200, description="How many nodes of the time line at most.")
    ] = 40,
    hours: Annotated[int, Query(ge=1, le=168, description="How far the time line goes.")] = 24,
) -> Response:
    """Whose turn it is, nodes that are kept for them, and what stands on nodes over time."""
    now_ms = context.database.now_ms()
    until_ms = now_ms + hours * _HOUR_MS
    view = await context.database.read(
        lambda tx: plan_view(tx, who.scope, now_ms, until_ms=until_ms, nodes_max=nodes)
    )
    return answer(view)


def _project(each: ProjectQueue) -> QueueProjectView:
    return QueueProjectView(
        project=each.project,
        team=each.team,
        waiting=each.waiting,
        running=each.running,
        gpu_milli_wanted=each.gpu_milli_wanted,
        gpu_milli_held=each.gpu_milli_held,
        oldest_queued_at=utc_or_none(each.oldest_queued_at_ms),
    )
