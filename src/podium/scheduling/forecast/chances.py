"""How long work may yet run, in one of several possible futures. `ahead` draws from here.

The draws are spread evenly over the odds, and depend on nothing but the name of the work and the
number of the future: the same question always gets the same answer.
"""

from __future__ import annotations

import math
from zlib import crc32

from podium.scheduling.forecast.runtimes import MOST
from podium.scheduling.snapshot import Expected

FUTURES_MAX = 16
"""A power of two, so that every odd step visits all strata."""

_STEEPEST = 20.0
_FLATTEST = 0.35
_FAR = 500.0
_LONGEST = 4  # times what work rarely exceeds: beyond, the curve says nothing


def chance(name: str, future: int) -> float:
    """Between 0 and 1: which part of all like work ends before this one. Over the futures each
    name has each of `FUTURES_MAX` strata once, in an order of its own."""
    number = crc32(name.encode())
    stratum = (number + future * ((number >> 8) | 1)) % FUTURES_MAX
    return (stratum + 0.5) / FUTURES_MAX


def runtime_ms(expected: Expected, ran_ms: int, part: float, longer: float = 1.0) -> int:
    """How long work runs in all that has run for `ran_ms` and goes on, when `part` of such work
    ends before it: on the log-logistic curve through the two expected values, `longer` times as
    long. At least a millisecond is always left."""
    likely_ms = max(1.0, expected.likely_ms * longer)
    most_ms = max(likely_ms, expected.most_ms * longer)
    spread = math.log(most_ms / likely_ms)
    steepness = _STEEPEST
    if spread > 0:
        steepness = min(_STEEPEST, max(_FLATTEST, math.log(MOST / (1 - MOST)) / spread))
    passed = steepness * math.log(ran_ms / likely_ms) if ran_ms > 0 else -_FAR
    left = 1 - part
    # (1 - s) / s, where s is the share of all work that is still there then.
    odds = passed - math.log(left)
    if passed <= _FAR:
        odds = math.log((1 + math.exp(passed)) / left - 1)
    found = round(likely_ms * math.exp(min(odds / steepness, _FAR)))
    return max(ran_ms + 1, min(found, _LONGEST * max(round(most_ms), ran_ms)))
