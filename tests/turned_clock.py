"""A steady clock whose two sources the test turns by hand."""

from __future__ import annotations

from podium.store.clock import SteadyClock

START_MS = 1_767_322_245_000  # 2026-01-02 02:50:45 UTC


class TurnedClock(SteadyClock):
    """`advance` lets time pass; `jump_wall` moves the machine's clock alone, as people do."""

    def __init__(self, start_ms: int = START_MS) -> None:
        self.wall_ms = start_ms
        self.monotonic_ms = 5_000
        super().__init__(
            wall_ns=lambda: self.wall_ms * 1_000_000,
            monotonic_ns=lambda: self.monotonic_ms * 1_000_000,
        )

    def advance(self, milliseconds: int) -> int:
        """Returns the time after it."""
        self.wall_ms += milliseconds
        self.monotonic_ms += milliseconds
        return self.now_ms()

    def jump_wall(self, milliseconds: int) -> None:
        self.wall_ms += milliseconds
