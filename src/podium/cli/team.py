"""`podium team`: who owns projects, and where they are billed."""

from __future__ import annotations

from typing import Annotated

import typer

from podium.cli import options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.wording import clock

app = typer.Typer(no_args_is_help=True, help="Teams, and where they are billed.")

Name = Annotated[str, typer.Argument(metavar="TEAM", help="The team.")]


@app.command("ls")
def list_teams(
    archived: Annotated[
        bool, typer.Option("--archived", help="Archived ones, in place of the others.")
    ] = False,
    json_output: options.Json = False,
) -> None:
    """List the teams that you can see.

    Examples:
      podium team ls
    """
    with connect() as client:
        views = list(client.teams.list(archived=archived))
    if json_output:
        terminal.listing(views)
        return
    columns = (Column("TEAM", style="bold"), Column("COST CENTRE"), Column("CREATED"))
    terminal.show_table(
        columns, [(each.name, each.cost_centre, clock(each.created_at)) for each in views]
    )


@app.command()
def create(
    name: Name,
    cost_centre: Annotated[str, typer.Option("--cost-centre", help="Where it is billed.")] = "",
    json_output: options.Json = False,
) -> None:
    """Make a team.

    Examples:
      podium team create research --cost-centre CC-4711
    """
    with connect() as client:
        view = client.teams.create(name, cost_centre=cost_centre)
    if json_output:
        terminal.document(view)
    else:
        terminal.write(f"Team {view.name} is there.")


@app.command("set")
def set_values(
    name: Name,
    cost_centre: Annotated[str, typer.Option("--cost-centre", help="Where it is billed.")],
    json_output: options.Json = False,
) -> None:
    """Change where a team is billed. Its projects follow, unless they have their own.

    Examples:
      podium team set research --cost-centre CC-4712
    """
    with connect() as client:
        view = client.teams.change(name, cost_centre=cost_centre)
    if json_output:
        terminal.document(view)
    else:
        terminal.write(f"Team {view.name} is billed to {view.cost_centre or 'nobody yet'}.")


@app.command()
def delete(name: Name) -> None:
    """Archive a team without projects. Usage and the audit trail go on meaning it.

    Examples:
      podium team delete research
    """
    with connect() as client:
        client.teams.delete(name)
    terminal.say(f"Team {name} is archived.")


@app.command()
def restore(name: Name, json_output: options.Json = False) -> None:
    """Take an archived team back, without the roles and quota that it had.

    Examples:
      podium team restore research
    """
    with connect() as client:
        view = client.teams.restore(name)
    if json_output:
        terminal.document(view)
    else:
        terminal.write(f"Team {view.name} is back, without roles.")
