"""Live streams that outlive a broken connection: reconnects where it stopped, with bounds.

Logs, changes and waiting in this package read their events here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing

import httpx

from podium.client.failures import UnavailableError
from podium.client.sse import EventParser, ServerEvent
from podium.client.transport import Parameter, Transport, backoff_seconds
from podium.domain.errors import PermanentError, TemporaryError

SILENCE_SECONDS_MAX = 60.0
"""Heartbeats come more often than this; a longer silence is a dead connection."""

OPENED = ServerEvent("opened", "")

FAILURES_MAX = 8
"""Attempts in a row without a single event, after which the stream is given up."""


def stream(
    transport: Transport,
    path: str,
    *,
    params: Mapping[str, Parameter] | None = None,
    after: str | None = None,
    until: float | None = None,
    announce: bool = False,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[ServerEvent]:
    """Yields events up to `event: end`, which is not yielded.

    With `announce`, each connection yields OPENED first, once the server listens for this reader:
    what is read after it misses nothing. Resumes with `Last-Event-ID` after a break. Ends quietly
    at `until` (on the clock of `monotonic`). Raises UnavailableError after FAILURES_MAX fruitless
    attempts.
    """
    last_id = after
    failures = 0
    while until is None or monotonic() < until:
        parser = EventParser(last_id)
        remaining = SILENCE_SECONDS_MAX if until is None else max(0.05, until - monotonic())
        try:
            response = transport.open_stream(
                path,
                params=params,
                headers={} if last_id is None else {"Last-Event-ID": last_id},
                read_seconds=min(SILENCE_SECONDS_MAX, remaining),
            )
            with closing(response):
                if announce:
                    yield OPENED
                for chunk in response.iter_bytes():
                    for event in parser.feed(chunk):
                        if event.event == "end":
                            return
                        last_id = event.id
                        failures = 0
                        yield event
                    if until is not None and monotonic() >= until:
                        return
            broke: TemporaryError = UnavailableError(
                f"The Podium server at {transport.server} closed the stream. Try again."
            )
        except httpx.TransportError as error:
            broke = UnavailableError(
                f"The connection to the Podium server at {transport.server} broke. Try again."
            )
            broke.__cause__ = error
        except ValueError as error:
            raise PermanentError(f"{transport.server}: {error}.") from error
        except TemporaryError as error:
            broke = error
        failures += 1
        if failures >= FAILURES_MAX:
            raise broke
        wait_seconds = backoff_seconds(failures, parser.retry_seconds or 0.0)
        if until is not None:
            wait_seconds = min(wait_seconds, max(0.0, until - monotonic()))
        transport.sleep(wait_seconds)
