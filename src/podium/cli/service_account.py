"""`podium account`: service accounts, which are who programs are, and their tokens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from podium.cli import options, paths, terminal
from podium.cli import token as token_command
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.wording import clock

app = typer.Typer(no_args_is_help=True, help="Service accounts for programs, and their tokens.")

Name = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The service account.")]


@app.command("ls")
def list_accounts(project: options.Project = None, json_output: options.Json = False) -> None:
    """List service accounts of the projects in which you may manage them.

    Examples:
      podium account ls
      podium account ls --project vision
    """
    with connect() as client:
        views = list(client.accounts.list(project=project))
    if json_output:
        terminal.listing(views)
        return
    columns = (
        Column("ACCOUNT", style="bold"),
        Column("OF"),
        Column("ROLES"),
        Column("TOKENS", right=True),
        Column("STATE"),
    )
    terminal.show_table(
        columns,
        [
            (
                view.name,
                f"project {view.project}" if view.project else "the organisation",
                ", ".join(sorted({each.role for each in view.paths})) or "–",
                str(view.tokens),
                "disabled" if view.disabled_at else "enabled",
            )
            for view in views
        ],
    )


@app.command()
def show(name: Name, json_output: options.Json = False) -> None:
    """Show a service account and its roles.

    Examples:
      podium account show ci-bot
    """
    with connect() as client:
        view = client.accounts.get(name)
    if json_output:
        terminal.document(view)
        return
    terminal.show_facts(
        [
            ("Account", view.name),
            ("About", view.display_name),
            ("Belongs to", f"project {view.project}" if view.project else "the organisation"),
            ("State", "disabled" if view.disabled_at else "enabled"),
            ("Created", clock(view.created_at)),
            ("Tokens", str(view.tokens)),
        ]
    )
    terminal.say()
    paths.show_roles(view.paths)


@app.command()
def create(
    name: Name,
    project: Annotated[
        str | None,
        typer.Option("--project", "-p", metavar="NAME", help="Where it belongs."),
    ] = None,
    organisation: Annotated[
        bool, typer.Option("--organisation", help="It belongs to the organisation.")
    ] = False,
    about: Annotated[str, typer.Option("--about", help="What it is for.")] = "",
    json_output: options.Json = False,
) -> None:
    """Make a service account. Give it a role with `podium binding give`.

    Examples:
      podium account create ci-bot --project vision
      podium account create scraper --organisation --about Prometheus
    """
    with connect() as client:
        place = None if organisation else client.projects.resolve(project)
        view = client.accounts.create(name, project=place, display_name=about)
    if json_output:
        terminal.document(view)
    else:
        where = f"project {view.project}" if view.project else "the organisation"
        terminal.write(f"{view.name} of {where} is there, without a role yet.")


@app.command()
def disable(name: Name, json_output: options.Json = False) -> None:
    """Disable a service account: its tokens do nothing until it is enabled.

    Examples:
      podium account disable ci-bot
    """
    _switch(name, True, json_output)


@app.command()
def enable(name: Name, json_output: options.Json = False) -> None:
    """Enable a service account again, with its tokens.

    Examples:
      podium account enable ci-bot
    """
    _switch(name, False, json_output)


@app.command("rm")
def remove(name: Name) -> None:
    """Remove a service account that never did anything. Disable others.

    Examples:
      podium account rm typo-bot
    """
    with connect() as client:
        client.accounts.remove(name)
    terminal.say(f"{name} is removed.")


@app.command()
def tokens(name: Name, json_output: options.Json = False) -> None:
    """List the tokens of a service account.

    Examples:
      podium account tokens ci-bot
    """
    with connect() as client:
        views = list(client.accounts.tokens(name))
    if json_output:
        terminal.listing(views)
    else:
        token_command.show(views, datetime.now(UTC))


@app.command("create-token")
def create_token(
    name: Name,
    token_name: Annotated[str, typer.Argument(metavar="NAME", help="What the token is for.")],
    days: Annotated[
        int, typer.Option("--days", min=1, max=366, help="How long it is good for.")
    ] = 90,
    actions: token_command.Actions = None,
    projects: token_command.Projects = None,
    json_output: options.Json = False,
) -> None:
    """Create a token of a service account. It is shown once.

    Examples:
      podium account create-token ci-bot nightly --days 30 --action workload:submit
    """
    with connect() as client:
        view = client.accounts.create_token(
            name, token_name, expires_in_days=days, actions=actions, projects=projects
        )
    token_command.tell(view, json_output)


@app.command("revoke-token")
def revoke_token(
    name: Name,
    token_ids: Annotated[list[str], typer.Argument(metavar="ID", help="Ids of its tokens.")],
) -> None:
    """End tokens of a service account at once.

    Examples:
      podium account revoke-token ci-bot t-01k2x5e8g7h3m9qz
    """
    with connect() as client:
        for token_id in token_ids:
            client.accounts.revoke_token(name, token_id)
            terminal.say(f"{token_id} is revoked.")


def _switch(name: str, disabled: bool, json_output: bool) -> None:
    with connect() as client:
        view = client.accounts.change(name, disabled=disabled)
    if json_output:
        terminal.document(view)
    else:
        terminal.write(f"{view.name} is {'disabled' if view.disabled_at else 'enabled'}.")
