"""Answers questions about what the scheduler would do: one at a time, on what its last cycle saw.

The API asks: why something waits, what would become of a wish, what a change would do. While
another server leads, a picture of its own stands in.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TypeVar

from podium.control.schedule import SEED, Sight
from podium.domain.errors import BusyError, TemporaryError
from podium.scheduling.decide import decide
from podium.store.database import Database, Transaction
from podium.store.picture import Picture

Result = TypeVar("Result")

ASKED_MAX = 16
LONG_MAX = 2
"""Who asks while so many others do is told to come back."""

LIMIT_SECONDS = 10.0
LONG_LIMIT_SECONDS = 45.0
_FRESH_MS = 2_000


class Foresight:
    """`sight` is that of the scheduler of this server, None while others lead; `turn` is its."""

    def __init__(
        self, database: Database, sight: Callable[[], Sight | None], turn: threading.Lock
    ) -> None:
        self._database = database
        self._sight = sight
        self._turn = turn
        self._picture = Picture()
        self._own: Sight | None = None
        self._looking = asyncio.Lock()
        self._short = _Counter(ASKED_MAX, LIMIT_SECONDS, "podium-explain")
        self._long = _Counter(LONG_MAX, LONG_LIMIT_SECONDS, "podium-what-if")

    async def ask(self, function: Callable[[Sight], Result]) -> Result:
        """`function` of the last cycle, with the views that it made. It takes milliseconds, because
        the scheduler waits for it. Raises BusyError, and TemporaryError when it takes too long."""
        async with self._short.turn():
            sight = await self.look()
            return await self._short.run(lambda: self._in_turn(function, sight))

    async def ask_long(self, function: Callable[[Sight], Result]) -> Result:
        """The same on a copy of the snapshot, which the scheduler does not wait for."""
        async with self._long.turn():
            sight = await self.look()
            copy = replace(sight, snapshot=replace(sight.snapshot))
            return await self._long.run(lambda: function(copy))

    async def look(self) -> Sight:
        """The last cycle of this server's scheduler, or what it would have seen."""
        sight = self._sight()
        if sight is not None:
            self._own = None
            self._picture.forget()
            return sight
        async with self._looking:
            own = self._own
            if own is None or self._database.now_ms() - own.now_ms > _FRESH_MS:
                own = self._own = await self._database.read(self._decide)
            return own

    def close(self) -> None:
        self._short.close()
        self._long.close()

    def _in_turn(self, function: Callable[[Sight], Result], sight: Sight) -> Result:
        # A cycle may take long, and nobody waits for the answer by then.
        if not self._turn.acquire(timeout=LIMIT_SECONDS):
            raise TemporaryError("The scheduler is at work.", retry_after_seconds=5.0)
        try:
            return function(sight)
        finally:
            self._turn.release()

    def _decide(self, tx: Transaction) -> Sight:
        with self._turn:
            now_ms = self._database.now_ms()
            seen = self._picture.look(tx, now_ms)
            return Sight(seen, decide(seen, now_ms, SEED), now_ms, self._picture.learnt)


class _Counter:
    """Where one is served at a time, and not too many stand in line."""

    def __init__(self, most: int, limit_seconds: float, name: str) -> None:
        self._most = most
        self._limit_seconds = limit_seconds
        self._asking = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        if self._asking >= self._most:
            raise BusyError(
                "Many people ask what the scheduler would do. Try again in a moment.",
                retry_after_seconds=1.0,
            )
        self._asking += 1
        try:
            async with asyncio.timeout(self._limit_seconds):
                yield
        except TimeoutError:
            raise TemporaryError(
                f"This takes longer than {self._limit_seconds:.0f} s now. Try again later.",
                retry_after_seconds=5.0,
            ) from None
        finally:
            self._asking -= 1

    async def run(self, function: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
