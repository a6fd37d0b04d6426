"""`podium bench admission`; `podium.main` puts it among the commands.

What computes is imported by the command itself, because every command of Podium passes here.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from podium.cli import terminal
from podium.cli.terminal import Column
from podium.cli.wording import count

if TYPE_CHECKING:
    from podium.simulation.admission.model import Model
    from podium.simulation.admission.published import Figure, Published
    from podium.simulation.admission.run import Outcome

_TELL_SECONDS = 5.0


def admission(
    generator: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            show_default=False,
            help="Cohorts, queues and their workloads, in the YAML of Kueue's performance tests.",
        ),
    ],
    published: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            show_default=False,
            help="The rangespec beside it, to show what Kueue needed.",
        ),
    ] = None,
    interval_ms: Annotated[
        int,
        typer.Option(min=1, max=3_600_000, help="Virtual time from cycle to cycle, at least."),
    ] = 10,
    charged: Annotated[
        bool,
        typer.Option(
            "--charged",
            help="Let each cycle take as much virtual time as it computes, as on a server. Waits "
            "then depend on the machine.",
        ),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Breaks ties that the scheduler declares.")] = 0,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON document instead of words.")
    ] = False,
) -> None:
    """Measure how fast work passes through queues with quotas, borrowing and reclaim.

    Runs on virtual time. The generator's CPUs become shares of GPUs, so that quotas are by GPU
    type: the largest request of a pod is about one GPU. A cohort becomes a team, a queue a project.
    Balanced topology becomes a preference.

    Examples:
      podium bench admission --generator baseline.generator.yaml
      podium bench admission --generator tas.generator.yaml --published tas.rangespec.yaml --json
    """
    from podium.simulation.admission.generator import read_generator
    from podium.simulation.admission.model import model_of
    from podium.simulation.admission.published import read_published
    from podium.simulation.admission.run import Admission

    limits = None if published is None else read_published(published)
    model = model_of(read_generator(generator))
    told = time.monotonic() + _TELL_SECONDS
    with terminal.waiting(f"{model.name}: {len(model.arrivals):,} workloads") as say:

        def tell(admitted: int, total: int) -> None:
            nonlocal told
            if time.monotonic() >= told:
                say(f"{model.name}: {admitted:,} of {total:,} workloads admitted")
                told = time.monotonic() + _TELL_SECONDS

        run = Admission(model, interval_ms=interval_ms, charged=charged, seed=seed)
        outcome = run.run(tell)
    found = _document(model, outcome, limits)
    found["charged"] = charged
    if json_output:
        terminal.document(found)
    else:
        _show(found)


def _document(model: Model, outcome: Outcome, published: Published | None) -> dict[str, Any]:
    seconds = max(outcome.computing_seconds, 1e-9)
    classes = {}
    for name, waits in outcome.waits_ms.items():
        known = published.to_admission_ms.get(name) if published is not None else None
        classes[name] = {
            "admitted": len(waits),
            "to_admission_s": round(sum(waits) / len(waits) / 1000, 3) if waits else None,
            "published_s": _seconds(known),
            "limit_s": None if known is None else known.limit / 1000,
        }
    wall = None if published is None else published.wall_ms
    return {
        "generator": model.name,
        "nodes": len(model.nodes),
        "gpus": sum(len(node.devices) for node in model.nodes),
        "cpus_of_gpu": model.cpu_milli_of_gpu / 1000,
        "workloads": outcome.workloads,
        "admitted": outcome.admitted,
        "evictions": outcome.evictions,
        "admissions_per_second": round(outcome.admitted / seconds, 1),
        "published_admissions_per_second": (
            None if wall is None else round(outcome.workloads * 1000 / wall.best, 1)
        ),
        "cycles": outcome.cycles,
        "computing_seconds": round(outcome.computing_seconds, 3),
        "wall_seconds": round(outcome.wall_seconds, 3),
        "makespan_s": outcome.makespan_ms / 1000,
        "quota_used": round(outcome.used_share, 4),
        "over": outcome.over,
        "classes": classes,
    }


def _seconds(figure: Figure | None) -> float | None:
    return None if figure is None else figure.best / 1000


def _show(found: dict[str, Any]) -> None:
    beside = found["published_admissions_per_second"]
    terminal.show_facts(
        [
            ("workloads", f"{found['admitted']:,} of {found['workloads']:,} admitted"),
            (
                "admissions",
                f"{found['admissions_per_second']:,.0f} a second of computing"
                + (f"; published {beside:,.1f} a second" if beside else ""),
            ),
            ("computing", f"{found['computing_seconds']:,.1f} s in {found['cycles']:,} cycles"),
            ("virtual time", f"{found['makespan_s']:,.1f} s"),
            ("quotas used", f"{found['quota_used']:.1%}"),
            ("evictions", count(found["evictions"])),
            ("exceeded", found["over"]),
        ]
    )
    terminal.write("")
    columns = (
        Column("CLASS", style="bold"),
        Column("ADMITTED", right=True),
        Column("MEAN TIME TO ADMISSION", right=True),
        Column("PUBLISHED", right=True),
    )
    rows = [
        (name, f"{one['admitted']:,}", _words(one["to_admission_s"]), _words(one["published_s"]))
        for name, one in found["classes"].items()
    ]
    terminal.show_table(columns, rows)


def _words(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:,.1f} s"
