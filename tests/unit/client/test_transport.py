"""Requests: what is repeated, how often, and what each failure becomes."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from podium.client.failures import UnavailableError, problem_of
from podium.client.transport import Transport, encode, path_of, query
from podium.domain.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    PermanentError,
    PodiumError,
    TemporaryError,
    TooLargeError,
    UnauthenticatedError,
    UserError,
)

Answer = Callable[[httpx.Request], httpx.Response]
SERVER = "http://127.0.0.1:8470"


def problem(status: int, code: str, **more: object) -> httpx.Response:
    document = {"type": "x", "title": "t", "status": status, "code": code, "detail": "Words."}
    return httpx.Response(status, json={**document, **more})


class Line:
    """A transport whose answers are given in order, and what was asked and waited."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.asked: list[httpx.Request] = []
        self.waited: list[float] = []
        self._answers = list(answers)
        self.transport = Transport(
            SERVER, "pod_x", sleep=self.waited.append, http=httpx.MockTransport(self._answer)
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.asked.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "unauthenticated", UnauthenticatedError),
        (403, "forbidden", ForbiddenError),
        (404, "not_found", NotFoundError),
        (409, "conflict", ConflictError),
        (413, "too_large", TooLargeError),
        (422, "invalid", UserError),
        (400, "of-a-later-version", UserError),
        (404, "of-a-later-version", NotFoundError),
        (500, "internal", PermanentError),
    ],
)
def test_problems_become_errors(status: int, code: str, kind: type[PodiumError]) -> None:
    line = Line(problem(status, code, request_id="r-1"))
    with pytest.raises(kind, match=r"Words\.") as raised:
        line.transport.send("GET", "/x")
    assert problem_of(raised.value).status == status
    assert problem_of(raised.value).request_id == "r-1"
    assert len(line.asked) == 1


def test_faults_are_kept() -> None:
    fault = {"field": "resources.gpus", "message": "is -1.", "remedy": "Write 0 or more."}
    line = Line(problem(422, "invalid", faults=[fault]))
    with pytest.raises(UserError) as raised:
        line.transport.send("POST", "/x", body={})
    assert raised.value.faults[0].field == "resources.gpus"
    assert raised.value.faults[0].remedy == "Write 0 or more."


def test_nobody_answers_is_a_plain_sentence_at_once() -> None:
    line = Line(httpx.ConnectError("refused"))
    with pytest.raises(UnavailableError) as raised:
        line.transport.send("GET", "/x")
    assert raised.value.message == (
        "No Podium server answers at http://127.0.0.1:8470. Start one with `podium up`, "
        "or sign in to another with `podium login URL`."
    )
    assert problem_of(raised.value).code == "unavailable"


def test_insistent_requests_survive_a_restart() -> None:
    line = Line(
        httpx.ConnectError("refused"),
        problem(503, "temporary", retry_after_seconds=2),
        httpx.ReadError("reset"),
        httpx.Response(200, json={}),
    )
    line.transport.send("POST", "/x", body={"a": 1}, repeatable=True, insistent=True)
    assert [json.loads(request.content) for request in line.asked] == [{"a": 1}] * 4
    assert line.waited == pytest.approx([0.15, 2, 1.35])


def test_repeats_are_bounded() -> None:
    line = Line(*(httpx.Response(502, text="bad gateway") for _ in range(9)))
    with pytest.raises(TemporaryError, match="not ready"):
        line.transport.send("GET", "/x")
    assert len(line.asked) == 4


@pytest.mark.parametrize("trouble", [httpx.ReadError("reset"), httpx.Response(503, text="")])
def test_what_may_have_happened_is_not_repeated(trouble: httpx.Response | Exception) -> None:
    line = Line(trouble)
    with pytest.raises(UnavailableError):
        line.transport.send("POST", "/tokens", body={})
    assert len(line.asked) == 1


def test_a_delete_whose_answer_was_lost_is_done() -> None:
    line = Line(httpx.ReadError("reset"), problem(404, "not_found"))
    line.transport.send("DELETE", "/tokens/t-1")
    with pytest.raises(NotFoundError):
        Line(problem(404, "not_found")).transport.send("DELETE", "/tokens/t-1")


def test_other_servers_are_recognised() -> None:
    with pytest.raises(PermanentError, match="not as a Podium server does"):
        Line(httpx.Response(404, text="<html>")).transport.send("GET", "/x")
    line = Line(httpx.Response(200, text="<html>"))
    from podium.spec.views.server import AboutView

    with pytest.raises(PermanentError, match="Check the address"):
        line.transport.fetch(AboutView, "/about")


def test_the_token_is_sent_and_no_other_credential() -> None:
    line = Line(httpx.Response(200, json={}))
    line.transport.send("GET", "/x")
    assert line.asked[0].headers["Authorization"] == "Bearer pod_x"
    assert str(line.asked[0].url) == "http://127.0.0.1:8470/api/v1/x"


def test_parameters_and_paths() -> None:
    assert query({"a": None, "b": True, "c": ["x", "y"], "d": 3}) == [
        ("b", "true"),
        ("c", "x"),
        ("c", "y"),
        ("d", "3"),
    ]
    assert path_of("projects", "a/b ?", "members") == "/projects/a%2Fb%20%3F/members"
    with pytest.raises(ValueError, match="JSON"):
        encode({"x": float("nan")})
