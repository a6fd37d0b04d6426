"""`podium group`: groups of people, who are given roles together."""

from __future__ import annotations

from typing import Annotated

import typer

from podium.cli import options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column

app = typer.Typer(no_args_is_help=True, help="Groups of people, who are given roles together.")

Name = Annotated[str, typer.Argument(metavar="GROUP", help="The group.")]
People = Annotated[list[str], typer.Argument(metavar="USERNAME", help="The people.")]


@app.command("ls")
def list_groups(json_output: options.Json = False) -> None:
    """List groups.

    Examples:
      podium group ls
    """
    with connect() as client:
        views = list(client.groups.list())
    if json_output:
        terminal.listing(views)
        return
    columns = (Column("GROUP", style="bold"), Column("MEMBERS", right=True), Column("KEPT BY"))
    terminal.show_table(columns, [(each.name, str(each.members), each.source) for each in views])


@app.command()
def create(name: Name, json_output: options.Json = False) -> None:
    """Make a group. Give it roles with `podium binding give`.

    Examples:
      podium group create scientists
    """
    with connect() as client:
        view = client.groups.create(name)
    if json_output:
        terminal.document(view)
    else:
        terminal.write(f"The group {view.name} is there.")


@app.command("rm")
def remove(name: Name) -> None:
    """Remove a group, and with it the roles that it gives.

    Examples:
      podium group rm scientists
    """
    with connect() as client:
        client.groups.remove(name)
    terminal.say(f"The group {name} is removed.")


@app.command()
def members(name: Name, json_output: options.Json = False) -> None:
    """List who is in a group, and who put them there.

    Examples:
      podium group members scientists
    """
    with connect() as client:
        views = list(client.groups.members(name))
    if json_output:
        terminal.listing(views)
        return
    columns = (Column("USERNAME", style="bold"), Column("NAME"), Column("BY"), Column("STATE"))
    terminal.show_table(
        columns,
        [
            (
                view.username,
                view.display_name,
                view.source,
                "disabled" if view.disabled else "enabled",
            )
            for view in views
        ],
    )


@app.command()
def add(name: Name, usernames: People) -> None:
    """Put people into a group.

    Examples:
      podium group add scientists ada grace
    """
    with connect() as client:
        for username in usernames:
            client.groups.add(name, username)
            terminal.say(f"{username} is in {name}.")


@app.command("take-out")
def take_out(name: Name, usernames: People) -> None:
    """Take people out of a group.

    Examples:
      podium group take-out scientists grace
    """
    with connect() as client:
        for username in usernames:
            client.groups.take_out(name, username)
            terminal.say(f"{username} is no longer in {name}.")
