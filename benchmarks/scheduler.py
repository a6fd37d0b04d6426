"""How fast the scheduler decides on the shapes of `podium bench scheduler`."""

from __future__ import annotations

from benchmarks.figure import Figure, Say
from podium.simulation.speed.measurement import Measured, measured_apart
from podium.simulation.speed.shapes import SHAPES

REPEAT = 5


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
    return figures


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
