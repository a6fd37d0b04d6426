"""`podium usage`: what projects used."""

from __future__ import annotations

from podium.cli import options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.wording import cost_words, count
from podium.domain.quantity import format_bytes


def usage(project: options.Project = None, json_output: options.Json = False) -> None:
    """Show what each project used: GPU time, CPU time, memory and cost.

    A cost shows where every GPU type that was used has a price; see `podium price`.

    Examples:
      podium usage
      podium usage --project vision --json
    """
    with connect() as client:
        views = list(client.usage.list(project))
    if json_output:
        terminal.listing(views)
        return
    columns = (
        Column("PROJECT", style="bold"),
        Column("TEAM"),
        Column("WORKLOADS", right=True),
        Column("GPU-SECONDS", right=True),
        Column("CPU-SECONDS USED", right=True),
        Column("CPU-SECONDS HELD", right=True),
        Column("PEAK MEMORY", right=True),
        Column("COST", right=True),
    )
    terminal.show_table(
        columns,
        [
            (
                view.project,
                view.team,
                count(view.workloads),
                count(view.usage.gpu_seconds, 1),
                count(view.usage.cpu_seconds_used, 1),
                count(view.usage.cpu_seconds_allocated, 1),
                format_bytes(view.usage.memory_peak_bytes),
                cost_words(view.usage.cost) or "–",
            )
            for view in views
        ],
    )
