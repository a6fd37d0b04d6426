"""Live changes as server-sent events: of everything that one may see, of one workload, or of
several topics over one connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from podium.api import board
from podium.api.board import zone_of
from podium.api.context import Context, Ctx, Still, Who
from podium.api.feed import Change, News, Place, Subscription
from podium.api.parameters import AfterEvent, LastEventId, OneProject, TimeZone, WorkloadId
from podium.api.render import notice_view
from podium.api.streams import Stream, frame
from podium.domain.lifecycle import WORKLOAD_ENDS
from podium.store import workloads

router = APIRouter(prefix="/workloads", tags=["workloads"])
topics_router = APIRouter(tags=["stream"])

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "Server-sent events.", "content": {"text/event-stream": {}}}
}
_NUMBER_DIGITS = 18

AfterPlace = Annotated[
    str | None,
    Query(
        pattern=r"^[0-9]{1,18}([.][0-9]{1,18})?$",
        description="As `Last-Event-ID`: the `id` of the last message that was read. A plain "
        "number is the `seq` of an event.",
    ),
]


class Topic(StrEnum):
    """What a stream tells of."""

    WORKLOADS = "workloads"
    NOTICES = "notices"
    NODES = "nodes"
    OVERVIEW = "overview"


@topics_router.get("/stream", responses=_STREAM, response_class=Response)
async def stream_topics(
    context: Ctx,
    who: Who,
    still: Still,
    topic: Annotated[list[Topic], Query(min_length=1, max_length=10)],
    project: OneProject = None,
    time_zone: TimeZone = "UTC",
    after: AfterPlace = None,
    last_event_id: LastEventId = None,
) -> Response:
    """Several kinds of news over one connection.

    `workloads`: `change` and `resync` as in `/workloads/stream`. `notices`: `notice` carries a
    NoticeView. `nodes`: `nodes` says that nodes or what they hold changed, at most once a second.
    `overview`: `overview` carries an OverviewView when something in it changed, at most once a
    second. `project` narrows workloads and the overview. Changes and notices that were missed
    are told first when the stream goes on from the `id` of an earlier message.
    """
    zone_of(time_zone)
    # Who has no role hears what is said to them, and nothing of the cluster.
    topics = frozenset(topic) & (frozenset(Topic) if who.rights.any else {Topic.NOTICES})
    username = who.username if Topic.NOTICES in topics else None
    place = _place(after, last_event_id)
    subscription = await context.feed.subscribe(who.scope, place, username=username)
    overview = board.Topic(who.scope, project, time_zone)
    if topics & {Topic.NODES, Topic.OVERVIEW}:
        try:
            await context.node_news.watch(subscription.tell_nodes)
        except BaseException:
            context.feed.unsubscribe(subscription)
            raise
    return context.streams.answer(
        partial(_tell_topics, context, subscription, topics, overview), still
    )


@router.get("/stream", responses=_STREAM, response_class=Response)
async def stream_changes(
    context: Ctx,
    who: Who,
    still: Still,
    project: OneProject = None,
    after: AfterEvent = None,
    last_event_id: LastEventId = None,
) -> Response:
    """Every change as it happens. `change` carries a ChangeView; `resync` says to list again."""
    place = Place(_since(after, last_event_id))
    subscription = await context.feed.subscribe(who.scope, place)

    def wanted(change: Change) -> bool:
        return project is None or change.event.project == project

    return context.streams.answer(partial(_tell, context, subscription, wanted), still)


@router.get("/{workload_id}/stream", responses=_STREAM, response_class=Response)
async def stream_one(
    workload_id: WorkloadId,
    context: Ctx,
    who: Who,
    still: Still,
    after: AfterEvent = None,
    last_event_id: LastEventId = None,
) -> Response:
    """One workload's changes as they happen; `end` follows its last one."""
    place = Place(_since(after, last_event_id))
    subscription = await context.feed.subscribe(who.scope, place)
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
        partial(_tell, context, subscription, wanted, until_end=True, ended=ended), still
    )


async def _tell(
    context: Context,
    subscription: Subscription,
    wanted: Callable[[Change], bool],
    stream: Stream,
    *,
    until_end: bool = False,
    ended: bool = False,
) -> None:
    """Send what is wanted as it happens; with `until_end`, until a workload has ended."""
    try:
        # What was missed waits already; an ended workload has no other news.
        news = await subscription.next() if subscription.ready or not ended else News()
        while True:
            if news.resync:
                await stream.send(frame("resync", "{}"))
            for each in filter(wanted, news.changes):
                view = each.view(subscription.scope)
                await stream.send(frame("change", view.model_dump_json(), str(each.seq)))
                ended = each.workload.state in WORKLOAD_ENDS
            if until_end and ended:
                await stream.send(frame("end", "{}"))
                return
            news = await subscription.next()
    finally:
        context.feed.unsubscribe(subscription)


async def _tell_topics(
    context: Context,
    subscription: Subscription,
    topics: frozenset[Topic],
    overview: board.Topic,
    stream: Stream,
) -> None:
    place = _Reached(subscription.start)
    try:
        # Whoever hears nothing else can go on from here, too.
        await stream.send(frame("heartbeat", "{}", place.text))
        if Topic.OVERVIEW in topics:
            context.board.watch(overview, subscription.tell_overview)
        while True:
            news = await subscription.next()
            for each in _frames(news, subscription, topics, overview.project, place):
                await stream.send(each)
    finally:
        context.board.leave(overview, subscription.tell_overview)
        context.node_news.leave(subscription.tell_nodes)
        context.feed.unsubscribe(subscription)


class _Reached:
    """How far a stream has told, as the id that its messages carry."""

    def __init__(self, start: Place) -> None:
        self._event = start.event or 0
        self._notice = start.notice or 0

    @property
    def text(self) -> str:
        return f"{self._event}.{self._notice}"

    def event(self, seq: int) -> str:
        self._event = max(self._event, seq)
        return self.text

    def notice(self, seq: int) -> str:
        self._notice = max(self._notice, seq)
        return self.text


def _frames(
    news: News,
    subscription: Subscription,
    topics: frozenset[Topic],
    project: str | None,
    place: _Reached,
) -> Iterator[bytes]:
    if news.resync:
        yield frame("resync", "{}")
    if Topic.WORKLOADS in topics:
        for change in news.changes:
            if project in (None, change.event.project):
                view = change.view(subscription.scope)
                yield frame("change", view.model_dump_json(), place.event(change.seq))
    for notice in news.notices:
        yield frame("notice", notice_view(notice).model_dump_json(), place.notice(notice.seq))
    if news.nodes and Topic.NODES in topics:
        yield frame("nodes", "{}")
    if news.overview is not None:
        yield frame("overview", news.overview.model_dump_json())


def _since(after: int | None, last_event_id: str | None) -> int | None:
    return after if last_event_id is None else _number(last_event_id, after)


def _place(after: str | None, last_event_id: str | None) -> Place:
    """Where to go on. What is no place, such as the id of another kind of stream, is passed
    over."""
    event, _, notice = (last_event_id or after or "").partition(".")
    return Place(_number(event, None), _number(notice, None))


def _number(text: str, otherwise: int | None) -> int | None:
    if text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS:
        return int(text)
    return otherwise
