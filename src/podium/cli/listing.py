"""What a list of workloads holds and how it is set, for `podium ls` and its live table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from podium.cli import terminal
from podium.cli.terminal import Column
from podium.cli.wording import about, ago, replicas_words, time_words
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


def read(
    client: Client, where: Filter, *, everything: bool, limit: int | None
) -> tuple[list[WorkloadView], bool]:
    """What `ls` shows, newest first, and whether there is more of it."""
    most = limit or (None if everything else LIMIT)
    ask = None if most is None else most + 1
    if everything or where.states:
        found = list(client.workloads.list(where, limit=ask))
    else:
        living = tuple(state for state in WorkloadState if state not in WORKLOAD_ENDS)
        found = list(client.workloads.list(replace(where, states=living), limit=ask))
        since = datetime.now(UTC) - RECENT
        ended = client.workloads.list(
            replace(where, states=tuple(sorted(WORKLOAD_ENDS))), limit=ask
        )
        found += [view for view in ended if view.ended_at is None or view.ended_at > since]
        found.sort(key=lambda view: (view.submitted_at, view.id), reverse=True)
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
