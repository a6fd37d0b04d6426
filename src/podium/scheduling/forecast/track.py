"""How well forecasts held lately, and what follows for the next: ranges become as wide, and move as
far, as what came of the last ones asks for. `control/expect` and `simulation` keep one each.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable

from podium.scheduling.forecast.eta import Eta

KEPT = 200
_SHORTEST_MS = 60_000
"""Waits below this are not told apart."""
_SLACK = 0.3
"""Added to either half of a range, in logarithms: even futures that agree may all be wrong."""
_LOW, _HIGH = 0.04, 0.95
_LEAST = 0.5
"""Either half of a range stays at least this part of what it was."""
_WIDEST = 6.0
_BEFORE = (-1.6, -1.2, -0.9, -0.6, -0.4, -0.2, 0.0, 0.2, 0.4, 0.7, 1.0, 1.3, 1.7, 2.2)
"""What is believed before anything came: later a little more often than earlier, because who comes
later is not foreseen."""


class Track:
    """Where starts fell in the ranges that were forecast (by `eta.forecast`, not yet widened): 0 is
    `likely`, -1 and 1 are the ends, with some slack."""

    def __init__(self) -> None:
        self._places: deque[float] = deque(_BEFORE, maxlen=KEPT)

    def add(self, said_at_ms: int, eta: Eta, started_at_ms: int) -> None:
        self._places.append(_place(said_at_ms, eta, started_at_ms))

    def widened(self, eta: Eta, now_ms: int, waiting: Iterable[tuple[int, Eta]] = ()) -> Eta:
        """What to say in place of a forecast made now."""
        return self.all_widened({"": eta}, now_ms, waiting)[""]

    def all_widened(
        self, etas: dict[str, Eta], now_ms: int, waiting: Iterable[tuple[int, Eta]] = ()
    ) -> dict[str, Eta]:
        """`waiting` are forecasts, and when they were made, of those who still wait: where their
        likely time has passed, that counts as well."""
        places = [
            place
            for said_at_ms, eta in waiting
            if eta.likely_ms < now_ms and (place := _place(said_at_ms, eta, now_ms)) > 0
        ][-KEPT:]
        places = sorted([*self._places, *places])
        low, mid, high = (
            places[min(len(places) - 1, int(len(places) * part))] for part in (_LOW, 0.5, _HIGH)
        )
        low, high = min(low, -_LEAST), max(high, _LEAST)
        return {key: _moved(eta, now_ms, low, mid, high) for key, eta in etas.items()}


def _place(said_at_ms: int, eta: Eta, at_ms: int) -> float:
    down, up = _halves(eta, said_at_ms)
    off = _log(at_ms - said_at_ms) - _log(eta.likely_ms - said_at_ms)
    return max(-_WIDEST, min(_WIDEST, off / (up if off > 0 else down)))


def _moved(eta: Eta, now_ms: int, low: float, mid: float, high: float) -> Eta:
    down, up = _halves(eta, now_ms)
    likely = _log(eta.likely_ms - now_ms)

    def at(place: float) -> int:
        wait = math.exp(likely + place * (up if place > 0 else down))
        return now_ms + (0 if wait <= _SHORTEST_MS else round(wait))

    return Eta(at(low), at(mid), max(at(high), now_ms + _SHORTEST_MS))


def _halves(eta: Eta, now_ms: int) -> tuple[float, float]:
    """How far the ends are from the middle, in logarithms of the wait."""
    early, likely, late = (
        _log(each - now_ms) for each in (eta.early_ms, eta.likely_ms, eta.late_ms)
    )
    return likely - early + _SLACK, late - likely + _SLACK


def _log(wait_ms: int) -> float:
    return math.log(max(_SHORTEST_MS, wait_ms))
