"""Live changes as server-sent events: of everything that one may see, or of one workload."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from podium.api.context import Ctx, Who
from podium.api.feed import Change, Feed, Subscription
from podium.api.parameters import AfterEvent, LastEventId, OneProject, WorkloadId
from podium.api.streams import Stream, frame
from podium.domain.lifecycle import WORKLOAD_ENDS
from podium.store import workloads

router = APIRouter(prefix="/workloads", tags=["workloads"])

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "Server-sent events.", "content": {"text/event-stream": {}}}
}


@router.get("/stream", responses=_STREAM, response_class=Response)
async def stream_changes(
    context: Ctx,
    who: Who,
    project: OneProject = None,
    after: AfterEvent = None,
    last_event_id: LastEventId = None,
) -> Response:
    """Every change as it happens. `change` carries a ChangeView; `resync` says to list again."""
    since = _since(after, last_event_id)
    subscription, missed = await context.feed.subscribe(who.scope, since)

    def wanted(change: Change) -> bool:
        return project is None or change.event.project == project

    return context.streams.answer(partial(_tell, context.feed, subscription, missed, wanted))


@router.get("/{workload_id}/stream", responses=_STREAM, response_class=Response)
async def stream_one(
    workload_id: WorkloadId,
    context: Ctx,
    who: Who,
    after: AfterEvent = None,
    last_event_id: LastEventId = None,
) -> Response:
    """One workload's changes as they happen; `end` follows its last one."""
    since = _since(after, last_event_id)
    subscription, missed = await context.feed.subscribe(who.scope, since)
    try:
        workload = await context.database.read(
            lambda tx: workloads.workload_fetch(tx, who.scope, workload_id)
        )
    except BaseException:
        context.feed.unsubscribe(subscription)
        raise

    def wanted(change: Change) -> bool:
        return change.event.workload_id == workload_id

    ended = workload.state in WORKLOAD_ENDS
    return context.streams.answer(
        partial(_tell, context.feed, subscription, missed, wanted, until_end=True, ended=ended)
    )


async def _tell(
    feed: Feed,
    subscription: Subscription,
    missed: list[Change],
    wanted: Callable[[Change], bool],
    stream: Stream,
    *,
    until_end: bool = False,
    ended: bool = False,
) -> None:
    """Send what is wanted as it happens; with `until_end`, until a workload has ended."""
    try:
        changes = missed
        while True:
            if subscription.behind:
                subscription.behind = False
                await stream.send(frame("resync", "{}"))
            for each in filter(wanted, changes):
                view = each.view(subscription.scope)
                await stream.send(frame("change", view.model_dump_json(), str(each.event.seq)))
                ended = each.workload.state in WORKLOAD_ENDS
            if until_end and ended:
                await stream.send(frame("end", "{}"))
                return
            changes = await subscription.next()
    finally:
        feed.unsubscribe(subscription)


def _since(after: int | None, last_event_id: str | None) -> int | None:
    if last_event_id and last_event_id.isdigit() and len(last_event_id) <= 18:
        return int(last_event_id)
    return after
