"""Options that choose workloads, the same for `podium ls` as for what acts on many."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from podium.cli import completion
from podium.domain.errors import FieldFault, UserError
from podium.domain.lifecycle import WorkloadState
from podium.domain.reason import WaitReason
from podium.domain.workload import Kind

if TYPE_CHECKING:
    from podium.client.workloads import Filter

Word = TypeVar("Word", bound=StrEnum)

States = Annotated[
    list[str] | None,
    typer.Option(
        "--state",
        "-s",
        help="Only in this state; repeat for more.",
        autocompletion=completion.states,
    ),
]
Kinds = Annotated[
    list[str] | None,
    typer.Option(
        "--kind", "-k", help="Only this kind; repeat for more.", autocompletion=completion.kinds
    ),
]
Owner = Annotated[str | None, typer.Option("--owner", help="Only of this person.")]
Labels = Annotated[
    list[str] | None,
    typer.Option("--label", "-l", metavar="KEY=VALUE", help="Only with this label."),
]
Node = Annotated[
    str | None,
    typer.Option(
        "--node", help="Only with a replica on this node.", autocompletion=completion.nodes
    ),
]
Reasons = Annotated[
    list[str] | None,
    typer.Option(
        "--waits-for",
        metavar="REASON",
        help="Only what waits for this reason, as `explain` names it; repeat for more.",
        autocompletion=completion.reasons,
    ),
]


def filter_of(
    *,
    project: str | None,
    state: Sequence[str] | None,
    kind: Sequence[str] | None,
    owner: str | None,
    label: Sequence[str] | None,
    node: str | None,
    reason: Sequence[str] | None,
) -> Filter:
    """What the options say. Raises UserError for a word that is not known."""
    from podium.client.workloads import Filter

    return Filter(
        project=project,
        states=known(state, WorkloadState, "--state"),
        kinds=known(kind, Kind, "--kind"),
        owner=owner,
        labels=tuple(label or ()),
        node=node,
        reasons=known(reason, WaitReason, "--waits-for"),
    )


def known(words: Sequence[str] | None, kinds: type[Word], field: str) -> tuple[Word, ...]:
    """Words of an option as members of their enum. Raises UserError that lists them."""
    names = [item.value for item in kinds]
    for word in words or ():
        if word not in names:
            raise UserError(
                FieldFault(field, f"'{word}' is not known.", f"Write one of {', '.join(names)}.")
            )
    return tuple(kinds(word) for word in words or ())
