"""When those who wait are expected to start, as a range. `control/expect` asks for it, and
`simulation` measures how often it holds.

Several possible futures are played through (`ahead`), each with its own draw of how long work
runs; what most of them agree on is the range. Who comes later is not foreseen.
"""

from __future__ import annotations

from dataclasses import dataclass

from podium.scheduling.forecast.ahead import Ahead
from podium.scheduling.forecast.chances import FUTURES_MAX
from podium.scheduling.forecast.scene import Scene, of_limit
from podium.scheduling.forecast.turns import turns
from podium.scheduling.snapshot import Expected, Snapshot
from podium.scheduling.view import view_of

_UNKNOWN = Expected(3600 * 1000, 24 * 3600 * 1000)
"""Of work about which nothing at all is known."""

_STEPS_MAX = 400_000
"""In all futures together: what keeps a forecast of a large cluster short."""

_FUTURES_MIN = 4
_SAMPLE = 200


@dataclass(frozen=True, slots=True)
class Eta:
    """When a workload starts: rarely before `early_ms`, as often before as after `likely_ms`,
    rarely after `late_ms`."""

    early_ms: int
    likely_ms: int
    late_ms: int

    def __post_init__(self) -> None:
        assert self.early_ms <= self.likely_ms <= self.late_ms


def forecast(snapshot: Snapshot, now_ms: int, *, most: int = 1000) -> dict[str, Eta]:
    """Of the first `most` in the order of service, by workload id. Who is not in it: nobody can
    know, because it waits for a dependency, fits nowhere, or stands behind work without an end.
    """
    view = view_of(snapshot)
    entries = turns(snapshot, view, now_ms, most)
    if not entries:
        return {}
    scene = Scene(snapshot, view, entries, usual(snapshot), now_ms)
    starts: dict[str, list[int]] = {
        entry.demand.workload_id: []
        for entry in entries
        if entry.demand.workload_id not in view.held
    }
    futures, steps = FUTURES_MAX, 0
    played = 0
    while played < futures:
        ahead = Ahead(scene, played * (FUTURES_MAX // futures), 1.0)
        found = ahead.play(_STEPS_MAX // _FUTURES_MIN)
        for workload_id, at_ms in found.items():
            if workload_id in starts:
                starts[workload_id].append(at_ms)
        steps += ahead.steps
        played += 1
        while futures > _FUTURES_MIN and steps // played * futures > _STEPS_MAX:
            futures //= 2
    etas = {}
    for workload_id, times in starts.items():
        eta = _range(times, played)
        if eta is not None:
            etas[workload_id] = eta
    return etas


def usual(snapshot: Snapshot) -> Expected:
    """What work is like of which nothing is known: the median of what is known of others."""
    known = [hold.expected for hold in snapshot.holds[:_SAMPLE] if hold.expected is not None]
    for demand in snapshot.demands[:_SAMPLE]:
        found = demand.expected or of_limit(demand.limit_ms)
        if found is not None:
            known.append(found)
    if not known:
        return _UNKNOWN
    known.sort(key=lambda each: (each.likely_ms, each.most_ms))
    return known[len(known) // 2]


def _range(times: list[int], played: int) -> Eta | None:
    """None where more than one future in eight does not see it start."""
    if len(times) * 8 < played * 7:
        return None
    times.sort()
    last = played - 1

    def at(parts: int) -> int:
        return times[min(len(times) - 1, last * parts // 100)]

    return Eta(at(7), at(50), at(94))
