"""Writes down once a minute the capacity of all nodes, and how much of it is stranded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from podium.control import schedule
from podium.control.leadership import Leadership
from podium.scheduling.placing.stranded import Stock, stocks
from podium.scheduling.snapshot import Snapshot
from podium.store import samples
from podium.store.database import Database, Transaction
from podium.store.fragmentation import fragmentation_insert
from podium.store.samples import Capacity

CAPACITY_MS = 60_000


class StockCount:
    """At whole minutes, on the server that schedules. `seen` gives the snapshot that was decided on
    last, or None."""

    def __init__(
        self,
        database: Database,
        leadership: Leadership,
        seen: Callable[[], Snapshot | None] = lambda: None,
    ) -> None:
        self._database = database
        self._leadership = leadership
        self._seen = seen
        self._minute = database.now_ms() // CAPACITY_MS

    async def step(self) -> bool:
        """Does something only when a minute is over."""
        minute = self._database.now_ms() // CAPACITY_MS
        if minute > self._minute:
            self._minute = minute
            if self._leadership.leads(schedule.LEASE):
                await self._count(minute * CAPACITY_MS)
        return False

    async def _count(self, at_ms: int) -> None:
        database = self._database
        capacity: Capacity = await database.read(
            lambda tx: samples.capacity_now(tx, database.now_ms())
        )
        snapshot, found = self._seen(), list[Stock]()
        if snapshot is not None:
            # A layout and a floor of its own: the scheduler may be at work on the snapshot's.
            found = await asyncio.to_thread(stocks, snapshot.nodes, snapshot.holds, snapshot.mix)

        def write(tx: Transaction) -> None:
            samples.capacity_insert(tx, at_ms, CAPACITY_MS, capacity)
            fragmentation_insert(tx, at_ms, CAPACITY_MS, found)

        await self._leadership.fenced(schedule.LEASE, write)
