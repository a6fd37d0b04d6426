"""`podium binding`: who has which role where."""

from __future__ import annotations

from typing import Annotated

import typer

from podium.cli import completion, options, paths, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.wording import clock
from podium.domain.errors import FieldFault, UserError

app = typer.Typer(no_args_is_help=True, help="Who has which role where.")

User = Annotated[
    str | None,
    typer.Option(
        "--user",
        "-u",
        metavar="NAME",
        help="A person or service account.",
        autocompletion=completion.people,
    ),
]
Group = Annotated[str | None, typer.Option("--group", "-g", metavar="NAME", help="A group.")]
Project = Annotated[
    str | None,
    typer.Option(
        "--project",
        "-p",
        metavar="NAME",
        help="In this project.",
        autocompletion=completion.projects,
    ),
]
Team = Annotated[
    str | None, typer.Option("--team", metavar="NAME", help="In all projects of this team.")
]


@app.command("ls")
def list_bindings(
    user: User = None,
    group: Group = None,
    role: Annotated[str | None, typer.Option("--role", metavar="NAME")] = None,
    project: Project = None,
    team: Team = None,
    organisation: Annotated[
        bool, typer.Option("--organisation", help="Only those for the whole organisation.")
    ] = False,
    json_output: options.Json = False,
) -> None:
    """List who has which role, where you may see it.

    Examples:
      podium binding ls
      podium binding ls --project vision
      podium binding ls --role administrator
    """
    level, target = _place(project, team, organisation)
    if user is not None and group is not None:
        raise UserError(FieldFault("--group", "cannot be given together with --user."))
    kind = "group" if group else "user" if user else None
    with connect() as client:
        views = list(
            client.access.bindings(
                subject=user or group, subject_kind=kind, role=role, level=level, target=target
            )
        )
    if json_output:
        terminal.listing(views)
        return
    columns = (
        Column("WHO", style="bold"),
        Column("ROLE"),
        Column("WHERE"),
        Column("SINCE"),
        Column("GIVEN BY"),
        Column("ID", style="dim"),
    )
    terminal.show_table(
        columns,
        [
            (
                view.subject + (" (group)" if view.subject_kind == "group" else ""),
                view.role,
                paths.place(view),
                clock(view.created_at),
                view.created_by,
                view.id,
            )
            for view in views
        ],
    )


@app.command()
def give(
    role: Annotated[str, typer.Argument(metavar="ROLE", help="As `podium role ls` shows them.")],
    user: User = None,
    group: Group = None,
    project: Project = None,
    team: Team = None,
    organisation: Annotated[
        bool, typer.Option("--organisation", help="Everywhere, in all projects.")
    ] = False,
    json_output: options.Json = False,
) -> None:
    """Give a role, up to what you may do there yourself.

    Examples:
      podium binding give developer --group scientists --project vision
      podium binding give lead --user grace --team research
      podium binding give auditor --user hugo --organisation
    """
    if (user is None) == (group is None):
        raise UserError(FieldFault("--user", "or --group is needed, one of them."))
    level, target = _place(project, team, organisation)
    if level is None:
        raise UserError(FieldFault("--project", "is missing; or write --team or --organisation."))
    with connect() as client:
        view = client.access.give(
            role, user or group or "", level=level, target=target or "", group=group is not None
        )
    if json_output:
        terminal.document(view)
    else:
        terminal.write(f"{view.subject} is {view.role} of {paths.place(view)} ({view.id}).")


@app.command()
def take(
    binding_ids: Annotated[
        list[str], typer.Argument(metavar="ID", help="Ids, as `podium binding ls` shows them.")
    ],
) -> None:
    """Take roles away.

    Examples:
      podium binding take b-01k2x5e8g7h3m9qz
    """
    with connect() as client:
        for binding_id in binding_ids:
            client.access.take(binding_id)
            terminal.say(f"{binding_id} is taken away.")


def _place(
    project: str | None, team: str | None, organisation: bool
) -> tuple[str | None, str | None]:
    if sum((project is not None, team is not None, organisation)) > 1:
        raise UserError(
            FieldFault("--project", "stands together with another place.", "Name one of them.")
        )
    if organisation:
        return "organisation", ""
    if team is not None:
        return "team", team
    return ("project", project) if project is not None else (None, None)
