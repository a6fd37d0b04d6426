"""Clusters that cannot be reached: what is told is a plain sentence, with what helps."""

from __future__ import annotations

import asyncio
import socket

import httpx2
import pytest

from podium.domain.errors import UserError
from podium.engines.kubernetes.away import AwayError, away_of
from podium.engines.kubernetes.check import cluster_probe
from podium.engines.kubernetes.connection import Connection, SignInError, config_of
from unit import kubeconfigs

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def told(server: str) -> AwayError:
    connection = Connection(config_of(kubeconfigs.text(server=server)))
    try:
        with pytest.raises(AwayError) as raised:
            await connection.get("/version")
    finally:
        await connection.close()
    return raised.value


async def test_nothing_listens_there() -> None:
    server = f"https://127.0.0.1:{free_port()}"
    error = await told(server)
    assert error.message.startswith(f"The cluster at {server} does not answer: nothing listens")
    assert "firewalls" in error.away.remedy
    assert "Errno" not in error.message
    with pytest.raises(UserError) as raised:
        await cluster_probe(kubeconfigs.text(server=server))
    (fault,) = raised.value.faults
    assert fault.message == f"names {server}, which does not answer: nothing listens there."
    assert fault.remedy == error.away.remedy


async def test_no_machine_has_that_name() -> None:
    error = await told("https://nowhere.invalid:6443")
    assert "no machine is known by the name nowhere.invalid" in error.message


async def test_what_answers_speaks_no_tls() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        error = await told(f"https://127.0.0.1:{port}")
    assert "no secure connection comes about" in error.message
    assert "_ssl.c" not in error.message


async def test_a_token_that_is_refused_is_no_fault_of_the_work() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        connection = Connection(config_of(kubeconfigs.text(server=f"http://127.0.0.1:{port}")))
        with pytest.raises(SignInError, match="podium cluster set"):
            await connection.get("/version")
        await connection.close()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx2.ConnectTimeout(""), "nothing came back in time"),
        (httpx2.ConnectError("[Errno 113] No route to host"), "no way to it from here"),
        (httpx2.RemoteProtocolError("Server disconnected"), "it broke off the connection"),
        (
            httpx2.ConnectError(
                "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed "
                "certificate in certificate chain (_ssl.c:1016)"
            ),
            "self-signed certificate in certificate chain",
        ),
        (httpx2.ReadError(""), "nothing came back"),
    ],
)
def test_what_networks_say_in_plain_words(error: Exception, words: str) -> None:
    assert words in away_of("https://10.0.0.1:6443", error).why
