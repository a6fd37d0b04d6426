"""`podium node`: what an administrator does with one machine, and how much of what is free on all
machines is of use."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import completion, options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.top import SPARK_WIDTH, spark
from podium.cli.wording import plural
from podium.domain.errors import FieldFault, UserError
from podium.domain.quantity import GPU_MILLI, parse_duration_seconds

if TYPE_CHECKING:
    from podium.spec.views.fragmentation import FragmentationView, StrandedPointView

app = typer.Typer(
    no_args_is_help=True, help="A machine that is lost, and how much of what is free is of use."
)

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="The node.", autocompletion=completion.nodes)
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command("release")
def release(name: Name, yes: Yes = False, json_output: options.Json = False) -> None:
    """Give up the work on a lost node, so that it goes on elsewhere. For administrators.

    Only when the machine is really off: work that still runs there would run twice until it is
    back. It uses up no retry. What is found running when the node is back is stopped.

    Examples:
      podium node release gpu-7
      podium node release gpu-7 --yes
    """
    with connect() as client:
        if not yes and not _is_meant(name):
            return
        view = client.nodes.release(name)
    if json_output:
        terminal.document(view)
        return
    if view.replicas:
        whose = plural(view.workloads, "workload")
        terminal.write(f"{plural(view.replicas, 'replica')} of {whose} on {name} given up.")
    else:
        terminal.write(f"Nothing is held on {name}.")
    if view.reports_again:
        terminal.say(f"{name} reports again, and keeps what was not given up yet.")


def _is_meant(name: str) -> bool:
    if not terminal.interactive():
        raise UserError(FieldFault("--yes", "is needed where nobody can be asked.", "Add --yes."))
    terminal.say(
        "Only when the machine is really off: work that still runs there would run twice until it "
        "is back."
    )
    if typer.confirm(f"Give up all work on {name}?", err=True):
        return True
    terminal.say("Nothing was changed.")
    return False


@app.command("fragmentation")
def fragmentation(
    last: Annotated[
        str, typer.Option("--last", metavar="TIME", help="How far back, such as 6h or 7d.")
    ] = "24h",
    gpu_type: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="Only GPUs of this type.")
    ] = None,
    pool: Annotated[
        str | None, typer.Option("--pool", metavar="POOL", help="Only GPUs of this pool.")
    ] = None,
    json_output: options.Json = False,
) -> None:
    """Show how much GPU capacity is free, and how much of that is stranded.

    What is stranded is free, but of no use to a typical request of the last week: it lies in
    pieces, or beside too little CPU or memory. The curve is its share of what was free.

    Examples:
      podium node fragmentation
      podium node fragmentation --last 7d --type H100
    """
    try:
        since = datetime.now(UTC) - timedelta(seconds=parse_duration_seconds(last))
    except (ValueError, OverflowError):
        raise UserError(FieldFault("--last", f"is {last!r}.", "Write a time such as 6h.")) from None
    with connect() as client:
        view = client.nodes.fragmentation(
            since=since, points=2 * SPARK_WIDTH, gpu_type=gpu_type, pool=pool
        )
    if json_output:
        terminal.document(view)
        return
    if not view.points:
        terminal.say("Nothing was noted in this time. What is stranded is noted once a minute.")
        return
    stocks = [(each.gpu_type, each.pool or "–", each.points) for each in view.stocks]
    if len(stocks) > 1:
        stocks.append(("all", "", view.points))
    columns = (
        Column("TYPE", style="bold"),
        Column("POOL", drop=1),
        Column("FREE", right=True),
        Column("STRANDED", right=True),
        Column("SHARE", right=True),
        Column("IN PARTS", right=True, drop=2),
        Column(f"LAST {last.upper()}", drop=3),
    )
    terminal.show_table(
        columns,
        [(name, where, *_now(points), _curve(points, view)) for name, where, points in stocks],
    )


def _now(points: Sequence[StrandedPointView]) -> tuple[str, ...]:
    """The newest note, in GPUs."""
    last = points[-1]
    share = round(100 * last.stranded_milli / last.free_milli) if last.free_milli else 0
    gpus = (last.free_milli, last.stranded_milli, last.split_milli)
    free, stranded, split = (f"{milli / GPU_MILLI:,.1f}".removesuffix(".0") for milli in gpus)
    return free, stranded, f"{share} %" if last.free_milli else "–", split


def _curve(points: Sequence[StrandedPointView], view: FragmentationView) -> str:
    from podium.spec.views.series import CurvesView, LineView, PointView

    shares = [(each.at, each.stranded_milli / max(1, each.free_milli)) for each in points]
    line = LineView(
        points=[PointView(at=at, mean=share, low=share, high=share) for at, share in shares]
    )
    span = CurvesView(since=view.since, until=view.until, step_seconds=view.step_seconds, series=[])
    return spark(line, 1.0, span, SPARK_WIDTH)
