"""Slow, large and many: what one connection may do, over real sockets and with short limits."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator

import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from podium.api.connections import ConnectionLimits, protocol

pytestmark = pytest.mark.anyio

LIMITS = ConnectionLimits(
    connections_max=8,
    head_bytes_max=4096,
    headers_max=20,
    overhead_bytes_max=2048,
    head_seconds=0.3,
    idle_seconds=0.6,
    body_seconds=0.3,
    body_bytes_min=64,
    linger_seconds=0.3,
    stalled_seconds=0.5,
    tick_seconds=0.05,
)
HEAD = b"POST /count HTTP/1.1\r\nHost: x\r\n"
GET = b"GET /quick HTTP/1.1\r\nHost: x\r\n"


class Facts:
    """What the application saw."""

    headers: dict[str, str]
    stream_ended = False


def application(facts: Facts) -> FastAPI:
    app = FastAPI()

    @app.post("/count")
    async def count(request: Request) -> int:
        body = await request.body()
        facts.headers = {name.decode(): value.decode() for name, value in request.headers.raw}
        return len(body)

    @app.post("/deaf")
    async def deaf() -> str:
        return "no"

    @app.get("/quick")
    async def quick() -> str:
        return "yes"

    @app.get("/endless")
    async def endless() -> StreamingResponse:
        async def body() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"x" * 65_536
                    await asyncio.sleep(0)
            finally:
                facts.stream_ended = True

        return StreamingResponse(body())

    return app


@contextlib.asynccontextmanager
async def serving(facts: Facts, limits: ConnectionLimits = LIMITS) -> AsyncIterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(
            application(facts),
            http=protocol(limits),
            log_config=None,
            access_log=False,
            ws="none",
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
    )
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task


async def told(port: int, *pieces: bytes, pause: float = 0.0) -> tuple[bytes, float]:
    """All that comes back until the server closes, and how many seconds that took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    begun = time.monotonic()
    answer = asyncio.create_task(_all(reader))
    with contextlib.suppress(OSError):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
            if answer.done():
                break
    data = await asyncio.wait_for(answer, 20)
    writer.close()
    return data, time.monotonic() - begun


async def _all(reader: asyncio.StreamReader) -> bytes:
    parts = []
    with contextlib.suppress(ConnectionError):
        while part := await reader.read(65_536):
            parts.append(part)
    return b"".join(parts)


async def test_good_requests_are_answered_one_after_the_other() -> None:
    async with serving(Facts()) as port:
        body = b"Content-Length: 3\r\n\r\nabc"
        data, _ = await told(port, HEAD + body, GET + b"Connection: close\r\n\r\n", pause=0.1)
        assert data.count(b"HTTP/1.1 200") == 2


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET /quick HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
        (b"GET /quick HTTP/1.1\r\n\r\n", 400),
        (b"GET /quick\r\n\r\n", 400),
        (HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", 400),
        (HEAD + b"Content-Length: +5\r\n\r\nabcde", 400),
        (HEAD + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
        (HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400),
        (b"POST /count HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (GET + b"A: b\r\n folded\r\n\r\n", 400),
        (GET + b"A: b\0c\r\n\r\n", 400),
        (b"GET /quick HTTP/1.1\nHost: x\n\n", 400),
        (GET + b"A: b\rHost: y\r\n\r\n", 400),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n", 400),
        (b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"CONNECT other:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 50, 400),
        (GET + b"A: " + b"b" * 5000 + b"\r\n\r\n", 431),
        (b"GET /" + b"q" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
        (GET + b"A: b\r\n" * 30 + b"\r\n", 431),
        (GET + b"A: " + b"b" * 100_000, 431),
    ],
)
async def test_what_two_servers_may_read_differently_is_refused(raw: bytes, status: int) -> None:
    async with serving(Facts()) as port:
        data, _ = await told(port, raw)
        assert data.startswith(b"HTTP/1.1 %d " % status), data[:200]
        assert data.count(b"\r\n\r\n") == 1, "nothing that followed was taken for a request"
        assert b"connection: close" in data.lower()
        assert b"nosniff" in data


async def test_trailers_are_no_headers() -> None:
    facts = Facts()
    async with serving(facts) as port:
        body = b"1\r\nx\r\n0\r\nX-Forwarded-For: 10.0.0.1\r\nAuthorization: Bearer y\r\n\r\n"
        raw = HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        data, _ = await told(port, raw, body, pause=0.05)
        assert data.startswith(b"HTTP/1.1 200")
        assert "x-forwarded-for" not in facts.headers
        assert "authorization" not in facts.headers


@pytest.mark.parametrize("what", ["extension", "trailer"])
async def test_what_stands_beside_a_body_is_bounded(what: str) -> None:
    async with serving(Facts()) as port:
        raw = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
        raw += b"1;" if what == "extension" else b"1\r\nx\r\n0\r\nA: "
        data, _ = await told(port, raw, *[b"a" * 1024] * 8)
        assert data.startswith(b"HTTP/1.1 400")


async def test_the_end_of_one_body_counts_for_no_other() -> None:
    chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    last = HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with serving(Facts()) as port:
        whole = b"a" * 8000 + b"\r\n0\r\n\r\n"  # 1f40 in hexadecimal
        pieces = [chunked + b"1f40\r\n", whole + last + b"2\r\nx", b"x\r\n0\r\n\r\n"]
        data, _ = await told(port, *pieces, pause=0.05)
        assert data.count(b"HTTP/1.1 200") == 2, data


@pytest.mark.parametrize(
    "pieces",
    [[], [b"G"], [b"\r\n"], [bytes([each]) for each in GET + b"A: bcdefghijklmnopqrstuvwxyz"]],
    ids=["silent", "one", "blank", "drip"],
)
async def test_a_head_that_does_not_come(pieces: list[bytes]) -> None:
    async with serving(Facts()) as port:
        data, seconds = await told(port, *pieces, pause=0.02 if len(pieces) > 1 else 0)
        assert data.startswith(b"HTTP/1.1 408")
        assert seconds < 10


async def test_a_connection_that_only_says_line_breaks_between_requests_is_closed() -> None:
    async with serving(Facts()) as port:
        data, seconds = await told(port, GET + b"\r\n", *[b"\r\n"] * 60, pause=0.05)
        assert data.count(b"HTTP/1.1 200") == 1
        assert seconds < 10


async def test_a_body_that_drips() -> None:
    async with serving(Facts()) as port:
        raw = HEAD + b"Content-Length: 1000\r\n\r\n"
        data, _ = await told(port, raw, *[b"x"] * 200, pause=0.02)
        assert data.startswith(b"HTTP/1.1 408")


async def test_a_slow_body_that_goes_on_is_waited_for() -> None:
    async with serving(Facts()) as port:
        raw = HEAD + b"Connection: close\r\nContent-Length: 2000\r\n\r\n"
        data, seconds = await told(port, raw, *[b"x" * 100] * 20, pause=0.05)
        assert data.startswith(b"HTTP/1.1 200")
        assert data.endswith(b"2000")
        assert seconds > 2 * LIMITS.body_seconds


async def test_what_comes_after_an_early_answer_is_not_read_for_ever() -> None:
    async with serving(Facts()) as port:
        raw = b"POST /deaf HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n"
        data, seconds = await told(port, raw, *[b"x" * 1000] * 100, pause=0.02)
        assert data.startswith(b"HTTP/1.1 200")
        assert seconds < 10


async def test_a_reader_that_does_not_read_is_let_go() -> None:
    facts = Facts()
    async with serving(facts) as port:
        with socket.create_connection(("127.0.0.1", port)) as reader:
            reader.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
            begun = time.monotonic()
            while not facts.stream_ended and time.monotonic() - begun < 15:
                await asyncio.sleep(0.05)
            assert facts.stream_ended


async def test_many_requests_at_once_are_not_gathered() -> None:
    async with serving(Facts()) as port:
        data, _ = await told(port, (GET + b"\r\n") * 80)
        assert 1 <= data.count(b"HTTP/1.1 200") + data.count(b"HTTP/1.1 400") <= 20


async def test_one_address_gets_half_of_all_connections_and_gets_them_back() -> None:
    async with serving(Facts()) as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(4)]
        data, _ = await told(port, GET + b"\r\n")
        assert data.startswith(b"HTTP/1.1 503")
        for _, writer in held:
            writer.close()
        await asyncio.sleep(0.1)
        data, _ = await told(port, GET + b"Connection: close\r\n\r\n")
        assert data.startswith(b"HTTP/1.1 200")


async def test_who_is_idle_makes_room() -> None:
    async with serving(Facts(), ConnectionLimits(connections_max=2, tick_seconds=0.05)) as port:
        for_address = ("127.0.0.2", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=for_address)
        writer.write(GET + b"\r\n")
        await reader.readuntil(b'"yes"')
        third = await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.3", 0))
        data, _ = await told(port, GET + b"Connection: close\r\n\r\n")
        assert data.startswith(b"HTTP/1.1 200")
        assert await reader.read() == b""
        for each in (writer, third[1]):
            each.close()
