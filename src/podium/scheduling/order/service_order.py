"""Who goes first by what it has had so far, when nobody can know how long work will run.

`decide` ranks with it under `Order.ATTAINED`; the simulated policy `attained` does, too.

Most work is small, and most of the time goes to little of it. So what has had little goes first,
in steps, whoever came first; what has had more keeps the order in which it came, or it would wait
for all that comes later; and the few that have had more than nearly all others give way to all.
Where the three bands part is learnt from what the cluster has seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

UNIT_MILLI_MS = 1000 * 10 * 60 * 1000
"""One whole GPU for ten minutes: what has had less is not told apart."""

SMALL_SHARE = (2, 5)
"""At most this part of all GPU time goes to work while it counts as small: what it may take from
those that keep their place. More makes the mean completion time shorter and the longest longer."""

HUGE_SHARE = (7, 1000)
"""At most this part of all workloads gives way to all others: less than one in a hundred, so that
the slowest hundredth is not theirs alone."""

_LEVELS = 64
_LEVELS_A_STEP = 2
_STEP_OF_ORDERED = 1000
_STEP_OF_HUGE = 2000


@dataclass(frozen=True, slots=True)
class Served:
    """What one workload asks for and has had. Times in milliseconds.

    `attained_milli_ms` is the GPU time of all attempts up to now, in milli-GPU x milliseconds.
    `running_since_ms` is None while it waits. `over` is for the fairness of projects: 0 while its
    project has had no more than its due, more the further it is above.
    """

    workload_id: str
    attained_milli_ms: int
    queued_at_ms: int
    running_since_ms: int | None = None
    over: int = 0

    def __post_init__(self) -> None:
        assert self.attained_milli_ms >= 0
        assert self.over >= 0


@dataclass(frozen=True, slots=True)
class Census:
    """All workloads of the time looked at, finished or not, by the level of what they have had:
    how many, and how much of it. Both of `levels()` entries."""

    counts: tuple[int, ...]
    services_milli_ms: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bands:
    """Levels below `ordered_from` are small, those from `huge_from` on huge."""

    ordered_from: int
    huge_from: int


UNKNOWN = Bands(_LEVELS, _LEVELS)
"""Before anything has been seen: all counts as small."""

Rank = tuple[int, int, int, str]
"""Step, `over`, time of queueing, id: the least goes first, and no two workloads share one."""


def levels() -> int:
    return _LEVELS


def level(attained_milli_ms: int) -> int:
    """Doubling steps of what was had: 0 below one unit, 1 below two, 2 below four, and so on."""
    return min((attained_milli_ms // UNIT_MILLI_MS).bit_length(), _LEVELS - 1)


def level_ends_milli_ms(of_level: int) -> int:
    """What must be had to leave this level for the next."""
    return UNIT_MILLI_MS << of_level


def census(attained_milli_ms: Iterable[int]) -> Census:
    counts, services = [0] * _LEVELS, [0] * _LEVELS
    for attained in attained_milli_ms:
        at = level(attained)
        counts[at] += 1
        services[at] += attained
    return Census(tuple(counts), tuple(services))


def ordered_from(seen: Census) -> int:
    """Where small ends: the highest level whose edge leaves `SMALL_SHARE` of all GPU time below it.

    Learn it now and then (when 2 % more workloads were seen, or daily), not at each decision: it
    counts what still runs, and would follow every step of it.
    """
    part, whole = SMALL_SHARE
    everything = sum(seen.services_milli_ms)
    above, below_milli_ms = sum(seen.counts), 0
    if not everything:
        return _LEVELS
    found = 1
    for at in range(_LEVELS):
        above -= seen.counts[at]
        below_milli_ms += seen.services_milli_ms[at]
        if (below_milli_ms + above * level_ends_milli_ms(at)) * whole > part * everything:
            break
        found = at + 1
    return found


def huge_from(counts: tuple[int, ...]) -> int:
    """Where huge begins: the lowest level such that no more than `HUGE_SHARE` of all workloads are
    at it or above. Take it anew at each decision, with what runs and waits as it stands now."""
    part, whole = HUGE_SHARE
    room = sum(counts) * part // whole
    at = _LEVELS
    while at > 0 and counts[at - 1] <= room:
        at -= 1
        room -= counts[at]
    return at


def bands(small_ends_at: int, counts: tuple[int, ...]) -> Bands:
    """Of what `ordered_from` learnt last and the counts of this moment."""
    return Bands(small_ends_at, max(small_ends_at, huge_from(counts)))


def step(attained_milli_ms: int, by: Bands) -> int:
    """Lower goes first. Never falls while a workload is served, as long as the bands stay."""
    return step_of_level(level(attained_milli_ms), by)


def step_of_level(at: int, by: Bands) -> int:
    """`step` of all that is at this level."""
    if at >= by.huge_from:
        return _STEP_OF_HUGE
    if at >= by.ordered_from:
        return _STEP_OF_ORDERED
    return (at + 1) // _LEVELS_A_STEP


def rank(work: Served, by: Bands) -> Rank:
    """The least goes first. Of running work, the greatest gives way first."""
    place = step(work.attained_milli_ms, by)
    return place, work.over, work.queued_at_ms, work.workload_id


def may_preempt(waiting: Served, running: Served, by: Bands, now_ms: int, quantum_ms: int) -> bool:
    """Whether `waiting` may take the place of `running` now: it goes first, and the other has had
    its `quantum_ms` since it started. What was stopped so has the worse rank, and can only come
    back once the other has been served into a worse one."""
    since_ms = running.running_since_ms
    assert since_ms is not None
    return now_ms - since_ms >= quantum_ms and rank(waiting, by) < rank(running, by)


def next_change_ms(running: Served, gpu_milli: int, now_ms: int) -> int:
    """When what runs on that many milli-GPU (more than 0) reaches its next level."""
    left = level_ends_milli_ms(level(running.attained_milli_ms)) - running.attained_milli_ms
    return now_ms + max(1, -(-left // gpu_milli))
