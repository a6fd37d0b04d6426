"""Tells live readers that nodes, or what they hold, changed: at most once a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from podium.api.board import NEWS
from podium.api.feed import HOLDINGS
from podium.domain.errors import TemporaryError
from podium.store.database import Database
from podium.store.hints import Hints
from podium.store.nodes import node_marks

_PAUSE_SECONDS = 1.0
_log = structlog.get_logger(__name__)

Hear = Callable[[], None]


class NodeNews:
    """Looks only while somebody listens. Machines are looked at once a second, because their
    news comes from other servers, too; what they hold is heard of at once."""

    def __init__(self, database: Database, hints: Hints) -> None:
        self._database = database
        self._hints = hints
        self._hearers: set[Hear] = set()
        self._task: asyncio.Task[None] | None = None
        self._looked = asyncio.Event()

    async def watch(self, hear: Hear) -> None:
        """Whatever changes after this returns will be told."""
        self._hearers.add(hear)
        if self._task is None:
            self._looked.clear()
            self._task = asyncio.create_task(self._run())
        try:
            await self._looked.wait()
        except BaseException:
            self.leave(hear)
            raise

    def leave(self, hear: Hear) -> None:
        self._hearers.discard(hear)
        if not self._hearers and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        listener = self._hints.listener(HOLDINGS)
        known: tuple[object, ...] | None = None
        try:
            while True:
                moved = known is not None and await listener.wait(_PAUSE_SECONDS)
                try:
                    marks = await self._database.read(node_marks)
                except TemporaryError as error:
                    _log.warning("nodes could not be read", error=error.message)
                    await asyncio.sleep(_PAUSE_SECONDS)
                    continue
                changed = known is not None and marks != known
                known = marks
                self._looked.set()
                if changed:
                    self._hints.wake(NEWS)
                if changed or moved:
                    for hear in list(self._hearers):
                        hear()
                    await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            listener.close()
