"""Keeps each connection within limits: how large and how slow its requests may be, how long its
reader may stall, and how many there are. `server.py` gives it to uvicorn, which has none of this.
"""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from podium.api.headers import EVERYWHERE
from podium.api.problems import problem_response

_FILES_KEPT = 256
"""Open files that are for other things than connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """What one connection may do, and how many there may be."""

    connections_max: int = 4096  # one address may have half of them
    pipelined_max: int = 16
    head_bytes_max: int = 64 * 1024  # address and headers
    headers_max: int = 100
    overhead_bytes_max: int = 64 * 1024  # chunk extensions and trailers, beside 8 for each byte
    head_seconds: float = 15
    idle_seconds: float = 75
    body_seconds: float = 30  # in which a body must bring at least `body_bytes_min`
    body_bytes_min: int = 4096
    linger_seconds: float = 5  # for what still comes of a body whose request has been answered
    stalled_seconds: float = 120  # in which a reader must take something
    tick_seconds: float = 2.5


def connections_allowed() -> int:
    """How many connections the limit on open files of this process has room for."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = ConnectionLimits().connections_max
    return most if files == resource.RLIM_INFINITY else max(64, min(most, files - _FILES_KEPT))


def protocol(limits: ConnectionLimits) -> type[HttpToolsProtocol]:
    """The class that uvicorn makes connections of, with these limits over all of them."""

    class Limited(Connection):
        _limits = limits
        _of_address: Counter[str] = Counter()  # noqa: RUF012 - all connections count in one

    return Limited


class _Part(Enum):
    """Which part of a request comes next."""

    NONE = "none"
    HEAD = "head"
    BODY = "body"


class _RefusedError(Exception):
    """Ends the parsing of a request; the parser passes it on as its own error."""


class Connection(HttpToolsProtocol):
    """One connection. What goes beyond a limit is answered in one sentence where that is possible,
    and closed."""

    _limits: ConnectionLimits
    _of_address: Counter[str]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._part = _Part.NONE
        self._since = self._progress = self.loop.time()
        self._closing_since: float | None = None
        self._stalled_since: float | None = None
        self._reason = (400, "bad_request", "This is no HTTP request that Podium understands.")
        self._head_bytes = self._head_raw_bytes = self._header_count = 0
        self._received_bytes = self._body_bytes = self._window_bytes = 0
        self._headed = False  # whether the data at hand brought the end of a head
        self._address = self.client[0] if self.client else ""
        self._of_address[self._address] += 1
        self._timer: asyncio.TimerHandle | None = self.loop.call_later(
            self._limits.tick_seconds, self._tick
        )
        self._admit()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._of_address[self._address] -= 1
        if self._of_address[self._address] <= 0:
            del self._of_address[self._address]
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    def _admit(self) -> None:
        most = self._limits.connections_max
        if self._of_address[self._address] > max(1, most // 2):
            self._refuse(503, "too_many", "Your address has too many connections open.")
        elif len(self.connections) > most:
            idle = next((each for each in self.connections if _is_idle(each)), None)
            if idle is not None:
                idle.transport.close()
            else:
                self._refuse(503, "too_many", "There are too many connections; try again later.")

    # What comes in

    def data_received(self, data: bytes) -> None:
        if self.parser is None or self.transport.is_closing():
            return
        if self._part is _Part.NONE and not self._in_progress():
            self._since = min(self._since, self.loop.time())
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._part is _Part.HEAD:  # the parser keeps what is not whole yet
            self._head_raw_bytes += len(data)
            if self._head_raw_bytes > 2 * self._limits.head_bytes_max:
                self._refuse(*self._too_large())
        elif self._part is _Part.BODY:
            # What came with the head may be the end of the body before, and counts for neither.
            self._received_bytes += 0 if self._headed else len(data)
            self._headed = False
            beside = self._received_bytes - self._body_bytes
            if beside > self._limits.overhead_bytes_max + 8 * self._body_bytes:
                self._refuse(400, "bad_request", "The body is chunked too finely.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._part = _Part.HEAD
        self._since = self.loop.time()
        self._head_bytes = self._head_raw_bytes = self._header_count = 0

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._part is not _Part.HEAD:
            return  # a trailer must not pass for a header, which the proxy in front has checked
        self._count(len(name) + len(value) + 4)
        self._header_count += 1
        if self._header_count > self._limits.headers_max:
            self._reason = self._too_large()
            raise _RefusedError
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._check_head()
        self._part = _Part.BODY
        self._since = self._progress = self.loop.time()
        self._received_bytes = self._body_bytes = self._window_bytes = 0
        self._headed = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        self._window_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._part = _Part.NONE
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._since = self.loop.time()
        super().on_response_complete()

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > self._limits.head_bytes_max:
            self._reason = self._too_large()
            raise _RefusedError

    def _check_head(self) -> None:
        """What a parser lets through and two servers in a row may read differently."""
        names = [name for name, _ in self.headers]
        version = self.parser.get_http_version()
        if version not in ("1.0", "1.1"):
            words = "Podium speaks HTTP/1.1 and HTTP/1.0."
        elif names.count(b"host") > 1 or (version == "1.1" and b"host" not in names):
            words = "A request needs one Host header."
        elif version == "1.0" and b"transfer-encoding" in names:
            words = "HTTP/1.0 has no Transfer-Encoding."
        elif len(self.pipeline) >= self._limits.pipelined_max:
            words = "Wait for answers before sending more requests."
        else:
            return
        self._reason = (400, "bad_request", words)
        raise _RefusedError

    def _too_large(self) -> tuple[int, str, str]:
        kib = self._limits.head_bytes_max // 1024
        most = self._limits.headers_max
        return (
            431,
            "too_large",
            f"The address and headers are larger than {kib} KiB or more than {most} lines.",
        )

    # What goes out

    def pause_writing(self) -> None:
        self._stalled_since = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._stalled_since = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - it has one for all
        self._refuse(*self._reason)

    def _refuse(self, status: int, code: str, words: str) -> None:
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            response = problem_response(status, code, "The request cannot be answered", words)
            lines = [b"HTTP/1.1 %d -" % status]
            lines += [
                b"%s: %s" % each
                for each in (*response.raw_headers, *EVERYWHERE, (b"connection", b"close"))
            ]
            self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + bytes(response.body))
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()

    # What does not happen

    def _tick(self) -> None:
        self._timer = self.loop.call_later(self._limits.tick_seconds, self._tick)
        now, limits = self.loop.time(), self._limits
        if self.transport.is_closing():
            if self._closing_since is None:
                self._closing_since = now
            elif now - self._closing_since > limits.linger_seconds:
                self.transport.abort()  # its reader does not take the rest
        elif self._stalled_since is not None:
            if now - self._stalled_since > limits.stalled_seconds:
                self.transport.abort()
        elif self.flow.read_paused:
            self._progress, self._window_bytes = now, 0  # it is we who are slow
        elif self._part is _Part.BODY:
            self._watch_body(now)
        elif self._in_progress():
            pass
        elif self._part is _Part.HEAD or self.cycle is None:
            if now - self._since > limits.head_seconds:
                self._refuse(408, "too_slow", "The request did not come in time.")
        elif now - self._since > limits.idle_seconds:
            self.transport.close()

    def _watch_body(self, now: float) -> None:
        limits = self._limits
        if self.cycle is not None and self.cycle.response_complete:
            if now - self._since > limits.linger_seconds:
                self.transport.close()
        elif now - self._progress > limits.body_seconds:
            if self._window_bytes < limits.body_bytes_min:
                self._refuse(408, "too_slow", "The body of the request comes too slowly.")
            self._progress, self._window_bytes = now, 0

    def _in_progress(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete


def _is_idle(connection: Any) -> bool:
    """Between two requests of a reader who may simply connect again."""
    return (
        isinstance(connection, Connection)
        and connection._part is _Part.NONE
        and connection.cycle is not None
        and connection.cycle.response_complete
        and not connection.transport.is_closing()
    )
