"""Runs the benchmarks and prints their figures beside the goals: `make bench`.

Always ends with code 0 when it could measure: a goal that is missed is a figure, not an error.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import signal
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
    "many_workloads",
    "scoped_list",
    "console",
    "console_list",
    "console_hour",
    "scheduler",
    "explain",
    "audit",
    "usage",
    "quota_check",
)
APART = ("kubernetes", "cluster_memory", "node_failure")
"""Need more than this machine's Python; run only when they are named."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    options = parser.parse_args()
    unknown = set(options.names) - {*NAMES, *APART}
    if unknown:
        parser.error(f"{', '.join(sorted(unknown))}: known are {', '.join(NAMES + APART)}")

    # What a benchmark started is ended by its `with`, also where somebody has no more patience.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
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
    elif options.markdown:
        sys.stdout.write(markdown(figures))
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
        words = {None: "", True: "[green]ok[/]", False: "[red]miss[/]"}
        shown.add_row(
            figure.name, value_text(figure), figure.unit, goal_text(figure), words[figure.met]
        )
    return shown


def markdown(figures: Iterable[Figure]) -> str:
    """The table that stands between the `figures` marks of the README."""
    facts = machine()
    parts = [f"Podium {facts['podium']} on {facts['cpus']} CPUs", f"Python {facts['python']}"]
    parts += [f"{platform.system()} on {platform.machine()}", str(facts["at"])[:10]]
    lines = [
        ", ".join(parts) + ":",
        "",
        "| figure | value | goal |",
        "| --- | ---: | ---: |",
    ]
    lines += [
        f"| {figure.name} | {value_text(figure)} {figure.unit} | {goal_text(figure)} |"
        for figure in figures
    ]
    return "\n".join(lines) + "\n"


def value_text(figure: Figure) -> str:
    digits = 0 if figure.value == int(figure.value or 0) else 2 if figure.value < 10 else 1
    return f"{figure.value:,.{digits}f}"


def goal_text(figure: Figure) -> str:
    if figure.goal is None:
        return ""
    return f"{'≥' if figure.more_is_better else '≤'} {figure.goal:g}"


if __name__ == "__main__":
    sys.exit(main())
