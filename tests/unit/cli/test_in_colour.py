"""Lines of logs on a terminal: their colours stay, and nothing else of theirs steers it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.cli import terminal
from podium.cli.wording import in_colour, plain


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("loss 0.1\tacc 0.9", "loss 0.1\tacc 0.9"),
        ("\x1b[1;32mok\x1b[0m done", "\x1b[1;32mok\x1b[0m done\x1b[0m"),
        ("\x1b[31mred to the end", "\x1b[31mred to the end\x1b[0m"),
        ("\x1b]0;title\x07a\x1b[2J\x1b[1Ab\x1bc", "ab" + "c"),
        ("\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("10 %\r20 %\r30 %\r", "30 %"),
        ("a\x08\x9b2Jb\u202ec\u2066", "a2Jbc"),
        ("", ""),
    ],
)
def test_colours_and_nothing_else(line: str, shown: str) -> None:
    assert in_colour(line) == shown


@given(st.text(alphabet="\x1b[]0;1mJ\x07\r\x9b\u202eab\\?"))
def test_whatever_was_written(line: str) -> None:
    left = in_colour(line)
    for part in left.split("\x1b")[1:]:
        assert part.startswith("[")
        assert part[1:].lstrip("0123456789;:").startswith("m")
    assert not set(left) & set("\x07\r\x9b\u202e")
    assert "\x1b" not in plain(line)


def test_json_says_the_same_without_steering(capsys: pytest.CaptureFixture[str]) -> None:
    told = {"name": "a\x1b[2J\x9b31m\u202eb – ü"}
    terminal.line(told)
    terminal.document(told)
    first, rest = capsys.readouterr().out.split("\n", 1)
    assert json.loads(first) == json.loads(rest) == told
    assert not set(first + rest) & set("\x1b\x9b\u202e")
    assert "– ü" in first
