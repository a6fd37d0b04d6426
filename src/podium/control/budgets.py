"""Keeps an eye on budgets: foretells when each is spent, tells people as it is, and stops what
may be preempted where the budget says so."""

from __future__ import annotations

import math
from dataclasses import dataclass

from podium.control.leadership import Leadership
from podium.control.schedule import LEASE
from podium.domain.budget import Budget, Standing
from podium.store import budget_watch
from podium.store.budget_ledger import fastest, standings
from podium.store.budgets import Kept, budget_list
from podium.store.database import Database, Transaction
from podium.store.events import event_last_seq
from podium.store.hints import Hints

AGAIN_MS = 5_000
"""After this long a budget that may soon be spent is looked at again, though nothing started."""
RARELY_MS = 60_000
"""The same of any other."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What was seen of a budget, and until when it cannot be spent whatever starts."""

    of: tuple[Budget, int]
    seq: int
    standing: Standing
    sure_until_ms: float


class Budgets:
    """The scheduler calls `foretell` before each cycle, so that a spent budget lets at most one
    more cycle's work through. Only what may be spent before the next look is looked at each time:
    a budget that even a full cluster could not spend within a minute waits for a minute."""

    def __init__(self, database: Database, hints: Hints, leadership: Leadership) -> None:
        self._database = database
        self._hints = hints
        self._leadership = leadership
        self._looks: dict[str, _Look] = {}

    async def foretell(self) -> None:
        """Write down when each budget is spent, by what runs now."""
        if not self._leadership.leads(LEASE):
            self._looks.clear()
            return
        now_ms = self._database.now_ms()
        changed = await self._database.read(lambda tx: self._changed(tx, now_ms))
        if changed:
            await self._leadership.fenced(LEASE, lambda tx: budget_watch.foretell(tx, changed))

    async def step(self) -> bool:
        """True when there is more to stop."""
        await self.foretell()
        if not self._looks:
            return False
        now_ms = self._database.now_ms()
        waiting = await self._database.read(lambda tx: self._due(tx, now_ms))
        if not waiting:
            return False
        acted = await self._leadership.fenced(
            LEASE, lambda tx: budget_watch.act(tx, waiting, now_ms)
        )
        self._hints.wake("events", *(("stop", "schedule") if acted.stopped else ()))
        return acted.more

    def _changed(self, tx: Transaction, now_ms: int) -> list[tuple[Kept, Standing]]:
        """Budgets of which something else is foretold than before."""
        kept = budget_list(tx)
        self._looks = {
            each.budget.name: self._looks[each.budget.name]
            for each in kept
            if each.budget.name in self._looks
        }
        seq = event_last_seq(tx) if kept else 0
        fresh = [each for each in kept if self._is_due(each, seq, now_ms)]
        if not fresh:
            return []
        most = fastest(tx)
        found = standings(tx, [each.budget for each in fresh], now_ms)
        for each, standing in zip(fresh, found, strict=True):
            sure = math.inf if standing.is_spent else standing.sure_until_ms(most)
            mark = (each.budget, each.updated_at_ms)
            self._looks[each.budget.name] = _Look(mark, seq, standing, sure)
        return [
            (each, standing)
            for each, standing in zip(fresh, found, strict=True)
            if budget_watch.foretold_anew(each, standing)
        ]

    def _is_due(self, kept: Kept, seq: int, now_ms: int) -> bool:
        look = self._looks.get(kept.budget.name)
        if look is None or look.of != (kept.budget, kept.updated_at_ms):
            return True
        age_ms, until_ms = now_ms - look.standing.at_ms, look.standing.span.until_ms
        if not 0 <= age_ms < RARELY_MS or (until_ms is not None and now_ms >= until_ms):
            return True
        return now_ms >= look.sure_until_ms and (look.seq != seq or age_ms >= AGAIN_MS)

    def _due(self, tx: Transaction, now_ms: int) -> list[tuple[Kept, Standing]]:
        """What people have to hear of, and what is to be stopped, as of the last looks."""
        looked = [
            (each, look.standing)
            for each in budget_list(tx)
            if (look := self._looks.get(each.budget.name)) is not None
            and look.of == (each.budget, each.updated_at_ms)
            and (look.standing.span.until_ms is None or now_ms < look.standing.span.until_ms)
        ]
        return budget_watch.due(tx, looked)
