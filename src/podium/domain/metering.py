"""The bill of one allocation, to the millisecond: cut where a day (UTC) or a price ends. Whole
numbers that add up; `store/metering` writes them at the release, `store/running` reads with them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from podium.domain.tariff import Tariff

DAY_MS = 86_400_000


class Dimension(StrEnum):
    """By what usage is told and budgets are held."""

    ORGANISATION = "organisation"
    TEAM = "team"
    PROJECT = "project"
    COST_CENTRE = "cost_centre"
    USER = "user"
    KIND = "kind"
    GPU_TYPE = "gpu_type"
    LABEL = "label"


@dataclass(frozen=True, slots=True)
class Part:
    """Milli-GPU of one type that an allocation holds, and how much of it was borrowed when it was
    granted. Type "" stands for work without GPUs."""

    gpu_type: str
    gpu_milli: int
    borrowed_milli: int = 0


NO_GPU = (Part("", 0),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered:
    """What is known of an allocation when it is released, or while it runs.

    `runtime_ms` comes from a clock that does not jump; `ended_ms` says where on the calendar it
    ends. It was held from `held_from_ms` until `held_until_ms`. In `measured_ms` of its time it
    kept its GPUs busy for `busy_milli_ms` (milli-GPU x milliseconds).
    """

    parts: tuple[Part, ...]
    runtime_ms: int
    ended_ms: int
    held_from_ms: int
    held_until_ms: int
    cpu_milli: int = 0
    cpu_used_ms: int = 0
    measured_ms: int = 0
    busy_milli_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What was used of one GPU type on one day at one price, up to `until_ms`. GPU and CPU amounts
    are in thousandths x milliseconds; CPU stands on the lines of the first type only.

    Of `gpu_milli_ms` so much was borrowed, measured, and measured to be idle; what nobody measured
    does not count as idle. `unbilled_milli_ms` was held while nothing ran, so nobody pays it.
    """

    gpu_type: str
    day_ms: int
    rate_ms: int
    until_ms: int
    runtime_ms: int
    gpu_milli_ms: int
    borrowed_milli_ms: int
    measured_milli_ms: int
    idle_milli_ms: int
    unbilled_milli_ms: int
    cpu_milli_ms: int
    cpu_used_ms: int


def lines_of(metered: Metered, tariff: Tariff, cuts_ms: Sequence[int] | None = None) -> list[Line]:
    """At least one line. With `cuts_ms`, ascending, it is cut there instead of at each midnight;
    a line's day is that of its beginning."""
    start_ms = metered.ended_ms - metered.runtime_ms
    parts = metered.parts or NO_GPU
    pieces = []
    for number, part in enumerate(parts):
        marks = _marks(metered, start_ms, tariff.changes(part.gpu_type), cuts_ms)
        for begin_ms, finish_ms in pairwise(marks):
            runtime_ms = _overlap(begin_ms, finish_ms, start_ms, metered.ended_ms)
            held_ms = _overlap(begin_ms, finish_ms, metered.held_from_ms, metered.held_until_ms)
            more_ms = max(0, held_ms - runtime_ms)
            pieces.append((number == 0, part, begin_ms, finish_ms, runtime_ms, more_ms))
    milli = sum(part.gpu_milli for part in parts)
    measured_ms = min(metered.measured_ms, metered.runtime_ms)
    measured = measured_ms * milli
    idle = measured - min(metered.busy_milli_ms, measured)
    gpu = [part.gpu_milli * runtime_ms for _, part, _, _, runtime_ms, _ in pieces]
    cpu = [runtime_ms if first else 0 for first, _, _, _, runtime_ms, _ in pieces]
    return [
        Line(
            gpu_type=part.gpu_type,
            day_ms=begin_ms // DAY_MS * DAY_MS,
            rate_ms=tariff.rate_ms(part.gpu_type, begin_ms),
            until_ms=max(begin_ms, min(finish_ms, metered.ended_ms)),
            runtime_ms=runtime_ms,
            gpu_milli_ms=gpu_milli_ms,
            borrowed_milli_ms=part.borrowed_milli * runtime_ms,
            measured_milli_ms=measured_milli_ms,
            idle_milli_ms=idle_milli_ms,
            unbilled_milli_ms=part.gpu_milli * unbilled_ms,
            cpu_milli_ms=metered.cpu_milli * cpu_ms,
            cpu_used_ms=cpu_used_ms,
        )
        for (
            (_, part, begin_ms, finish_ms, runtime_ms, unbilled_ms),
            gpu_milli_ms,
            measured_milli_ms,
            idle_milli_ms,
            cpu_ms,
            cpu_used_ms,
        ) in zip(
            pieces,
            gpu,
            spread(measured, gpu),
            spread(idle, gpu),
            cpu,
            spread(metered.cpu_used_ms, cpu),
            strict=True,
        )
    ]


def spread(amount: int, weights: Sequence[int]) -> list[int]:
    """`amount` divided by the weights into whole numbers that add up to it; no part is larger than
    its weight when the amount is not larger than all of them. Without weight, the first has it."""
    total = sum(weights)
    if not total:
        return [amount, *[0] * (len(weights) - 1)]
    found, done, weight = [], 0, 0
    for each in weights:
        weight += each
        until = amount * weight // total
        found.append(until - done)
        done = until
    return found


def _marks(
    metered: Metered, start_ms: int, changes: Sequence[int], cuts_ms: Sequence[int] | None
) -> list[int]:
    """Where it is cut, with both ends; an allocation of no length has one piece of no length."""
    first_ms = min(start_ms, metered.held_from_ms)
    last_ms = max(metered.ended_ms, metered.held_until_ms)
    inside = _between(changes, first_ms, last_ms)
    if cuts_ms is None:
        cuts_ms = range(first_ms - first_ms % DAY_MS + DAY_MS, last_ms, DAY_MS)
    else:
        cuts_ms = _between(cuts_ms, first_ms, last_ms)
    return [first_ms, *(sorted({*inside, *cuts_ms}) if inside else cuts_ms), last_ms]


def _between(marks: Sequence[int], first_ms: int, last_ms: int) -> Sequence[int]:
    return marks[bisect_right(marks, first_ms) : bisect_left(marks, last_ms)]


def _overlap(begin_ms: int, finish_ms: int, from_ms: int, until_ms: int) -> int:
    return max(0, min(finish_ms, until_ms) - max(begin_ms, from_ms))
