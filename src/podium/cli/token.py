"""`podium token`: access tokens for scripts and other programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import completion, options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.wording import ago, clock

if TYPE_CHECKING:
    from podium.spec.views.tenancy import TokenCreatedView, TokenView

app = typer.Typer(no_args_is_help=True, help="Access tokens for scripts and other programs.")

Actions = Annotated[
    list[str] | None,
    typer.Option(
        "--action",
        "-a",
        metavar="ACTION",
        help="It may do this and no more; repeat it.",
        autocompletion=completion.actions,
        show_default=False,
    ),
]
Projects = Annotated[
    list[str] | None,
    typer.Option(
        "--project",
        "-p",
        metavar="NAME",
        help="It reaches this project and no other; repeat it.",
        autocompletion=completion.projects,
        show_default=False,
    ),
]

Of = Annotated[
    str | None,
    typer.Option(
        "--user",
        "-u",
        metavar="NAME",
        help="Of this person. Default: your own.",
        autocompletion=completion.people,
        show_default=False,
    ),
]


@app.command("ls")
def list_tokens(user: Of = None, json_output: options.Json = False) -> None:
    """List your tokens and sign-ins, or, for who administers people, those of somebody.

    Examples:
      podium token ls
      podium token ls --user ada
    """
    with connect() as client:
        views = list(client.tokens.list() if user is None else client.users.tokens(user))
    if json_output:
        terminal.listing(views)
        return
    show(views, datetime.now(UTC))


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for.")],
    days: Annotated[
        int, typer.Option("--days", min=1, max=3650, help="How long it is good for.")
    ] = 90,
    never: Annotated[bool, typer.Option("--no-expiry", help="It never expires.")] = False,
    actions: Actions = None,
    projects: Projects = None,
    json_output: options.Json = False,
) -> None:
    """Create a token. It is shown once.

    Examples:
      podium token create ci --days 30
      podium token create reader --action workload:read --project vision
      PODIUM_TOKEN=$(podium token create ci) podium ls
    """
    with connect() as client:
        view = client.tokens.create(
            name,
            expires_in_days=None if never else days,
            actions=actions,
            projects=projects,
        )
    tell(view, json_output)


@app.command()
def revoke(
    token_ids: Annotated[
        list[str], typer.Argument(metavar="ID", help="Ids, as `podium token ls` shows them.")
    ],
    user: Of = None,
) -> None:
    """End tokens at once, with those that were made with them.

    Examples:
      podium token revoke t-01k2x5e8g7h3m9qz
      podium token revoke t-01k2x5e8g7h3m9qz --user ada
    """
    with connect() as client:
        for token_id in token_ids:
            if user is None:
                client.tokens.revoke(token_id)
            else:
                client.users.revoke_token(user, token_id)
            terminal.say(f"{token_id} is revoked.")


def show(views: Sequence[TokenView], now: datetime) -> None:
    """Tokens as a table, without their secrets."""
    columns = (
        Column("NAME", style="bold"),
        Column("MAY"),
        Column("CREATED", right=True),
        Column("USED", right=True),
        Column("EXPIRES", right=True),
        Column("ID", style="dim"),
    )
    terminal.show_table(
        columns,
        [
            (
                view.name,
                _limits(view),
                ago(view.created_at, now),
                ago(view.last_used_at, now) if view.last_used_at else "never",
                clock(view.expires_at) if view.expires_at else "never",
                view.id,
            )
            for view in views
        ],
    )


def tell(view: TokenCreatedView, json_output: bool) -> None:
    """A new token, once."""
    if json_output:
        terminal.document(view)
        return
    terminal.say("Shown once; keep it somewhere safe:")
    terminal.write(view.token)


def _limits(view: TokenView) -> str:
    actions = "all" if view.actions is None else ", ".join(view.actions)
    return actions if view.projects is None else f"{actions} in {', '.join(view.projects)}"
