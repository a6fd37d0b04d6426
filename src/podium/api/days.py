"""Where days and hours begin in a time zone; the overview counts GPU time between them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from podium.spec.views.base import milliseconds, utc

HOUR_MS = 3_600_000
HOURS_SHOWN = 48
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Milliseconds since 1970 UTC. `yesterday_so_far_ms` is yesterday at this time of day;
    `hours_ms` are the beginnings of the last 48 hours, oldest first, that of now included."""

    yesterday_ms: int
    yesterday_so_far_ms: int
    today_ms: int
    hours_ms: tuple[int, ...]


def days_around(now_ms: int, zone: tzinfo) -> Days:
    """Days as the calendar of `zone` has them: 23 or 25 hours long where its clocks are set."""
    now = utc(now_ms).astimezone(zone)
    yesterday = now.date() - _DAY
    yesterday_ms, today_ms = _midnight_ms(yesterday, zone), _midnight_ms(now.date(), zone)
    same_time = milliseconds(datetime.combine(yesterday, now.time().replace(fold=now.fold), zone))
    into_hour = timedelta(minutes=now.minute, seconds=now.second, microseconds=now.microsecond)
    hour_ms = now_ms - into_hour // timedelta(milliseconds=1)
    return Days(
        yesterday_ms=yesterday_ms,
        # A time of day that yesterday did not have may lie outside of it.
        yesterday_so_far_ms=min(max(same_time, yesterday_ms), today_ms),
        today_ms=today_ms,
        hours_ms=tuple(hour_ms - back * HOUR_MS for back in reversed(range(HOURS_SHOWN))),
    )


def _midnight_ms(day: date, zone: tzinfo) -> int:
    """The day's first moment, also where the clocks are set at midnight."""
    return milliseconds(datetime.combine(day, time(), zone))
