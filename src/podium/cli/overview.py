"""`podium overview`: the cluster and one's own work in figures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.wording import (
    about,
    ago,
    cause_words,
    clock,
    count,
    format_duration_seconds,
    plural,
    state_words,
)
from podium.domain.lifecycle import WorkloadState
from podium.domain.quantity import format_milli

if TYPE_CHECKING:
    from podium.spec.views.overview import GpuHoursView, GpuTypeView, OverviewView

_ZONES = "/zoneinfo/"
_BARS = " ▁▂▃▄▅▆▇█"


def overview(
    project: Annotated[
        str | None,
        typer.Option(
            "--project",
            "-p",
            metavar="NAME",
            help="Only the work of this project.",
            show_default=False,
        ),
    ] = None,
    time_zone: Annotated[
        str | None,
        typer.Option(
            "--time-zone",
            metavar="ZONE",
            help="Where days begin, such as Europe/Berlin. Default: this machine's.",
            show_default=False,
        ),
    ] = None,
    json_output: options.Json = False,
) -> None:
    """Show how things stand: GPUs, the queue, nodes, what failed and what ends next.

    Examples:
      podium overview
      podium overview --project vision
    """  # fmt: skip
    with connect() as client:
        view = client.overview(project=project, time_zone=time_zone or own_time_zone())
    if json_output:
        terminal.document(view)
        return
    now = datetime.now(UTC)
    _gpus(view.gpus)
    _figures(view)
    _hours(view.gpu_hours)
    _reasons(view)
    _failed(view, now)
    _finishing(view, now)


def own_time_zone() -> str:
    """This machine's, as an IANA name; UTC where it has none that can be told."""
    named = os.environ.get("TZ", "").removeprefix(":")
    if named and not named.startswith("/"):
        return named
    _, found, name = str(Path(named or "/etc/localtime").resolve()).partition(_ZONES)
    return name if found else "UTC"


def _gpus(gpus: Sequence[GpuTypeView]) -> None:
    terminal.heading("GPUs")
    if not gpus:
        terminal.write("No GPU has been reported yet.")
        return
    columns = (
        Column("TYPE", style="bold"),
        Column("DEVICES", right=True),
        Column("HELD", right=True),
        Column("BUSY", right=True),
        Column("IDLE", right=True),
        Column("UNHEALTHY", right=True, drop=1),
    )
    terminal.show_table(
        columns,
        [
            (
                f"{each.type} virtual" if each.virtual else each.type,
                count(each.devices),
                _part(each.held_milli, each.devices),
                "–" if each.busy_milli is None else _part(each.busy_milli, each.devices),
                "–" if each.busy_milli is None else count(each.idle_devices),
                count(each.unhealthy),
            )
            for each in gpus
        ],
    )


def _part(milli: int, devices: int) -> str:
    share = f" ({milli // (devices * 10)} %)" if devices else ""
    return f"{format_milli(milli)}{share}"


def _figures(view: OverviewView) -> None:
    waits = view.queue
    nodes = [plural(view.nodes.ready, "node") + " ready"]
    nodes += [
        f"{number} {words}"
        for number, words in (
            (view.nodes.cordoned, "cordoned"),
            (view.nodes.lost, "lost"),
            (view.nodes.unhealthy_devices, "unhealthy GPUs"),
        )
        if number
    ]
    queue = f"{plural(waits.waiting, 'workload')} {'waits' if waits.waiting == 1 else 'wait'}"
    if waits.wait_seconds_median is not None and waits.wait_seconds_max is not None:
        queue += (
            f" · median {format_duration_seconds(int(waits.wait_seconds_median))}"
            f" · longest {format_duration_seconds(int(waits.wait_seconds_max))}"
            f" · {format_milli(waits.gpu_milli_wanted)} GPUs wanted"
        )
    terminal.write("")
    terminal.show_facts(
        [
            (
                "Workloads",
                " · ".join(
                    f"{state_words(state)} {count(view.workloads[state])}"
                    for state in WorkloadState
                    if view.workloads.get(state)
                )
                or "none yet",
            ),
            ("Queue", queue if waits.waiting else "empty"),
            ("Nodes", " · ".join(nodes)),
            ("Failed", f"{count(view.failed_last_day)} in the last 24 h"),
        ]
    )


def _hours(hours: GpuHoursView) -> None:
    most = max((each.gpu_seconds for each in hours.hours), default=0.0)
    bars = "".join(
        _BARS[round(each.gpu_seconds / most * (len(_BARS) - 1))] if most else _BARS[0]
        for each in hours.hours
    )
    so_far = _in_hours(hours.yesterday_so_far_gpu_seconds)
    terminal.write("")
    terminal.heading("GPU-hours")
    terminal.show_facts(
        [
            ("Today", _in_hours(hours.today_gpu_seconds)),
            (
                "Yesterday",
                f"{so_far} by this time, {_in_hours(hours.yesterday_gpu_seconds)} in all",
            ),
            ("48 hours", f"{bars}│ {_in_hours(most)} at most" if most else ""),
        ]
    )


def _in_hours(seconds: float) -> str:
    return count(seconds / 3600, 1)


def _reasons(view: OverviewView) -> None:
    if not view.queue.reasons:
        return
    terminal.write("")
    terminal.heading("Why work waits")
    columns = (Column("COUNT", right=True), Column("REASON"), Column("FOR EXAMPLE", cut=True))
    terminal.show_table(
        columns,
        [
            (count(each.count), cause_words(each.reason), each.example)
            for each in view.queue.reasons
        ],
    )


def _failed(view: OverviewView, now: datetime) -> None:
    if not view.failed:
        return
    terminal.write("")
    terminal.heading("Failed lately")
    columns = (
        Column("ID", style="dim", drop=1),
        Column("NAME", cut=True, style="bold"),
        Column("PROJECT"),
        Column("WHEN", right=True),
        Column("ABOUT", cut=True),
    )
    terminal.show_table(
        columns,
        [
            (each.id, each.name, each.project, ago(each.ended_at, now), about(each))
            for each in view.failed
        ],
    )


def _finishing(view: OverviewView, now: datetime) -> None:
    if not view.finishing:
        return
    terminal.write("")
    terminal.heading("Ends next")
    columns = (
        Column("ID", style="dim", drop=1),
        Column("NAME", cut=True, style="bold"),
        Column("PROJECT"),
        Column("RESOURCES", cut=True),
        Column("AT THE LATEST", right=True),
    )
    terminal.show_table(
        columns,
        [
            (
                each.workload.id,
                each.workload.name,
                each.workload.project,
                each.workload.resources.text,
                f"{ago(each.by, now)} ({clock(each.by)})",
            )
            for each in view.finishing
        ],
    )
