"""`podium role`: named sets of actions, built in or the organisation's own."""

from __future__ import annotations

from typing import Annotated

import typer

from podium.cli import completion, options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column

app = typer.Typer(no_args_is_help=True, help="Roles: what they include, and your own ones.")

Name = Annotated[str, typer.Argument(metavar="ROLE", help="The role.")]


@app.command("ls")
def list_roles(json_output: options.Json = False) -> None:
    """List roles.

    Examples:
      podium role ls
    """
    with connect() as client:
        views = client.access.roles()
    if json_output:
        terminal.listing(views)
        return
    columns = (
        Column("ROLE", style="bold"),
        Column("ACTIONS", right=True),
        Column("GIVEN", right=True),
        Column("ABOUT"),
    )
    terminal.show_table(
        columns,
        [
            (
                view.name,
                str(len(view.actions)),
                "–" if view.bindings is None else str(view.bindings),
                view.description,
            )
            for view in views
        ],
    )


@app.command()
def show(name: Name, json_output: options.Json = False) -> None:
    """Show what a role includes.

    Examples:
      podium role show developer
    """
    with connect() as client:
        view = client.access.role(name)
        about = {each.action: each.about for each in client.access.actions()}
    if json_output:
        terminal.document(view)
        return
    terminal.heading(view.name + (" (built in)" if view.built_in else ""))
    terminal.write(view.description)
    terminal.show_table(
        (Column("ACTION", style="bold"), Column("ABOUT")),
        [(action, about.get(action, "")) for action in view.actions],
    )


@app.command()
def actions(json_output: options.Json = False) -> None:
    """List all that can be done, each in a sentence.

    Examples:
      podium role actions
    """
    with connect() as client:
        views = client.access.actions()
    if json_output:
        terminal.listing(views)
        return
    terminal.show_table(
        (Column("ACTION", style="bold"), Column("ABOUT")),
        [(view.action, view.about) for view in views],
    )


@app.command("set")
def set_role(
    name: Name,
    chosen: Annotated[
        list[str],
        typer.Option(
            "--action",
            "-a",
            metavar="ACTION",
            help="What it includes; repeat it.",
            autocompletion=completion.actions,
        ),
    ],
    description: Annotated[str, typer.Option("--description", help="What it is for.")] = "",
    json_output: options.Json = False,
) -> None:
    """Make a role, or change it for everybody who has it.

    Examples:
      podium role set log-reader --action workload:read --action log:read
    """
    with connect() as client:
        view = client.access.set_role(name, chosen, description=description)
    if json_output:
        terminal.document(view)
    else:
        terminal.write(f"The role {view.name} includes {', '.join(view.actions)}.")


@app.command("rm")
def remove(name: Name) -> None:
    """Remove a role of your own that nobody has.

    Examples:
      podium role rm log-reader
    """
    with connect() as client:
        client.access.remove_role(name)
    terminal.say(f"The role {name} is removed.")
