"""The time that everything is stamped with: the machine's clock at start, then steady.

Adding the monotonic clock to the wall clock read once means that a wall clock which jumps while
the server runs can neither expire work early nor write times that run backwards. The drift shows
in health and metrics; a restart adopts the new time.
"""

from __future__ import annotations

import time


class SteadyClock:
    def __init__(self) -> None:
        self._wall_ms = time.time_ns() // 1_000_000
        self._monotonic_ms = time.monotonic_ns() // 1_000_000

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC; never runs backwards while the process lives."""
        return self._wall_ms + time.monotonic_ns() // 1_000_000 - self._monotonic_ms

    def drift_ms(self) -> int:
        """How far the machine's clock has moved away from ours since the start."""
        return time.time_ns() // 1_000_000 - self.now_ms()
