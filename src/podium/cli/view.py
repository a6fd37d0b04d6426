"""`podium view`: saved views of the console's pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from podium.cli import options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.wording import ago

app = typer.Typer(no_args_is_help=True, help="Saved views of the console's pages.")

Page = Annotated[str, typer.Argument(metavar="PAGE", help="The page, such as workloads.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The view's name.")]


@app.command("ls")
def list_views(
    page: Annotated[
        str | None, typer.Argument(metavar="PAGE", help="Only of this page.", show_default=False)
    ] = None,
    json_output: options.Json = False,
) -> None:
    """List your saved views.

    Examples:
      podium view ls
      podium view ls workloads
    """
    with connect() as client:
        views = client.views.list(page)
    if json_output:
        terminal.document({"items": [view.model_dump(mode="json") for view in views]})
        return
    now = datetime.now(UTC)
    columns = (
        Column("PAGE"),
        Column("NAME", style="bold"),
        Column("SAVED", right=True, drop=1),
        Column("SEARCH", cut=True),
    )
    rows = [(view.page, view.name, ago(view.updated_at, now), view.search) for view in views]
    terminal.show_table(columns, rows)


@app.command()
def save(
    page: Page,
    name: Name,
    search: Annotated[
        str, typer.Argument(metavar="SEARCH", help="The part of the address after the ?.")
    ],
    json_output: options.Json = False,
) -> None:
    """Keep a view, in place of one of the same name.

    Examples:
      podium view save workloads "My failures" "state=failed&owner=ada"
    """
    with connect() as client:
        view = client.views.save(page, name, search)
    if json_output:
        terminal.document(view)
    else:
        terminal.write(f"Saved {view.name} of {view.page}.")


@app.command("rm")
def remove(page: Page, name: Name) -> None:
    """Forget a view.

    Examples:
      podium view rm workloads "My failures"
    """
    with connect() as client:
        client.views.remove(page, name)
    terminal.write(f"Removed {name} of {page}.")
