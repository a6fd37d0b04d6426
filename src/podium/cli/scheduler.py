"""`podium scheduler`: the cycles that are recorded, who gave way, and how good the times were that
waiting work was told. `podium replay` decides a cycle again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import options, terminal
from podium.cli.connection import connect
from podium.cli.queue_plan import gave_way_to, work_name
from podium.cli.terminal import Column
from podium.cli.wording import ago, clock, count, plural
from podium.domain.quantity import format_bytes, format_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from podium.spec.views.scheduler import (
        CalibrationView,
        CycleDetailView,
        CyclesKeptView,
        CycleView,
        OutsideView,
        RefusedForView,
    )

app = typer.Typer(
    invoke_without_command=True,
    help="What the scheduler decided, cycle by cycle. For administrators.\n\n"
    "Without a command, lists the cycles that changed something and can be replayed.",
)

REASONS_SHOWN = 3
_WAITED = {"10m": "up to 10 min", "1h": "up to 1 h", "1d": "up to a day", "longer": "longer"}

Limit = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many at most.")]
CycleId = Annotated[int, typer.Argument(metavar="ID", min=1, help="The cycle.")]


@app.callback()
def cycles(context: typer.Context, limit: Limit = 20, json_output: options.Json = False) -> None:
    if context.invoked_subcommand is not None:
        return
    with connect() as client:
        views = list(client.scheduler.cycles(limit=limit))
        if json_output:
            terminal.listing(views)
            return
        kept = client.scheduler.kept()
    if kept.note:
        terminal.say(kept.note)
    if not views:
        terminal.say("No cycle is recorded. One is when work is placed, waits or gives way.")
        return
    now = datetime.now(UTC)
    columns = (
        Column("CYCLE", right=True, style="bold"),
        Column("WHEN", right=True),
        Column("TOOK", right=True),
        Column("PLACED", right=True),
        Column("GAVE WAY", right=True, drop=1),
        Column("WAITING", right=True),
        Column("REFUSED FOR", cut=True, drop=2),
        Column("DIGEST", drop=3),
    )
    terminal.show_table(
        columns,
        [
            (
                str(each.id),
                ago(each.at, now),
                took(each.took_ms),
                _or_dash(each.placed),
                _or_dash(each.preempted),
                count(each.waiting),
                reasons(each.reasons),
                each.digest[:12],
            )
            for each in views
        ],
    )
    terminal.say(_kept(kept, now))


@app.command("show")
def show_cycle(cycle_id: CycleId, json_output: options.Json = False) -> None:
    """Show one cycle: what it saw, what it decided, and how long that took.

    Examples:
      podium scheduler show 1204
    """
    with connect() as client:
        view = client.scheduler.cycle(cycle_id)
    if json_output:
        terminal.document(view)
        return
    _show(view)


@app.command("preemptions")
def list_preemptions(limit: Limit = 20, json_output: options.Json = False) -> None:
    """List who gave way to whom, why, and what it cost.

    Examples:
      podium scheduler preemptions --limit 5
    """
    with connect() as client:
        views = list(client.scheduler.preemptions(limit=limit))
    if json_output:
        terminal.listing(views)
        return
    if not views:
        terminal.say("Nobody had to give way.")
        return
    now = datetime.now(UTC)
    columns = (
        Column("WHEN", right=True),
        Column("WORK", cut=True, style="bold"),
        Column("PROJECT", cut=True, drop=2),
        Column("TO", cut=True),
        Column("STOPPED", right=True, drop=3),
        Column("LOST", right=True),
        Column("BECAUSE", cut=True),
    )
    terminal.show_table(
        columns,
        [
            (
                ago(each.at, now),
                work_name(each.workload),
                "" if each.workload is None else each.workload.project,
                gave_way_to(each),
                "all" if each.whole else plural(each.replicas, "replica"),
                f"{count(each.lost_gpu_seconds / 3600, 1)} GPU-h",
                each.justification,
            )
            for each in views
        ],
    )


@app.command("calibration")
def show_calibration(
    hours: Annotated[
        int, typer.Option("--hours", min=1, max=720, help="How far back to look.")
    ] = 24,
    json_output: options.Json = False,
) -> None:
    """Show how good the expected starts were that waiting work was told.

    Examples:
      podium scheduler calibration
      podium scheduler calibration --hours 168
    """
    with connect() as client:
        view = client.scheduler.calibration(hours=hours)
    if json_output:
        terminal.document(view)
        return
    _calibration(view, hours)


def took(milliseconds: float) -> str:
    """`"0.8 ms"`, `"120 ms"`, `"3.2 s"`."""
    if milliseconds < 10:
        return f"{milliseconds:.1f} ms"
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def reasons(counts: Sequence[RefusedForView]) -> str:
    """`"capacity 12, quota 3"`; the most frequent only."""
    shown = [f"{each.reason} {count(each.count)}" for each in counts[:REASONS_SHOWN]]
    return ", ".join(shown + (["…"] if len(counts) > REASONS_SHOWN else []))


def _kept(kept: CyclesKeptView, now: datetime) -> str:
    since = "" if kept.since is None else f", the oldest from {ago(kept.since, now)}"
    return (
        f"{plural(kept.cycles, 'cycle')} kept in {format_bytes(kept.bytes)} of "
        f"{format_bytes(kept.bytes_max)}{since}; none is kept longer than {kept.hours} h."
    )


def _show(view: CycleDetailView) -> None:
    terminal.heading(f"Cycle {view.id}")
    terminal.show_facts(
        [
            ("Decided for", clock(view.at, precise=True)),
            ("Took", _parts(view)),
            ("Saw", _saw(view)),
            ("Placed", plural(view.placed, "replica") if view.placed else ""),
            ("Gave way", plural(view.preempted, "workload") if view.preempted else ""),
            ("Refused", _refused(view)),
            ("Kept nodes for", plural(view.reserved, "workload") if view.reserved else ""),
            ("Stale", plural(view.stale, "part") + " of the plan" if view.stale else ""),
            ("Podium", view.version),
            ("Digest", view.digest),
            ("Record", format_bytes(view.bytes)),
        ]
    )
    _table(
        (
            Column("PLACED", style="bold"),
            Column("RANK", right=True),
            Column("NODE"),
            Column("DEVICES", cut=True, drop=1),
        ),
        [
            (each.workload, str(each.rank), each.node, ", ".join(each.devices))
            for each in view.placements
        ],
    )
    _table(
        (Column("GAVE WAY", style="bold"), Column("TO"), Column("BECAUSE", cut=True)),
        [(each.workload, each.in_favour_of, each.justification) for each in view.preemptions],
    )
    _table(
        (Column("KEPT FOR", style="bold"), Column("FROM", right=True), Column("NODES", cut=True)),
        [
            (
                each.workload,
                "unknown" if each.from_at is None else clock(each.from_at),
                ", ".join(each.nodes),
            )
            for each in view.reservations
        ],
    )
    terminal.say(f"Decide it again: podium replay {view.id}")


def _table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    if rows:
        terminal.write("")
        terminal.show_table(columns, rows)


def _parts(view: CycleView) -> str:
    rest = max(0.0, view.took_ms - view.read_ms - view.decide_ms)
    return (
        f"{took(view.took_ms)}: reading {took(view.read_ms)}, deciding {took(view.decide_ms)}, "
        f"writing {took(rest)}"
    )


def _saw(view: CycleView) -> str:
    return (
        f"{plural(view.nodes, 'node')}, {count(view.running)} running, {count(view.waiting)} "
        "waiting"
    )


def _refused(view: CycleView) -> str:
    if not view.refused:
        return ""
    told = f"; {count(view.told)} heard something new" if view.told else ""
    return f"{plural(view.refused, 'workload')} ({reasons(view.reasons)}){told}"


def _calibration(view: CalibrationView, hours: int) -> None:
    if not view.started:
        terminal.say(f"Nothing that was told a time in the last {hours} h has started yet.")
        if view.overdue:
            terminal.say(f"Overdue: {plural(view.overdue, 'workload')}.")
        return
    terminal.write(
        f"Of {plural(view.started, 'workload')} that had to wait, {_part(view.inside, view)} "
        "started when they were told."
    )
    terminal.show_facts(
        [
            ("Sooner", _outside(view.sooner, view)),
            ("Later", _outside(view.later, view)),
            ("Overdue", f"{count(view.overdue)}, which still wait" if view.overdue else ""),
            ("First forecast", f"{_part(view.inside_first, view)} inside its range"),
            ("Median error", format_duration(view.median_error_ms)),
        ]
    )
    terminal.write("")
    terminal.show_table(
        (Column("WAITED"), Column("STARTED", right=True), Column("AS TOLD", right=True)),
        [
            (
                _WAITED.get(each.waited, each.waited),
                count(each.started),
                _percent(each.inside / each.started),
            )
            for each in view.groups
        ],
    )


def _part(some: int, view: CalibrationView) -> str:
    return f"{count(some)} ({_percent(some / view.started)})"


def _percent(part: float) -> str:
    return f"{part * 100:.0f} %"


def _outside(outside: OutsideView, view: CalibrationView) -> str:
    if not outside.count:
        return "none"
    return (
        f"{_part(outside.count, view)}, by {format_duration(outside.median_ms)} at the median and "
        f"{format_duration(outside.worst_ms)} at most"
    )


def _or_dash(number: int) -> str:
    return count(number) if number else "–"
