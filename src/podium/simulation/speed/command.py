"""`podium bench scheduler`; `podium.main` puts it among the commands.

What computes is imported by the command itself, because every command of Podium passes here.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import terminal
from podium.cli.terminal import Column
from podium.domain.errors import FieldFault, UserError

if TYPE_CHECKING:
    from podium.simulation.speed.churn import Churned
    from podium.simulation.speed.measurement import Measured

ALL = "all"


def scheduler(
    shape: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="fill-500, fill-5000, gang-512, reclaim-4000, refuse, deep-queue, mig-churn, or "
            "all.",
        ),
    ] = ALL,
    policy: Annotated[
        str,
        typer.Option(metavar="NAME", help="Of mig-churn: podium, first-fit or best-fit."),
    ] = "podium",
    repeat: Annotated[
        int, typer.Option(min=1, max=10_000, help="How many cycles are timed of each shape.")
    ] = 3,
    scale: Annotated[
        float,
        typer.Option(
            min=0.0001,
            max=10,
            help="Make the shapes smaller or larger; goals are for 1 alone.",
        ),
    ] = 1.0,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON document instead of words.")
    ] = False,
) -> None:
    """Measure how fast the scheduler decides on this machine, without a server.

    Each cycle begins with a fresh snapshot and ends with a plan. Of deep-queue the snapshot has
    been decided once; told is what the cycle after the end of one job takes. In mig-churn, MIG
    instances come and go; told is how many requests a policy refuses.

    Examples:
      podium bench scheduler
      podium bench scheduler --shape deep-queue --repeat 20 --json
      podium bench scheduler --shape mig-churn --policy first-fit
    """
    from podium.simulation.speed import churn
    from podium.simulation.speed.measurement import measured_apart
    from podium.simulation.speed.shapes import SHAPES

    shapes = (*SHAPES, churn.SHAPE)
    if shape != ALL and shape not in shapes:
        fault = f"there is no shape {shape!r}."
        raise UserError(FieldFault("--shape", fault, f"There are {', '.join(shapes)} and {ALL}."))
    if policy not in churn.POLICIES:
        fault = f"there is no policy {policy!r}."
        raise UserError(FieldFault("--policy", fault, f"There are {', '.join(churn.POLICIES)}."))
    if policy != "podium" and shape != churn.SHAPE:
        fault = f"only {churn.SHAPE} has other policies than podium."
        raise UserError(FieldFault("--policy", fault, f"Add --shape {churn.SHAPE}."))
    found: list[Measured] = []
    moved: list[Churned] = []
    names = list(shapes) if shape == ALL else [shape]
    with terminal.waiting(f"{names[0]}…") as tell:
        for name in names:
            tell(f"{name}…")
            if name == churn.SHAPE:
                moved.append(churn.churned_often(policy, repeat=repeat, scale=scale))
            else:
                found.append(measured_apart(name, repeat=repeat, scale=scale))
    if not json_output:
        if found:
            _show(found)
        if moved:
            _show_churned(moved[0])
    else:
        told = [asdict(one) for one in found] + [asdict(one) for one in moved]
        terminal.document({"shapes": told} if shape == ALL else told[0])


def _show(found: list[Measured]) -> None:
    columns = (
        Column("SHAPE", style="bold"),
        Column("PLACED", right=True, drop=3),
        Column("PLACED/S", right=True),
        Column("MEDIAN", right=True),
        Column("P99", right=True, drop=2),
        Column("MEMORY", right=True, drop=1),
        Column("GOAL", right=True),
        Column(""),
    )
    terminal.show_table(
        columns,
        [
            (
                one.shape,
                f"{one.placed:,}",
                f"{one.placements_per_second:,.0f}",
                f"{one.cycle_ms.median:,.1f} ms",
                f"{one.cycle_ms.p99:,.1f} ms",
                f"{one.memory_mb:,.0f} MB",
                _goal(one),
                {None: "", True: "ok", False: "miss"}[one.met],
            )
            for one in found
        ],
    )
    for one in found:
        if one.lacks:
            terminal.say(f"{one.shape}: {one.lacks}.")


def _show_churned(one: Churned) -> None:
    columns = (
        Column("SHAPE", style="bold"),
        Column("POLICY"),
        Column("DECISIONS/S", right=True),
        Column("REFUSED", right=True),
        Column("SLICES USED", right=True, drop=2),
        Column("AT FIRST REFUSAL", right=True, drop=1),
    )
    first = one.slices_used_at_first_refusal
    row = (
        one.shape,
        one.policy,
        f"{one.decisions_per_second:,.0f}",
        f"{one.refusals:,} of {one.requests:,}",
        f"{one.slices_used:.1%}",
        "" if first is None else f"{first:.1%}",
    )
    terminal.show_table(columns, [row])


def _goal(one: Measured) -> str:
    if "cycle_ms" in one.goal:
        return f"≤ {one.goal['cycle_ms']:,.0f} ms"
    return f"≥ {one.goal['placements_per_second']:,.0f}/s"
