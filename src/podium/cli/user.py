"""`podium user`: people, for administrators."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import completion, options, paths, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.wording import ago, clock

if TYPE_CHECKING:
    from podium.spec.views.tenancy import UserDetailView, UserView

app = typer.Typer(no_args_is_help=True, help="People, for administrators.")

Name = Annotated[
    str,
    typer.Argument(metavar="USERNAME", help="The person.", autocompletion=completion.people),
]


@app.command("ls")
def list_users(
    words: Annotated[
        str, typer.Argument(metavar="[WORDS]", help="Part of a name or address.")
    ] = "",
    disabled: Annotated[
        bool | None,
        typer.Option(
            "--disabled/--enabled", help="Only those who are, or are not.", show_default=False
        ),
    ] = None,
    json_output: options.Json = False,
) -> None:
    """List people.

    Examples:
      podium user ls
      podium user ls smith --enabled
    """
    with connect() as client:
        views = list(client.users.list(words=words, disabled=disabled))
    if json_output:
        terminal.listing(views)
        return
    now = datetime.now(UTC)
    columns = (
        Column("USERNAME", style="bold"),
        Column("NAME"),
        Column("KEPT BY"),
        Column("ADMINISTRATOR"),
        Column("LAST SIGN-IN", right=True),
        Column("STATE"),
    )
    terminal.show_table(
        columns,
        [
            (
                view.username,
                view.display_name,
                view.source,
                "yes" if view.administrator else "–",
                ago(view.last_sign_in_at, now) if view.last_sign_in_at else "never",
                _state(view),
            )
            for view in views
        ],
    )


@app.command()
def show(username: Name, json_output: options.Json = False) -> None:
    """Show one person: groups, roles and through what, sign-ins and tokens.

    Examples:
      podium user show ada
    """
    with connect() as client:
        view = client.users.get(username)
    _tell(view, json_output)


@app.command()
def create(
    username: Annotated[str, typer.Argument(metavar="USERNAME", help="The new person's name.")],
    administrator: Annotated[
        bool, typer.Option("--administrator", help="May do everything, everywhere.")
    ] = False,
    display_name: Annotated[str, typer.Option("--name", help="The name to show.")] = "",
    email: Annotated[str, typer.Option("--email", help="Their address.")] = "",
    password_stdin: Annotated[
        bool,
        typer.Option("--password-stdin", help="Read the password; else a one-time one is made."),
    ] = False,
    json_output: options.Json = False,
) -> None:
    """Add a person, without any role. The one-time password is shown once.

    Examples:
      podium user create ada
      podium user create ada --name "Ada Lovelace" --email ada@example.com
    """
    password = sys.stdin.readline().rstrip("\n") if password_stdin else None
    with connect() as client:
        view = client.users.create(
            username,
            password=password,
            administrator=administrator,
            display_name=display_name,
            email=email,
        )
    if json_output:
        terminal.document(view)
        return
    terminal.say(f"{view.username} can sign in.")
    if view.one_time_password is not None:
        terminal.say("One-time password, shown once:")
        terminal.write(view.one_time_password)


@app.command("set")
def set_values(
    username: Name,
    display_name: Annotated[
        str | None, typer.Option("--name", help="The name to show.", show_default=False)
    ] = None,
    email: Annotated[
        str | None, typer.Option("--email", help="Their address.", show_default=False)
    ] = None,
    json_output: options.Json = False,
) -> None:
    """Change what a person is called, or their address.

    Examples:
      podium user set ada --name "Ada King"
    """
    with connect() as client:
        view = client.users.change(username, display_name=display_name, email=email)
    _tell(view, json_output)


@app.command()
def disable(username: Name, json_output: options.Json = False) -> None:
    """Let a person sign in no more. Their sign-ins and tokens end; their work goes on.

    Examples:
      podium user disable ada
    """
    with connect() as client:
        view = client.users.change(username, disabled=True)
    if json_output:
        terminal.document(view)
    else:
        terminal.write(f"{username} is disabled.")


@app.command()
def enable(username: Name, json_output: options.Json = False) -> None:
    """Let a disabled person sign in again, with the roles that they had.

    Examples:
      podium user enable ada
    """
    with connect() as client:
        view = client.users.change(username, disabled=False)
    if json_output:
        terminal.document(view)
    else:
        terminal.write(f"{username} is enabled.")


@app.command("reset-password")
def reset_password(username: Name, json_output: options.Json = False) -> None:
    """Make a one-time password. It is shown once; sign-ins and tokens end.

    Examples:
      podium user reset-password ada
    """
    with connect() as client:
        view = client.users.reset_password(username)
    if json_output:
        terminal.document(view)
        return
    terminal.say(f"One-time password of {username}, shown once:")
    terminal.write(view.one_time_password)


@app.command("sign-out")
def sign_out(
    username: Name,
    tokens: Annotated[
        bool, typer.Option("--tokens", help="End their tokens for programs, too.")
    ] = False,
    json_output: options.Json = False,
) -> None:
    """End all sign-ins of a person.

    Examples:
      podium user sign-out ada
      podium user sign-out ada --tokens
    """
    with connect() as client:
        view = client.users.sign_out(username, tokens=tokens)
    if json_output:
        terminal.document(view)
    else:
        terminal.write(f"{username} is signed out: {view.ended} ended.")


@app.command("rm")
def remove(username: Name) -> None:
    """Remove a person who never did anything. Disable others: the audit trail names them.

    Examples:
      podium user rm typo
    """
    with connect() as client:
        client.users.remove(username)
    terminal.say(f"{username} is removed.")


def _state(view: UserView) -> str:
    return "disabled" if view.disabled_at else "enabled"


def _tell(view: UserDetailView, json_output: bool) -> None:
    if json_output:
        terminal.document(view)
        return
    terminal.show_facts(
        [
            ("Person", view.username + (" (administrator)" if view.administrator else "")),
            ("Name", view.display_name),
            ("Address", view.email),
            ("State", _state(view)),
            ("Kept by", view.source),
            ("Created", clock(view.created_at)),
            ("Last sign-in", clock(view.last_sign_in_at) if view.last_sign_in_at else "never"),
            ("Sign-ins", str(view.sign_ins)),
            ("Tokens", str(view.tokens)),
            ("Groups", ", ".join(each.name for each in view.groups)),
        ]
    )
    terminal.say()
    paths.show_roles(view.paths)
