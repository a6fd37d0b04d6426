"""Wake-ups between rooms after a commit. A hint carries no data and may be lost: every loop also
looks by itself now and then, so a missed hint costs time and never correctness."""

from __future__ import annotations

import asyncio
import contextlib


class Hints:
    """Named in-process signals. `wake` is called on the event loop's thread."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}

    def wake(self, *names: str) -> None:
        for name in names:
            for event in self._waiting.get(name, ()):
                event.set()

    def listener(self, *names: str) -> Listener:
        event = asyncio.Event()
        for name in names:
            self._waiting.setdefault(name, set()).add(event)
        return Listener(self, names, event)

    def _forget(self, names: tuple[str, ...], event: asyncio.Event) -> None:
        for name in names:
            self._waiting[name].discard(event)


class Listener:
    """Hears its names from the moment it is made, so nothing slips between look and wait."""

    def __init__(self, hints: Hints, names: tuple[str, ...], event: asyncio.Event) -> None:
        self._hints = hints
        self._names = names
        self.event = event

    async def wait(self, timeout_seconds: float) -> bool:
        """True when woken, False when the time ran out. Clears the signal."""
        with contextlib.suppress(TimeoutError):
            # Not wait_for, which forgets that it was cancelled when a signal comes with it.
            async with asyncio.timeout(timeout_seconds):
                await self.event.wait()
        # Asked of the event itself: a signal may come in the moment when the time runs out.
        woken = self.event.is_set()
        self.event.clear()
        return woken

    def close(self) -> None:
        self._hints._forget(self._names, self.event)
