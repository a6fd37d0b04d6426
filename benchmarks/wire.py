"""A small HTTP/1.1 client over asyncio streams, so that the load costs less than what it loads.

`submit_rate` and `log_followers` hold many keep-alive connections with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType

LINE_BYTES_MAX = 2**20


class WireError(Exception):
    """The server closed the connection, or sent what is not HTTP."""


class Connection:
    """One keep-alive connection with a bearer token. One request at a time."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._token = token
        self._chunked = False
        self._length = 0

    async def __aenter__(self) -> Connection:
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", self._port, limit=LINE_BYTES_MAX
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()

    async def ask(self, method: str, path: str, body: bytes = b"", accept: str = "*/*") -> int:
        """Sends a request and returns the answer's status; read the body before the next."""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            f"Authorization: Bearer {self._token}\r\nAccept: {accept}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        await self._writer.drain()
        words = (await self._line()).split(None, 2)
        if len(words) < 2 or not words[0].startswith(b"HTTP/1."):
            raise WireError(f"{words!r} does not begin an answer")
        self._chunked, self._length = False, 0
        while line := await self._line():
            name, _, value = line.partition(b":")
            if name.lower() == b"transfer-encoding":
                self._chunked = value.strip().lower() == b"chunked"
            elif name.lower() == b"content-length":
                self._length = int(value)
        return int(words[1])

    async def body(self) -> bytes:
        return b"".join([part async for part in self.parts()])

    async def parts(self) -> AsyncIterator[bytes]:
        """The body, piece by piece as it comes."""
        if not self._chunked:
            yield await self._exactly(self._length)
            return
        while size := int(await self._line(), 16):
            yield await self._exactly(size)
            await self._line()
        await self._line()

    async def events(self) -> AsyncIterator[tuple[str, str]]:
        """The body as server-sent events: (name, data)."""
        rest = b""
        async for part in self.parts():
            *blocks, rest = (rest + part).replace(b"\r\n", b"\n").split(b"\n\n")
            for block in blocks:
                name, data = "message", []
                for line in block.decode().split("\n"):
                    key, _, value = line.partition(":")
                    if key == "event":
                        name = value.strip()
                    elif key == "data":
                        data.append(value.removeprefix(" "))
                if data:
                    yield name, "\n".join(data)

    async def _line(self) -> bytes:
        line = await self._reader.readline()
        if not line.endswith(b"\n"):
            raise WireError("the server closed the connection")
        return line.strip()

    async def _exactly(self, count: int) -> bytes:
        try:
            return await self._reader.readexactly(count)
        except asyncio.IncompleteReadError:
            raise WireError("the server closed the connection in the middle of a body") from None
