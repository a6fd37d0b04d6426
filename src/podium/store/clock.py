"""The time that everything is stamped with: the machine's clock at start, then steady.

Adding the monotonic clock to the wall clock read once means that a wall clock which jumps while
the server runs can neither expire work early nor write times that run backwards. The drift shows
in health and metrics; a restart adopts the new time.
"""

from __future__ import annotations

import time
from collections.abc import Callable

_AHEAD_MS_MAX = 2 * 86_400_000


class SteadyClock:
    """`wall_ns` and `monotonic_ns` tell nanoseconds, as the functions of `time` do."""

    def __init__(
        self,
        *,
        wall_ns: Callable[[], int] = time.time_ns,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._wall_ns = wall_ns
        self._monotonic_ns = monotonic_ns
        self._ahead_ms = wall_ns() // 1_000_000 - monotonic_ns() // 1_000_000

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC; never runs backwards while the process lives."""
        return self._ahead_ms + self._monotonic_ns() // 1_000_000

    def not_before(self, floor_ms: int) -> bool:
        """Start at `floor_ms` instead, the time of the last thing that was written, when the
        machine's clock was set back since. Returns False, and changes nothing, when the floor is
        so far ahead that it must have been the wrong one."""
        ahead_ms = floor_ms - self.now_ms()
        if ahead_ms > _AHEAD_MS_MAX:
            return False
        self._ahead_ms += max(0, ahead_ms)
        return True

    def drift_ms(self) -> int:
        """How far the machine's clock has moved away from ours since the start."""
        return self._wall_ns() // 1_000_000 - self.now_ms()
