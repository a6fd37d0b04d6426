"""`podium notices`: what happened to one's own work."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.wording import ago, plural

if TYPE_CHECKING:
    from rich.text import Text

    from podium.spec.views.notice import NoticeView

_PAGE_MAX = 500
_SIGNS = {"good": ("✓", "green"), "plain": ("·", "cyan"), "bad": ("✗", "red")}


def notices(
    read: Annotated[
        bool, typer.Option("--read", help="Mark everything that is shown as read.")
    ] = False,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=_PAGE_MAX, help="At most this many.")
    ] = 20,
    json_output: options.Json = False,
) -> None:
    """Show what happened to your own work while you looked elsewhere, newest first.

    Examples:
      podium notices
      podium notices --read
    """
    with connect() as client:
        view = client.notices.page(limit=limit)
        if read and view.items:
            client.notices.read(view.items[0].seq)
    if json_output:
        terminal.document(view)
        return
    if not view.items:
        terminal.say("Nothing has happened to your work yet.")
        return
    now = datetime.now(UTC)
    columns = (
        Column("WHEN", right=True),
        Column("", style=""),
        Column("WHAT", cut=True),
        Column("PROJECT", drop=2),
        Column("ID", style="dim", drop=1),
    )
    terminal.show_table(
        columns,
        [
            (
                ago(each.at, now),
                _sign(each),
                _what(each),
                each.project or "–",
                each.workload_id or each.budget or "–",
            )
            for each in view.items
        ],
    )
    if view.unread and not read:
        terminal.say(f"{plural(view.unread, 'notice')} not read; --read marks them.")


def _sign(notice: NoticeView) -> Text:
    from rich.text import Text

    return Text(*_SIGNS[notice.level])


def _what(notice: NoticeView) -> Text:
    from rich.text import Text

    from podium.cli.wording import plain

    return Text(plain(notice.sentence), style="dim" if notice.read else "")
