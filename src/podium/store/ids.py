"""Makes ids: unique in this process, ordered as they were made, random between processes."""

from __future__ import annotations

import secrets
import threading

from podium.domain.identity import make_id
from podium.store.clock import SteadyClock


class IdSource:
    """Within one millisecond the random part counts upward, so a batch keeps its order and
    cannot collide with itself."""

    def __init__(self, clock: SteadyClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last_ms = -1
        self._entropy = 0

    def new(self, letter: str) -> str:
        with self._lock:
            now_ms = self._clock.now_ms()
            if now_ms > self._last_ms:
                self._last_ms = now_ms
                self._entropy = secrets.randbits(31)
            else:
                self._entropy += 1
            return make_id(letter, self._last_ms, self._entropy)
