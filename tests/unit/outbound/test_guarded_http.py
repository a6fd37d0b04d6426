"""HTTP to people's addresses goes where it was checked to go, and nowhere else."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from loopback_tls import authority
from podium.domain.errors import TemporaryError
from podium.domain.outbound import Outbound, OutboundError, outbound_read
from podium.outbound.http import guarded_client, trust
from podium.outbound.resolve import resolve

pytestmark = pytest.mark.anyio

LOOPBACK = outbound_read(["127.0.0.0/8", "::1"])


@asynccontextmanager
async def served(answer: bytes, context: object = None) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A listener on the loopback that answers the same to all, and what it was sent."""
    seen: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(4096))
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)  # type: ignore[arg-type]
    async with server:
        yield server.sockets[0].getsockname()[1], seen


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "0x7f000001", "2130706433", "127.1", "0177.0.0.1",
     "[::ffff:127.0.0.1]", "0.0.0.0", "localhost."],
)  # fmt: skip
async def test_the_servers_own_machine_is_not_reached(host: str) -> None:
    async with served(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n") as (port, seen):
        async with guarded_client(Outbound()) as client:
            with pytest.raises((OutboundError, TemporaryError, httpx.InvalidURL)):
                await client.get(f"http://{host}:{port}/")
        assert seen == []


async def test_a_redirect_is_not_followed_and_would_be_checked() -> None:
    answer = b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n"
    async with served(answer) as (port, _), guarded_client(LOOPBACK) as client:
        found = await client.get(f"http://127.0.0.1:{port}/")
        assert found.status_code == 302
        with pytest.raises(OutboundError, match="link-local"):
            await client.get(f"http://127.0.0.1:{port}/", follow_redirects=True)


async def test_a_name_is_resolved_once_and_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that means something harmless when it is looked at, and this machine afterwards."""
    answers = [["127.0.0.1"], ["169.254.169.254"], ["169.254.169.254"]]
    asked: list[object] = []
    before = socket.getaddrinfo

    def turning(host: object, port: object, *rest: object, **more: object) -> object:
        if host != "turning.example":
            return before(host, port, *rest, **more)  # type: ignore[arg-type]
        asked.append(host)
        found = answers[len(asked) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

    monkeypatch.setattr(socket, "getaddrinfo", turning)
    async with served(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok") as (port, seen):
        async with guarded_client(LOOPBACK) as client:
            assert (await client.get(f"http://turning.example:{port}/")).text == "ok"
        assert asked == ["turning.example"]
        assert f"Host: turning.example:{port}".lower().encode() in seen[0].lower()
        with pytest.raises(OutboundError):
            resolve(LOOPBACK, "turning.example", port)


async def test_certificates_are_checked_against_the_name(tmp_path: Path) -> None:
    trusted = authority(tmp_path, "localhost")
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
    async with served(answer, trusted.server) as (port, _):
        async with guarded_client(LOOPBACK, verify=trust(trusted.ca)) as client:
            assert (await client.get(f"https://localhost:{port}/")).status_code == 200
        async with guarded_client(LOOPBACK) as client:
            with pytest.raises(httpx.ConnectError):
                await client.get(f"https://localhost:{port}/")


async def test_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    other = authority(tmp_path, "other.example")
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
    async with (
        served(answer, other.server) as (port, _),
        guarded_client(LOOPBACK, verify=trust(other.ca)) as client,
    ):
        with pytest.raises(httpx.ConnectError):
            await client.get(f"https://localhost:{port}/")
