"""Server-sent events: framing, heartbeats, back-pressure, and ending with the server.

A route gives a producer that sends frames into a `Stream`. The stream holds a bounded number of
them: a reader who is slow makes the producer wait, and nothing grows.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from fastapi.responses import StreamingResponse

HEARTBEAT_SECONDS = 10.0
CHECK_SECONDS = 15.0
_FRAMES_MAX = 64
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def frame(event: str, data: str, event_id: str | None = None) -> bytes:
    """One message. `data` is JSON, so it holds no line break."""
    head = f"id: {event_id}\n" if event_id is not None else ""
    return f"{head}event: {event}\ndata: {data}\n\n".encode()


_HEARTBEAT = frame("heartbeat", "{}")


Still = Callable[[], Awaitable[bool]]
"""Whether the reader may still hear it."""


class Stream:
    """Frames on their way to one reader."""

    def __init__(self, still: Still | None = None) -> None:
        self.still = still
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue(_FRAMES_MAX)
        self._quiet = True

    async def send(self, data: bytes) -> None:
        """Waits while the reader is behind."""
        await self._frames.put(data)

    async def taken(self) -> bytes | None:
        """Everything that is ready, in one piece; None at the end."""
        parts = [await self._frames.get()]
        while not self._frames.empty():
            parts.append(self._frames.get_nowait())
        self._quiet = False
        if parts[-1] is None:
            self._frames.put_nowait(None)  # told again to the next call
            parts.pop()
        return b"".join(part for part in parts if part is not None) or None

    def heartbeat(self) -> None:
        """Tell the reader that the line is alive, unless it has just heard something."""
        if self._quiet and self._frames.empty():
            self._frames.put_nowait(_HEARTBEAT)
        self._quiet = True

    def end(self) -> None:
        """Whatever is still waiting is dropped when there is no room to say so otherwise."""
        if self._frames.full():
            self._frames.get_nowait()
        self._frames.put_nowait(None)


class Streams:
    """Every stream that is open now."""

    def __init__(self) -> None:
        self._open: set[Stream] = set()
        self._closed = False

    def answer(
        self, produce: Callable[[Stream], Awaitable[None]], still: Still | None = None
    ) -> StreamingResponse:
        """The response; it ends when `produce` returns, the server closes, or `still` is asked
        and says no."""
        return StreamingResponse(
            self._body(produce, still), media_type="text/event-stream", headers=_HEADERS
        )

    async def run(self) -> None:
        """Send heartbeats, and end what its reader may not hear any more, until cancelled; the
        server starts it."""
        await asyncio.gather(self._beat(), self._check())

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            for stream in self._open:
                stream.heartbeat()

    async def _check(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            for stream in list(self._open):
                if stream.still is not None and not await stream.still():
                    stream.end()

    def close(self) -> None:
        """End every stream now; readers connect again to whichever server is next."""
        self._closed = True
        for stream in self._open:
            stream.end()

    async def _body(
        self, produce: Callable[[Stream], Awaitable[None]], still: Still | None
    ) -> AsyncIterator[bytes]:
        stream = Stream(still)
        self._open.add(stream)
        if self._closed:
            stream.end()
        producer = asyncio.create_task(_produce(produce, stream))
        try:
            yield b"retry: 1000\n\n"
            while (data := await stream.taken()) is not None:
                yield data
        finally:
            self._open.discard(stream)
            producer.cancel()
            await asyncio.gather(producer, return_exceptions=True)


async def _produce(produce: Callable[[Stream], Awaitable[None]], stream: Stream) -> None:
    try:
        await produce(stream)
    finally:
        await stream.send(b"")
        stream.end()
