"""`podium queue`: who is next, and why each still waits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.wording import about, count, lasted, moment, plural
from podium.domain.quantity import format_milli

if TYPE_CHECKING:
    from podium.spec.views.queue import QueueView

LIMIT = 50
PLAN_LIMIT = 10
_PAGE_MAX = 500


def queue(
    project: Annotated[
        str | None,
        typer.Option(
            "--project",
            "-p",
            metavar="NAME",
            help="Only what this project waits for.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            min=1,
            max=_PAGE_MAX,
            help=f"At most this many. Default: {LIMIT}, and {PLAN_LIMIT} with --plan.",
            show_default=False,
        ),
    ] = None,
    plan: Annotated[
        bool,
        typer.Option(
            "--plan", help="Shares against guarantees, whose turn it is, and nodes over time."
        ),
    ] = False,
    hours: Annotated[
        int, typer.Option("--hours", min=1, max=168, help="How far --plan looks ahead.")
    ] = 24,
    nodes: Annotated[
        int, typer.Option("--nodes", min=1, max=200, help="How many nodes --plan draws at most.")
    ] = 20,
    json_output: options.Json = False,
) -> None:
    """Show who is next, why each still waits, and what each project waits for and holds.

    Positions count everyone's work; you see your own projects' part of it.

    --plan shows what the scheduler has in mind: what each team holds of what it may count on,
    whose turn it is and by what right, and a time line of nodes with what runs until when, for
    whom nodes are kept, and where smaller work fits in meanwhile: what is sure to be done by
    then, by its max_runtime.

    Examples:
      podium queue
      podium queue --project vision --limit 10
      podium queue --plan --hours 12
    """
    if plan:
        if project is not None:
            raise typer.BadParameter("--plan is about all projects; leave --project out.")
        _plan(limit or PLAN_LIMIT, hours, nodes, as_json=json_output)
        return
    limit = limit or LIMIT
    with connect() as client:
        view = client.queue(project=project, limit=limit)
    if json_output:
        terminal.document(view)
        return
    if not view.items:
        terminal.say("Nothing that you can see waits.")
    else:
        _entries(view)
        left_out = view.length - view.hidden - len(view.items)
        if view.next_cursor is not None and project is None:
            terminal.say(f"… {count(left_out)} more; --limit shows more.")
    if view.hidden:
        terminal.say(f"{plural(view.hidden, 'workload')} of other projects wait, too.")
    _projects(view)
    if view.length:
        terminal.say("When, on which nodes, and by what right: podium queue --plan")


def _plan(limit: int, hours: int, nodes: int, *, as_json: bool) -> None:
    from podium.cli.queue_plan import show_plan

    with connect() as client:
        view = client.queue.plan(nodes=nodes, hours=hours)
        if as_json:
            terminal.document(view)
            return
        quotas = client.quotas.tree()
    show_plan(view, quotas, limit=limit)


def _entries(view: QueueView) -> None:
    now = datetime.now(UTC)
    columns = (
        Column("PLACE", right=True),
        Column("ID", style="dim", drop=2),
        Column("NAME", cut=True, style="bold"),
        Column("PROJECT"),
        Column("OWNER", drop=3),
        Column("PRIORITY", right=True, drop=1),
        Column("RESOURCES", cut=True),
        Column("WAITS", right=True),
        Column("STARTS", right=True, drop=4),
        Column("WHY", cut=True),
    )
    terminal.show_table(
        columns,
        [
            (
                count(each.position),
                each.workload.id,
                each.workload.name,
                each.workload.project,
                each.workload.owner,
                str(each.workload.priority),
                each.workload.resources.text,
                lasted(each.workload.queued_at, None, now),
                "–" if each.eta is None else moment(max(each.eta.likely, now), now),
                about(each.workload),
            )
            for each in view.items
        ],
    )


def _projects(view: QueueView) -> None:
    if not view.projects:
        return
    now = datetime.now(UTC)
    terminal.write("")
    terminal.heading("Projects")
    columns = (
        Column("PROJECT", style="bold"),
        Column("TEAM", drop=1),
        Column("WAIT", right=True),
        Column("RUN", right=True),
        Column("GPUS WANTED", right=True),
        Column("GPUS HELD", right=True),
        Column("LONGEST WAIT", right=True),
    )
    terminal.show_table(
        columns,
        [
            (
                each.project,
                each.team,
                count(each.waiting),
                count(each.running),
                format_milli(each.gpu_milli_wanted),
                format_milli(each.gpu_milli_held),
                lasted(each.oldest_queued_at, None, now),
            )
            for each in view.projects
        ],
    )
