"""`podium access`: who can do something, and through what."""

from __future__ import annotations

from textwrap import wrap
from typing import Annotated

import typer

from podium.cli import completion, options, paths, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column

_MAY_CHARACTERS = 60
"""Of what somebody may do, on one line."""

app = typer.Typer(no_args_is_help=True, help="Who can do what, and through what.")


@app.command()
def who(
    action: Annotated[
        str,
        typer.Argument(
            metavar="ACTION",
            help="As `podium role actions` lists them.",
            autocompletion=completion.actions,
        ),
    ],
    project: Annotated[
        str | None,
        typer.Option(
            "--project",
            "-p",
            metavar="NAME",
            help="In this project; else in the whole organisation.",
            autocompletion=completion.projects,
        ),
    ] = None,
    team: Annotated[
        str | None, typer.Option("--team", metavar="NAME", help="In all projects of this team.")
    ] = None,
    json_output: options.Json = False,
) -> None:
    """Say who can do something there, and by which roles.

    Examples:
      podium access who workload:submit --project vision
      podium access who user:administer
    """
    with connect() as client:
        views = list(client.access.who(action, project=project, team=team))
    if json_output:
        terminal.listing(views)
        return
    if not views:
        terminal.say("Nobody.")
        return
    terminal.show_table(
        (Column("WHO", style="bold"), Column("THROUGH")),
        [
            (
                view.username + (" (service account)" if view.kind == "service" else ""),
                "; ".join(map(paths.words, view.paths)),
            )
            for view in views
        ],
    )


@app.command("of")
def of_user(
    username: Annotated[str, typer.Argument(metavar="USER", help="A person or service account.")],
    json_output: options.Json = False,
) -> None:
    """Say what somebody can do where, and by which roles.

    Examples:
      podium access of ada
    """
    with connect() as client:
        view = client.users.access(username)
    if json_output:
        terminal.document(view)
        return
    paths.show_roles(view.paths)
    places = [("organisation", view.everywhere)] if view.everywhere else []
    places += [(f"team {name}", actions) for name, actions in view.teams.items()]
    places += [(f"project {name}", actions) for name, actions in view.projects.items()]
    if places:
        terminal.say()
        terminal.show_table(
            (Column("WHERE", style="bold"), Column("MAY")),
            [
                (where if line == 0 else "", words)
                for where, actions in places
                for line, words in enumerate(wrap(", ".join(actions), _MAY_CHARACTERS))
            ],
        )
