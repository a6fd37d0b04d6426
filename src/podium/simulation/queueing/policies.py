"""The named policies, and how each runs a trace. `podium simulate` calls `run`."""

from __future__ import annotations

from enum import StrEnum

from podium.domain.errors import FieldFault, UserError
from podium.simulation.queueing.once import EasyBackfill, Greedy, InOrder, Tell, run_once
from podium.simulation.queueing.preemptive import run_preemptive
from podium.simulation.queueing.product import run_product
from podium.simulation.queueing.trace import Course, Machines, Runtimes, Trace


class Policy(StrEnum):
    """`podium` is the scheduler of production; the others are what the literature compares with."""

    PODIUM = "podium"
    FIFO = "fifo"
    FIFO_FIT = "fifo-fit"
    EASY_BACKFILL = "easy-backfill"
    SJF = "sjf"
    SRTF = "srtf"
    SRSF = "srsf"


NEEDS_RUNTIMES = frozenset({Policy.EASY_BACKFILL, Policy.SJF, Policy.SRTF, Policy.SRSF})


def run(
    policy: Policy, trace: Trace, machines: Machines, runtimes: Runtimes, seed: int, tell: Tell
) -> Course:
    """The whole trace under one policy. `seed` goes to `podium`; the others have no ties to break.

    Raises UserError when a job cannot fit, or the policy needs runtimes that are not known.
    """
    machines.require_room(trace)
    estimates_ms = trace.estimates_ms(runtimes)
    if policy is Policy.PODIUM:
        return run_product(trace, machines, estimates_ms, seed, tell)
    sizes = [job.gpus for job in trace.jobs]
    if policy is Policy.FIFO:
        return run_once(trace, machines, InOrder(), tell)
    if policy is Policy.FIFO_FIT:
        return run_once(trace, machines, Greedy(sizes, range(len(sizes))), tell)
    if estimates_ms is None:
        raise UserError(
            FieldFault(
                "--runtimes",
                f"{policy} needs to be told runtimes, and they are unknown.",
                "Use --runtimes exact or requested, or --policy fifo, fifo-fit or podium.",
            )
        )
    if policy is Policy.EASY_BACKFILL:
        return run_once(trace, machines, EasyBackfill(sizes, estimates_ms), tell)
    if policy is Policy.SJF:
        return run_once(trace, machines, Greedy(sizes, estimates_ms), tell)
    by_service = policy is Policy.SRSF
    return run_preemptive(trace, machines, estimates_ms, tell, by_service=by_service)
