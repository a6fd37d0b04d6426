"""What of the scheduler's plans has been written for people to look at, so that `control/schedule`
writes it only when it is something new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from podium.scheduling.plan import Plan, Reservation, Turn

_NEAR_MS = 10_000
_NEAR_PART = 20
"""A time that moved by less than this, or than such a part of how far ahead it is, stays as it
was written: the end of work that is late moves with every cycle."""


@dataclass(frozen=True, slots=True)
class News:
    """What has to be written; None: that part is as it was."""

    turns: Sequence[Turn] | None
    reservations: Sequence[Reservation] | None


class Told:
    """At first nothing is known to be written."""

    def __init__(self) -> None:
        self._turns: Sequence[Turn] | None = None
        self._reservations: Sequence[Reservation] | None = None

    def forget(self) -> None:
        """Everything is news again."""
        self._turns = self._reservations = None

    def news(self, plan: Plan, now_ms: int) -> News | None:
        """What of the plan is not written yet. Call `written` once it is."""
        turns = None if plan.turns == self._turns else plan.turns
        reservations: Sequence[Reservation] | None = plan.reservations
        if self._reservations is not None and _alike(self._reservations, plan.reservations, now_ms):
            reservations = None
        if turns is None and reservations is None:
            return None
        return News(turns, reservations)

    def written(self, news: News | None) -> None:
        if news is None:
            return
        if news.turns is not None:
            self._turns = news.turns
        if news.reservations is not None:
            self._reservations = news.reservations


def _alike(before: Sequence[Reservation], after: Sequence[Reservation], now_ms: int) -> bool:
    if len(before) != len(after):
        return False
    return all(
        (one.workload_id, one.nodes, one.replicas) == (two.workload_id, two.nodes, two.replicas)
        and _near(one.from_ms, two.from_ms, now_ms)
        for one, two in zip(before, after, strict=True)
    )


def _near(before_ms: int | None, after_ms: int | None, now_ms: int) -> bool:
    if before_ms is None or after_ms is None:
        return before_ms is after_ms
    return abs(after_ms - before_ms) <= max(_NEAR_MS, (after_ms - now_ms) // _NEAR_PART)
