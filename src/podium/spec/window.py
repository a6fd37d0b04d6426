"""Hours of the day in which work may start: read from text, and when they open next."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from podium.domain.window import UTC, StartWindow
from podium.spec.views.base import milliseconds, utc

_WRITTEN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)(?: (\S+))?")


def read_window(text: str) -> StartWindow | None:
    """`20:00-06:00`, in UTC, or `20:00-06:00 Europe/Berlin`; None for anything else."""
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        return None
    zone = found[5] or UTC
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):  # unknown, a path, a folder
        return None
    start, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    return StartWindow(start, end, zone) if start != end else None


def opens_at_ms(window: StartWindow, at_ms: int) -> int:
    """`at_ms` itself while it is open, else when it opens next."""
    zone = ZoneInfo(window.zone)
    today = utc(at_ms).astimezone(zone).date()
    for offset in range(-1, 3):
        day = today + timedelta(days=offset)
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
        after = midnight + timedelta(days=int(window.end_minute <= window.start_minute))
        # Wall-clock arithmetic: a night is as long as the clocks make it.
        start_ms = milliseconds(midnight + timedelta(minutes=window.start_minute))
        end_ms = milliseconds(after + timedelta(minutes=window.end_minute))
        if start_ms <= at_ms < end_ms:
            return at_ms
        if start_ms > at_ms:
            return start_ms
    raise AssertionError("a window opens every day")
