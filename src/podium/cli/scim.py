"""`podium scim`: lets a directory such as Entra ID or Okta keep people and groups."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from podium.cli import options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.wording import ago, clock, count

app = typer.Typer(
    no_args_is_help=True, help="Let a directory keep people and groups (SCIM). For administrators."
)

_LOOPBACK = ("http://127.", "http://localhost", "http://[::1]")


@app.command()
def token(
    account: Annotated[
        str, typer.Option("--account", metavar="NAME", help="The service account it belongs to.")
    ] = "scim",
    days: Annotated[
        int, typer.Option("--days", min=1, max=366, help="How long it is good for.")
    ] = 365,
    json_output: options.Json = False,
) -> None:
    """Create a token for a directory. It is shown once, and can do nothing but keep people and
    groups.

    Examples:
      podium scim token
      podium scim token --account okta --days 180
    """
    with connect() as client:
        view = client.directory.create_token(account=account, expires_in_days=days)
        address = client.directory.address(view.path)
    if json_output:
        terminal.document({**view.model_dump(mode="json"), "address": address})
        return
    terminal.say(f"Address for the directory:  {address}")
    if address.startswith("http://") and not address.startswith(_LOOPBACK):
        terminal.say("Give the directory an https address: over http, others can read the token.")
    terminal.say("Its token, shown once:")
    terminal.write(view.token)


@app.command()
def status(json_output: options.Json = False) -> None:
    """Show what a directory keeps here, and the tokens that it comes with.

    Examples:
      podium scim status
    """
    with connect() as client:
        view = client.directory.show()
        address = client.directory.address(view.path)
    if json_output:
        terminal.document({**view.model_dump(mode="json"), "address": address})
        return
    now = datetime.now(UTC)
    terminal.show_facts(
        [
            ("Address", address),
            ("People", count(view.users)),
            ("Groups", count(view.groups)),
            ("Last change", ago(view.changed_at, now) if view.changed_at else "none yet"),
        ]
    )
    terminal.say()
    columns = (
        Column("TOKEN OF", style="bold"),
        Column("USED", right=True),
        Column("EXPIRES", right=True),
        Column("ID", style="dim"),
    )
    terminal.show_table(
        columns,
        [
            (
                each.account,
                ago(each.last_used_at, now) if each.last_used_at else "never",
                clock(each.expires_at) if each.expires_at else "never",
                each.id,
            )
            for each in view.tokens
        ],
    )
