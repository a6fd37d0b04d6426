"""Following the log of one workload: first what was written, in the order of time, then what is.

`logs` makes a Follower for each reader. It goes on over retries and replicas that start later.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence

from podium.api.context import Context
from podium.api.log_lines import Cursor, Line, Log, merged
from podium.api.log_pages import line_document, page_before, places_of, token
from podium.api.log_tail import Piece
from podium.api.streams import Stream, frame
from podium.domain.errors import NotFoundError
from podium.domain.lifecycle import WORKLOAD_ENDS
from podium.domain.tenancy import Scope
from podium.domain.workload import Workload
from podium.store import workloads

FOLLOWED_MAX = 256
_QUICK_SECONDS = 0.02
_IDLE_SECONDS = 1.0
_FRAME_LINES = 200


class Follower:
    """`latest` lists the logs there are now; `ranks` is how many were chosen, None for all. It
    begins with the `last` lines of all together, or the `tail` of each, or with the first."""

    def __init__(
        self,
        context: Context,
        scope: Scope,
        workload_id: str,
        latest: Callable[[], Awaitable[list[Log]]],
        ranks: int | None,
        *,
        tail: int | None,
        last: int | None,
    ) -> None:
        self._context = context
        self._scope = scope
        self._workload_id = workload_id
        self._latest = latest
        self._ranks = ranks
        self._tail = tail
        self._last = last
        self._places: dict[str, int] = {}
        self._queue: asyncio.Queue[tuple[str, Piece | None]] = asyncio.Queue(64)
        self._readers: dict[str, asyncio.Task[None]] = {}

    async def run(self, stream: Stream, places: dict[str, int]) -> None:
        self._places = places
        pause_seconds = _QUICK_SECONDS
        first = True
        try:
            while True:
                workload = await self._workload()
                logs = await self._latest()
                if first:
                    await self._catch_up(stream, logs)
                    first = False
                self._start_readers(logs)
                ended = workload.state in WORKLOAD_ENDS
                while not self._idle() or not self._queue.empty():
                    item = await self._next(workload)
                    if item is None:
                        break
                    pause_seconds = _QUICK_SECONDS
                    key, piece = item
                    if piece is None:
                        continue
                    self._places[key] = piece.next_offset
                    if piece.json_text != "[]":
                        await stream.send(frame("lines", piece.json_text, token(self._places)))
                if self._idle() and self._queue.empty():
                    if ended:
                        await stream.send(frame("end", "{}"))
                        return
                    # Not started yet, or its end is about to be written down.
                    await asyncio.sleep(pause_seconds)
                    pause_seconds = min(_IDLE_SECONDS, pause_seconds * 1.5)
        finally:
            for task in self._readers.values():
                task.cancel()
            await asyncio.gather(*self._readers.values(), return_exceptions=True)

    async def _catch_up(self, stream: Stream, logs: Sequence[Log]) -> None:
        """What several replicas wrote before now; each reader goes on from where this ends."""
        if self._last is not None and not self._places:
            await self._begin(stream, logs, self._last)
            return
        for each in logs:
            if each.key not in self._places and self._tail is not None:
                self._places[each.key] = await tail_offset(each, self._tail)
        if len(logs) < 2:
            return
        cursors = [
            Cursor(each, self._places.get(each.key, 0), until=await each.end()) for each in logs
        ]
        lines: list[Line] = []
        async for line in merged(cursors):
            if len(lines) >= _FRAME_LINES:
                await self._send(stream, cursors, lines)
                lines = []
            lines.append(line)
        await self._send(stream, cursors, lines)

    async def _begin(self, stream: Stream, logs: Sequence[Log], last: int) -> None:
        page = await page_before(logs, None, last)
        self._places = places_of(page.newer)
        frames = [("begin", json.dumps({"older": page.older}))]
        frames += [
            ("lines", _lines_json(page.items[at : at + _FRAME_LINES]))
            for at in range(0, len(page.items), _FRAME_LINES)
        ]
        for number, (name, text) in enumerate(frames, 1):
            # A reader that breaks off before the end of it begins again.
            event_id = page.newer if number == len(frames) and page.newer else None
            await stream.send(frame(name, text, event_id))

    async def _send(self, stream: Stream, cursors: Sequence[Cursor], lines: list[Line]) -> None:
        self._places.update({each.log.key: each.place for each in cursors})
        if lines:
            await stream.send(frame("lines", _lines_json(lines), token(self._places)))

    def _idle(self) -> bool:
        return all(task.done() for task in self._readers.values())

    async def _next(self, workload: Workload) -> tuple[str, Piece | None] | None:
        """What a reader has next; None when it is time to look for replicas that started since."""
        wanted = self._ranks or workload.replicas.maximum
        if len(self._readers) >= wanted:
            return await self._queue.get()
        try:
            async with asyncio.timeout(_IDLE_SECONDS):
                return await self._queue.get()
        except TimeoutError:
            return None

    async def _workload(self) -> Workload:
        return await self._context.database.read(
            lambda tx: workloads.workload_fetch(tx, self._scope, self._workload_id)
        )

    def _start_readers(self, logs: Sequence[Log]) -> None:
        for log in logs:
            if log.key in self._readers or len(self._readers) >= 4 * FOLLOWED_MAX:
                continue
            offset = self._places.get(log.key, 0)
            self._readers[log.key] = asyncio.create_task(self._read(log, offset))

    async def _read(self, log: Log, offset: int) -> None:
        tails = self._context.log_tails
        pause_seconds = _QUICK_SECONDS
        last_look = False
        while True:
            try:
                async for piece in tails.follow(log.engine, log.held, offset):
                    await self._queue.put((log.key, piece))
            except NotFoundError:
                # Scheduled, but not started yet; or removed long after its end.
                if log.held.released_at_ms is not None or last_look:
                    break
                last_look = (await self._workload()).state in WORKLOAD_ENDS
                if not last_look:
                    await asyncio.sleep(pause_seconds)
                    pause_seconds = min(_IDLE_SECONDS, pause_seconds * 1.5)
            else:
                break
        await self._queue.put((log.key, None))


def _lines_json(lines: Sequence[Line]) -> str:
    documents = [line_document(each) for each in lines]
    return json.dumps(documents, ensure_ascii=False, separators=(",", ":"))


async def tail_offset(log: Log, count: int) -> int:
    """Where the last `count` lines begin."""
    end = await log.end()
    cursor = Cursor(log, end, backward=True)
    for _ in range(count):
        if not await cursor.advance():
            break
    # Not beyond the last line that was counted.
    return cursor.pending.offset if cursor.pending is not None else min(end, cursor.place)
