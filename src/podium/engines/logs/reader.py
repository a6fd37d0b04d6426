"""Reads the segments that a log writer leaves, at offsets that never change.

Called by the engine for each follower, so an answer at the tail costs a listing and one read,
and followers of the same lines share the work.
"""

# Paths are plain strings: they are read many times a second
# ruff: noqa: PTH116, PTH123, PTH208

from __future__ import annotations

import os
from collections import OrderedDict
from dataclasses import dataclass, replace

from podium.engines.contract import LogChunk
from podium.engines.logs.writer import LOG_PREFIX

_CHUNKS_MAX = 128
_LINE_SEARCH_BYTES = 128 * 1024  # above the longest line that a writer makes


@dataclass(frozen=True, slots=True)
class Segment:
    path: str
    start: int
    end: int


class LogReader:
    """Keeps the last few decoded chunks. Not for use from several threads at once."""

    def __init__(self) -> None:
        self._chunks: OrderedDict[tuple[str, int, int], LogChunk] = OrderedDict()

    def known(self, allocation_id: str, offset: int, limit_bytes: int) -> LogChunk | None:
        """The same answer as to whoever asked before: what a chunk held never changes."""
        return self._chunks.get((allocation_id, offset, limit_bytes))

    def read(
        self, allocation_id: str, folder: str, *, offset: int, limit_bytes: int, end: int | None
    ) -> LogChunk:
        """`end` is the final offset of an ended log, None while it grows. Raises
        FileNotFoundError when the folder, or a segment of it, moved away meanwhile."""
        segments = segments_of(folder)
        log_end = max([segment.end for segment in segments] + [end or 0])
        start = offset if offset >= 0 else _line_start(segments, max(0, log_end + offset))
        chunk = _chunk(segments, start, limit_bytes, log_end, final=end is not None)
        if end is not None and chunk.next_offset >= log_end:
            chunk = replace(chunk, complete=True)
        if chunk.lines and offset >= 0:
            self._chunks[allocation_id, offset, limit_bytes] = chunk
            while len(self._chunks) > _CHUNKS_MAX:
                self._chunks.popitem(last=False)
        return chunk

    def forget(self, allocation_id: str) -> None:
        for key in [key for key in self._chunks if key[0] == allocation_id]:
            del self._chunks[key]


def segments_of(folder: str) -> list[Segment]:
    """In order. The listing comes before the sizes: a segment with a successor is final."""
    names = sorted(
        name
        for name in os.listdir(folder)
        if name.startswith(LOG_PREFIX) and name[len(LOG_PREFIX) :].isdigit()
    )
    found = []
    for name in names:
        path = f"{folder}/{name}"
        start = int(name[len(LOG_PREFIX) :])
        found.append(Segment(path, start, start + os.stat(path).st_size))
    return found


def _chunk(
    segments: list[Segment], offset: int, limit_bytes: int, log_end: int, *, final: bool
) -> LogChunk:
    for number, segment in enumerate(segments):
        if segment.end <= offset:
            continue
        start = max(offset, segment.start)
        last = number + 1 == len(segments)
        text = _whole_lines(segment, start, limit_bytes, torn=final and last)
        if text or last:
            words = text.decode("utf-8", "replace").removesuffix("\n")
            lines = tuple(words.split("\n")) if text else ()
            return LogChunk(start, start + len(text), lines, start - offset, complete=False)
    # Nothing more was kept: whatever is said to be there is lost.
    reached = max(offset, log_end)
    return LogChunk(reached, reached, (), reached - offset, complete=False)


def _whole_lines(segment: Segment, start: int, limit_bytes: int, *, torn: bool) -> bytes:
    """Up to the last newline within the limit. `torn` gives out the last line without a newline
    too: its writer is dead."""
    with open(segment.path, "rb", buffering=0) as file:
        file.seek(start - segment.start)
        text = file.read(limit_bytes)
        cut = text.rfind(b"\n") + 1
        if cut == 0 and len(text) == limit_bytes:  # the first line alone is above the limit
            text += file.read(_LINE_SEARCH_BYTES)
            cut = text.find(b"\n") + 1
        return text[:cut] if cut or not torn else text


def _line_start(segments: list[Segment], offset: int) -> int:
    """The first start of a line at or after `offset`."""
    for segment in segments:
        if offset <= segment.start:
            return segment.start
        if offset < segment.end:
            with open(segment.path, "rb", buffering=0) as file:
                file.seek(offset - segment.start - 1)
                newline = file.read(_LINE_SEARCH_BYTES).find(b"\n")
            if newline >= 0:
                return offset + newline
    return segments[-1].end if segments else offset
