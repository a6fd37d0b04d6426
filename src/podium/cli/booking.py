"""`podium booking`: nodes kept for a project or for maintenance."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import completion, options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.wording import clock, count, plural

if TYPE_CHECKING:
    from podium.spec.views.booking import BookedWorkView, BookingView

app = typer.Typer(
    no_args_is_help=True, help="Nodes kept for a project or for maintenance, for a time."
)


@app.command("ls")
def list_bookings(
    past: Annotated[bool, typer.Option("--past", help="Those that are over, too.")] = False,
    json_output: options.Json = False,
) -> None:
    """List which nodes are kept for whom, and when.

    Examples:
      podium booking ls
    """
    with connect() as client:
        views = list(client.bookings.list(past=past))
    if json_output:
        terminal.listing(views)
        return
    if not views:
        terminal.say("No node is booked. An administrator books some: podium booking create")
        return
    columns = (
        Column("NAME", style="bold"),
        Column("FOR"),
        Column("FROM"),
        Column("UNTIL"),
        Column("NODES"),
        Column("NOTE", drop=1),
    )
    terminal.show_table(
        columns,
        [
            (
                view.name or "–",
                _whom(view),
                clock(view.from_at),
                clock(view.until_at),
                _nodes(view.nodes),
                view.note,
            )
            for view in views
        ],
    )


@app.command("create")
def create_booking(
    nodes: Annotated[
        str,
        typer.Option(
            "--nodes", metavar="N1,N2", help="The nodes.", autocompletion=completion.nodes
        ),
    ],
    until: Annotated[
        str,
        typer.Option(
            "--until", metavar="TIME", help="A time with its zone, or how long from its beginning."
        ),
    ],
    begin: Annotated[
        str,
        typer.Option("--from", metavar="TIME", help="A time with its zone, now, or in how long."),
    ] = "now",
    project: Annotated[
        str | None,
        typer.Option(
            "--project",
            "-p",
            metavar="NAME",
            help="The project that may use them meanwhile.",
            autocompletion=completion.projects,
            show_default=False,
        ),
    ] = None,
    maintenance: Annotated[
        bool, typer.Option("--maintenance", help="Nobody may use them meanwhile.")
    ] = False,
    name: Annotated[
        str | None,
        typer.Option(
            "--name", metavar="NAME", help="Its name, to delete it by.", show_default=False
        ),
    ] = None,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="What it is for.")] = "",
    json_output: options.Json = False,
) -> None:
    """Keep nodes for a project, or for maintenance. For administrators.

    From now on only work that is sure to end before is placed there, by its max_runtime. What
    still runs there when it begins gives way and is queued again; what may not be stopped stays.

    Examples:
      podium booking create --nodes n1,n2 --from 2031-07-01T08:00:00Z --until 8h --maintenance
      podium booking create --nodes n3 --until 2d --project vision --note "paper deadline"
    """
    names = [each.strip() for each in nodes.split(",") if each.strip()]
    with connect() as client:
        view = client.bookings.create(
            names, begin, until, project=project, maintenance=maintenance, name=name, note=note
        )
    if json_output:
        terminal.document(view)
        return
    terminal.write(
        f"{plural(len(view.nodes), 'node')} booked as {view.name} for {_whom(view)}, "
        f"from {clock(view.from_at)} until {clock(view.until_at)}."
    )


@app.command("show")
def show_booking(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The booking.")],
    json_output: options.Json = False,
) -> None:
    """Show a booking, and what still stands on its nodes.

    Examples:
      podium booking show firmware
    """
    with connect() as client:
        view = client.bookings.get(name)
    if json_output:
        terminal.document(view)
        return
    terminal.show_facts(
        [
            ("Name", view.name),
            ("For", _whom(view)),
            ("From", clock(view.from_at)),
            ("Until", clock(view.until_at)),
            ("Nodes", _nodes(view.nodes)),
            ("Note", view.note),
            ("Made", f"{clock(view.created_at)} by {view.created_by}"),
        ]
    )
    terminal.write("")
    terminal.heading("Still there")
    if not view.standing:
        terminal.write("Nothing else stands on its nodes.")
        return
    columns = (
        Column("WORK", style="bold"),
        Column("PROJECT"),
        Column("REPLICAS", right=True),
        Column("NODES"),
        Column("WHAT BECOMES OF IT"),
    )
    begun = view.from_at <= datetime.now(UTC)
    terminal.show_table(
        columns,
        [
            (
                each.name or "–",
                each.project or "another project",
                count(each.replicas),
                _nodes(each.nodes),
                _fate(each, begun=begun),
            )
            for each in view.standing
        ],
    )


@app.command("delete")
def delete_booking(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The booking.")],
) -> None:
    """Give the nodes back to everyone. For administrators.

    Examples:
      podium booking delete firmware
    """
    with connect() as client:
        client.bookings.delete(name)
    terminal.write(f"Booking {name} is deleted.")


def _whom(view: BookingView) -> str:
    if view.maintenance:
        return "maintenance"
    return view.project or "another project"


def _fate(work: BookedWorkView, *, begun: bool) -> str:
    if work.ending:
        return "is ending"
    words = "gives way now" if begun else "gives way when the booking begins"
    if work.stays:
        words = "stays: it may not be stopped for others"
    return words if work.until is None else f"{words}; ends by {clock(work.until)} at the latest"


def _nodes(names: list[str]) -> str:
    shown = ", ".join(names[:4])
    return shown if len(names) <= 4 else f"{shown} and {len(names) - 4} more"
