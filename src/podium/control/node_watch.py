"""Notices nodes whose engine has gone quiet, so that nothing new is placed on them.

What they hold stays held: it may well be running, and it is found again when the engine is back.
"""

from __future__ import annotations

import structlog

from podium.control.deadlines import LEASE
from podium.control.leadership import Leadership
from podium.store import nodes
from podium.store.database import Database
from podium.store.hints import Hints

QUIET_SECONDS = 16  # three reports missed
_log = structlog.get_logger(__name__)


class NodeWatch:
    def __init__(self, database: Database, hints: Hints, leadership: Leadership) -> None:
        self._database = database
        self._hints = hints
        self._leadership = leadership

    async def step(self) -> bool:
        if not self._leadership.leads(LEASE):
            return False
        before_ms = self._database.now_ms() - QUIET_SECONDS * 1000
        if not await self._database.read(lambda tx: nodes.node_quiet(tx, before_ms)):
            return False
        lost = await self._leadership.fenced(LEASE, lambda tx: nodes.node_lose(tx, before_ms))
        for name in lost:
            _log.warning("node_lost", node=name, quiet_seconds=QUIET_SECONDS)
        self._hints.wake("schedule")
        return False
