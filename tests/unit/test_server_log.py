"""The server's log on a terminal: what others wrote neither steers it nor passes for a line."""

from __future__ import annotations

import structlog

from podium.server.log import printable


def test_what_others_wrote_is_neutral() -> None:
    event = {
        "event": "request_failed",
        "path": "/a\x1b[2Jb\r\nforged \u202eline",
        "names": ["x\x1b]0;t\x07"],
        "exception": "Traceback\n\tat \x1b[31mhere",
        "count": 3,
    }
    clean = printable(None, "error", event)
    assert clean["path"] == "/a\ufffd[2Jb\ufffd⏎forged \ufffdline"
    assert clean["exception"] == "Traceback\n\tat \ufffd[31mhere"
    assert clean["count"] == 3
    line = structlog.dev.ConsoleRenderer(colors=False)(None, "error", clean)
    assert len(str(line).splitlines()) == 3, "one line, and the two of the exception"
    assert not set(str(line)) & set("\x1b\x07\r\u202e")
