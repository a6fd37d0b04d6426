"""Receivers of the audit trail on the loopback, which do as badly as real ones."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import re
import socket
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_FRAME = re.compile(rb"(\d+) ")


@dataclass
class SyslogReceiver:
    """Takes octet-counted messages. `cut_after` messages it resets the connection, and forgets
    what it had not read, as one that was killed; `pause_seconds` it waits before each read."""

    tls: ssl.SSLContext | None = None
    port: int = 0
    cut_after: list[int] = field(default_factory=list)
    pause_seconds: float = 0.0
    messages: list[bytes] = field(default_factory=list)
    connections: int = 0
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def seqs(self) -> list[int]:
        return [int(said["seq"]) for said in map(body_of, self.messages)]

    async def open(self) -> None:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, ssl=self.tls, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """As one that is stopped: nobody listens, and all connections are reset."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            reset(writer)
        await asyncio.sleep(0)
        self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        left = self.cut_after.pop(0) if self.cut_after else None
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                if left == 0:
                    reset(writer)
                    break
                length = int(await reader.readuntil(b" "))
                if self.pause_seconds:
                    await asyncio.sleep(self.pause_seconds)
                self.messages.append(await reader.readexactly(length))
                left = None if left is None else left - 1
        self._writers.discard(writer)
        writer.close()


def reset(writer: asyncio.StreamWriter) -> None:
    """End it with a reset, so that what was not read is known to be lost."""
    below = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        below.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def body_of(message: bytes) -> dict[str, Any]:
    """The entry in a message."""
    found: dict[str, Any] = json.loads(message[message.index(b"] {") + 2 :])
    return found


@dataclass
class WebhookReceiver:
    """Answers with `statuses` in turn, then 200. Keeps only what it answered 2xx to; `deaf` counts
    requests that it takes and answers with a cut connection."""

    port: int = 0
    statuses: list[int] = field(default_factory=list)
    headers: str = ""
    keeps_failed: bool = False
    deaf: int = 0
    bodies: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    limit: int = 10_000
    _server: asyncio.Server | None = None

    @property
    def seqs(self) -> list[int]:
        return [int(said["seq"]) for body in self.bodies for said in body["entries"]]

    async def open(self) -> None:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, reuse_address=True, limit=4 << 20
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
                body = await reader.readexactly(int(headers["content-length"]))
                self.requests.append((headers, body))
                if self.deaf:
                    self.deaf -= 1
                    self.bodies.append(json.loads(body))
                    break
                said = json.loads(body)
                status = self.statuses.pop(0) if self.statuses else 200
                if len(said["entries"]) > self.limit:
                    status = 413
                if status < 300:
                    self.bodies.append(said)
                answer = f"HTTP/1.1 {status} Said\r\n{self.headers}Content-Length: 0\r\n\r\n"
                writer.write(answer.encode())
                await writer.drain()
        writer.close()


def is_signed(headers: dict[str, str], body: bytes, secret: str) -> bool:
    """As a receiver checks it."""
    parts = dict(each.split("=", 1) for each in headers["x-podium-signature"].split(","))
    signed = hmac.new(secret.encode(), f"{parts['t']}.".encode() + body, hashlib.sha256)
    return hmac.compare_digest(signed.hexdigest(), parts["v1"])


async def until(condition: Callable[[], bool], what: str, *, limit_seconds: float = 20.0) -> None:
    try:
        async with asyncio.timeout(limit_seconds):
            while not condition():
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"not within {limit_seconds:g} s: {what}") from None


def first_seen(seqs: list[int]) -> list[int]:
    """Without what came again."""
    return list(dict.fromkeys(seqs))
