"""Live news: one reader of events and notices for the whole server, fanned out to every stream.

A subscriber that is too slow is told to look again instead of being sent everything it missed;
nothing it holds grows without bound.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from podium.api.board import NEWS
from podium.api.render import event_view, workload_view
from podium.domain.event import Event
from podium.domain.lifecycle import ReplicaState, WorkloadEvent
from podium.domain.tenancy import WHOLE, Scope
from podium.domain.workload import Workload
from podium.spec.views.overview import OverviewView
from podium.spec.views.workload import ChangeView
from podium.store import events, notices, workloads
from podium.store.database import Database, Transaction
from podium.store.hints import Hints
from podium.store.notices import Notice

_BATCH = 1000
_QUEUE_MAX = 2000
# On PostgreSQL numbers are given before the commit, so a lower one may appear after a higher one.
_LOOK_BACK = 500
_PERIOD_SECONDS = 1.0
HOLDINGS = "holdings"
"""The hint that what nodes hold may have changed."""

_HOLDS_NOTHING = frozenset({WorkloadEvent.QUEUED.value, WorkloadEvent.CHANGED.value})


@dataclass(frozen=True, slots=True)
class Change:
    """An event, and the workload after it as each reader may see it."""

    event: Event
    workload: Workload
    counts: dict[ReplicaState, int]

    @property
    def seq(self) -> int:
        return self.event.seq

    @property
    def moves_holdings(self) -> bool:
        """Whether what nodes hold may be different after it."""
        return self.event.kind not in _HOLDS_NOTHING

    def view(self, scope: Scope) -> ChangeView:
        return ChangeView(
            event=event_view(self.event),
            workload=workload_view(self.workload, self.counts, scope),
        )


@dataclass(frozen=True, slots=True)
class Place:
    """How far a reader has come: the last event and the last notice that it knows of. None is
    "from now on"."""

    event: int | None = None
    notice: int | None = None


_NOW = Place()


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a stream has not told yet. `resync`: some was left out, so look at everything again."""

    resync: bool = False
    changes: Sequence[Change] = ()
    notices: Sequence[Notice] = ()
    nodes: bool = False
    overview: OverviewView | None = None


Item = TypeVar("Item", Change, Notice)
Row = TypeVar("Row", Event, Notice)


class Subscription:
    """What one stream has not read yet: changes of its scope and, with a `username`, the notices
    to that person. `nodes` and `overview` keep only the latest."""

    def __init__(self, scope: Scope, username: str | None = None) -> None:
        self.scope = scope
        self.username = username
        self.start = Place(0, 0)
        """Where it stood before its first news."""
        self._behind = False
        self._changes: deque[Change] = deque()
        self._notices: deque[Notice] = deque()
        self._nodes = False
        self._overview: OverviewView | None = None
        self._told: frozenset[tuple[type, int]] = frozenset()
        self._known: dict[type, int] = {Change: 0, Notice: 0}
        self._news = asyncio.Event()

    def offer(self, change: Change) -> None:
        if self.scope.admits(change.event.project):
            self._keep(self._changes, change)

    def offer_notice(self, notice: Notice) -> None:
        seen = notice.project is None or self.scope.admits(notice.project)
        if notice.username == self.username and seen:
            self._keep(self._notices, notice)

    def _keep(self, waiting: deque[Item], item: Item) -> None:
        if (type(item), item.seq) in self._told or item.seq <= self._known[type(item)]:
            return
        if len(waiting) >= _QUEUE_MAX:
            waiting.clear()
            self._behind = True
        waiting.append(item)
        self._news.set()

    def tell_nodes(self) -> None:
        self._nodes = True
        self._news.set()

    def tell_overview(self, view: OverviewView) -> None:
        self._overview = view
        self._news.set()

    def knows(self, place: Place) -> None:
        """Its reader has heard everything up to here; the feed may be behind that."""
        self._known = {Change: place.event or 0, Notice: place.notice or 0}

    def catch_up(self, changes: list[Change], told: list[Notice], *, complete: bool) -> None:
        """Begin with what was missed; none of it is told twice. Not `complete`: there was more,
        which is not sent."""
        if not complete:
            self._behind = True
            self._news.set()
            return
        offered, offered_notices = list(self._changes), list(self._notices)
        self._changes.clear()
        self._notices.clear()
        for change in changes:
            self.offer(change)
        for notice in told:
            self.offer_notice(notice)
        self._told = frozenset(
            [*((Change, each.seq) for each in changes), *((Notice, each.seq) for each in told)]
        )
        for change in offered:
            self.offer(change)
        for notice in offered_notices:
            self.offer_notice(notice)

    @property
    def ready(self) -> bool:
        """Whether there is something new already."""
        return self._news.is_set()

    async def next(self) -> News:
        """What is new, as soon as there is something."""
        await self._news.wait()
        self._news.clear()
        news = News(
            resync=self._behind,
            changes=list(self._changes),
            notices=list(self._notices),
            nodes=self._nodes,
            overview=self._overview,
        )
        self._changes.clear()
        self._notices.clear()
        self._behind = self._nodes = False
        self._overview = None
        return news


class _Tail:
    """The reader's place in one table whose numbers grow."""

    def __init__(self) -> None:
        self.cursor = 0
        self._start = 0
        self._seen: deque[int] = deque(maxlen=4 * _LOOK_BACK)

    def begin(self, last: int) -> None:
        self._start = self.cursor = last
        self._seen.clear()

    def after(self, dialect: str) -> int:
        """From where to read: somewhat back where commits may come out of order."""
        if dialect == "postgresql":
            return max(self._start, self.cursor - _LOOK_BACK)
        return self.cursor

    def unseen(self, found: Sequence[Row]) -> list[Row]:
        seen = set(self._seen)
        return [each for each in found if each.seq not in seen]

    def take(self, seq: int) -> None:
        self._seen.append(seq)
        self.cursor = max(self.cursor, seq)


class Feed:
    """Reads only while somebody listens."""

    def __init__(self, database: Database, hints: Hints) -> None:
        self._database = database
        self._hints = hints
        self._subscriptions: set[Subscription] = set()
        self._someone = asyncio.Event()
        self._reading = asyncio.Event()
        self._events = _Tail()
        self._notices = _Tail()

    @property
    def subscribers(self) -> int:
        return len(self._subscriptions)

    async def subscribe(
        self, scope: Scope, place: Place = _NOW, *, username: str | None = None
    ) -> Subscription:
        """News from now on, and before that what happened since `place` (bounded). Whatever is
        committed after this returns will be offered. Notices come only with a `username`."""
        subscription = Subscription(scope, username)
        if self._database.dialect != "postgresql":  # there, earlier numbers may be committed later
            subscription.knows(place)
        self._subscriptions.add(subscription)
        self._someone.set()
        self._hints.wake("events")
        try:
            await self._reading.wait()
            event, notice = self._events.cursor, self._notices.cursor
            subscription.start = Place(
                event if place.event is None else place.event,
                notice if place.notice is None else place.notice,
            )
            if place != _NOW:
                await self._catch_up(subscription, place)
        except BaseException:
            self.unsubscribe(subscription)
            raise
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        self._subscriptions.discard(subscription)
        if not self._subscriptions:
            self._someone.clear()
            self._reading.clear()

    async def _catch_up(self, subscription: Subscription, place: Place) -> None:
        def missed(tx: Transaction) -> tuple[list[Event], list[Change], list[Notice]]:
            found: list[Event] = []
            told: list[Notice] = []
            if place.event is not None:
                found = events.event_feed(tx, after=place.event, limit=_BATCH)
            if place.notice is not None and subscription.username is not None:
                told = notices.notice_feed(
                    tx, after=place.notice, limit=_BATCH, username=subscription.username
                )
            return found, _changes(tx, found) if len(found) < _BATCH else [], told

        found, changes, told = await self._database.read(missed)
        complete = len(found) < _BATCH and len(told) < _BATCH
        subscription.catch_up(changes, told, complete=complete)

    async def run(self) -> None:
        """Until cancelled; the server starts it."""
        listener = self._hints.listener("events")
        try:
            while True:
                if not self._someone.is_set():
                    await self._someone.wait()
                    last_event, last_notice = await self._database.read(_last)
                    self._events.begin(last_event)
                    self._notices.begin(last_notice)
                changes, told = await self._database.read(self._news)
                self._hand_out(changes, told)
                self._reading.set()
                if not changes and not told:
                    await listener.wait(_PERIOD_SECONDS)
        finally:
            listener.close()

    def _news(self, tx: Transaction) -> tuple[list[Change], list[Notice]]:
        dialect = self._database.dialect
        found = events.event_feed(tx, after=self._events.after(dialect), limit=_BATCH)
        told = notices.notice_feed(tx, after=self._notices.after(dialect), limit=_BATCH)
        return _changes(tx, self._events.unseen(found)), self._notices.unseen(told)

    def _hand_out(self, changes: list[Change], told: list[Notice]) -> None:
        for change in changes:
            self._events.take(change.seq)
            for subscription in list(self._subscriptions):
                subscription.offer(change)
        for notice in told:
            self._notices.take(notice.seq)
            for subscription in list(self._subscriptions):
                subscription.offer_notice(notice)
        if changes:
            self._hints.wake(NEWS)
            if any(change.moves_holdings for change in changes):
                self._hints.wake(HOLDINGS)


def _last(tx: Transaction) -> tuple[int, int]:
    return events.event_last_seq(tx), notices.notice_last_seq(tx)


def _changes(tx: Transaction, found: Sequence[Event]) -> list[Change]:
    ids = {each.workload_id for each in found}
    if not ids:
        return []
    known = workloads.workload_fetch_many(tx, WHOLE, ids)
    counts = workloads.replica_counts_many(tx, known)
    return [
        Change(each, known[each.workload_id], counts[each.workload_id])
        for each in found
        if each.workload_id in known
    ]
