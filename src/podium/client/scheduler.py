"""The scheduler's cycles, for administrators. Reached as `client.scheduler`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from podium.client import paging
from podium.client.transport import Transport, path_of
from podium.spec.views.base import Page
from podium.spec.views.scheduler import (
    CalibrationView,
    CycleDetailView,
    CyclesKeptView,
    CyclesView,
    CycleView,
    GaveWayView,
    ReplayView,
    SchedulerMinutesView,
)


class Scheduler:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def cycles(self, *, limit: int | None = None) -> Iterator[CycleView]:
        """Those that changed something and are still kept, newest first."""
        return paging.items(self._transport, CyclesView, "/scheduler/cycles", limit=limit)

    def kept(self) -> CyclesKeptView:
        """How many cycles are kept, and how many may be."""
        found = self._transport.fetch(CyclesView, "/scheduler/cycles", params={"limit": 1})
        return found.kept

    def cycle(self, cycle_id: int) -> CycleDetailView:
        """One, with the first of what it decided. Raises NotFoundError."""
        return self._transport.fetch(CycleDetailView, path_of("scheduler", "cycles", str(cycle_id)))

    def record(self, cycle_id: int, *, anonymise: bool = False) -> bytes:
        """Everything that it saw, as a file for `podium replay`. Raises NotFoundError."""
        path = path_of("scheduler", "cycles", str(cycle_id), "record")
        return self._transport.send("GET", path, params={"anonymise": anonymise}).content

    def replay(self, cycle_id: int) -> ReplayView:
        """Decides it again on the server, and compares. Raises NotFoundError."""
        path = path_of("scheduler", "cycles", str(cycle_id), "replay")
        return self._transport.parse(
            ReplayView, self._transport.send("POST", path, repeatable=True)
        )

    def minutes(
        self, *, since: datetime | None = None, until: datetime | None = None, points: int = 300
    ) -> SchedulerMinutesView:
        """Cycles over time, of the last day if not said otherwise. Raises UserError."""
        return self._transport.fetch(
            SchedulerMinutesView,
            "/scheduler/minutes",
            params={
                "since": None if since is None else since.isoformat(),
                "until": None if until is None else until.isoformat(),
                "points": points,
            },
        )

    def preemptions(self, *, limit: int | None = None) -> Iterator[GaveWayView]:
        """Who gave way to whom, newest first."""
        return paging.items(
            self._transport, Page[GaveWayView], "/scheduler/preemptions", limit=limit
        )

    def calibration(self, *, hours: int = 24) -> CalibrationView:
        """How many started inside the range that they were told."""
        return self._transport.fetch(
            CalibrationView, "/scheduler/calibration", params={"hours": hours}
        )
