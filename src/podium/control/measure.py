"""Writes down what the work of one engine really uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from podium.control.machine import Machine
from podium.engines.contract import AllocationMeasure, DeviceMeasure
from podium.store import samples
from podium.store.database import Transaction

ROUND_MS = 10_000
_OF_ALLOCATION = tuple(field.name for field in fields(AllocationMeasure))
_OF_DEVICE = tuple(field.name for field in fields(DeviceMeasure))


class Measurer:
    """Rounds are at whole multiples of 10 s on the steady clock, on every server the same, so
    that samples of several machines belong together."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._round = self._now_ms() // ROUND_MS

    async def step(self) -> bool:
        """Does something only when a round is due."""
        number = self._now_ms() // ROUND_MS
        if number > self._round:
            self._round = number
            if self._machine.leads:
                await self._measure(number * ROUND_MS)
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

    def _now_ms(self) -> int:
        return self._machine.database.now_ms()


def _values(measure: object, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(measure, name) for name in names}
