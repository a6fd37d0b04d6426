"""`podium ls`: the workloads, as a table or live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import completion, options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.wording import about, ago, plural, replicas_words, time_words
from podium.domain.errors import FieldFault, UserError
from podium.domain.lifecycle import WORKLOAD_ENDS, WorkloadState
from podium.domain.workload import Kind

if TYPE_CHECKING:
    from rich.text import Text

    from podium.client.client import Client
    from podium.client.workloads import Filter
    from podium.spec.views.workload import WorkloadView

RECENT = timedelta(days=1)
LIMIT = 50

COLUMNS = (
    Column("NAME", style="bold", cut=True),
    Column("STATE"),
    Column("PROJECT", drop=2),
    Column("OWNER", drop=4),
    Column("KIND", drop=6),
    Column("RESOURCES", cut=True),
    Column("REPLICAS", right=True, drop=1),
    Column("TIME", right=True),
    Column("SUBMITTED", right=True, drop=5),
    Column("ABOUT", cut=True, drop=3),
    Column("ID", style="dim"),
)


def ls(
    project: options.Project = None,
    state: Annotated[
        list[str] | None,
        typer.Option(
            "--state",
            "-s",
            help="Only in this state; repeat for more.",
            autocompletion=completion.states,
        ),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            "--kind", "-k", help="Only this kind; repeat for more.", autocompletion=completion.kinds
        ),
    ] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="Only of this person.")] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", "-l", metavar="KEY=VALUE", help="Only with this label."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", "-a", help="Also what ended more than a day ago.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Stay and show changes.")] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="At most this many.", show_default="50")
    ] = None,
    json_output: options.Json = False,
) -> None:
    """List workloads: what lives, and what ended in the last day.

    Examples:
      podium ls
      podium ls --state queued --project vision
      podium ls --watch
    """
    from podium.client.workloads import Filter

    where = Filter(
        project=project,
        states=[WorkloadState(_one_of(word, WorkloadState, "--state")) for word in state or []],
        kinds=[Kind(_one_of(word, Kind, "--kind")) for word in kind or []],
        owner=owner,
        labels=label or (),
    )
    with connect() as client:
        if watch:
            from podium.cli import live

            live.watch(
                client, where, everything=everything, limit=limit or LIMIT, as_json=json_output
            )
            return
        views, more = read(client, where, everything=everything, limit=limit)
    if json_output:
        terminal.listing(views)
        return
    if not views:
        terminal.say(
            "Nothing matches."
            if where != Filter()
            else "No workloads yet. Submit one with `podium run -- COMMAND`."
        )
        return
    terminal.show_table(COLUMNS, rows(views, datetime.now(UTC)))
    if more:
        terminal.say(f"The newest {plural(len(views), 'workload')}; --limit shows more.")


def read(
    client: Client, where: Filter, *, everything: bool, limit: int | None
) -> tuple[list[WorkloadView], bool]:
    """What `ls` shows, newest first, and whether there is more of it."""
    most = limit or (None if everything else LIMIT)
    ask = None if most is None else most + 1
    if everything or where.states:
        found = list(client.workloads.list(where, limit=ask))
    else:
        living = tuple(state for state in WorkloadState if state not in WORKLOAD_ENDS)
        found = list(client.workloads.list(replace(where, states=living), limit=ask))
        since = datetime.now(UTC) - RECENT
        ended = client.workloads.list(
            replace(where, states=tuple(sorted(WORKLOAD_ENDS))), limit=ask
        )
        found += [view for view in ended if view.ended_at is None or view.ended_at > since]
        found.sort(key=lambda view: (view.submitted_at, view.id), reverse=True)
    return (found, False) if most is None else (found[:most], len(found) > most)


def rows(views: Sequence[WorkloadView], now: datetime) -> list[list[str | Text]]:
    return [
        [
            view.name,
            terminal.state_text(view.state),
            view.project,
            view.owner,
            view.kind.value,
            view.resources.text,
            replicas_words(view),
            time_words(view, now),
            ago(view.submitted_at, now),
            about(view),
            view.id,
        ]
        for view in views
    ]


def _one_of(word: str, words: type[WorkloadState] | type[Kind], field: str) -> str:
    known = [item.value for item in words]
    if word not in known:
        raise UserError(
            FieldFault(field, f"'{word}' is not known.", f"Write one of {', '.join(known)}.")
        )
    return word
