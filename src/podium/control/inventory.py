"""Brings what the engine sees of its machines into the store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from podium.control.machine import Machine
from podium.store import clusters, nodes
from podium.store.database import Transaction

_SECONDS_MAX = 30.0

Told = Callable[[Exception | None], None]
"""Hears each time whether the engine answered: None when it did."""


class Inventory:
    """With `told` the engine is also asked while another server works on it."""

    def __init__(self, machine: Machine, told: Told | None = None) -> None:
        self._machine = machine
        self._told = told

    async def step(self) -> bool:
        machine = self._machine
        leads = machine.leadership.leads(machine.lease)
        if not leads and self._told is None:
            return False
        try:
            async with asyncio.timeout(_SECONDS_MAX):
                seen = await machine.engine.inventory()
        except Exception as error:
            if self._told is not None:
                self._told(error)
            raise
        if self._told is not None:
            self._told(None)
        if not leads:
            return False

        def report(tx: Transaction) -> tuple[bool, tuple[str, ...]]:
            name = machine.engine.name
            changed = nodes.node_report(tx, name, seen, machine.database.now_ms())
            # Also those that are gone: what they held is still to be seen to its end.
            return changed, clusters.node_names(tx, name)

        changed, names = await machine.leadership.fenced(machine.lease, report)
        first = not machine.nodes
        machine.nodes = names
        if changed:
            machine.hints.wake("schedule")
        if first:
            machine.hints.wake("launch", "observe", "stop")
        return False
