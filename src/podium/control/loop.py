"""Runs one step again and again: on a hint, or when its period is over; never too often."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from podium.domain.errors import LeaseLostError, TemporaryError
from podium.store.hints import Hints

_log = structlog.get_logger(__name__)

_REST_SECONDS_MIN = 0.005
_BACKOFF_SECONDS_MAX = 30.0


class Loop:
    """`step` returns True when it left work behind and wants to run again at once. `due_seconds`
    says after a step how soon the next one is due; the period is the most that it waits.

    After a step the loop rests at least as long as the step took (up to a second), so that a
    large cluster cannot make one loop eat the whole server, and hints gather meanwhile.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], Awaitable[bool]],
        hints: Hints,
        *,
        wake_on: tuple[str, ...] = (),
        period_seconds: float,
        due_seconds: Callable[[], float] | None = None,
    ) -> None:
        self.name = name
        self.failures = 0
        self.steps = 0
        self.busy_seconds = 0.0
        self._step = step
        self._period_seconds = period_seconds
        self._due_seconds = due_seconds
        self._listener = hints.listener(*wake_on)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                started = time.monotonic()
                again = await self._try()
                took_seconds = time.monotonic() - started
                self.steps += 1
                self.busy_seconds += took_seconds
                if self.failures:
                    await asyncio.sleep(self._backoff_seconds())
                else:
                    await asyncio.sleep(min(1.0, max(_REST_SECONDS_MIN, took_seconds)))
                    if not again:
                        await self._listener.wait(self._wait_seconds())
        finally:
            self._listener.close()

    async def _try(self) -> bool:
        try:
            again = await self._step()
        except LeaseLostError:
            return False
        except TemporaryError as error:
            self.failures += 1
            _log.warning("loop_delayed", loop=self.name, reason=error.message)
            return True
        except Exception:
            self.failures += 1
            _log.exception("loop_failed", loop=self.name, failures=self.failures)
            return True
        self.failures = 0
        return again

    def _wait_seconds(self) -> float:
        if self._due_seconds is None:
            return self._period_seconds
        return min(self._period_seconds, max(0.0, self._due_seconds()))

    def _backoff_seconds(self) -> float:
        return min(_BACKOFF_SECONDS_MAX, 0.1 * 2.0 ** min(self.failures, 10))
