"""How good the times were that waiting work was told. The Scheduler page asks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median_low

from podium.scheduling.forecast.eta import Eta

_HOUR_MS = 3_600_000
WAITED: tuple[tuple[str, int | None], ...] = (
    ("10m", _HOUR_MS // 6),
    ("1h", _HOUR_MS),
    ("1d", 24 * _HOUR_MS),
    ("longer", None),
)
"""Up to how long work waited since it was told a time first."""


@dataclass(frozen=True, slots=True)
class Told:
    """When a workload was first told a time, what it was told last, what was forecast first, and
    when it started, if it did."""

    asked_at_ms: int
    said: Eta
    first: Eta
    started_at_ms: int | None


@dataclass(frozen=True, slots=True)
class Outside:
    """Those that did not start in the range, and how far outside."""

    count: int = 0
    median_ms: int = 0
    worst_ms: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    waited: str
    started: int
    inside: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """`inside` the range that was told last, `inside_first` the one that was forecast first. The
    `overdue` still wait. `median_error_ms` is from the likely time forecast first to the start."""

    started: int
    inside: int
    inside_first: int
    sooner: Outside
    later: Outside
    overdue: int
    median_error_ms: int
    groups: tuple[Group, ...]


def calibrated(told: Iterable[Told], now_ms: int) -> Calibration:
    sooner: list[int] = []
    later: list[int] = []
    errors: list[int] = []
    inside_first = overdue = 0
    groups = {name: [0, 0] for name, _ in WAITED}
    for each in told:
        start_ms = each.started_at_ms
        if start_ms is None:
            overdue += now_ms > each.said.late_ms
            continue
        errors.append(abs(start_ms - each.first.likely_ms))
        inside_first += each.first.early_ms <= start_ms <= each.first.late_ms
        group = groups[_waited(start_ms - each.asked_at_ms)]
        group[0] += 1
        if start_ms < each.said.early_ms:
            sooner.append(each.said.early_ms - start_ms)
        elif start_ms > each.said.late_ms:
            later.append(start_ms - each.said.late_ms)
        else:
            group[1] += 1
    return Calibration(
        started=len(errors),
        inside=len(errors) - len(sooner) - len(later),
        inside_first=inside_first,
        sooner=_outside(sooner),
        later=_outside(later),
        overdue=overdue,
        median_error_ms=median_low(errors) if errors else 0,
        groups=tuple(Group(name, *counts) for name, counts in groups.items() if counts[0]),
    )


def _waited(wait_ms: int) -> str:
    return next(name for name, most_ms in WAITED if most_ms is None or wait_ms <= most_ms)


def _outside(distances_ms: Sequence[int]) -> Outside:
    if not distances_ms:
        return Outside()
    return Outside(len(distances_ms), median_low(distances_ms), max(distances_ms))
