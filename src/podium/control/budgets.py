"""Keeps an eye on budgets: foretells when each is spent, tells people as it is, and stops what
may be preempted where the budget says so."""

from __future__ import annotations

from podium.control.leadership import Leadership
from podium.control.schedule import LEASE
from podium.domain.budget import Standing
from podium.store import budget_watch
from podium.store.budget_ledger import standings
from podium.store.budgets import Kept, budget_list
from podium.store.database import Database, Transaction
from podium.store.events import event_last_seq
from podium.store.hints import Hints

AGAIN_MS = 5_000
"""After this long a budget is looked at again, though nothing has started or ended."""


class Budgets:
    """`foretell` is cheap while nothing starts or ends; the scheduler calls it before each cycle,
    so that a spent budget lets at most one more cycle's work through."""

    def __init__(self, database: Database, hints: Hints, leadership: Leadership) -> None:
        self._database = database
        self._hints = hints
        self._leadership = leadership
        self._looked: tuple[tuple[object, ...], int] | None = None

    async def foretell(self) -> None:
        """Write down when each budget is spent, by what runs now."""
        now_ms = self._database.now_ms()
        found = await self._database.read(lambda tx: self._changed(tx, now_ms))
        if found:
            await self._leadership.fenced(LEASE, lambda tx: budget_watch.foretell(tx, found))

    async def step(self) -> bool:
        """True when there is more to stop."""
        if not self._leadership.leads(LEASE):
            self._looked = None
            return False
        now_ms = self._database.now_ms()
        await self.foretell()

        def due(tx: Transaction) -> list[tuple[Kept, Standing]]:
            kept = budget_list(tx)
            found = standings(tx, [each.budget for each in kept], now_ms)
            return budget_watch.due(tx, list(zip(kept, found, strict=True)))

        waiting = await self._database.read(due)
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
        if not kept or not self._leadership.leads(LEASE):
            return []
        mark = (event_last_seq(tx), *((each.budget, each.updated_at_ms) for each in kept))
        same = self._looked is not None and self._looked[0] == mark
        if self._looked is not None and same and 0 <= now_ms - self._looked[1] < AGAIN_MS:
            return []
        found = standings(tx, [each.budget for each in kept], now_ms)
        self._looked = (mark, now_ms)
        return [
            (each, standing)
            for each, standing in zip(kept, found, strict=True)
            if budget_watch.foretold_anew(each, standing)
        ]
