"""Runs the benchmarks and prints their figures beside the goals: `make bench`.

Always ends with code 0 when it could measure: a goal that is missed is a figure, not an error.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
from collections.abc import Iterable
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

import podium
from benchmarks.figure import Figure

NAMES = (
    "idle_server",
    "start_latency",
    "short_jobs",
    "submit_rate",
    "bulk_submit",
    "log_followers",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    unknown = set(options.names) - set(NAMES)
    if unknown:
        parser.error(f"{', '.join(sorted(unknown))}: known are {', '.join(NAMES)}")

    progress = Console(stderr=True)
    figures: list[Figure] = []
    for name in options.names or NAMES:
        with progress.status(name) as status:
            if not progress.is_terminal:
                progress.print(f"{name}…")
            module = importlib.import_module(f"benchmarks.{name}")
            figures += module.measure(lambda words, n=name, s=status: s.update(f"{n}: {words}"))
    if options.json:
        json.dump(
            {"machine": machine(), "figures": [figure.document() for figure in figures]},
            sys.stdout,
            indent=2,
        )
        sys.stdout.write("\n")
    else:
        Console().print(table(figures))
    return 0


def machine() -> dict[str, object]:
    """What a figure needs beside it to be compared with another."""
    return {
        "podium": podium.__version__,
        "at": datetime.now(tz=UTC).isoformat(timespec="seconds"),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


def table(figures: Iterable[Figure]) -> Table:
    facts = machine()
    shown = Table(
        title=f"Podium {facts['podium']} on {facts['cpus']} CPUs, Python {facts['python']}",
        title_justify="left",
    )
    shown.add_column("figure")
    shown.add_column("value", justify="right")
    shown.add_column("unit")
    shown.add_column("goal", justify="right")
    shown.add_column("")
    for figure in figures:
        goal = ""
        if figure.goal is not None:
            goal = f"{'≥' if figure.more_is_better else '≤'} {figure.goal:g}"
        words = {None: "", True: "[green]ok[/]", False: "[red]miss[/]"}
        digits = 0 if figure.value == int(figure.value or 0) else 2 if figure.value < 10 else 1
        shown.add_row(
            figure.name, f"{figure.value:,.{digits}f}", figure.unit, goal, words[figure.met]
        )
    return shown


if __name__ == "__main__":
    sys.exit(main())
