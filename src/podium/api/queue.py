"""The queue: who is next, and why each still waits."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from podium.api.answers import answer, decode_number_cursor, encode_cursor
from podium.api.context import Ctx, Who
from podium.api.parameters import Cursor, Limit, OneProject
from podium.api.render import workload_view
from podium.domain.tenancy import WHOLE
from podium.spec.views.base import utc_or_none
from podium.spec.views.queue import QueueEntryView, QueueProjectView, QueueView
from podium.store import queue, workloads
from podium.store.database import Transaction
from podium.store.queue import ProjectQueue

router = APIRouter(prefix="/queue", tags=["queue"])


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
        length = queue.queue_length(tx, WHOLE)
        return QueueView(
            items=[
                QueueEntryView(
                    position=position,
                    workload=workload_view(found[each], counts[each], who.scope),
                )
                for position, each in shown
            ],
            next_cursor=encode_cursor(str(shown[-1][0])) if len(places) > limit else None,
            length=length,
            hidden=length - queue.queue_length(tx, who.scope),
            projects=[_project(each) for each in queue.queue_projects(tx, who.scope, project)],
        )

    return answer(await context.database.read(read))


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
