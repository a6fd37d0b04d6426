"""What a run comes to: waits, completion times, slowdown, utilisation, fairness over groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from podium.simulation.queueing.trace import Course, Machines, Trace

SLOWDOWN_BOUND_MS = 10_000
"""Jobs shorter than this count as this long in a slowdown, or a second's wait would rule it."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Of one time over all jobs, in seconds. Percentile q is the value that follows the q·n
    smallest of n."""

    mean: float
    median: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """`wait` is from submission to the first start, `completion` from submission to the end.

    `makespan_s` is the last end, from the trace's time zero; `utilisation` is the share of all
    GPUs that was busy from the first submission to the last end. `bounded_slowdown` is the mean
    of completion ÷ max(duration, 10 s), at least 1. `jain_fairness` is Jain's index over the
    groups' mean bounded slowdowns: 1 when all groups are slowed alike, 1 ÷ groups when one bears
    everything; None without groups. `group_wait_max` is the largest share of all waiting that one
    group bears (completion less duration, × GPUs), over its share of all GPU time: 1 is fair, and
    more than 2 is too much; None without groups or without any waiting.
    """

    jobs: int
    wait_s: Spread
    completion_s: Spread
    bounded_slowdown: float
    utilisation: float
    makespan_s: float
    preemptions: int
    jain_fairness: float | None
    groups: int
    group_wait_max: float | None


def measure(trace: Trace, machines: Machines, course: Course) -> Measures:
    jobs = trace.jobs
    waits_ms = [at - job.submitted_ms for job, at in zip(jobs, course.started_ms, strict=True)]
    lives_ms = [at - job.submitted_ms for job, at in zip(jobs, course.ended_ms, strict=True)]
    slowdowns = [
        max(1.0, life / max(job.duration_ms, SLOWDOWN_BOUND_MS))
        for job, life in zip(jobs, lives_ms, strict=True)
    ]
    last_ms = max(course.ended_ms)
    used_ms = sum(job.duration_ms * job.gpus for job in jobs)
    groups: dict[str, list[float]] = {}
    if any(job.group is not None for job in jobs):
        for job, slowdown in zip(jobs, slowdowns, strict=True):
            groups.setdefault(job.group or "", []).append(slowdown)
    means = [sum(found) / len(found) for found in groups.values()]
    return Measures(
        jobs=len(jobs),
        wait_s=spread(waits_ms),
        completion_s=spread(lives_ms),
        bounded_slowdown=sum(slowdowns) / len(slowdowns),
        utilisation=used_ms / ((last_ms - jobs[0].submitted_ms) * machines.gpus),
        makespan_s=last_ms / 1000,
        preemptions=course.preemptions,
        jain_fairness=jain(means) if means else None,
        groups=len(groups),
        group_wait_max=_group_wait_max(trace, lives_ms) if groups else None,
    )


def _group_wait_max(trace: Trace, lives_ms: Sequence[int]) -> float | None:
    waited: dict[str, int] = {}
    served: dict[str, int] = {}
    for job, life_ms in zip(trace.jobs, lives_ms, strict=True):
        name = job.group or ""
        waited[name] = waited.get(name, 0) + (life_ms - job.duration_ms) * job.gpus
        served[name] = served.get(name, 0) + job.duration_ms * job.gpus
    everything = sum(waited.values())
    if not everything:
        return None
    due = everything / sum(served.values())
    return max(waited[name] / served[name] for name in waited) / due


def spread(times_ms: Sequence[int]) -> Spread:
    """Of at least one time."""
    ordered = sorted(times_ms)

    def percentile(hundredths: int) -> float:
        return ordered[min(len(ordered) - 1, len(ordered) * hundredths // 100)] / 1000

    mean = sum(ordered) / len(ordered) / 1000
    return Spread(mean, percentile(50), percentile(95), percentile(99))


def jain(values: Sequence[float]) -> float:
    """(Σx)² ÷ (n·Σx²) of positive values."""
    return sum(values) ** 2 / (len(values) * sum(value * value for value in values))
