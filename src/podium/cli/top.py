"""`podium top`: what running work really uses of what it asked for, as it changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import completion, options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.wording import lasted, plural
from podium.domain.lifecycle import WorkloadState
from podium.domain.quantity import format_bytes

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.table import Table

    from podium.client.client import Client
    from podium.spec.views.series import CurvesView, LineView, Quantity
    from podium.spec.views.workload import WorkloadView

REFRESH_SECONDS = 5.0
SHOWN_MAX = 20
SPARK_WIDTH = 20
WINDOW = timedelta(minutes=10)
_STALE = timedelta(seconds=90)
_BARS = "▁▂▃▄▅▆▇█"
_NOTHING = "–"
_NAMES: Sequence[tuple[Quantity, str]] = (
    ("cpu", "CPU"),
    ("memory", "Memory"),
    ("gpu_busy", "GPU busy"),
    ("gpu_memory", "GPU memory"),
)


def top(
    ref: Annotated[
        str | None,
        typer.Argument(
            metavar="REF",
            help="One workload: its id, the beginning of its id, or its name.",
            autocompletion=completion.workloads,
            show_default=False,
        ),
    ] = None,
    project: options.Project = None,
    once: Annotated[bool, typer.Option("--once", help="Look once, and do not refresh.")] = False,
    json_output: options.Json = False,
) -> None:
    """Show what running work really uses of what it asked for: CPU, memory and GPUs.

    Refreshes by itself until Ctrl-C; --once, --json and pipes get one look. The bars show the
    last ten minutes, a full one being all that was asked for.

    Examples:
      podium top
      podium top digits
      podium top --once --project vision
    """
    with connect(project) as client:
        if json_output:
            _print_documents(client, ref, project)
            return
        if ref is None:

            def draw() -> RenderableType:
                return _all(client, project)
        else:
            workload_id = client.workloads.id_of(ref, project=project)

            def draw() -> RenderableType:
                return _one(client, workload_id)

        _show(draw, once=once)


def spark(line: LineView | None, limit: float | None, curves: CurvesView, width: int) -> str:
    """One character for each part of the time, empty where nothing was measured. A full bar is
    the limit or, without one, the most that was seen."""
    points = line.points if line is not None else []
    most = limit or max((point.high for point in points), default=0.0)
    length = (curves.until - curves.since) / width
    step = timedelta(seconds=curves.step_seconds)
    parts: list[list[float]] = [[] for _ in range(width)]
    for point in points:
        middle = int((point.at - step / 2 - curves.since) / length)
        # Steps may be longer than what a character stands for.
        first = round((point.at - step - curves.since) / length)
        last = round((point.at - curves.since) / length) - 1
        for place in {middle, *range(first, last + 1)}:
            if 0 <= place < width:
                parts[place].append(point.mean)
    return "".join(_bar(sum(part) / len(part), most) if part else " " for part in parts)


def _bar(value: float, most: float) -> str:
    share = value / most if most > 0 else 0.0
    return _BARS[min(len(_BARS) - 1, max(0, int(share * len(_BARS))))]


def _show(draw: Callable[[], RenderableType], *, once: bool) -> None:
    target = terminal.console()
    if once or not target.is_terminal:
        with target.capture() as captured:
            target.print(draw())
        terminal.write("\n".join(row.rstrip() for row in captured.get().rstrip("\n").split("\n")))
        return
    from rich.live import Live

    try:
        with Live(draw(), console=target, auto_refresh=False, screen=True) as screen:
            while True:
                time.sleep(REFRESH_SECONDS)
                screen.update(draw(), refresh=True)
    except KeyboardInterrupt:
        return


def _print_documents(client: Client, ref: str | None, project: str | None) -> None:
    if ref is not None:
        terminal.document(client.workloads.curves(ref, project=project))
        return
    terminal.document(
        {
            "items": [
                {
                    "workload": view.model_dump(mode="json"),
                    "curves": _latest(client, view.id).model_dump(mode="json"),
                }
                for view in _running(client, project)
            ]
        }
    )


def _running(client: Client, project: str | None) -> list[WorkloadView]:
    from podium.client.workloads import Filter

    chosen = Filter(project=project, states=(WorkloadState.RUNNING,))
    return list(client.workloads.list(chosen, limit=SHOWN_MAX))


def _latest(client: Client, workload_id: str) -> CurvesView:
    since = datetime.now(UTC) - WINDOW
    return client.workloads.curves(workload_id, since=since, points=2 * SPARK_WIDTH)


def _all(client: Client, project: str | None) -> Group:
    from rich.console import Group
    from rich.text import Text

    now = datetime.now(UTC)
    views = _running(client, project)
    columns = (
        Column("NAME", style="bold", cut=True),
        Column("PROJECT", drop=3),
        Column("OWNER", drop=4),
        Column("TIME", right=True, drop=2),
        Column("CPU", right=True),
        Column("MEMORY", right=True),
        Column("GPU BUSY", right=True),
        Column("LAST 10 MIN", drop=1),
    )
    rows = []
    for view in views:
        curves = _latest(client, view.id)
        shown: Quantity = "gpu_busy" if _line(curves, "gpu_busy") else "cpu"
        rows.append(
            (
                view.name,
                view.project,
                view.owner,
                lasted(view.started_at, None, now),
                *(_now_of(curves, quantity) for quantity, _ in _NAMES[:3]),
                spark(_line(curves, shown), _limit(curves, shown), curves, SPARK_WIDTH),
            )
        )
    drawn = terminal.table(columns, rows, terminal.console().width)
    words = "Nothing runs." if not views else f"{plural(len(views), 'running workload')}"
    if len(views) == SHOWN_MAX:
        words = f"The newest {words}; --project narrows."
    return Group(drawn, Text(words, style="dim"))


def _one(client: Client, workload_id: str) -> Group:
    from rich.console import Group
    from rich.text import Text

    view = client.workloads.get(workload_id)
    ended = view.ended_at is not None
    if ended:
        curves = client.workloads.curves(workload_id, points=2 * SPARK_WIDTH)
        each = None
    else:
        curves = _latest(client, workload_id)
        each = client.workloads.curves(
            workload_id, since=curves.since, points=2 * SPARK_WIDTH, each=True
        )
    head = Text(view.name, style="bold") + Text(f"  {view.state}  {view.resources.text}")
    parts: list[RenderableType] = [head, Text(""), _quantities(curves, now=not ended)]
    if not curves.series:
        parts[2:] = [Text("Nothing has been measured yet; the first figures take some seconds.")]
    elif each is not None and view.replicas.total > 1:
        parts += [Text(""), _ranks(each)]
    return Group(*parts)


def _quantities(curves: CurvesView, *, now: bool) -> Table:
    """Of a workload that has ended there is no now, and the bars show all of its time."""
    columns = (
        Column("USED"),
        *([Column("NOW", right=True)] if now else []),
        Column("MEAN", right=True),
        Column("MOST", right=True),
        Column("ASKED FOR", right=True),
        Column("LAST 10 MIN" if now else "FROM START TO END"),
    )
    rows = []
    for quantity, name in _NAMES:
        line = _line(curves, quantity)
        if line is None or not line.points:
            continue
        limit = _limit(curves, quantity)
        mean = sum(point.mean for point in line.points) / len(line.points)
        rows.append(
            (
                name,
                *([_amount_now(curves, line, quantity)] if now else []),
                _amount(mean, quantity),
                _amount(max(point.high for point in line.points), quantity),
                _NOTHING if limit is None else _amount(limit, quantity),
                spark(line, limit, curves, SPARK_WIDTH),
            )
        )
    return terminal.table(columns, rows, terminal.console().width)


def _ranks(each: CurvesView) -> Table:
    busy: Quantity = "gpu_busy" if any(s.quantity == "gpu_busy" for s in each.series) else "cpu"
    ranks = sorted(
        {line.rank for series in each.series for line in series.lines if line.rank is not None}
    )
    columns = (
        Column("RANK", right=True),
        *(Column(name.upper(), right=True) for _, name in _NAMES[:3]),
        Column("GPU BUSY, LAST 10 MIN" if busy == "gpu_busy" else "CPU, LAST 10 MIN"),
    )
    rows = [
        (
            str(rank),
            *(_now_of(each, quantity, rank) for quantity, _ in _NAMES[:3]),
            spark(_line(each, busy, rank), _limit(each, busy), each, SPARK_WIDTH),
        )
        for rank in ranks
    ]
    return terminal.table(columns, rows, terminal.console().width)


def _line(curves: CurvesView, quantity: Quantity, rank: int | None = None) -> LineView | None:
    for series in curves.series:
        if series.quantity == quantity:
            return next((line for line in series.lines if line.rank == rank), None)
    return None


def _limit(curves: CurvesView, quantity: Quantity) -> float | None:
    return next((each.limit for each in curves.series if each.quantity == quantity), None)


def _now_of(curves: CurvesView, quantity: Quantity, rank: int | None = None) -> str:
    """`"1.2 of 4"`, `"3 GiB of 16 GiB"`; `–` where nothing was measured lately."""
    words = _amount_now(curves, _line(curves, quantity, rank), quantity)
    limit = _limit(curves, quantity)
    return words if limit is None or words == _NOTHING else f"{words} of {_amount(limit, quantity)}"


def _amount_now(curves: CurvesView, line: LineView | None, quantity: Quantity) -> str:
    if line is None or not line.points or curves.until - line.points[-1].at > _STALE:
        return _NOTHING
    return _amount(line.points[-1].mean, quantity)


def _amount(value: float, quantity: Quantity) -> str:
    if quantity in ("memory", "gpu_memory"):
        return format_bytes(round(value))
    return f"{value:.2f}".rstrip("0").rstrip(".")
