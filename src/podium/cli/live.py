"""The table of `podium ls --watch`: one thread reads the stream, this one draws."""

from __future__ import annotations

import queue
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from podium.cli import listing, terminal
from podium.cli.listing import Order
from podium.cli.wording import about, clock, plural, state_words
from podium.domain.errors import PodiumError

if TYPE_CHECKING:
    from rich.console import Group

    from podium.client.client import Client
    from podium.client.workloads import Filter, Gap
    from podium.spec.views.workload import ChangeView, WorkloadView

REDRAW_SECONDS = 0.25
QUEUE_MAX = 10_000


def watch(
    client: Client, where: Filter, order: Order, *, everything: bool, limit: int, as_json: bool
) -> None:
    """Until Ctrl-C, which is the normal way to end it."""
    try:
        if as_json or not terminal.console().is_terminal:
            _print_changes(client, where, as_json=as_json)
        else:
            _draw(client, where, order, everything=everything, limit=limit)
    except KeyboardInterrupt:
        return


def _print_changes(client: Client, where: Filter, *, as_json: bool) -> None:
    for change in client.workloads.watch(project=where.project):
        view = change.workload
        if not where.admits(view):
            continue
        if as_json:
            terminal.line(change)
        else:
            words = (clock(change.event.at), view.id, view.name, state_words(view.state))
            terminal.write("  ".join((*words, about(view))).rstrip())


def _draw(client: Client, where: Filter, order: Order, *, everything: bool, limit: int) -> None:
    from rich.live import Live

    from podium.client.workloads import Gap

    arrived: queue.Queue[ChangeView | Gap | PodiumError] = queue.Queue(QUEUE_MAX)
    reader = threading.Thread(
        target=_read, args=(client, where.project, arrived), name="podium-watch", daemon=True
    )
    reader.start()
    shown: dict[str, WorkloadView] = {}
    with Live(console=terminal.console(), auto_refresh=False) as screen:
        while True:
            for item in _arrivals(arrived):
                if isinstance(item, PodiumError):
                    raise item
                if isinstance(item, Gap):
                    views, _ = listing.read(
                        client, where, order, everything=everything, limit=limit
                    )
                    shown = {view.id: view for view in views}
                else:
                    merge(shown, item.workload, where)
            screen.update(_picture(shown, order, limit), refresh=True)


def merge(shown: dict[str, WorkloadView], view: WorkloadView, where: Filter) -> None:
    """Takes over a changed workload, unless what is known is newer or it no longer matches."""
    known = shown.get(view.id)
    if known is not None and known.version > view.version:
        return
    if where.admits(view):
        shown[view.id] = view
    else:
        shown.pop(view.id, None)


def _arrivals(
    arrived: queue.Queue[ChangeView | Gap | PodiumError],
) -> list[ChangeView | Gap | PodiumError]:
    """All that came within one redraw; times move on even when nothing does."""
    items: list[ChangeView | Gap | PodiumError] = []
    try:
        items.append(arrived.get(timeout=1.0))
        threading.Event().wait(REDRAW_SECONDS)
        while len(items) < QUEUE_MAX:
            items.append(arrived.get_nowait())
    except queue.Empty:
        pass
    return items


def _read(
    client: Client,
    project: str | None,
    arrived: queue.Queue[ChangeView | Gap | PodiumError],
) -> None:
    try:
        for change in client.workloads.watch_with_gaps(project=project):
            arrived.put(change)
    except PodiumError as error:
        arrived.put(error)


def _picture(shown: dict[str, WorkloadView], order: Order, limit: int) -> Group:
    from rich.console import Group
    from rich.text import Text

    now = datetime.now(UTC)
    views = order.apply(shown.values())
    states = [view.state.value for view in views]
    counts = [f"{states.count(state)} {state}" for state in dict.fromkeys(sorted(states)) if state]
    words = " · ".join((plural(len(views), "workload"), *counts, "Ctrl-C ends"))
    drawn = terminal.table(
        listing.COLUMNS, listing.rows(views[:limit], now), terminal.console().width
    )
    return Group(drawn, Text(words, style="dim"))
