"""`podium secret`: values that work gets as variables and that nobody can read back."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from podium.cli import options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.wording import ago
from podium.domain.errors import FieldFault, UserError

app = typer.Typer(no_args_is_help=True, help="Values that work gets, and nobody can read back.")

VALUE_CHARACTERS_MAX = 65_536
Name = Annotated[str, typer.Argument(metavar="NAME", help="The secret's name, such as HF_TOKEN.")]


@app.command("ls")
def list_secrets(project: options.Project = None, json_output: options.Json = False) -> None:
    """List the names of a project's secrets.

    Examples:
      podium secret ls --project vision
    """
    with connect(project) as client:
        views = list(client.secrets.list(client.projects.resolve()))
    if json_output:
        terminal.listing(views)
        return
    now = datetime.now(UTC)
    columns = (Column("NAME", style="bold"), Column("UPDATED", right=True), Column("BY"))
    terminal.show_table(
        columns, [(view.name, ago(view.updated_at, now), view.updated_by) for view in views]
    )


@app.command("set")
def set_secret(
    name: Name, project: options.Project = None, json_output: options.Json = False
) -> None:
    """Set a secret. Its value is asked for, or read from standard input.

    Examples:
      podium secret set HF_TOKEN
      podium secret set KEY --project vision < key.pem
    """
    with connect(project) as client:
        chosen = client.projects.resolve()
        if sys.stdin.isatty():
            value: str = typer.prompt(f"Value of {name}", hide_input=True, err=True)
        else:
            # What `echo` adds is no part of the secret; a file's own inner lines are.
            value = sys.stdin.read(VALUE_CHARACTERS_MAX + 2).removesuffix("\n")
        if not value or len(value) > VALUE_CHARACTERS_MAX:
            wrong = "is empty." if not value else f"is longer than {VALUE_CHARACTERS_MAX:,}."
            raise UserError(FieldFault("value", wrong, "Give it on standard input."))
        view = client.secrets.set(chosen, name, value)
    if json_output:
        terminal.document(view)
    else:
        terminal.say(f"{view.name} is set in {view.project}.")


@app.command("rm")
def remove_secret(name: Name, project: options.Project = None) -> None:
    """Remove a secret. Work that names it will not start any more.

    Examples:
      podium secret rm HF_TOKEN
    """
    with connect(project) as client:
        chosen = client.projects.resolve()
        client.secrets.remove(chosen, name)
    terminal.say(f"{name} is no longer in {chosen}.")
