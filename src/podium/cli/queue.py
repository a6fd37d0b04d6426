"""`podium queue`: who is next, and why each still waits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.wording import about, count, lasted, plural
from podium.domain.quantity import format_milli

if TYPE_CHECKING:
    from podium.spec.views.queue import QueueView

LIMIT = 50
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
        int, typer.Option("--limit", min=1, max=_PAGE_MAX, help="At most this many.")
    ] = LIMIT,
    json_output: options.Json = False,
) -> None:
    """Show who is next, why each still waits, and what each project waits for and holds.

    Positions count everyone's work; you see your own projects' part of it.

    Examples:
      podium queue
      podium queue --project vision --limit 10
    """  # fmt: skip
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
