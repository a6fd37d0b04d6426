"""Reads server-sent events as a client that may lose its connection at any moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import httpx

from podium.client.sse import EventParser, ServerEvent


@dataclass
class BreakingReader:
    """Follows `path`, drops the connection after every `batch` events and resumes from the last
    id that it saw. `connections` counts how often it had to."""

    http: httpx.Client
    path: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    batch: int = 10
    connections: int = 0

    def read(self, enough: Callable[[ServerEvent], bool]) -> Iterator[ServerEvent]:
        """Up to `end`, or to the first event that is `enough`."""
        last_id: str | None = None
        while True:
            self.connections += 1
            headers = {} if last_id is None else {"Last-Event-ID": last_id}
            for event in self._connection(headers, EventParser(last_id)):
                last_id = event.id
                yield event
                if event.event == "end" or enough(event):
                    return

    def _connection(self, headers: dict[str, str], parser: EventParser) -> Iterator[ServerEvent]:
        seen = 0
        with self.http.stream(
            "GET", self.path, params=dict(self.params), headers=headers
        ) as answer:
            assert answer.status_code == 200, answer.read()
            assert answer.headers["content-type"].startswith("text/event-stream")
            for chunk in answer.iter_bytes():
                for event in parser.feed(chunk):
                    seen += 1
                    yield event
                    if seen >= self.batch:
                        return
