"""`podium search`: anything by a part of its name or id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.domain.errors import FieldFault, UserError

if TYPE_CHECKING:
    from rich.text import Text

    from podium.spec.views.search import FoundView

_LIMIT_MAX = 50


def search(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="A part of a name, or how an id begins.")
    ],
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=_LIMIT_MAX, help="At most this many.")
    ] = 20,
    json_output: options.Json = False,
) -> None:
    """Find workloads, projects, nodes and (as an administrator) people. The best fit comes first.

    Parts inside a name are looked for among the newest workloads only.

    Examples:
      podium search digits
      podium search w-06h0 --json
    """
    if not text.strip():
        raise UserError(FieldFault("TEXT", "is empty.", "Write a part of a name or an id."))
    with connect() as client:
        found = client.search(text, limit=limit)
    if json_output:
        terminal.document({"items": [each.model_dump(mode="json") for each in found]})
        return
    if not found:
        terminal.say("Nothing that you can see is called so.")
        return
    columns = (
        Column("KIND"),
        Column("NAME", cut=True, style="bold"),
        Column("ID", style="dim", drop=1),
        Column("STATE"),
        Column("ABOUT", cut=True),
    )
    terminal.show_table(
        columns,
        [
            (
                each.kind,
                each.title,
                each.id if each.id != each.title else "",
                _state(each),
                each.detail,
            )
            for each in found
        ],
    )


def _state(each: FoundView) -> str | Text:
    return "" if each.state is None else terminal.state_text(each.state)
