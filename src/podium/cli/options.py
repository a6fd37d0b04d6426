"""Options and arguments that several commands share, so that they read the same everywhere."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Annotated, Any

import typer

from podium.cli import completion

WORK = "Work"
CLUSTER = "Cluster"
ACCOUNT = "Account"
ADMINISTRATION = "Administration"

Json = Annotated[
    bool, typer.Option("--json", help="Print the API's JSON documents instead of words.")
]
Project = Annotated[
    str | None,
    typer.Option(
        "--project",
        "-p",
        metavar="NAME",
        help="The project. Default: PODIUM_PROJECT, then `podium project use`, "
        "then the only one you can see.",
        autocompletion=completion.projects,
        show_default=False,
    ),
]
Ref = Annotated[
    str,
    typer.Argument(
        metavar="REF",
        help="A workload's id, the beginning of its id, or its name.",
        autocompletion=completion.workloads,
        show_default=False,
    ),
]
SomeRefs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="REF",
        help="Ids, beginnings of ids, or names of workloads.",
        autocompletion=completion.workloads,
        show_default=False,
    ),
]
All = Annotated[
    bool, typer.Option("--all", "-a", help="All that live, or all of them in the --project.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def help_text(command: Callable[..., Any]) -> str:
    """A command's docstring as Rich markup: paragraphs unwrapped, so that they fill the terminal,
    and example lines, which are indented, coloured."""
    paragraphs = inspect.cleandoc(command.__doc__ or "").replace("[", "\\[").split("\n\n")
    return "\n\n".join(
        # The markup comes before the indentation, which Typer would take away.
        re.sub(r"^(  .*)$", r"[cyan]\1[/cyan]", part, flags=re.MULTILINE)
        if "\n  " in part
        else part.replace("\n", " ")
        for part in paragraphs
    )
