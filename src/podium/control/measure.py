"""Writes down what the work of one engine really uses, and once a minute the cluster's capacity
and how much of it is stranded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

from podium.control import schedule
from podium.control.machine import Machine
from podium.engines.contract import AllocationMeasure, DeviceMeasure
from podium.scheduling.placing.stranded import Stock, stocks
from podium.scheduling.snapshot import Snapshot
from podium.store import samples
from podium.store.database import Transaction
from podium.store.fragmentation import fragmentation_insert
from podium.store.samples import Capacity

ROUND_MS = 10_000
CAPACITY_MS = 60_000
_OF_ALLOCATION = tuple(field.name for field in fields(AllocationMeasure))
_OF_DEVICE = tuple(field.name for field in fields(DeviceMeasure))


class Measurer:
    """Rounds are at whole multiples of 10 s on the steady clock, on every server the same, so
    that samples of several machines belong together. `seen` gives the snapshot that was decided on
    last, or None."""

    def __init__(
        self, machine: Machine, seen: Callable[[], Snapshot | None] = lambda: None
    ) -> None:
        self._machine = machine
        self._seen = seen
        self._round = self._now_ms() // ROUND_MS
        self._minute = self._now_ms() // CAPACITY_MS

    async def step(self) -> bool:
        """Does something only when a round is due."""
        number = self._now_ms() // ROUND_MS
        if number > self._round:
            self._round = number
            if self._machine.leads:
                await self._measure(number * ROUND_MS)
        minute = self._now_ms() // CAPACITY_MS
        if minute > self._minute:
            self._minute = minute
            if self._machine.leadership.leads(schedule.LEASE):
                await self._count(minute * CAPACITY_MS)
        return False

    async def _measure(self, at_ms: int) -> None:
        machine = self._machine
        seen = await machine.engine.measure()
        if not seen.allocations and not seen.devices:
            return

        def write(tx: Transaction) -> None:
            samples.samples_insert(
                tx,
                at_ms,
                nodes=machine.nodes,
                allocations=[_values(each, _OF_ALLOCATION) for each in seen.allocations],
                devices=[_values(each, _OF_DEVICE) for each in seen.devices],
            )

        await machine.leadership.fenced(machine.lease, write)

    async def _count(self, at_ms: int) -> None:
        machine = self._machine
        capacity: Capacity = await machine.database.read(
            lambda tx: samples.capacity_now(tx, self._now_ms())
        )
        snapshot, found = self._seen(), list[Stock]()
        if snapshot is not None:
            # A layout and a floor of its own: the scheduler may be at work on the snapshot's.
            found = await asyncio.to_thread(stocks, snapshot.nodes, snapshot.holds, snapshot.mix)

        def write(tx: Transaction) -> None:
            samples.capacity_insert(tx, at_ms, CAPACITY_MS, capacity)
            fragmentation_insert(tx, at_ms, CAPACITY_MS, found)

        await machine.leadership.fenced(schedule.LEASE, write)

    def _now_ms(self) -> int:
        return self._machine.database.now_ms()


def _values(measure: object, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(measure, name) for name in names}
