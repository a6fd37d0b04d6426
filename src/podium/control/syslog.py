"""Sends audit entries to a syslog receiver over UDP, TCP or TLS. `control/forwarding` calls it.

Syslog answers nothing. Of a stream the system tells when the other side's has taken all bytes, and
when the connection was closed or reset: what was sent shortly before that is sent again. A datagram
is gone when it is sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import socket
import ssl
import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from podium.domain.forwarding import UDP_BYTES_MAX, SyslogAddress, framed, syslog_message
from podium.domain.outbound import Outbound
from podium.outbound.http import trust
from podium.outbound.resolve import resolve

CONNECT_SECONDS = 10.0
SEND_SECONDS = 30.0
_SIOCOUTQ = 0x5411  # bytes that the other side's system has not acknowledged
_POLL_SECONDS = 0.02


class SyslogSender:
    """One connection, made at the first message and again after it broke."""

    def __init__(
        self,
        address: SyslogAddress,
        ca: str,
        outbound: Outbound,
        host: str,
        settle_seconds: float,
    ) -> None:
        self._address = address
        self._ca = ca
        self._outbound = outbound
        self._host = host
        self._settle_seconds = settle_seconds
        self._stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._datagrams: socket.socket | None = None

    @property
    def settle_seconds(self) -> float:
        """So long a connection has to hold before what went over it counts as received."""
        return 0.0 if self._address.transport == "udp" else self._settle_seconds

    async def send(self, forward: str, said: Sequence[dict[str, Any]]) -> None:
        """Entries in the order of their seq. Raises OSError, OutboundError and TemporaryError."""
        del forward
        datagrams = self._address.transport == "udp"
        messages = [
            syslog_message(
                each,
                at=_time(each["at_ms"]),
                host=self._host,
                bytes_max=UDP_BYTES_MAX if datagrams else 0,
            )
            for each in said
        ]
        if datagrams:
            await self._send_datagrams(messages)
            return
        self.check()
        async with asyncio.timeout(SEND_SECONDS):
            _, writer = self._stream or await self._connect()
            writer.write(b"".join(framed(each) for each in messages))
            await writer.drain()
            await self._taken(writer)
        self.check()

    def check(self) -> None:
        """Raises ConnectionError when the receiver has closed the connection, or it broke."""
        if self._stream is None:
            return
        reader, writer = self._stream
        # A receiver of syslog says nothing, so an end is all that there is to read.
        if reader.at_eof() or reader.exception() is not None or writer.is_closing():
            raise ConnectionResetError("the receiver closed the connection")

    async def close(self) -> None:
        if self._datagrams is not None:
            self._datagrams.close()
            self._datagrams = None
        stream, self._stream = self._stream, None
        if stream is not None:
            stream[1].close()
            with contextlib.suppress(OSError, ssl.SSLError, TimeoutError):
                async with asyncio.timeout(1):
                    await stream[1].wait_closed()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        at = self._address
        addresses = await asyncio.to_thread(resolve, self._outbound, at.host, at.port)
        secure = at.transport == "tls"
        context = await asyncio.to_thread(trust, self._ca) if secure else None
        last: OSError | None = None
        for address in addresses:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    self._stream = await asyncio.open_connection(
                        address, at.port, ssl=context, server_hostname=at.host if secure else None
                    )
            except (OSError, TimeoutError) as error:
                last = error if isinstance(error, OSError) else TimeoutError("no answer")
                continue
            # So that nothing waits in this process once `drain` is through.
            self._stream[1].transport.set_write_buffer_limits(0)
            return self._stream
        assert last is not None, "a resolved name has an address"
        raise last

    async def _taken(self, writer: asyncio.StreamWriter) -> None:
        """Wait until the other side's system has all bytes."""
        below: socket.socket = writer.get_extra_info("socket")
        while _unacknowledged(below):
            self.check()
            await asyncio.sleep(_POLL_SECONDS)

    async def _send_datagrams(self, messages: Sequence[bytes]) -> None:
        at = self._address
        if self._datagrams is None:
            address = (await asyncio.to_thread(resolve, self._outbound, at.host, at.port))[0]
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            made = socket.socket(family, socket.SOCK_DGRAM)
            made.setblocking(False)
            made.connect((address, at.port))
            self._datagrams = made
        loop = asyncio.get_running_loop()
        for each in messages:
            # Where nobody listens, the system says so at the next datagram.
            await loop.sock_sendall(self._datagrams, each)


def _time(at_ms: int) -> str:
    moment = datetime.fromtimestamp(at_ms / 1000, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _unacknowledged(below: socket.socket) -> int:
    """In bytes. Raises ConnectionError for a connection that broke meanwhile."""
    descriptor = below.fileno()
    if descriptor < 0:
        raise ConnectionResetError("the connection broke")
    try:
        answer = fcntl.ioctl(descriptor, _SIOCOUTQ, struct.pack("i", 0))
    except OSError:
        return 0  # not a thing that this system tells
    return int(struct.unpack("i", answer)[0])
