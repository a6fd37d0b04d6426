"""Ends what has passed its deadline, whether it runs or still waits."""

from __future__ import annotations

from podium.control.leadership import Leadership
from podium.domain.lifecycle import WorkloadEvent, WorkloadState
from podium.domain.reason import Cause
from podium.store import lifecycle, limits
from podium.store.database import Database, Transaction
from podium.store.hints import Hints

LEASE = "upkeep"
_BATCH = 200
_MESSAGE = "Its deadline has passed."


class Deadlines:
    def __init__(self, database: Database, hints: Hints, leadership: Leadership) -> None:
        self._database = database
        self._hints = hints
        self._leadership = leadership

    async def step(self) -> bool:
        """True when there may be more."""
        if not self._leadership.leads(LEASE):
            return False
        now_ms = self._database.now_ms()
        overdue = await self._database.read(lambda tx: limits.workload_overdue(tx, now_ms, _BATCH))
        if not overdue:
            return False

        def end(tx: Transaction) -> None:
            for each in overdue:
                # One at a time: the end of one may have ended others that depend on it.
                row = lifecycle.workload_rows(tx, [each]).get(each)
                if (
                    row is None
                    or row["ended_at_ms"] is not None
                    or row["state"] == WorkloadState.STOPPING
                ):
                    continue
                if row["state"] == WorkloadState.QUEUED:
                    lifecycle.workload_withdraw(
                        tx, row, WorkloadEvent.FAILED, Cause.DEADLINE, now_ms, message=_MESSAGE
                    )
                else:
                    lifecycle.workload_stop(tx, row, Cause.DEADLINE, now_ms, message=_MESSAGE)

        await self._leadership.fenced(LEASE, end)
        self._hints.wake("stop", "schedule", "events")
        return len(overdue) == _BATCH
