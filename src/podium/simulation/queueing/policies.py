"""The named policies, and how each runs a trace. `podium simulate` calls `run`."""

from __future__ import annotations

from enum import StrEnum

from podium.simulation.queueing.attained import run_attained
from podium.simulation.queueing.learning import Learning, Learnt
from podium.simulation.queueing.once import (
    Discipline,
    EasyBackfill,
    Greedy,
    InOrder,
    Tell,
    run_once,
)
from podium.simulation.queueing.preemptive import run_preemptive
from podium.simulation.queueing.product import run_product
from podium.simulation.queueing.trace import Course, Machines, Runtimes, Trace


class Policy(StrEnum):
    """`podium` is the scheduler of production, `attained` its rule for unknown runtimes on its own;
    the others are what the literature compares with."""

    PODIUM = "podium"
    ATTAINED = "attained"
    FIFO = "fifo"
    FIFO_FIT = "fifo-fit"
    EASY_BACKFILL = "easy-backfill"
    SJF = "sjf"
    SRTF = "srtf"
    SRSF = "srsf"


def run(
    policy: Policy, trace: Trace, machines: Machines, runtimes: Runtimes, seed: int, tell: Tell
) -> Course:
    """The whole trace under one policy. `seed` goes to `podium`; the others have no ties to break.

    Where runtimes are unknown, those that go by them learn them from the jobs that ended before.
    Raises UserError when a job cannot fit, or has no requested runtime and they are to be used.
    """
    machines.require_room(trace)
    estimates_ms = trace.estimates_ms(runtimes)
    if policy is Policy.PODIUM:
        return run_product(trace, machines, estimates_ms, seed, tell)
    if policy is Policy.ATTAINED:
        return run_attained(trace, machines, tell)
    sizes = [job.gpus for job in trace.jobs]
    if policy is Policy.FIFO:
        return run_once(trace, machines, InOrder(), tell)
    if policy is Policy.FIFO_FIT:
        return run_once(trace, machines, Greedy(sizes, range(len(sizes))), tell)
    learning = Learning(trace) if estimates_ms is None else None
    if estimates_ms is None:
        estimates_ms = [0] * len(trace)
    if policy in (Policy.SRTF, Policy.SRSF):
        by_service = policy is Policy.SRSF
        return run_preemptive(
            trace, machines, estimates_ms, tell, by_service=by_service, learning=learning
        )
    easy = policy is Policy.EASY_BACKFILL
    discipline: Discipline = (
        EasyBackfill(sizes, estimates_ms) if easy else Greedy(sizes, estimates_ms)
    )
    if learning is not None:
        discipline = Learnt(discipline, estimates_ms, learning, most=easy)
    return run_once(trace, machines, discipline, tell)
