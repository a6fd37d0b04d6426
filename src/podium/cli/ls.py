"""`podium ls`: the workloads, as a table or live."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from podium.cli import completion, live, options, terminal
from podium.cli.connection import connect
from podium.cli.listing import COLUMNS, LIMIT, read, rows
from podium.cli.wording import plural
from podium.domain.errors import FieldFault, UserError
from podium.domain.lifecycle import WorkloadState
from podium.domain.workload import Kind


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
        states=tuple(
            WorkloadState(_one_of(word, WorkloadState, "--state")) for word in state or ()
        ),
        kinds=tuple(Kind(_one_of(word, Kind, "--kind")) for word in kind or ()),
        owner=owner,
        labels=tuple(label or ()),
    )
    with connect() as client:
        if watch:
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


def _one_of(word: str, words: type[WorkloadState] | type[Kind], field: str) -> str:
    known = [item.value for item in words]
    if word not in known:
        raise UserError(
            FieldFault(field, f"'{word}' is not known.", f"Write one of {', '.join(known)}.")
        )
    return word
