"""Following logs: one reader for each allocation, shared by all who follow it.

Each follower keeps its own place in the log. At the end of the log all of them are handed the
same bytes, made once; one that fell behind reads for itself until it has caught up. So no line is
lost however slow a follower is, and five hundred cost little more than one.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

from podium.api.log_lines import chunk_lines
from podium.api.log_pages import line_document
from podium.domain.allocation import Allocation
from podium.engines.contract import Engine, LogChunk

_QUICK_SECONDS = 0.03
_FOLLOWER_SECONDS = 0.0005
_SLOW_SECONDS = 0.5
_CHUNKS_KEPT = 32
_LIMIT_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Piece:
    """Lines between two places of a log, as the JSON list that a stream sends."""

    offset: int
    next_offset: int
    json_text: str
    lost_bytes: int
    complete: bool


class LogTail:
    """The shared reader at the end of one allocation's log."""

    def __init__(self, engine: Engine, held: Allocation) -> None:
        self._engine = engine
        self._held = held
        self._recent: deque[Piece] = deque(maxlen=_CHUNKS_KEPT)
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.followers = 0

    async def pieces(self, offset: int) -> AsyncIterator[Piece]:
        """From `offset` on, until the allocation has ended and all was read."""
        while True:
            piece = self._shared(offset)
            if piece is None:
                piece = await self._own(offset)
            if piece.next_offset > piece.offset or piece.complete or piece.lost_bytes:
                yield piece
                offset = piece.next_offset
                if piece.complete:
                    return
                continue
            await self._wait()

    def _shared(self, offset: int) -> Piece | None:
        for piece in self._recent:
            if piece.offset == offset and piece.next_offset > offset:
                return piece
        return None

    async def _own(self, offset: int) -> Piece:
        chunk = await self._engine.read_log(self._held.id, offset=offset, limit_bytes=_LIMIT_BYTES)
        piece = Piece(
            offset,
            chunk.next_offset,
            lines_json(self._held, chunk),
            chunk.lost_bytes,
            chunk.complete,
        )
        # Another follower may have read the same while this one waited.
        known = self._shared(offset)
        if known is None and piece.next_offset > offset:
            self._recent.append(piece)
        return known or piece

    async def _wait(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch())
        news = self._news
        await news.wait()

    async def _watch(self) -> None:
        """Look now and then whether the log grew or ended; wake everyone once it did."""
        place = self._recent[-1].next_offset if self._recent else 0
        # Waking many costs as much as reading for many, so they are woken less often.
        pause_seconds = max(_QUICK_SECONDS, self.followers * _FOLLOWER_SECONDS)
        while self.followers:
            await asyncio.sleep(pause_seconds)
            pause_seconds = max(pause_seconds, min(_SLOW_SECONDS, pause_seconds * 1.2))
            piece = self._shared(place) or await self._own(place)
            if piece.next_offset > place or piece.complete:
                break
        self._news.set()
        self._news = asyncio.Event()


class LogTails:
    """The tails that are followed now, by allocation."""

    def __init__(self) -> None:
        self._tails: dict[str, LogTail] = {}

    @property
    def followers(self) -> int:
        return sum(tail.followers for tail in self._tails.values())

    async def follow(self, engine: Engine, held: Allocation, offset: int) -> AsyncIterator[Piece]:
        tail = self._tails.setdefault(held.id, LogTail(engine, held))
        tail.followers += 1
        try:
            async for piece in tail.pieces(offset):
                yield piece
        finally:
            tail.followers -= 1
            if tail.followers == 0:
                self._tails.pop(held.id, None)


def lines_json(held: Allocation, chunk: LogChunk) -> str:
    """The chunk's lines as a JSON list of LogLineView."""
    lines = [line_document(each) for each in chunk_lines(chunk, held.rank, held.attempt)]
    return json.dumps(lines, ensure_ascii=False, separators=(",", ":"))
