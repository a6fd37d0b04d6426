"""Log lines of replicas: read at once, or followed live. Used by `client.workloads`."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from podium.client.sse import ServerEvent
from podium.client.streams import stream
from podium.client.transport import Transport, path_of
from podium.domain.errors import PermanentError

_EPOCH = datetime.fromtimestamp(0, tz=UTC)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of one rank. `stream` is `out` or `err`; `at` is UTC, when it was written."""

    rank: int
    at: datetime | None
    stream: str
    text: str

    def document(self) -> dict[str, object]:
        """As the API writes it."""
        at = None if self.at is None else self.at.isoformat().replace("+00:00", "Z")
        return {"rank": self.rank, "at": at, "stream": self.stream, "text": self.text}


def read_text(
    transport: Transport,
    workload_id: str,
    *,
    rank: int | None = None,
    tail: int | None = None,
    timestamps: bool = False,
    q: str | None = None,
    attempt: int | None = None,
) -> str:
    """What was logged until now, as text; with `q`, only the lines that have it."""
    answer = transport.send(
        "GET",
        path_of("workloads", workload_id, "logs"),
        params={
            "rank": rank,
            "tail": tail,
            "follow": False,
            "timestamps": timestamps,
            "q": q,
            "attempt": attempt,
        },
        headers={"Accept": "text/plain"},
    )
    return answer.content.decode(errors="replace")


def read_lines(
    transport: Transport,
    workload_id: str,
    *,
    ranks: Iterable[int],
    tail: int | None = None,
    q: str | None = None,
    attempt: int | None = None,
) -> Iterator[LogLine]:
    """What `ranks` logged until now, in the order of time; `tail` counts for each rank."""
    by_rank = [
        _lines_of(
            read_text(
                transport,
                workload_id,
                rank=rank,
                tail=tail,
                timestamps=True,
                q=q,
                attempt=attempt,
            ),
            rank,
        )
        for rank in ranks
    ]
    yield from heapq.merge(*by_rank, key=lambda line: line.at or _EPOCH)


def follow(
    transport: Transport,
    workload_id: str,
    *,
    rank: int | None = None,
    tail: int | None = None,
    after: str | None = None,
) -> Iterator[LogLine]:
    """Yields lines until the work has ended and all was read; resumes after a break."""
    for event in stream(
        transport,
        path_of("workloads", workload_id, "logs"),
        params={"rank": rank, "tail": tail, "follow": True},
        after=after,
    ):
        yield from lines_of_event(event)


def lines_of_event(event: ServerEvent) -> Iterator[LogLine]:
    """A `line` event holds one line, a `lines` event a list; others are of a later version."""
    if event.event not in ("line", "lines"):
        return
    try:
        held = json.loads(event.data)
        for line in held if isinstance(held, list) else [held]:
            at = line.get("at")
            yield LogLine(
                rank=int(line["rank"]),
                at=datetime.fromisoformat(at) if at else None,
                stream=str(line.get("stream", "out")),
                text=str(line["text"]),
            )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PermanentError("The server sent a log line that cannot be read.") from error


def _lines_of(text: str, rank: int) -> list[LogLine]:
    lines: list[LogLine] = []
    last = _EPOCH
    for raw in text.split("\n"):
        if not raw and not lines:
            continue
        stamp, _, words = raw.partition(" ")
        try:
            last = datetime.fromisoformat(stamp)
        except ValueError:
            words = raw
        lines.append(LogLine(rank, last if last != _EPOCH else None, "out", words))
    if lines and not lines[-1].text and text.endswith("\n"):
        lines.pop()
    return lines
