"""Keeps history bounded: old logs, then old rows."""

from __future__ import annotations

from podium.control.machine import Machine
from podium.store import allocations, nodes, retention
from podium.store.database import Transaction
from podium.store.retention import Retention

_BATCH = 500
_DAY_MS = 86_400_000


class Reaper:
    def __init__(self, machine: Machine, keep: Retention) -> None:
        self._machine = machine
        self._keep = keep

    async def step(self) -> bool:
        """True when there may be more."""
        machine = self._machine
        if not machine.leads:
            return False
        now_ms = machine.database.now_ms()
        before_ms = now_ms - self._keep.logs_days * _DAY_MS

        def gather(tx: Transaction) -> list[str]:
            engines = nodes.engine_by_node(tx).items()
            mine = [name for name, engine in engines if engine == machine.engine.name]
            return allocations.allocation_removable(tx, before_ms, _BATCH, nodes=mine)

        old = await machine.database.read(gather)
        if old:
            await machine.engine.remove(old)

        def trim(tx: Transaction) -> int:
            if old:
                allocations.allocation_mark_removed(tx, old)
            return retention.history_trim(tx, self._keep, now_ms)

        trimmed = await machine.leadership.fenced(machine.lease, trim)
        return bool(old) or trimmed > 0
