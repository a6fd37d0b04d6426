"""The figures of one minute of cycles, as they come; `control/recorder` writes them."""

from __future__ import annotations

from collections.abc import Mapping

from podium.store.scheduler_minutes import MINUTE_MS, Minutes


class Minute:
    def __init__(self, begins_ms: int) -> None:
        self.begins_ms = begins_ms
        self._took_us: list[int] = []
        self._counts = dict.fromkeys(("recorded", "placed", "preempted", "told", "stale"), 0)
        self._waiting = 0
        self._reasons: Mapping[str, int] = {}

    @staticmethod
    def of(at_ms: int) -> int:
        """When the minute of that time begins."""
        return at_ms // MINUTE_MS * MINUTE_MS

    def add(self, took_us: int, *, waiting: int, reasons: Mapping[str, int], **counts: int) -> None:
        """One cycle; `counts` as `figures` tells them."""
        self._took_us.append(took_us)
        self._waiting, self._reasons = waiting, reasons
        for name, count in counts.items():
            self._counts[name] += count

    def figures(self) -> Minutes:
        took_us = sorted(self._took_us)
        return Minutes(
            at_ms=self.begins_ms,
            cycles=len(took_us),
            waiting=self._waiting,
            median_us=took_us[len(took_us) // 2],
            p99_us=took_us[(len(took_us) * 99) // 100],
            reasons=self._reasons,
            **self._counts,
        )
