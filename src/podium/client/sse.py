"""Server-sent events: bytes in, events out. The parser knows no socket; `streams` feeds it."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

EVENT_CHARACTERS_MAX = 16 * 2**20  # above this the other side is no Podium server


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event. `id` is the stream's latest id, also when this event carried none."""

    event: str
    data: str
    id: str | None = None


class EventParser:
    """Takes chunks cut anywhere, also inside a character or a line ending."""

    __slots__ = ("_data", "_decoder", "_event", "_last_id", "_pending", "_size", "retry_seconds")

    def __init__(self, last_id: str | None = None) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._pending = ""
        self._event = ""
        self._data: list[str] = []
        self._size = 0
        self._last_id = last_id
        self.retry_seconds: float | None = None

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """The events that `chunk` completes. Raises ValueError when one grows without end."""
        text = self._pending + self._decoder.decode(chunk)
        # A carriage return at the very end may be the first half of a CRLF.
        held = text.endswith("\r")
        lines = (text[:-1] if held else text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._pending = lines.pop() + ("\r" if held else "")
        if len(self._pending) + self._size > EVENT_CHARACTERS_MAX:
            raise ValueError("an event of the stream is larger than 16 MiB")
        return [event for line in lines if (event := self._line(line)) is not None]

    def _line(self, line: str) -> ServerEvent | None:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
            self._size += len(value)
            if self._size > EVENT_CHARACTERS_MAX:
                raise ValueError("an event of the stream is larger than 16 MiB")
        elif field == "event":
            self._event = value
        elif field == "id" and "\0" not in value:
            self._last_id = value or None
        elif field == "retry" and value.isascii() and value.isdigit():
            self.retry_seconds = int(value) / 1000
        return None

    def _dispatch(self) -> ServerEvent | None:
        name, data = self._event, self._data
        self._event, self._data, self._size = "", [], 0
        # An `event: end` may come without data; an empty block is a heartbeat's end.
        if not data and not name:
            return None
        return ServerEvent(name or "message", "\n".join(data), self._last_id)
