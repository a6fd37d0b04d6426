"""Hours of the day in which work may start, such as nights. `spec/window` reads them and knows when
they open."""

from __future__ import annotations

from dataclasses import dataclass

UTC = "UTC"


@dataclass(frozen=True, slots=True)
class StartWindow:
    """From `start_minute` of each day to `end_minute`, of the next day where that is not later, on
    the clocks of `zone`, an IANA name."""

    start_minute: int
    end_minute: int
    zone: str = UTC

    def __str__(self) -> str:
        start, end = divmod(self.start_minute, 60), divmod(self.end_minute, 60)
        hours = f"{start[0]:02}:{start[1]:02}-{end[0]:02}:{end[1]:02}"
        return hours if self.zone == UTC else f"{hours} {self.zone}"
