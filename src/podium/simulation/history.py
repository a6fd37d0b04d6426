"""What a simulated cluster remembers of finished work, so that `decide` can tell small from large.

`world` keeps one where work is served by what it has had.
"""

from __future__ import annotations

from collections.abc import Iterable

from podium.scheduling.order.service_order import census, level, levels, ordered_from
from podium.scheduling.snapshot import Past

_LEARN_AFTER = 50  # when one in so many more was seen, what is small is learnt anew


class History:
    def __init__(self) -> None:
        self._had: list[int] = []
        self._finished = [0] * levels()
        self._small_ends_at = levels()
        self._learn_at = 0

    def ended(self, attained_milli_ms: int) -> None:
        """A workload is done, after so much GPU time."""
        self._had.append(attained_milli_ms)
        self._finished[level(attained_milli_ms)] += 1

    def past(self, active: Iterable[int]) -> Past:
        """As the next cycle may know it; `active` is what unfinished work has had so far."""
        unfinished = list(active)
        seen = len(self._had) + len(unfinished)
        if seen >= self._learn_at:
            self._small_ends_at = ordered_from(census([*self._had, *unfinished]))
            self._learn_at = seen + max(1, seen // _LEARN_AFTER)
        return Past(self._small_ends_at, tuple(self._finished))
