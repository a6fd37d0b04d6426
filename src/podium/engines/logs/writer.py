"""Writes one allocation's log: whole stamped lines, in segments that carry their first offset.

Called by the shim of a local job, and by the keeper of what pods say. Offsets count every byte of
the log since the start. What rotation deletes or a full disk refuses is a gap between segments, so
readers see how much is missing and where.
"""

# Paths are plain strings: a shim holds in memory what it imports, and pathlib is large
# ruff: noqa: PTH108

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Sequence

LOG_PREFIX = "log."
LINE_BYTES_MAX = 16 * 1024
_RETRY_SECONDS = 1.0


def segment_name(offset: int) -> str:
    return f"{LOG_PREFIX}{offset:020d}"


class LineSplitter:
    """Cuts one stream into stamped lines, keeping the unfinished one until more comes."""

    def __init__(self, tag: bytes) -> None:
        self._tag = tag
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        """Stamped lines, ready to write."""
        whole, newline, rest = data.rpartition(b"\n")
        if not newline:
            self._rest += data
            if len(self._rest) <= LINE_BYTES_MAX:
                return b""
            lines, self._rest = _pieces(self._rest)
        else:
            lines = (self._rest + whole).split(b"\n")
            self._rest = rest
        return self._stamped(lines)

    def end(self) -> bytes:
        """The last line, when the stream ended without a newline."""
        lines, self._rest = ([self._rest] if self._rest else []), b""
        return self._stamped(lines)

    def _stamped(self, lines: list[bytes]) -> bytes:
        return stamped(lines, b"%d %s " % (time.time_ns() // 1_000_000, self._tag))


def stamped(lines: Sequence[bytes], stamp: bytes) -> bytes:
    """Lines of the log out of what was said at one time; long ones in pieces."""
    made = []
    for line in lines:
        if len(line) > LINE_BYTES_MAX:
            pieces, last = _pieces(line)
            made += [stamp + piece for piece in (*pieces, last)]
        else:
            made.append(stamp + line)
    if not made:
        return b""
    text = b"\n".join(made) + b"\n"
    try:
        text.decode()
    except UnicodeDecodeError:
        return text.decode("utf-8", "replace").encode()
    return text


def _pieces(line: bytes) -> tuple[list[bytes], bytes]:
    pieces, start = [], 0
    while len(line) - start > LINE_BYTES_MAX:
        end = start + LINE_BYTES_MAX
        while end > start + LINE_BYTES_MAX - 4 and line[end] & 0xC0 == 0x80:
            end -= 1  # do not cut a character in two
        pieces.append(line[start:end])
        start = end
    return pieces, line[start:]


class LogWriter:
    """Appends to segments, rotates them, and never raises for want of disk. It goes on at
    `end_offset` behind the segments that start at `kept`."""

    def __init__(
        self,
        folder: str,
        *,
        segment_bytes_max: int,
        segments_max: int,
        kept: Sequence[int] = (),
        end_offset: int = 0,
    ) -> None:
        self._folder = folder
        self._segment_bytes_max = segment_bytes_max
        self._segments_max = segments_max
        self._descriptor: int | None = None
        self._size = 0
        self._lost_bytes = 0
        self._lost_why = ""
        self._retry_at = 0.0
        self._segments = list(kept)
        self.end_offset = end_offset  # of all that was said, also what is lost at the end

    def write(self, lines: bytes) -> None:
        """`lines` ends with a newline or is empty."""
        if not lines:
            return
        if self._lost_bytes:
            if time.monotonic() < self._retry_at or not self._resume():
                self._lose(len(lines), self._lost_why)
                return
        elif self._descriptor is None or self._size + len(lines) > self._segment_bytes_max:
            try:
                self._open_segment()
            except OSError as error:
                self._lose(len(lines), _why(error))
                return
        self._append(lines)

    def note(self, text: str) -> None:
        """A line of Podium's own in the log."""
        self.write(b"%d e podium: %s\n" % (time.time_ns() // 1_000_000, text.encode()))

    def close(self) -> None:
        if self._lost_bytes:
            self._resume()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _append(self, lines: bytes) -> bool:
        assert self._descriptor is not None
        written = 0
        try:
            written = os.write(self._descriptor, lines)
            while written < len(lines):
                written += os.write(self._descriptor, lines[written:])
        except OSError as error:
            kept = lines.rfind(b"\n", 0, written) + 1
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._size + kept)
            self._size += kept
            self.end_offset += kept
            self._lose(len(lines) - kept, _why(error))
            return False
        self._size += len(lines)
        self.end_offset += len(lines)
        while len(self._segments) > self._segments_max:
            self._delete_segment(self._segments.pop(0))
        return True

    def _resume(self) -> bool:
        """Tries again after a loss: a new segment behind the gap, which first tells of it."""
        lost_bytes, why = self._lost_bytes, self._lost_why
        marker = b"%d e podium: %d bytes of output were lost here because %s.\n" % (
            time.time_ns() // 1_000_000,
            lost_bytes,
            why.encode(),
        )
        try:
            self._open_segment()
        except OSError as error:
            self._lose(0, _why(error))
            return False
        self._lost_bytes = 0
        if self._append(marker):
            return True
        self._lost_bytes, self.end_offset = lost_bytes, self.end_offset - len(marker)
        self._delete_segment(self._segments.pop())
        return False

    def _lose(self, count: int, why: str) -> None:
        self._lost_bytes += count
        self.end_offset += count
        self._lost_why = why
        self._retry_at = time.monotonic() + _RETRY_SECONDS

    def _open_segment(self) -> None:
        descriptor = os.open(
            f"{self._folder}/{segment_name(self.end_offset)}",
            os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC,
            0o600,
        )
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor, self._size = descriptor, 0
        self._segments.append(self.end_offset)

    def _delete_segment(self, offset: int) -> None:
        with contextlib.suppress(OSError):
            os.unlink(f"{self._folder}/{segment_name(offset)}")


def _why(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk was full"
    return f"the log could not be written ({os.strerror(error.errno or 0)})"
