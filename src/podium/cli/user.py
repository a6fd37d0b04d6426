"""`podium user`: people, for administrators."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from podium.cli import options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.wording import clock

app = typer.Typer(no_args_is_help=True, help="People, for administrators.")


@app.command("ls")
def list_users(json_output: options.Json = False) -> None:
    """List everyone.

    Examples:
      podium user ls
    """
    with connect() as client:
        views = list(client.users.list())
    if json_output:
        terminal.listing(views)
        return
    columns = (Column("USERNAME", style="bold"), Column("ADMINISTRATOR"), Column("CREATED"))
    terminal.show_table(
        columns,
        [
            (view.username, "yes" if view.administrator else "–", clock(view.created_at))
            for view in views
        ],
    )


@app.command()
def create(
    username: Annotated[str, typer.Argument(metavar="USERNAME", help="The new person's name.")],
    administrator: Annotated[
        bool, typer.Option("--administrator", help="May do everything, everywhere.")
    ] = False,
    password_stdin: Annotated[
        bool,
        typer.Option("--password-stdin", help="Read the password; else a one-time one is made."),
    ] = False,
    json_output: options.Json = False,
) -> None:
    """Add a person. The one-time password is shown once.

    Examples:
      podium user create ada
    """
    password = sys.stdin.readline().rstrip("\n") if password_stdin else None
    with connect() as client:
        view = client.users.create(username, password=password, administrator=administrator)
    if json_output:
        terminal.document(view)
        return
    terminal.say(f"{view.username} can sign in.")
    if view.one_time_password is not None:
        terminal.say("One-time password, shown once:")
        terminal.write(view.one_time_password)
