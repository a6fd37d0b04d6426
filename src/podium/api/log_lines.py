"""Lines of several replicas' logs as one log, in the order of time: read both ways, and searched.

`log_pages` and `logs` call it. Logs are read in blocks, so memory is bounded however long they
are; a place in a log is the byte offset at which a line begins.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from podium.domain.allocation import Allocation
from podium.domain.errors import NotFoundError
from podium.engines.contract import Engine, LogChunk

BLOCK_BYTES = 65_536
_REACH_BYTES_MAX = 16 * 2**20
_LINE_BYTES_MAX = 32_768  # above the longest line that an engine keeps
_TERMINAL_CODES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line. It lies between `offset` and `end` of its log; `stream` is out, err or podium."""

    at_ms: int | None
    rank: int
    attempt: int
    offset: int
    end: int
    stream: str
    text: str


def line_of(
    raw: str, *, rank: int, attempt: int, offset: int, last_at_ms: int | None = None
) -> Line:
    """From an engine's `<milliseconds> <o|e> <text>`; what is torn takes the time before it."""
    end = offset + len(raw.encode()) + 1
    at_ms, _, rest = raw.partition(" ")
    stream, _, text = rest.partition(" ")
    if stream not in ("o", "e") or not at_ms.isdigit():
        return Line(last_at_ms, rank, attempt, offset, end, "out", raw)
    return Line(int(at_ms), rank, attempt, offset, end, "out" if stream == "o" else "err", text)


def gap(rank: int, attempt: int, start: int, end: int, at_ms: int | None) -> Line:
    """Podium's own line in place of what rotation or a full disk took."""
    text = f"[{end - start:,} bytes of this log are gone]"
    return Line(at_ms, rank, attempt, start, end, "podium", text)


class Needle:
    """Words that are looked for in lines, whatever their case and between any colour codes."""

    def __init__(self, words: str) -> None:
        self._words = words.casefold()

    def in_text(self, text: str) -> bool:
        if "\x1b" in text:
            text = _TERMINAL_CODES.sub("", text)
        return self._words in text.casefold()

    def chosen(self, lines: list[Line]) -> list[Line]:
        if not self.in_text("\n".join(each.text for each in lines)):
            return []
        return [each for each in lines if self.in_text(each.text)]


@dataclass(slots=True)
class Budget:
    """How much one request may read before it answers with what it has."""

    bytes_left: int
    bytes_read: int = 0

    @property
    def spent(self) -> bool:
        return self.bytes_left <= 0

    def take(self, count: int) -> None:
        self.bytes_left -= count
        self.bytes_read += count


class Log:
    """The log of one attempt of one replica."""

    def __init__(self, engine: Engine, held: Allocation) -> None:
        self.engine = engine
        self.held = held
        self.key = f"{held.rank}.{held.attempt}"

    async def end(self) -> int:
        """Where the next line will begin."""
        return (await self._read(-1, 1)).next_offset

    async def start(self) -> int:
        """Where the first line that is still kept begins."""
        return (await self._read(0, 1)).offset

    async def forward(self, offset: int, until: int | None = None) -> AsyncIterator[list[Line]]:
        """Blocks from `offset` to `until`, or to where the log ends now."""
        while until is None or offset < until:
            limit = BLOCK_BYTES if until is None else min(BLOCK_BYTES, until - offset)
            chunk = await self._read(offset, limit)
            lines = self._lines(chunk)
            if until is not None:  # after a gap a chunk begins later than it was asked to
                lines = [each for each in lines if each.offset < until]
            if lines:
                yield lines
            if chunk.next_offset <= offset:
                return
            offset = chunk.next_offset

    async def backward(self, before: int) -> AsyncIterator[tuple[int, list[Line]]]:
        """Blocks that end at `before`, later ones first, each with the place where it begins;
        lines within a block are in their own order."""
        first, reach = await self.start(), BLOCK_BYTES
        while before > first:
            start = await self.line_start(max(first, before - reach))
            if start >= before:  # nothing was kept there
                reach = min(reach * 4, _REACH_BYTES_MAX)
                before = max(first, before - reach) if reach == _REACH_BYTES_MAX else before
                continue
            block: list[Line] = []
            async for lines in self.forward(start, before):
                block += lines
            yield start, block
            before, reach = start, BLOCK_BYTES
        if first > 0 and before > 0:
            yield 0, [gap(self.held.rank, self.held.attempt, 0, first, None)]

    async def line_start(self, offset: int) -> int:
        """The first start of a line at or after `offset`."""
        if offset <= 0:
            return 0
        chunk = await self._read(offset - 1, _LINE_BYTES_MAX)
        if chunk.lost_bytes:
            return chunk.offset
        # Counted from the end: what is cut at its beginning may be no whole characters.
        return chunk.next_offset - sum(len(each.encode()) + 1 for each in chunk.lines[1:])

    async def line_at(self, offset: int) -> Line | None:
        lines = self._lines(await self._read(await self.line_start(offset), 1))
        return lines[0] if lines else None

    async def place_at(self, at_ms: int) -> int:
        """Where the first line written at `at_ms` or later begins."""
        low, high = await self.start(), await self.end()
        while high - low > BLOCK_BYTES:
            middle = (low + high) // 2
            line = await self.line_at(middle)
            if line is not None and (line.at_ms or 0) < at_ms and line.offset < high:
                low = line.offset
            else:
                high = middle
        async for lines in self.forward(low):
            for line in lines:
                if (line.at_ms or 0) >= at_ms:
                    return line.offset
        return await self.end()

    async def _read(self, offset: int, limit_bytes: int) -> LogChunk:
        try:
            return await self.engine.read_log(self.held.id, offset=offset, limit_bytes=limit_bytes)
        except NotFoundError:  # not started yet, or removed long after its end
            place = max(0, offset)
            return LogChunk(place, place, (), 0, complete=False)

    def _lines(self, chunk: LogChunk) -> list[Line]:
        return chunk_lines(chunk, self.held.rank, self.held.attempt)


def chunk_lines(chunk: LogChunk, rank: int, attempt: int) -> list[Line]:
    """A chunk's lines with their places; what was lost before them stands as a line of its own."""
    lines: list[Line] = []
    offset, at_ms = chunk.offset, None
    for raw in chunk.lines:
        line = line_of(raw, rank=rank, attempt=attempt, offset=offset, last_at_ms=at_ms)
        lines.append(line)
        offset, at_ms = line.end, line.at_ms
    if chunk.lost_bytes:
        first_at_ms = lines[0].at_ms if lines else None
        start = chunk.offset - chunk.lost_bytes
        lines.insert(0, gap(rank, attempt, start, chunk.offset, first_at_ms))
    return lines


class Cursor:
    """A reader of one log, one line at a time, in either direction. `place` is where it is:
    every line on its way up to there was taken, or did not have the words."""

    def __init__(
        self,
        log: Log,
        place: int,
        *,
        backward: bool = False,
        until: int | None = None,
        needle: Needle | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.log = log
        self.place = place
        self.pending: Line | None = None
        self.order = 0
        self._first = True
        self._backward = backward
        self._needle = needle
        self._budget = budget
        self._lines: list[Line] = []  # those of the block that are left, the next one last
        self._block_end = place
        self._blocks = log.backward(place) if backward else _placed(log.forward(place, until))

    async def advance(self) -> bool:
        """Makes the next line pending. False at the end, and when the budget is spent."""
        while not self._lines:
            self.place, self.pending = self._block_end, None
            if self._budget is not None and self._budget.spent:
                return False
            try:
                self._block_end, block = await anext(self._blocks)
            except StopAsyncIteration:
                return False
            if self._budget is not None and block:
                self._budget.take(abs(self._block_end - self.place))
                await asyncio.sleep(0)  # others want to be answered too
            if self._needle is not None and block:
                block = self._needle.chosen(block)
            self._lines = block if self._backward else block[::-1]
        line = self._lines.pop()
        self.pending = line
        self.place = line.end if self._backward else line.offset
        # A clock that was set back takes no line out of the order of its own log.
        if line.at_ms is not None:
            order = -line.at_ms if self._backward else line.at_ms
            self.order = order if self._first else max(self.order, order)
            self._first = False
        return True


async def _placed(blocks: AsyncIterator[list[Line]]) -> AsyncIterator[tuple[int, list[Line]]]:
    async for lines in blocks:
        yield lines[-1].end, lines


async def merged(cursors: Sequence[Cursor]) -> AsyncIterator[Line]:
    """Their lines in the order of time, or against it. A line was taken when the next is asked
    for, so `place` of each cursor is right whenever one stops in between."""
    heap: list[tuple[int, int]] = []
    for number, cursor in enumerate(cursors):
        if await cursor.advance():
            heap.append((cursor.order, number))
    heapify(heap)
    while heap:
        _, number = heappop(heap)
        cursor = cursors[number]
        line = cursor.pending
        assert line is not None, "only cursors with a line are in the heap"
        yield line
        if await cursor.advance():
            heappush(heap, (cursor.order, number))
