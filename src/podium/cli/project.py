"""`podium project`: projects, and who works in them."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from podium.cli import completion, options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.wording import clock, plural
from podium.domain.rights import DEVELOPER

app = typer.Typer(no_args_is_help=True, help="Projects, and who works in them.")

Name = Annotated[
    str,
    typer.Argument(metavar="PROJECT", help="The project.", autocompletion=completion.projects),
]


@app.command("ls")
def list_projects(
    archived: Annotated[
        bool, typer.Option("--archived", help="Archived ones, in place of the others.")
    ] = False,
    json_output: options.Json = False,
) -> None:
    """List the projects that you can see.

    Examples:
      podium project ls
      podium project ls --archived
    """
    with connect() as client:
        views = list(client.projects.list(archived=archived))
        default = client.projects.default
    if json_output:
        terminal.listing(views)
        return
    if not views:
        terminal.say(
            "You can see no archived project."
            if archived
            else "You are a member of no project. Ask a lead to add you."
        )
        return
    columns = (
        Column("NAME", style="bold"),
        Column("TEAM"),
        Column("COST CENTRE"),
        Column("CREATED"),
        Column("DEFAULT"),
    )
    terminal.show_table(
        columns,
        [
            (
                view.name,
                view.team,
                view.cost_centre,
                clock(view.created_at),
                "✓" if view.name == default else "",
            )
            for view in views
        ],
    )


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new project's name.")],
    team: Annotated[str, typer.Option("--team", help="The team that it belongs to.")],
    cost_centre: Annotated[
        str, typer.Option("--cost-centre", help="Where it is billed. Default: where its team is.")
    ] = "",
    json_output: options.Json = False,
) -> None:
    """Create a project.

    Examples:
      podium project create vision --team research
    """
    with connect() as client:
        view = client.projects.create(name, team=team, cost_centre=cost_centre)
    if json_output:
        terminal.document(view)
    else:
        terminal.write(f"Project {view.name} of team {view.team} is there.")


@app.command("set")
def set_values(
    name: Name,
    cost_centre: Annotated[
        str, typer.Option("--cost-centre", help="Where it is billed; '' for where its team is.")
    ],
    json_output: options.Json = False,
) -> None:
    """Change where a project is billed.

    Examples:
      podium project set vision --cost-centre CC-4711
    """
    with connect() as client:
        view = client.projects.change(name, cost_centre=cost_centre)
    if json_output:
        terminal.document(view)
    else:
        terminal.write(f"{view.name} is billed to {view.cost_centre or 'where its team is'}.")


@app.command()
def move(
    name: Name,
    team: Annotated[str, typer.Option("--team", metavar="TEAM", help="Where it goes.")],
    json_output: options.Json = False,
) -> None:
    """Move a project to another team, with its quota and the work that goes on.

    Usage of the past stays with the team that it was of.

    Examples:
      podium project move vision --team robotics
    """
    with connect() as client:
        view = client.projects.change(name, team=team)
    if json_output:
        terminal.document(view)
    else:
        terminal.write(f"{view.name} is a project of team {view.team}.")


@app.command()
def delete(
    name: Name,
    force: Annotated[
        bool,
        typer.Option("--force", help="Cancel its work; remove its secrets and bookings to come."),
    ] = False,
    json_output: options.Json = False,
) -> None:
    """Archive a project. Its roles and tokens end; its work, usage and audit trail stay readable.

    Examples:
      podium project delete vision
      podium project delete vision --force
      podium project ls --archived
    """
    with connect() as client:
        view = client.projects.delete(name, force=force)
    if json_output:
        terminal.document(view)
        return
    ended = [
        plural(count, noun)
        for count, noun in (
            (view.cancelled, "workload"),
            (len(view.secrets), "secret"),
            (len(view.bookings), "booking"),
            (view.roles, "role"),
            (len(view.accounts), "service account"),
            (view.tokens, "token"),
        )
        if count
    ]
    told = f" Ended: {', '.join(ended)}." if ended else ""
    terminal.write(f"{view.project} is archived.{told}")


@app.command()
def restore(name: Name, json_output: options.Json = False) -> None:
    """Take an archived project back, without the roles, tokens and quota that it had.

    Examples:
      podium project restore vision
    """
    with connect() as client:
        view = client.projects.restore(name)
    if json_output:
        terminal.document(view)
    else:
        terminal.write(f"{view.name} of team {view.team} is back, without roles.")


@app.command()
def use(name: Name) -> None:
    """Keep a project as the default on this server.

    Examples:
      podium project use vision
    """
    from podium.client.config import config_load, config_path, config_save

    with connect() as client:
        view = client.projects.get(name)
        address = client.server.address
    path = config_path()
    config = config_load(path)
    kept = replace(config.context(address), project=view.name)
    config_save(path, config.with_context(address, kept))
    terminal.write(f"{view.name} is meant from now on when no project is named.")


@app.command()
def members(name: Name, json_output: options.Json = False) -> None:
    """List who works in a project.

    Examples:
      podium project members vision
    """
    with connect() as client:
        views = list(client.projects.members(name))
    if json_output:
        terminal.listing(views)
        return
    columns = (Column("USERNAME", style="bold"), Column("ROLE"))
    terminal.show_table(columns, [(view.username, view.role) for view in views])


@app.command("add-member")
def add_member(
    name: Name,
    username: Annotated[
        str,
        typer.Argument(metavar="USERNAME", help="The person.", autocompletion=completion.people),
    ],
    role: Annotated[str, typer.Option("--role", help="lead, developer or viewer.")] = DEVELOPER,
    json_output: options.Json = False,
) -> None:
    """Add someone to a project, or change their role.

    Examples:
      podium project add-member vision ada
      podium project add-member vision grace --role lead
    """
    with connect() as client:
        view = client.projects.set_member(name, username, role)
    if json_output:
        terminal.document(view)
    else:
        terminal.write(f"{view.username} is {view.role} of {view.project}.")


@app.command("remove-member")
def remove_member(
    name: Name,
    username: Annotated[str, typer.Argument(metavar="USERNAME", help="The person.")],
) -> None:
    """Remove someone from a project. Their work stays.

    Examples:
      podium project remove-member vision ada
    """
    with connect() as client:
        client.projects.remove_member(name, username)
    terminal.say(f"{username} is no longer a member of {name}.")
