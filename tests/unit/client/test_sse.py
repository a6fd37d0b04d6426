"""The parser of server-sent events, however the bytes are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.client.sse import EVENT_CHARACTERS_MAX, EventParser, ServerEvent

STREAM = (
    "\n: heartbeat\n\n"
    'event: change\nid: 7\ndata: {"a":1}\n\n'
    "data: zwölf\r\ndata: two\r\n\r\n"
    "id: 8\n\n"
    "event:lines\rdata:x\rretry: 1500\r\r"
    "event: end\n\n"
).encode()
EVENTS = [
    ServerEvent("change", '{"a":1}', "7"),
    ServerEvent("message", "zwölf\ntwo", "7"),
    ServerEvent("lines", "x", "8"),
    ServerEvent("end", "", "8"),
]


def test_reads_a_whole_stream() -> None:
    parser = EventParser()
    assert parser.feed(STREAM) == EVENTS
    assert parser.retry_seconds == 1.5


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_cuts_change_nothing(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    parser = EventParser()
    found = []
    for start, end in pairwise(places):
        found += parser.feed(STREAM[start:end])
    assert found == EVENTS


def test_byte_by_byte() -> None:
    parser = EventParser()
    assert [event for byte in STREAM for event in parser.feed(bytes([byte]))] == EVENTS


def test_an_unfinished_event_is_kept_back() -> None:
    parser = EventParser("5")
    assert parser.feed(b"data: half") == []
    assert parser.feed(b" and half\n") == []
    assert parser.feed(b"\n") == [ServerEvent("message", "half and half", "5")]


def test_an_event_without_end_is_refused() -> None:
    parser = EventParser()
    chunk = b"data: " + b"x" * 2**20 + b"\n"
    for _ in range(EVENT_CHARACTERS_MAX // 2**20):
        parser.feed(chunk)
    with pytest.raises(ValueError, match="larger than 16 MiB"):
        parser.feed(chunk)


@given(st.binary(max_size=400))
def test_any_bytes_are_survived(noise: bytes) -> None:
    EventParser().feed(noise)
