"""Foretells when those who wait will start, every few seconds, beside the scheduler's cycles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from podium.control import schedule
from podium.control.leadership import Leadership
from podium.scheduling.forecast.eta import Eta, forecast
from podium.scheduling.forecast.track import KEPT, Track
from podium.scheduling.snapshot import Snapshot
from podium.store.database import Database, Transaction
from podium.store.etas import Asked, etas_held, etas_waiting, etas_write

PERIOD_SECONDS = 15
_NEAR_MS = 30_000
_NEAR_PART = 20
"""A time that moved by less than this, or than such a part of how far ahead it is, stays as it was
said: people plan by it."""


@dataclass(frozen=True, slots=True)
class _News:
    """What has to be written, and all that is said then."""

    changed: dict[str, Asked]
    gone: list[str]
    said: dict[str, Asked]


class Expecter:
    """`seen` gives the snapshot that was decided on last, or None."""

    def __init__(
        self,
        database: Database,
        leadership: Leadership,
        seen: Callable[[], Snapshot | None],
    ) -> None:
        self._database = database
        self._leadership = leadership
        self._seen = seen
        self._said: dict[str, Asked] | None = None
        self._track = Track()

    async def step(self) -> bool:
        """One forecast."""
        snapshot = self._seen()
        if not self._leadership.leads(schedule.LEASE) or snapshot is None:
            self._said = None
            return False
        if not snapshot.demands and not self._said and self._said is not None:
            return False
        news = await self._database.read(lambda tx: self._look(tx, snapshot))
        if news.changed or news.gone:
            await self._leadership.fenced(
                schedule.LEASE, lambda tx: etas_write(tx, news.changed, news.gone)
            )
        self._said = news.said
        return False

    def _look(self, tx: Transaction, snapshot: Snapshot) -> _News:
        now_ms = self._database.now_ms()
        said = self._said
        if said is None:
            said = etas_waiting(tx)
            self._track = Track()
            for each in etas_held(tx, latest=KEPT):
                self._track.add(*each)
        held = {hold.workload_id for hold in snapshot.holds}
        queued = {
            demand.workload_id: demand.queued_at_ms
            for demand in snapshot.demands
            if demand.workload_id not in held
        }
        left = [key for key in said if key not in queued]
        for each in etas_held(tx, ids=left):
            self._track.add(*each)
        # A snapshot of its own: the scheduler may be at work on the other.
        found = forecast(replace(snapshot), now_ms)
        waiting = [(each.asked_at_ms, each.first) for key, each in said.items() if key in queued]
        widened = self._track.all_widened(found, now_ms, waiting)
        after: dict[str, Asked] = {}
        changed: dict[str, Asked] = {}
        for key, eta in widened.items():
            before = said.get(key)
            if before is None:
                after[key] = changed[key] = Asked(eta, now_ms, found[key])
            elif _near(before.said, eta, now_ms):
                after[key] = before
            else:
                after[key] = changed[key] = replace(before, said=eta)
        gone = [key for key in said if key in queued and key not in after]
        return _News(changed, gone, after)


def _near(before: Eta, after: Eta, now_ms: int) -> bool:
    pairs = (
        (before.early_ms, after.early_ms),
        (before.likely_ms, after.likely_ms),
        (before.late_ms, after.late_ms),
    )
    return all(
        abs(one - two) <= max(_NEAR_MS, (after.likely_ms - now_ms) // _NEAR_PART)
        for one, two in pairs
    )
