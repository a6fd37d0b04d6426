"""Options of `podium usage` and `podium cost`: when, by what, and whose use counts."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from podium.cli import completion
from podium.domain.errors import FieldFault, UserError

WORDS = (
    "organisation", "team", "project", "cost-centre", "user", "kind", "gpu-type", "label:KEY",
)  # fmt: skip


def _words() -> list[str]:
    return list(WORDS)


By = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="WHAT",
        help=f"One of {', '.join(WORDS)}.",
        autocompletion=_words,
        show_default=False,
    ),
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="DAY",
        help="The first day, such as 2026-10-01 (UTC).",
        show_default=False,
    ),
]
Until = Annotated[
    str | None,
    typer.Option("--until", metavar="DAY", help="The day after the last one.", show_default=False),
]
Month = Annotated[
    str | None,
    typer.Option(
        "--month", metavar="MONTH", help="A whole month, such as 2026-11.", show_default=False
    ),
]
Csv = Annotated[bool, typer.Option("--csv", help="Print a CSV file.")]
OfProject = Annotated[
    list[str] | None,
    typer.Option(
        "--project",
        "-p",
        metavar="NAME",
        help="Only this project. May be repeated.",
        autocompletion=completion.projects,
        show_default=False,
    ),
]
Team = Annotated[
    list[str] | None,
    typer.Option(
        "--team", metavar="NAME", help="Only this team. May be repeated.", show_default=False
    ),
]
CostCentre = Annotated[
    list[str] | None,
    typer.Option(
        "--cost-centre", metavar="NAME", help="Only this one. May be repeated.", show_default=False
    ),
]
User = Annotated[
    list[str] | None,
    typer.Option(
        "--user", metavar="NAME", help="Only this person's. May be repeated.", show_default=False
    ),
]
Kind = Annotated[
    list[str] | None,
    typer.Option(
        "--kind",
        metavar="KIND",
        help="Only this kind of work. May be repeated.",
        show_default=False,
    ),
]
GpuType = Annotated[
    list[str] | None,
    typer.Option(
        "--gpu-type",
        metavar="TYPE",
        help="Only this type of GPU. May be repeated.",
        show_default=False,
    ),
]
Label = Annotated[
    list[str] | None,
    typer.Option(
        "--label",
        "-l",
        metavar="KEY=VALUE",
        help="Only with this label. May be repeated.",
        show_default=False,
    ),
]


def dimension(by: str) -> str:
    """As the API calls it. Raises UserError."""
    level, _, key = by.partition(":")
    level = level.replace("-", "_")
    known = [each.partition(":")[0].replace("-", "_") for each in WORDS]
    if level not in known or (level == "label") != bool(key):
        raise UserError(
            FieldFault("--by", f"'{by}' is not known.", f"Write one of: {', '.join(WORDS)}.")
        )
    return f"{level}:{key}" if key else level


def narrowed(**whose: list[str] | None) -> dict[str, Any]:
    """What was given, as the client takes it."""
    return {name: values for name, values in whose.items() if values}


def head(by: str) -> str:
    """The head of the column of names."""
    level, _, key = by.partition(":")
    return (key or level.replace("_", " ")).upper()


def shown(name: str, by: str) -> str:
    """A name in words, where it has none."""
    if name:
        return name
    if by == "organisation":
        return "everyone"
    return "(no cost centre)" if by == "cost_centre" else "(none)"
