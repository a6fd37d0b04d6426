"""What pods say, kept on this server: kubelets forget it with the pod.

A log is fetched while somebody reads it, and to its end before the end of a pod is settled. How far
it was fetched is written down after its lines, so a crash between the two fetches them again in the
same place, and offsets stay. Kubelets do not tell standard output from standard error.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import math
import os
import re
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import structlog

from podium.domain.errors import NotFoundError, PermanentError, TemporaryError
from podium.engines.contract import LogChunk
from podium.engines.kubernetes.connection import Connection
from podium.engines.kubernetes.objects import Pod
from podium.engines.kubernetes.sight import main_container
from podium.engines.logs.reader import LogReader, segments_of
from podium.engines.logs.writer import LogWriter, stamped

_UNREAD_SECONDS = 120.0  # after which a log is not followed any more
_SILENCE_SECONDS = 300.0
_AGAIN_SECONDS = 0.5
_TURN_SECONDS = 2.0
_PIECE_BYTES = 16 * 1024
_STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d) ")
_BEGUN = ("waiting to start", "PodInitializing", "ContainerCreating")
_log = structlog.get_logger(__name__)


class LogHeldError(TemporaryError):
    """Another server writes this log."""

    code = "log_held"


@dataclass(frozen=True, slots=True)
class _Cursor:
    """How far a log was fetched: its last line is of `stamp_ns`, the `same`-th of that time."""

    offset: int = 0
    stamp_ns: int = 0
    same: int = 0


class PodLogs:
    def __init__(
        self, connection: Connection, home: Path, *, segment_bytes_max: int, segments_max: int
    ) -> None:
        self._connection = connection
        self._home = home
        self._segment_bytes_max = segment_bytes_max
        self._segments_max = segments_max
        self._reader = LogReader()
        self._followers: dict[str, asyncio.Task[None]] = {}
        self._read_at: dict[str, float] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def close(self) -> None:
        tasks = list(self._followers.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._followers.clear()

    def read(self, allocation_id: str, *, offset: int, limit_bytes: int) -> LogChunk | None:
        """None where nothing of it was fetched."""
        known = self._reader.known(allocation_id, offset, limit_bytes)
        if known is not None:
            return known
        folder = self._home / allocation_id
        try:
            return self._reader.read(
                allocation_id,
                str(folder),
                offset=offset,
                limit_bytes=limit_bytes,
                end=_end_read(folder),
            )
        except FileNotFoundError:
            return None

    def is_whole(self, allocation_id: str) -> bool:
        return _end_read(self._home / allocation_id) is not None

    def follow(self, pod: Pod, allocation_id: str) -> None:
        """Fetch what it says while somebody reads it."""
        self._read_at[allocation_id] = time.monotonic()
        if allocation_id not in self._followers and not self.is_whole(allocation_id):
            task = asyncio.create_task(self._follow(pod, allocation_id))
            self._followers[allocation_id] = task
            task.add_done_callback(lambda _: self._followers.pop(allocation_id, None))

    async def finish(self, pod: Pod | None, allocation_id: str, *, why_not: str = "") -> None:
        """Fetch the rest of an ended one. With `why_not` the rest cannot be had, and the log says
        so. Raises TemporaryError."""
        if self.is_whole(allocation_id):
            return
        follower = self._followers.get(allocation_id)
        if follower is not None:
            follower.cancel()
            await asyncio.gather(follower, return_exceptions=True)
        async with self._held(allocation_id, patience_seconds=_TURN_SECONDS):
            if self.is_whole(allocation_id):
                return
            writer, cursor = self._open(allocation_id)
            try:
                if pod is not None and not why_not:
                    why_not = await self._fetch(pod, allocation_id, writer, cursor, follow=False)
                if why_not:
                    writer.note(why_not)
            finally:
                writer.close()
            _write(self._home / allocation_id / "end", str(writer.end_offset))

    def remove(self, allocation_id: str) -> None:
        self._reader.forget(allocation_id)
        self._read_at.pop(allocation_id, None)
        self._locks.pop(allocation_id, None)

    def _lock(self, allocation_id: str) -> asyncio.Lock:
        return self._locks.setdefault(allocation_id, asyncio.Lock())

    @contextlib.asynccontextmanager
    async def _held(
        self, allocation_id: str, *, patience_seconds: float = math.inf
    ) -> AsyncIterator[None]:
        """Of all servers that share the folder, this one alone writes this log meanwhile. Raises
        LogHeldError when another one does after `patience_seconds`."""
        until = time.monotonic() + patience_seconds
        async with self._lock(allocation_id):
            folder = self._home / allocation_id
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                while not _taken(descriptor):
                    if time.monotonic() >= until:
                        raise LogHeldError("Another server fetches this log now.")
                    await asyncio.sleep(_AGAIN_SECONDS)
                yield
            finally:
                os.close(descriptor)

    async def _follow(self, pod: Pod, allocation_id: str) -> None:
        try:
            while self._is_read(allocation_id):
                # Given back each time, so that the server that settles the end can have it.
                async with self._held(allocation_id):
                    if self.is_whole(allocation_id):
                        return
                    writer, cursor = self._open(allocation_id)
                    try:
                        with contextlib.suppress(TemporaryError):
                            await self._fetch(pod, allocation_id, writer, cursor, follow=True)
                    finally:
                        writer.close()
                await asyncio.sleep(_AGAIN_SECONDS)
        except Exception:
            _log.exception("log_not_followed", allocation=allocation_id)

    def _is_read(self, allocation_id: str) -> bool:
        return time.monotonic() - self._read_at.get(allocation_id, 0.0) < _UNREAD_SECONDS

    async def _fetch(
        self, pod: Pod, allocation_id: str, writer: LogWriter, cursor: _Cursor, *, follow: bool
    ) -> str:
        """Append what there is behind the cursor. Returns why there is none, in words."""
        meta = pod.metadata
        path = f"/api/v1/namespaces/{meta.namespace}/pods/{meta.name}/log"
        params = {"container": main_container(pod), "timestamps": "true"}
        if follow:
            params["follow"] = "true"
        if cursor.stamp_ns:
            begin = datetime.fromtimestamp(cursor.stamp_ns // 10**9).astimezone()
            params["sinceTime"] = begin.isoformat(timespec="seconds")
        try:
            async with self._connection.lines(
                path, params, silence_seconds=_SILENCE_SECONDS
            ) as lines:
                skip = _Skip(cursor)
                async for some in lines:
                    cursor = self._append(allocation_id, writer, cursor, skip.new(some))
                    if follow and not self._is_read(allocation_id):
                        break
        except (NotFoundError, PermanentError) as error:
            if any(word in error.message for word in _BEGUN):
                return ""
            return f"what it said is not to be had any more. {error.message}"
        return ""

    def _append(
        self,
        allocation_id: str,
        writer: LogWriter,
        cursor: _Cursor,
        lines: Sequence[tuple[int, bytes]],
    ) -> _Cursor:
        if not lines:
            return cursor
        for stamp_ns, text in lines:
            writer.write(stamped([text], b"%d o " % (stamp_ns // 1_000_000)))
            same = cursor.same + 1 if stamp_ns == cursor.stamp_ns else 1
            cursor = _Cursor(cursor.offset, stamp_ns, same)
        cursor = replace(cursor, offset=writer.end_offset)
        said = {"offset": cursor.offset, "stamp_ns": cursor.stamp_ns, "same": cursor.same}
        _write(self._home / allocation_id / "cursor", json.dumps(said))
        return cursor

    def _open(self, allocation_id: str) -> tuple[LogWriter, _Cursor]:
        """Its writer at the cursor: lines behind it were written before a crash, and come again."""
        folder = self._home / allocation_id
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        cursor = _cursor_read(folder)
        kept = []
        for segment in segments_of(str(folder)):
            if segment.start >= cursor.offset:
                Path(segment.path).unlink()
                continue
            kept.append(segment.start)
            if segment.end > cursor.offset:
                os.truncate(segment.path, cursor.offset - segment.start)
        writer = LogWriter(
            str(folder),
            segment_bytes_max=self._segment_bytes_max,
            segments_max=self._segments_max,
            kept=kept,
            end_offset=cursor.offset,
        )
        return writer, cursor


class _Skip:
    """Leaves out the lines that were fetched before: a kubelet begins at a whole second."""

    def __init__(self, cursor: _Cursor) -> None:
        self._cursor = cursor
        self._same = 0
        self._last_ns = 0

    def new(self, lines: Sequence[bytes]) -> list[tuple[int, bytes]]:
        found = []
        for line in lines:
            stamp, _, text = line.partition(b" ")
            stamp_ns = _stamp_ns(stamp)
            if stamp_ns is None:  # the rest of a line that was cut by the end of a log
                stamp_ns, text = self._last_ns, line
            text = _rejoined(text)
            self._last_ns = stamp_ns
            if stamp_ns < self._cursor.stamp_ns:
                continue
            if stamp_ns == self._cursor.stamp_ns:
                self._same += 1
                if self._same <= self._cursor.same:
                    continue
            found.append((stamp_ns, text))
        return found


def _rejoined(text: bytes) -> bytes:
    """Runtimes keep long lines in pieces, and kubelets put a stamp before each of them."""
    parts = []
    while len(text) > _PIECE_BYTES and (found := _STAMP.match(text, _PIECE_BYTES)):
        parts.append(text[:_PIECE_BYTES])
        text = text[found.end() :]
    return b"".join([*parts, text])


def _stamp_ns(stamp: bytes) -> int | None:
    """RFC 3339 with up to nine places to nanoseconds since 1970."""
    try:
        text = stamp.decode("ascii")
        whole, _, rest = text.partition(".")
        places = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        zone = rest[len(places) :] if rest else ""
        base = datetime.fromisoformat(whole + zone)
        return int(base.timestamp()) * 10**9 + int(places.ljust(9, "0")[:9] or 0)
    except ValueError:
        return None


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _cursor_read(folder: Path) -> _Cursor:
    try:
        return _Cursor(**json.loads((folder / "cursor").read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return _Cursor()


def _end_read(folder: Path) -> int | None:
    try:
        return int((folder / "end").read_text())
    except (FileNotFoundError, ValueError):
        return None


def _write(path: Path, text: str) -> None:
    """All of it or nothing, whenever the server is killed."""
    fresh = path.with_suffix(".new")
    try:
        fresh.write_text(text)
        fresh.replace(path)
    except OSError as error:
        raise TemporaryError(f"The log cannot be kept: {error.strerror}.") from error
