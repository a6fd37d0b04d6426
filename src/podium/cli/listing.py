"""What a list of workloads holds and how it is set, for `podium ls` and its live table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from podium.cli import terminal
from podium.cli.terminal import Column
from podium.cli.wording import about, ago, replicas_words, time_words
from podium.domain.errors import FieldFault, UserError
from podium.domain.lifecycle import WORKLOAD_ENDS, WorkloadState

if TYPE_CHECKING:
    from rich.text import Text

    from podium.client.client import Client
    from podium.client.workloads import Filter
    from podium.spec.views.workload import WorkloadView

RECENT = timedelta(days=1)
LIMIT = 50

COLUMNS = (
    Column("NAME", style="bold", cut=True),
    Column("STATE"),
    Column("PROJECT", drop=2),
    Column("OWNER", drop=4),
    Column("KIND", drop=6),
    Column("RESOURCES", cut=True),
    Column("REPLICAS", right=True, drop=1),
    Column("TIME", right=True),
    Column("SUBMITTED", right=True, drop=5),
    Column("ABOUT", cut=True, drop=3),
    Column("ID", style="dim"),
)


_PLACES = {state: place for place, state in enumerate(WorkloadState)}
_VALUES: Mapping[str, Callable[[WorkloadView], Any]] = MappingProxyType(
    {
        "submitted": lambda view: view.submitted_at,
        "name": lambda view: view.name,
        "project": lambda view: view.project,
        "owner": lambda view: view.owner,
        "kind": lambda view: view.kind.value,
        "state": lambda view: _PLACES[view.state],
        "priority": lambda view: view.priority,
        "started": lambda view: view.started_at,
        "ended": lambda view: view.ended_at,
        "gpus": lambda view: view.gpu_milli,
    }
)
_WORDS = frozenset({"name", "project", "owner", "kind", "state"})


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is in order of, here as the server has it."""

    sort: str = "submitted"
    ascending: bool = False

    @classmethod
    def of(cls, sort: str, *, reverse: bool) -> Order:
        """Words begin with a, anything else with the newest or largest, unless in `reverse`.
        Raises UserError."""
        if sort not in _VALUES:
            raise UserError(
                FieldFault(
                    "--sort", f"'{sort}' is not known.", f"Write one of {', '.join(_VALUES)}."
                )
            )
        return cls(sort, (sort in _WORDS) != reverse)

    def apply(self, views: Iterable[WorkloadView]) -> list[WorkloadView]:
        """In this order, with those that have no value last."""
        value = _VALUES[self.sort]
        given: list[WorkloadView] = []
        without: list[WorkloadView] = []
        for view in views:
            (without if value(view) is None else given).append(view)
        given.sort(key=lambda view: (value(view), view.id), reverse=not self.ascending)
        without.sort(key=lambda view: view.id, reverse=not self.ascending)
        return given + without


def read(
    client: Client, where: Filter, order: Order, *, everything: bool, limit: int | None
) -> tuple[list[WorkloadView], bool]:
    """What `ls` shows, and whether there is more of it."""
    most = limit or (None if everything else LIMIT)
    ask = None if most is None else most + 1

    def listed(which: Filter) -> Iterator[WorkloadView]:
        return client.workloads.list(which, sort=order.sort, ascending=order.ascending, limit=ask)

    if everything or where.states:
        found = list(listed(where))
    else:
        living = tuple(state for state in WorkloadState if state not in WORKLOAD_ENDS)
        ended = tuple(sorted(WORKLOAD_ENDS))
        since = datetime.now(UTC) - RECENT
        found = list(listed(replace(where, states=living)))
        found += listed(replace(where, states=ended, ended_since=since))
        found = order.apply(found)
    return (found, False) if most is None else (found[:most], len(found) > most)


def rows(views: Sequence[WorkloadView], now: datetime) -> list[list[str | Text]]:
    return [
        [
            view.name,
            terminal.state_text(view.state),
            view.project,
            view.owner,
            view.kind.value,
            view.resources.text,
            replicas_words(view),
            time_words(view, now),
            ago(view.submitted_at, now),
            about(view),
            view.id,
        ]
        for view in views
    ]
