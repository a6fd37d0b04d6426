"""Streams that break: they resume where they stopped, and give up in the end."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from podium.client.failures import UnavailableError
from podium.client.logs import LogLine, follow
from podium.client.sse import ServerEvent
from podium.client.streams import FAILURES_MAX, OPENED, stream
from podium.client.transport import Transport
from podium.domain.errors import NotFoundError, PermanentError

Part = bytes | Exception


class Broken(httpx.SyncByteStream):
    def __init__(self, *parts: Part) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            if isinstance(part, Exception):
                raise part
            yield part


class Server:
    def __init__(self, *answers: httpx.Response | Exception | Broken) -> None:
        self.resumed_from: list[str | None] = []
        self.waited: list[float] = []
        self._answers = list(answers)
        self.transport = Transport(
            "http://s", None, sleep=self.waited.append, http=httpx.MockTransport(self._answer)
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.resumed_from.append(request.headers.get("Last-Event-ID"))
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Broken):
            return httpx.Response(200, stream=answer)
        return answer


END = b"event: end\n\n"


def test_resumes_after_the_last_event() -> None:
    server = Server(
        Broken(b"id: 1\ndata: a\n\n", b"id: 2\nda", httpx.ReadError("reset")),
        httpx.ConnectError("refused"),
        Broken(b"id: 2\ndata: b\n\n"),
        Broken(END),
    )
    events = list(stream(server.transport, "/x"))
    assert events == [ServerEvent("message", "a", "1"), ServerEvent("message", "b", "2")]
    assert server.resumed_from == [None, "1", "1", "2"]
    assert server.waited == [0.15, pytest.approx(0.45), 0.15]


def test_gives_up_after_too_many_failures() -> None:
    server = Server(*(httpx.ConnectError("refused") for _ in range(FAILURES_MAX)))
    with pytest.raises(UnavailableError, match="No Podium server answers"):
        list(stream(server.transport, "/x"))
    assert max(server.waited) <= 10


def test_a_server_that_only_closes_is_a_failure_too() -> None:
    server = Server(*(Broken(b": hello\n\n") for _ in range(FAILURES_MAX)))
    with pytest.raises(UnavailableError, match="closed the stream"):
        list(stream(server.transport, "/x"))


def test_a_refusal_is_final() -> None:
    document = {"type": "x", "title": "t", "status": 404, "code": "not_found", "detail": "None."}
    server = Server(httpx.Response(404, json=document))
    with pytest.raises(NotFoundError, match=r"None\."):
        list(stream(server.transport, "/x"))


def test_ends_quietly_at_its_time() -> None:
    times = iter([0.0, 0.0, 1.0, 5.0, 11.0, 11.0, 11.0])
    server = Server(Broken(b"data: a\n\n", b": beat\n\n", b": beat\n\n", b": beat\n\n"))
    events = list(stream(server.transport, "/x", until=10.0, monotonic=lambda: next(times)))
    assert [event.data for event in events] == ["a"]


def test_each_connection_is_announced() -> None:
    server = Server(Broken(b"id: 1\ndata: a\n\n"), Broken(END))
    events = list(stream(server.transport, "/x", announce=True))
    assert events == [OPENED, ServerEvent("message", "a", "1"), OPENED]


def test_logs_are_followed_to_their_end() -> None:
    at = "2026-01-02T03:04:05.006Z"
    server = Server(
        Broken(
            f'id: c1\nevent: lines\ndata: [{{"rank":0,"at":"{at}","stream":"out","text":"one"}},'
            f'{{"rank":1,"at":"{at}","stream":"err","text":"zwei"}}]\n\n'.encode(),
            b"event: of-a-later-version\ndata: {}\n\n",
        ),
        Broken(
            f'event: line\ndata: {{"rank":0,"at":"{at}","stream":"out","text":""}}\n\n'.encode(),
            END,
        ),
    )
    lines = list(follow(server.transport, "w-1"))
    assert [(line.rank, line.stream, line.text) for line in lines] == [
        (0, "out", "one"),
        (1, "err", "zwei"),
        (0, "out", ""),
    ]
    assert server.resumed_from == [None, "c1"]
    assert lines[0].document()["at"] == "2026-01-02T03:04:05.006000Z"
    assert isinstance(lines[0], LogLine)


@pytest.mark.parametrize("data", ["{", "[1]", '{"rank": 0}', '{"rank":0,"at":"x","text":"y"}'])
def test_a_log_line_that_cannot_be_read_is_told(data: str) -> None:
    server = Server(Broken(f"event: lines\ndata: {data}\n\n".encode()))
    with pytest.raises(PermanentError, match="cannot be read"):
        list(follow(server.transport, "w-1"))
