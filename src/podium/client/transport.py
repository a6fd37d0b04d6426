"""One connection to one server: signs requests, repeats the safe ones, reads the answers.

Every noun of the client sends through it; nothing else here knows httpx.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

import podium
from podium.client.failures import (
    UnavailableError,
    nobody_answers,
    not_podium,
    raise_for_answer,
)
from podium.domain.address import is_loopback
from podium.domain.errors import PodiumError, TemporaryError

Document = TypeVar("Document", bound=BaseModel)
Primitive = str | int | float | bool | None
Parameter = str | int | bool | Iterable[str] | None

BASE = "/api/v1"
ATTEMPTS = 4
BACKOFF_SECONDS = 0.15
BACKOFF_SECONDS_MAX = 10.0
_SAFE_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE"})


class Transport:
    """`attempts` bounds how often a request is sent; `sleep` is the wait between two attempts."""

    def __init__(
        self,
        server: str,
        token: str | None,
        *,
        timeout_seconds: float = 60.0,
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], None] = time.sleep,
        http: httpx.BaseTransport | None = None,
    ) -> None:
        self.server = server
        self.token = token
        self.attempts = attempts
        self.sleep = sleep
        self._http = httpx.Client(
            base_url=server,
            timeout=httpx.Timeout(timeout_seconds, connect=min(timeout_seconds, 10.0)),
            headers={"User-Agent": f"podium/{podium.__version__}"},
            # A proxy meant for the internet has no way to this machine's own loopback.
            trust_env=not is_loopback(server),
            transport=http,
        )

    def close(self) -> None:
        self._http.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Parameter] | None = None,
        body: object = None,
        content: Callable[[], Iterator[bytes]] | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
        insistent: bool = False,
        timeout_seconds: float | None = None,
    ) -> httpx.Response:
        """Sends and returns a success, or raises a PodiumError.

        `repeatable` says that sending twice does no harm (default: by method); `insistent` that a
        refused connection is tried again too. `content` is called afresh for each attempt.
        `timeout_seconds` is for an answer that takes longer than others.
        """
        safe = method in _SAFE_METHODS if repeatable is None else repeatable
        sent_headers = dict(headers or {})
        encoded = None
        if body is not None:
            encoded = encode(body)
            sent_headers.setdefault("Content-Type", "application/json")
        for attempt in range(1, self.attempts + 1):
            try:
                response = self._http.request(
                    method,
                    path if path.startswith("/healthz") else BASE + path,
                    params=query(params),
                    content=content() if content is not None else encoded,
                    headers=sent_headers,
                    auth=self._sign,
                    timeout=(
                        httpx.USE_CLIENT_DEFAULT
                        if timeout_seconds is None
                        else httpx.Timeout(timeout_seconds, connect=10.0)
                    ),
                )
                if method == "DELETE" and attempt > 1 and response.status_code == 404:
                    return response  # the first attempt's answer was lost on its way
                raise_for_answer(response, self.server)
            except httpx.TransportError as error:
                again = insistent if isinstance(error, httpx.ConnectError) else safe
                if not again or attempt == self.attempts:
                    raise self.lost(error) from error
                self.sleep(backoff_seconds(attempt))
            except TemporaryError as error:
                if not safe or attempt == self.attempts:
                    raise
                self.sleep(backoff_seconds(attempt, error.retry_after_seconds))
            else:
                return response
        raise AssertionError("the last attempt returns or raises")

    def fetch(
        self,
        model: type[Document],
        path: str,
        params: Mapping[str, Parameter] | None = None,
    ) -> Document:
        """GET that answers one document."""
        return self.parse(model, self.send("GET", path, params=params))

    def parse(self, model: type[Document], response: httpx.Response) -> Document:
        try:
            return model.model_validate_json(response.content)
        except ValidationError as error:
            raise not_podium(self.server, response.status_code) from error

    def open_stream(
        self,
        path: str,
        *,
        params: Mapping[str, Parameter] | None,
        headers: Mapping[str, str],
        read_seconds: float,
    ) -> httpx.Response:
        """An answer whose body is still to be read; the caller closes it. Raises like `send`."""
        try:
            request = self._http.build_request(
                "GET",
                BASE + path,
                params=query(params),
                headers={"Accept": "text/event-stream", **headers},
                timeout=httpx.Timeout(10.0, read=read_seconds),
            )
            response = self._http.send(request, stream=True, auth=self._sign)
            if response.status_code >= 400:
                response.read()
                raise_for_answer(response, self.server)
        except httpx.TransportError as error:
            raise self.lost(error) from error
        return response

    def download(
        self, path: str, *, params: Mapping[str, Parameter] | None = None
    ) -> Iterator[bytes]:
        """GET whose body is read as it comes. Raises like `send`, and where it breaks off."""
        try:
            with self._http.stream(
                "GET", BASE + path, params=query(params), auth=self._sign
            ) as response:
                if response.status_code >= 400:
                    response.read()
                    raise_for_answer(response, self.server)
                yield from response.iter_bytes()
        except httpx.TransportError as error:
            raise self.lost(error) from error

    def lost(self, error: httpx.TransportError) -> PodiumError:
        """What a broken connection means, in words."""
        if isinstance(error, httpx.UnsupportedProtocol):
            return not_podium(self.server, 0)
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return nobody_answers(self.server)
        if isinstance(error, httpx.TimeoutException):
            return UnavailableError(
                f"The Podium server at {self.server} took too long to answer. Try again."
            )
        return UnavailableError(
            f"The connection to the Podium server at {self.server} broke. Try again."
        )

    def _sign(self, request: httpx.Request) -> httpx.Request:
        # As `auth`, not as a header, so that a .netrc entry cannot replace it.
        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def backoff_seconds(attempt: int, asked_seconds: float = 0.0) -> float:
    """The wait after failed `attempt` (from 1): tripling, never less than asked for, bounded."""
    return min(max(BACKOFF_SECONDS * 3.0 ** (attempt - 1), asked_seconds), BACKOFF_SECONDS_MAX)


def path_of(*segments: str) -> str:
    """`("projects", "a/b")` → `"/projects/a%2Fb"`: what people type stays one segment."""
    return "".join(f"/{quote(segment, safe='')}" for segment in segments)


def query(params: Mapping[str, Parameter] | None) -> list[tuple[str, Primitive]]:
    """Parameters without those that are None; an iterable repeats its name."""
    pairs: list[tuple[str, Primitive]] = []
    for name, value in (params or {}).items():
        if value is None:
            continue
        if isinstance(value, bool):
            pairs.append((name, "true" if value else "false"))
        elif isinstance(value, str | int):
            pairs.append((name, str(value)))
        else:
            pairs.extend((name, item) for item in value)
    return pairs


def encode(body: object) -> bytes:
    """JSON; dates that YAML made are written as ISO 8601, documents without what is null."""
    return json.dumps(body, default=_plain, ensure_ascii=False, allow_nan=False).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_none=True)
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a JSON document")
