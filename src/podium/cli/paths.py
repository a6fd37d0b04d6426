"""Words for roles and the way by which somebody has them; `user`, `account` and `access` use it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from podium.cli import terminal
from podium.cli.terminal import Column

if TYPE_CHECKING:
    from podium.spec.views.access import BindingView, PathView


def place(view: BindingView) -> str:
    return f"{view.level} {view.target}".rstrip()


def words(view: PathView) -> str:
    """One way in words: `lead of project vision, through the group scientists`."""
    through = f", through the group {view.group}" if view.group else ""
    return f"{view.role} of {'the ' if not view.target else ''}{place(view)}{through}"


def show_roles(views: Sequence[PathView]) -> None:
    if not views:
        terminal.write("No role yet.")
        return
    columns = (Column("ROLE", style="bold"), Column("WHERE"), Column("THROUGH"), Column("GIVEN BY"))
    terminal.show_table(
        columns,
        [
            (view.role, place(view), f"group {view.group}" if view.group else "", view.created_by)
            for view in views
        ],
    )
