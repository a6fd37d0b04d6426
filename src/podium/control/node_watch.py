"""Notices nodes whose engine has gone quiet, so that nothing new is placed on them.

What they hold stays held: it may well be running, and it is found again when the engine is back.
Only where the policy of the cluster says so it is given up, a while after the node was marked.
"""

from __future__ import annotations

import structlog

from podium.control.deadlines import LEASE
from podium.control.leadership import Leadership
from podium.domain.errors import ConflictError
from podium.domain.event import SYSTEM_ACTOR
from podium.store import lost_nodes
from podium.store.database import Database, Transaction
from podium.store.hints import Hints
from podium.store.lost_nodes import Release
from podium.store.policies import policies_fetch

QUIET_SECONDS = 16  # three reports missed
_log = structlog.get_logger(__name__)


class NodeWatch:
    def __init__(self, database: Database, hints: Hints, leadership: Leadership) -> None:
        self._database = database
        self._hints = hints
        self._leadership = leadership
        self._looked_ms: int | None = None
        self._watches_from_ms = 0

    async def step(self) -> bool:
        """True when there is more to give up."""
        if not self._leadership.leads(LEASE):
            self._looked_ms = None
            return False
        now_ms = self._database.now_ms()
        before_ms = now_ms - QUIET_SECONDS * 1000
        if await self._database.read(lambda tx: lost_nodes.node_quiet(tx, before_ms)):
            lost = await self._leadership.fenced(
                LEASE, lambda tx: lost_nodes.node_lose(tx, before_ms, now_ms)
            )
            for name in lost:
                _log.warning("node_lost", node=name, quiet_seconds=QUIET_SECONDS)
            self._hints.wake("schedule")
        # After a time in which nobody looked, such as an outage of the database, those that were
        # lost before get the time to report again.
        if self._looked_ms is None or self._looked_ms < before_ms:
            self._watches_from_ms = now_ms
        self._looked_ms = now_ms
        return self._watches_from_ms <= before_ms and await self._release(now_ms)

    async def _release(self, now_ms: int) -> bool:
        """Give up what the policy says, a part at a time. True when there is more."""

        def due(tx: Transaction) -> list[str]:
            after_ms = policies_fetch(tx).scheduling.lost_after_ms
            return [] if after_ms is None else lost_nodes.node_lost_holding(tx, now_ms - after_ms)

        more = False
        for name in await self._database.read(due):
            try:
                part = await self._give_up(name, now_ms)
            except ConflictError:
                continue  # it reports again
            more |= part.more
            _log.warning(
                "node_released",
                node=name,
                replicas=part.replicas,
                workloads=len(part.workloads),
            )
            self._hints.wake("schedule", "stop", "events")
        return more

    async def _give_up(self, name: str, now_ms: int) -> Release:
        return await self._leadership.fenced(
            LEASE, lambda tx: lost_nodes.node_release(tx, name, now_ms, actor=SYSTEM_ACTOR)
        )
