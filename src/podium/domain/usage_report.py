"""What can be asked of usage and cost: by what, per what, when, and of whom. `api/usage` and
`api/cost` ask `store/reports` with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from podium.domain.metering import DAY_MS, Dimension

_DAYS_TO_1970 = 719_468
"""From the first of March of year 0."""


class Per(StrEnum):
    """What time a row of a report covers. Days and months are those of UTC."""

    TOTAL = "total"
    MONTH = "month"
    DAY = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Whose use counts: where several are named any of them, and all in every other."""

    projects: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    cost_centres: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    gpu_types: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()


EVERYTHING = Chosen()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """From midnight (UTC) to midnight, the last one not included. `label` is the key by whose
    values it is told, where that is asked."""

    by: Dimension
    since_ms: int
    until_ms: int
    per: Per = Per.TOTAL
    label: str = ""
    chosen: Chosen = EVERYTHING

    def __post_init__(self) -> None:
        assert self.since_ms % DAY_MS == 0
        assert self.until_ms % DAY_MS == 0
        assert self.since_ms < self.until_ms
        assert (self.by is Dimension.LABEL) == bool(self.label)

    @property
    def starts_ms(self) -> tuple[int, ...] | None:
        """Where the time of a row begins, ascending; None: at each midnight."""
        if self.per is Per.DAY:
            return None
        if self.per is Per.TOTAL:
            return (self.since_ms,)
        return (self.since_ms, *months_ms(self.since_ms, self.until_ms))


def months_ms(since_ms: int, until_ms: int) -> Iterator[int]:
    """The beginnings of months (UTC) after one time and before another."""
    # No month is longer than 31 days, so this one does not begin after `since_ms`.
    months = since_ms // DAY_MS // 31 + 1
    at_ms = month_ms(1970, months)
    while at_ms < until_ms:
        if at_ms > since_ms:
            yield at_ms
        months += 1
        at_ms = month_ms(1970, months)


def month_ms(year: int, month: int) -> int:
    """When a month begins (UTC); month 13 is the first of the next year."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    # Years are counted from March, so that a day that is put in comes last.
    year, month = (year - 1, month + 9) if month < 3 else (year, month - 3)
    days = year * 365 + year // 4 - year // 100 + year // 400 + (153 * month + 2) // 5
    return (days - _DAYS_TO_1970) * DAY_MS
