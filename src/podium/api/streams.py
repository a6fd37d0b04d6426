"""Server-sent events: framing, heartbeats, and ending with the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from fastapi.responses import StreamingResponse

HEARTBEAT_SECONDS = 15.0
HEARTBEAT = b": still here\n\n"
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def frame(event: str, data: str, event_id: str | None = None) -> bytes:
    """One message. `data` is JSON, so it holds no line break."""
    head = f"id: {event_id}\n" if event_id is not None else ""
    return f"{head}event: {event}\ndata: {data}\n\n".encode()


def event_stream(frames: AsyncGenerator[bytes, None], closing: asyncio.Event) -> StreamingResponse:
    """The answer; it ends when `frames` ends or the server closes."""
    return StreamingResponse(
        _until(frames, closing), media_type="text/event-stream", headers=_HEADERS
    )


async def _until(
    frames: AsyncGenerator[bytes, None], closing: asyncio.Event
) -> AsyncGenerator[bytes, None]:
    yield b"retry: 1000\n\n"
    closed = asyncio.create_task(closing.wait())
    pending: asyncio.Task[bytes] | None = None
    try:
        while not closing.is_set():
            if pending is None:
                pending = asyncio.create_task(_next(frames))
            waiting: set[asyncio.Task[Any]] = {pending, closed}
            await asyncio.wait(
                waiting, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if pending.done():
                try:
                    data = pending.result()
                except StopAsyncIteration:
                    return
                pending = None
                yield data
            elif not closing.is_set():
                yield HEARTBEAT
    finally:
        closed.cancel()
        if pending is not None:
            pending.cancel()
            await asyncio.gather(pending, return_exceptions=True)
        await frames.aclose()


async def _next(frames: AsyncGenerator[bytes, None]) -> bytes:
    return await anext(frames)
