"""Live changes: one reader of the event table for the whole server, fanned out to every stream.

A subscriber that is too slow is told to look again instead of being sent everything it missed;
nothing it holds grows without bound.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from podium.api.render import event_view, workload_view
from podium.domain.event import Event
from podium.domain.lifecycle import ReplicaState
from podium.domain.tenancy import WHOLE, Scope
from podium.domain.workload import Workload
from podium.spec.views.workload import ChangeView
from podium.store import events, workloads
from podium.store.database import Database, Transaction
from podium.store.hints import Hints

_BATCH = 1000
_QUEUE_MAX = 2000
# On PostgreSQL numbers are given before the commit, so a lower one may appear after a higher one.
_LOOK_BACK = 500
_PERIOD_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Change:
    """An event, and the workload after it as each reader may see it."""

    event: Event
    workload: Workload
    counts: dict[ReplicaState, int]

    def view(self, scope: Scope) -> ChangeView:
        return ChangeView(
            event=event_view(self.event),
            workload=workload_view(self.workload, self.counts, scope),
        )


class Subscription:
    """What one stream has not read yet. `behind` means that it must look at everything again."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.behind = False
        self._changes: deque[Change] = deque()
        self._told: frozenset[int] = frozenset()
        self._news = asyncio.Event()

    def offer(self, change: Change) -> None:
        if not self.scope.admits(change.event.project):
            return
        if len(self._changes) >= _QUEUE_MAX:
            self._changes.clear()
            self.behind = True
        self._changes.append(change)
        self._news.set()

    def catch_up(self, missed: list[Change]) -> list[Change]:
        """Those of `missed` that this reader may see; they are not told a second time."""
        self._told = frozenset(each.event.seq for each in missed)
        return [each for each in missed if self.scope.admits(each.event.project)]

    async def next(self) -> list[Change]:
        """What is new, as soon as there is something."""
        await self._news.wait()
        self._news.clear()
        changes = [each for each in self._changes if each.event.seq not in self._told]
        self._changes.clear()
        return changes


class Feed:
    """Reads only while somebody listens."""

    def __init__(self, database: Database, hints: Hints) -> None:
        self._database = database
        self._hints = hints
        self._subscriptions: set[Subscription] = set()
        self._someone = asyncio.Event()
        self._reading = asyncio.Event()
        self._start = 0
        self._cursor = 0
        self._seen: deque[int] = deque(maxlen=4 * _LOOK_BACK)

    @property
    def subscribers(self) -> int:
        return len(self._subscriptions)

    async def subscribe(self, scope: Scope, after: int | None) -> tuple[Subscription, list[Change]]:
        """A subscription, and what happened since the event `after` (bounded). Whatever is
        committed after this returns will be offered."""
        subscription = Subscription(scope)
        self._subscriptions.add(subscription)
        self._someone.set()
        self._hints.wake("events")
        try:
            await self._reading.wait()
            if after is None:
                return subscription, []
            missed = await self._database.read(
                lambda tx: _changes(tx, events.event_feed(tx, after=after, limit=_BATCH))
            )
        except BaseException:
            self.unsubscribe(subscription)
            raise
        if len(missed) == _BATCH:
            subscription.behind = True
            return subscription, []
        return subscription, subscription.catch_up(missed)

    def unsubscribe(self, subscription: Subscription) -> None:
        self._subscriptions.discard(subscription)
        if not self._subscriptions:
            self._someone.clear()
            self._reading.clear()

    async def run(self) -> None:
        """Until cancelled; the server starts it."""
        listener = self._hints.listener("events")
        try:
            while True:
                if not self._someone.is_set():
                    await self._someone.wait()
                    self._start = self._cursor = await self._database.read(events.event_last_seq)
                    self._seen.clear()
                changes = await self._database.read(self._news)
                for change in changes:
                    self._seen.append(change.event.seq)
                    self._cursor = max(self._cursor, change.event.seq)
                    for subscription in list(self._subscriptions):
                        subscription.offer(change)
                self._reading.set()
                if not changes:
                    await listener.wait(_PERIOD_SECONDS)
        finally:
            listener.close()

    def _news(self, tx: Transaction) -> list[Change]:
        after = self._cursor
        if self._database.dialect == "postgresql":
            after = max(self._start, after - _LOOK_BACK)
        seen = set(self._seen)
        found = events.event_feed(tx, after=after, limit=_BATCH)
        return _changes(tx, [each for each in found if each.seq not in seen])


def _changes(tx: Transaction, found: list[Event]) -> list[Change]:
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
