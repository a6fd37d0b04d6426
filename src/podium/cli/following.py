"""Stays with submitted work until it ends: its logs, or a bar. Used by submit, run and logs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from podium.cli import terminal
from podium.cli.failure import ExitCode
from podium.cli.wording import (
    RANK_COLOURS,
    about,
    in_colour,
    lasted,
    plain,
    plural,
    replicas_done,
    state_words,
)
from podium.domain.lifecycle import WORKLOAD_ENDS, WorkloadState

if TYPE_CHECKING:
    from rich.console import Console

    from podium.client.client import Client
    from podium.client.logs import LogLine
    from podium.spec.views.workload import WorkloadView

_BEFORE_LOGS = frozenset({WorkloadState.QUEUED, WorkloadState.SCHEDULED, WorkloadState.STARTING})
LISTED_EXTRA = 500
FOLLOWED_MAX = 256
"""As many replicas as the server follows for one reader."""


class LogPrinter:
    """Prints log lines; with several ranks, each line behind its rank. On a terminal they keep
    their colours and steer nothing else, unless `raw`; elsewhere they are as they were written."""

    def __init__(self, *, ranks: int, as_json: bool, timestamps: bool, raw: bool = False) -> None:
        self._width = len(str(max(ranks - 1, 0))) if ranks > 1 else 0
        self._as_json = as_json
        self._timestamps = timestamps
        self._console: Console = terminal.console()
        self._raw = raw or not self._console.is_terminal

    def print(self, line: LogLine) -> None:
        if self._as_json:
            terminal.line(line.document())
            return
        stamp = ""
        if self._timestamps:
            stamp = f"{line.at.isoformat(timespec='milliseconds') if line.at else '-'} "
        prefix = f"[{line.rank:>{self._width}}] " if self._width else ""
        if prefix and self._console.is_terminal:
            from rich.text import Text

            self._console.print(Text(prefix, style=RANK_COLOURS[line.rank % 8]), end="")
        elif prefix:
            stamp = prefix + stamp
        # Not through Rich, which would wrap what the work wrote.
        terminal.write(f"{stamp}{line.text if self._raw else in_colour(line.text)}")


def follow(client: Client, workload_id: str, *, as_json: bool = False) -> ExitCode:
    """Shows why it waits, then its logs, then how it ended. Ctrl-C leaves it running."""
    try:
        view = _until_started(client, workload_id)
        if view.replicas.total > FOLLOWED_MAX:
            terminal.say(
                f"Too many logs to show at once; `podium logs {view.name} -r 0` shows one."
            )
            return wait_for_all(client, [workload_id], as_json=as_json)
        printer = LogPrinter(ranks=view.replicas.total, as_json=as_json, timestamps=False)
        for line in client.workloads.follow_logs(workload_id):
            printer.print(line)
        ended = client.workloads.wait(workload_id)
    except KeyboardInterrupt:
        return detached([workload_id])
    if as_json:
        terminal.line(ended)
    return finished([ended])


def wait_for_all(client: Client, ids: Sequence[str], *, as_json: bool = False) -> ExitCode:
    """A bar over all replicas until all have ended. Ctrl-C leaves them running."""
    views: dict[str, WorkloadView] = {}
    try:
        with terminal.progress("Waiting") as step:
            for view in _changes(client, ids):
                views[view.id] = view
                if len(ids) == 1:
                    counts = view.replicas
                    step(replicas_done(counts), counts.total, _waiting_words(view))
                else:
                    ended = sum(1 for known in views.values() if known.state in WORKLOAD_ENDS)
                    step(ended, len(ids), "Waiting for all to end")
    except KeyboardInterrupt:
        return detached(ids)
    if as_json:
        for workload_id in ids:
            terminal.line(views[workload_id])
    return finished([views[workload_id] for workload_id in ids])


def detached(ids: Sequence[str]) -> ExitCode:
    """After Ctrl-C: the work goes on, and the person learns how to go on with it."""
    named = ids[0] if len(ids) == 1 else f"{ids[0]} …"
    terminal.say("")
    terminal.say(f"Detached; {'it goes' if len(ids) == 1 else 'they go'} on without this terminal.")
    terminal.say(f"  follow again:  podium logs -f {named}")
    terminal.say(f"  cancel:        podium cancel {named}")
    return ExitCode.INTERRUPTED


def finished(views: Sequence[WorkloadView]) -> ExitCode:
    """Says how each ended (of many: the ones that did not succeed), on stderr."""
    now = datetime.now(UTC)
    unsuccessful = [view for view in views if view.state != WorkloadState.SUCCEEDED]
    for view in views if len(views) <= 10 else unsuccessful[:10]:
        words = f"{state_words(view.state)}: {view.name} ({view.id})"
        if view.started_at is not None:
            words += f" after {lasted(view.started_at, view.ended_at, now)}"
        if view.message and view.state != WorkloadState.SUCCEEDED:
            words += f" – {plain(view.message)}"
        terminal.say(words)
    if len(views) > 10:
        succeeded = len(views) - len(unsuccessful)
        terminal.say(f"{plural(succeeded, 'workload')} of {len(views):,} succeeded.")
    return ExitCode.FAILED if unsuccessful else ExitCode.OK


def _until_started(client: Client, workload_id: str) -> WorkloadView:
    view: WorkloadView = client.workloads.get(workload_id)
    if view.state not in _BEFORE_LOGS:
        return view
    with terminal.waiting(_waiting_words(view)) as tell:
        for changed in client.workloads.progress(workload_id):
            view = changed
            if view.state not in _BEFORE_LOGS:
                break
            tell(_waiting_words(view))
    return view


def _waiting_words(view: WorkloadView) -> str:
    words = about(view)
    return f"{view.name} {view.state}" + (f": {words}" if words else "")


def _changes(client: Client, ids: Sequence[str]) -> Iterator[WorkloadView]:
    """Each of `ids` as it is now and whenever it changes, until all have ended."""
    if len(ids) == 1:
        yield from client.workloads.progress(ids[0])
        return
    from podium.client.workloads import Gap

    pending = set(ids)
    for change in client.workloads.watch_with_gaps():
        views = _listed(client, pending) if isinstance(change, Gap) else [change.workload]
        for view in views:
            if view.id in pending:
                yield view
                if view.state in WORKLOAD_ENDS:
                    pending.discard(view.id)
        if not pending:
            return


def _listed(client: Client, ids: Collection[str]) -> Iterator[WorkloadView]:
    """`ids` as they are now: from the list, newest first, which is where they mostly stand."""
    missing = set(ids)
    for view in client.workloads.list(limit=len(ids) + LISTED_EXTRA):
        if view.id in missing:
            missing.discard(view.id)
            yield view
            if not missing:
                return
    for workload_id in sorted(missing):
        yield client.workloads.get(workload_id)
