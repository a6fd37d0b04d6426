"""Keeps history bounded: old logs on each engine, old rows, and uploads that nothing needs."""

from __future__ import annotations

from pathlib import Path

from podium.control.deadlines import LEASE
from podium.control.leadership import Leadership
from podium.control.machine import Machine
from podium.store import allocations, nodes, retention, submissions
from podium.store.database import Database, Transaction
from podium.store.retention import Retention

_BATCH = 500
_DAY_MS = 86_400_000


class LogReaper:
    """Of one engine."""

    def __init__(self, machine: Machine, keep: Retention) -> None:
        self._machine = machine
        self._keep = keep

    async def step(self) -> bool:
        """True when there may be more."""
        machine = self._machine
        if not machine.leads:
            return False
        before_ms = machine.database.now_ms() - self._keep.logs_days * _DAY_MS

        def gather(tx: Transaction) -> list[str]:
            engines = nodes.engine_by_node(tx).items()
            mine = [name for name, engine in engines if engine == machine.engine.name]
            return allocations.allocation_removable(tx, before_ms, _BATCH, nodes=mine)

        old = await machine.database.read(gather)
        if not old:
            return False
        await machine.engine.remove(old)
        await machine.leadership.fenced(
            machine.lease, lambda tx: allocations.allocation_mark_removed(tx, old)
        )
        return True


class Reaper:
    """Of the store, on one server of all."""

    def __init__(
        self, database: Database, leadership: Leadership, keep: Retention, uploads_path: Path
    ) -> None:
        self._database = database
        self._leadership = leadership
        self._keep = keep
        self._uploads_path = uploads_path

    async def step(self) -> bool:
        """True when there may be more."""
        if not self._leadership.leads(LEASE):
            return False
        now_ms = self._database.now_ms()
        unused_ms = now_ms - self._keep.uploads_days * _DAY_MS

        def trim(tx: Transaction) -> tuple[int, list[tuple[str, str]]]:
            trimmed = retention.history_trim(tx, self._keep, now_ms)
            return trimmed, submissions.upload_expire(tx, unused_ms, _BATCH)

        trimmed, unused = await self._leadership.fenced(LEASE, trim)
        for project, sha256 in unused:
            submissions.upload_path(self._uploads_path, project, sha256).unlink(missing_ok=True)
        return bool(unused) or trimmed > 0
