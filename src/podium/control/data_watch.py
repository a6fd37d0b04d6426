"""Looks now and then whether work with data stands where it should not any more, such as after the
labels of its node changed. What is found is told once (`store/data_exposure`)."""

from __future__ import annotations

import structlog

from podium.control.leadership import Leadership
from podium.domain.event import SYSTEM_ACTOR
from podium.store.data_exposure import exposed_note
from podium.store.database import Database, Transaction

PERIOD_SECONDS = 10.0
_log = structlog.get_logger(__name__)


class DataWatch:
    """Runs where deadlines are kept, under their `lease`."""

    def __init__(self, database: Database, leadership: Leadership, lease: str) -> None:
        self._database = database
        self._leadership = leadership
        self._lease = lease

    async def step(self) -> bool:
        if not self._leadership.leads(self._lease):
            return False
        now_ms = self._database.now_ms()

        def look(tx: Transaction) -> int:
            return exposed_note(tx, now_ms, SYSTEM_ACTOR)

        found = await self._leadership.fenced(self._lease, look)
        if found:
            _log.warning("data_exposed", allocations=found)
        return False
