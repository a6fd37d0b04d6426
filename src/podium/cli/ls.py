"""`podium ls`: the workloads, as a table or live."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from podium.cli import choice, completion, live, options, terminal
from podium.cli.connection import connect
from podium.cli.listing import COLUMNS, LIMIT, Order, read, rows
from podium.cli.wording import plural


def ls(
    project: options.Project = None,
    state: choice.States = None,
    kind: choice.Kinds = None,
    owner: choice.Owner = None,
    label: choice.Labels = None,
    node: choice.Node = None,
    waits_for: choice.Reasons = None,
    everything: Annotated[
        bool, typer.Option("--all", "-a", help="Also what ended more than a day ago.")
    ] = False,
    sort: Annotated[
        str,
        typer.Option(
            "--sort",
            metavar="FIELD",
            help=f"In order of: {', '.join(completion.SORTS)}.",
            autocompletion=completion.sorts,
        ),
    ] = "submitted",
    reverse: Annotated[bool, typer.Option("--reverse", "-r", help="The other way round.")] = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Stay and show changes.")] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="At most this many.", show_default="50")
    ] = None,
    json_output: options.Json = False,
) -> None:
    """List workloads: what lives, and what ended in the last day.

    The newest and the largest come first, words in the order of the alphabet.

    Examples:
      podium ls
      podium ls --state queued --project vision
      podium ls --sort priority
      podium ls --watch
    """
    where = choice.filter_of(
        project=project,
        state=state,
        kind=kind,
        owner=owner,
        label=label,
        node=node,
        reason=waits_for,
    )
    order = Order.of(sort, reverse=reverse)
    with connect() as client:
        if watch:
            live.watch(
                client,
                where,
                order,
                everything=everything,
                limit=limit or LIMIT,
                as_json=json_output,
            )
            return
        views, more = read(client, where, order, everything=everything, limit=limit)
    if json_output:
        terminal.listing(views)
        return
    if not views:
        terminal.say(
            "No workloads yet. Submit one with `podium run -- COMMAND`."
            if where.everything
            else "Nothing matches."
        )
        return
    terminal.show_table(COLUMNS, rows(views, datetime.now(UTC)))
    if more:
        terminal.say(f"The first {plural(len(views), 'workload')}; --limit shows more.")
