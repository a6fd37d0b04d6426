"""How fast the scheduler decides on the shapes of `podium bench scheduler`."""

from __future__ import annotations

from benchmarks.figure import Figure, Say
from podium.simulation.speed import churn
from podium.simulation.speed.measurement import Measured, measured_apart
from podium.simulation.speed.shapes import SHAPES

REPEAT = 5
CHURN_SEEDS = (churn.SEED, *range(1, 5))


def measure(say: Say) -> list[Figure]:
    found = []
    for name, shape in SHAPES.items():
        say(shape.words)
        found.append(measured_apart(name, repeat=REPEAT))
    figures = [_figure(one, SHAPES[one.shape].words) for one in found]
    wanting = [one.shape for one in found if one.lacks]
    names = f": {', '.join(wanting)}" if wanting else ""
    figures.append(
        Figure(
            name=f"scheduler, shapes whose plan lacks something{names}",
            value=len(wanting),
            unit="shapes",
            goal=0,
        )
    )
    return figures + _churn(say)


def _churn(say: Say) -> list[Figure]:
    """MIG instances that come and go: the same requests of several seeds through each policy."""
    say(churn.WORDS)
    runs = {
        policy: [churn.churned(policy, seed=seed) for seed in CHURN_SEEDS]
        for policy in churn.POLICIES
    }
    refused = {policy: sum(run.refusals for run in of) for policy, of in runs.items()}
    firsts = [run.slices_used_at_first_refusal or 1.0 for run in runs["podium"]]
    return [
        Figure(
            name=f"scheduler, {churn.WORDS}",
            value=min(run.decisions_per_second for run in runs["podium"]),
            unit="decisions/s",
            goal=churn.GOAL_PER_SECOND,
            more_is_better=True,
        ),
        Figure(
            name="scheduler, MIG: refusals, of those of first-fit",
            value=round(refused["podium"] / refused["first-fit"] * 100, 1),
            unit="%",
            goal=churn.GOAL_OF_FIRST_FIT * 100,
        ),
        Figure(
            name="scheduler, MIG: refusals, of those of best-fit",
            value=round(refused["podium"] / refused["best-fit"] * 100, 1),
            unit="%",
            goal=churn.GOAL_OF_BEST_FIT * 100,
        ),
        Figure(
            name="scheduler, MIG: slices in use at the first refusal",
            value=round(sum(firsts) / len(firsts) * 100, 1),
            unit="%",
            more_is_better=True,
        ),
    ]


def _figure(found: Measured, words: str) -> Figure:
    rate = found.goal.get("placements_per_second")
    if rate is not None:
        return Figure(
            name=f"scheduler, {words}",
            value=found.placements_per_second,
            unit="placements/s",
            goal=rate,
            more_is_better=True,
        )
    return Figure(
        name=f"scheduler, {words}, median",
        value=found.cycle_ms.median,
        unit="ms",
        goal=found.goal["cycle_ms"],
    )
