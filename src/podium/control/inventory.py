"""Brings what the engine sees of its machines into the store."""

from __future__ import annotations

from podium.control.machine import Machine
from podium.store import nodes


class Inventory:
    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    async def step(self) -> bool:
        machine = self._machine
        if not machine.leadership.leads(machine.lease):
            return False
        seen = await machine.engine.inventory()
        changed = await machine.leadership.fenced(
            machine.lease,
            lambda tx: nodes.node_report(tx, machine.engine.name, seen, machine.database.now_ms()),
        )
        first = not machine.nodes
        machine.nodes = tuple(node.name for node in seen)
        if changed:
            machine.hints.wake("schedule")
        if first:
            machine.hints.wake("launch", "observe", "stop")
        return False
