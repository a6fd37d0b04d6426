"""The server's log: one line for each event on standard error, JSON when that is no terminal; and
what it says to the person who started it."""

from __future__ import annotations

import logging
import re
import sys

import structlog
from structlog.typing import EventDict

_log = structlog.get_logger(__name__)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def configure_log() -> None:
    """One line for each event on standard error; JSON when it goes to a file or a collector."""
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            *((printable, structlog.dev.ConsoleRenderer()) if terminal else (_JSON,)),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Passed()], level=logging.WARNING, force=True)
    # It warns of each request that is none, and anybody can send those.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)


_JSON = structlog.processors.JSONRenderer()
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def printable(_logger: object, _method: str, event: EventDict) -> EventDict:
    """What others wrote must not steer the operator's terminal, nor look like lines of the log."""
    for name, value in event.items():
        text = value if isinstance(value, str) else repr(value)
        clean = _CONTROL.sub("\ufffd", text)
        if name != "exception":
            clean = clean.replace("\n", "\u23ce").replace("\t", " ")
        if clean != text or not isinstance(value, str | int | float):
            event[name] = clean
    return event


class _Passed(logging.Handler):
    """What libraries log in Python's own way, as lines of the same form."""

    def emit(self, record: logging.LogRecord) -> None:
        _log.log(record.levelno, record.getMessage(), source=record.name, exc_info=record.exc_info)
