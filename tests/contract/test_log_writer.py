"""Properties of what a shim makes of a stream, however it is cut into reads."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from podium.engines.logs.writer import LINE_BYTES_MAX, LineSplitter


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=400).map(str.encode), st.lists(st.integers(1, 50), max_size=20))
def test_text_survives_any_cut(text: bytes, sizes: list[int]) -> None:
    splitter, out, start = LineSplitter(b"o"), b"", 0
    for size in sizes:
        out += splitter.feed(text[start : start + size])
        start += size
    out += splitter.feed(text[start:]) + splitter.end()
    said = [line.split(b" ", 2)[2] for line in out.split(b"\n")[:-1]]
    expected = text.split(b"\n")
    assert said == (expected[:-1] if expected[-1] == b"" else expected)


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 3 * LINE_BYTES_MAX))
def test_every_line_is_bounded_and_valid(noise: bytes, length: int) -> None:
    splitter = LineSplitter(b"e")
    out = splitter.feed(noise + "é".encode() * length) + splitter.end()
    for line in out.decode().split("\n"):
        assert len(line.encode()) <= 3 * LINE_BYTES_MAX + 32
    assert out.endswith(b"\n") or not out
