"""`podium show`: all about one workload."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from podium.cli import options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.wording import (
    ago,
    cause_words,
    clock,
    cost_words,
    count,
    eta_words,
    event_words,
    exit_words,
    format_duration_seconds,
    lasted,
    plain,
    plural,
    ranks_words,
    share_words,
    state_colour,
    state_words,
    usage_words,
)

if TYPE_CHECKING:
    from rich.text import Text

    from podium.spec.views.workload import (
        EventView,
        RefusalView,
        ReplicaCountsView,
        ReplicaView,
        WorkloadDetailView,
        WorkloadHoldUpView,
    )

REPLICAS_SHOWN = 20
EVENTS_SHOWN = 50
_URGENT = ("failed", "stopping", "running", "starting", "scheduled", "waiting")


def show(
    ref: options.Ref, project: options.Project = None, json_output: options.Json = False
) -> None:
    """Show one workload: state, replicas, history and usage.

    Examples:
      podium show digits
      podium show w-01k2x5e8g7h3m9qz --json
    """
    with connect(project) as client:
        view = client.workloads.get(ref)
        if json_output:
            terminal.document(view)
            return
        events = list(client.workloads.events(view.id))
    now = datetime.now(UTC)
    _headline(view)
    terminal.show_facts(_facts(view, now))
    if view.waiting is not None:
        _refusal(view.waiting)
    if view.hold_up is not None:
        terminal.write("")
        terminal.heading("What keeps it from running")
        show_hold_up(view.hold_up, now)
    _groups(view)
    _replicas(view, now)
    show_history(events)
    terminal.write("")
    terminal.show_facts(
        [("Used", usage_words(view.usage)), ("Cost so far", cost_words(view.usage.cost))]
    )


def _headline(view: WorkloadDetailView) -> None:
    from rich.text import Text

    words = Text(state_words(view.state), style=f"bold {state_colour(view.state)}")
    words += Text(f"  {view.name}", style="bold") + Text(f"  {view.id}", style="dim")
    terminal.console().print(words, soft_wrap=True)
    if view.message and view.waiting is None and view.hold_up is None:
        terminal.write(plain(view.message))
    if view.remedy:
        show_remedy(view.remedy)


def _facts(view: WorkloadDetailView, now: datetime) -> list[tuple[str, str | Text]]:
    each = " each" if view.replicas.total > 1 else ""
    counts = view.replicas
    many = "task" if view.array else "replica"
    attempts = f"{view.attempt} of up to {view.retries + 1}" if view.retries else str(view.attempt)
    return [
        ("Project", f"{view.project} (team {view.team})"),
        ("Owner", view.owner),
        ("Kind", f"{view.kind} · priority {view.priority}"),
        ("Resources", "" if view.groups else view.resources.text + each),
        ("Replicas", f"{plural(counts.total, many)}: {_in_states(counts)}"),
        ("Attempt", attempts if view.retries or view.attempt > 1 else ""),
        ("Submitted", f"{clock(view.submitted_at)} ({ago(view.submitted_at, now)})"),
        ("Started", _at(view.started_at, now)),
        ("Will start", eta_words(view.eta, now)),
        ("Ended", _at(view.ended_at, now)),
        ("Ran", lasted(view.started_at, view.ended_at, now) if view.started_at else ""),
        ("Last saved", _at(view.saved_at, now)),
        ("Stops after", format_duration_seconds(view.max_runtime_seconds)),
        ("Deadline", _at(view.deadline, now)),
        ("Waits for", ", ".join(view.depends_on)),
        ("Labels", ", ".join(f"{key}={value}" for key, value in sorted(view.labels.items()))),
        ("Cause", cause_words(view.cause) if view.cause else ""),
    ]


def _in_states(counts: ReplicaCountsView) -> str:
    """`"1 failed, 3 running"`."""
    return ", ".join(
        f"{number:,} {state}"
        for state in (*_URGENT, "succeeded", "cancelled")
        if (number := getattr(counts, state))
    )


def _groups(view: WorkloadDetailView) -> None:
    if not view.groups:
        return
    terminal.write("")
    terminal.heading("Groups")
    columns = (
        Column("GROUP"),
        Column("REPLICAS", right=True),
        Column("RANKS", right=True),
        Column("EACH ASKS FOR"),
        Column("STATES"),
    )
    terminal.show_table(
        columns,
        [
            (
                group.name,
                count(group.replicas),
                ranks_words(group),
                group.resources.text,
                _in_states(view.group_states[group.name]),
            )
            for group in view.groups
        ],
    )


def _at(moment: datetime | None, now: datetime) -> str:
    return "" if moment is None else f"{clock(moment)} ({ago(moment, now)})"


def _refusal(waiting: RefusalView) -> None:
    terminal.write("")
    terminal.heading("Why it waits")
    terminal.write(plain(waiting.message))
    if waiting.remedy:
        terminal.write(f"→ {plain(waiting.remedy)}")


def show_hold_up(hold_up: WorkloadHoldUpView, now: datetime, *, said: str = "") -> None:
    """Without its sentence where that is in what was `said` above it."""
    from rich.text import Text

    if hold_up.message not in said:
        terminal.paragraph(Text(plain(hold_up.message)))
    if hold_up.remedy:
        show_remedy(hold_up.remedy)
    many = plural(hold_up.replicas, "replica")
    terminal.show_facts(
        [
            ("Cause", cause_words(hold_up.cause) if hold_up.cause else ""),
            ("Since", f"{clock(hold_up.since)} ({ago(hold_up.since, now)})"),
            (
                "So with",
                f"{many}, the first of rank {hold_up.rank}" if hold_up.replicas > 1 else "",
            ),
        ]
    )


def show_remedy(remedy: str) -> None:
    from rich.text import Text

    terminal.paragraph(Text(f"→ {plain(remedy)}"), hanging=2)


def _replicas(view: WorkloadDetailView, now: datetime) -> None:
    replicas = sorted(
        view.replica_list,
        key=lambda one: (one.state not in _URGENT[:5], one.rank),
    )[:REPLICAS_SHOWN]
    if not replicas:
        return
    terminal.write("")
    terminal.heading("Tasks" if view.array else "Replicas")
    columns = (
        Column("RANK", right=True),
        *([Column("GROUP")] if view.groups else []),
        Column("STATE"),
        Column("NODE", cut=True),
        Column("DEVICES", cut=True),
        Column("TIME", right=True),
        Column("EXIT", right=True),
        Column("ABOUT", cut=True),
    )
    terminal.show_table(columns, [_replica_row(replica, now) for replica in replicas])
    if view.replicas.total > len(replicas):
        terminal.say(f"… {view.replicas.total - len(replicas):,} more; --json has them.")


def _replica_row(replica: ReplicaView, now: datetime) -> list[str | Text]:
    return [
        str(replica.rank),
        *([replica.group] if replica.group is not None else []),
        terminal.state_text(replica.state),
        replica.node or "–",
        share_words(replica.devices),
        lasted(replica.started_at, replica.ended_at, now),
        exit_words(replica),
        (replica.hold_up.message if replica.hold_up is not None else replica.message)
        or (cause_words(replica.cause) if replica.cause else ""),
    ]


def show_history(events: Sequence[EventView]) -> None:
    if not events:
        return
    terminal.write("")
    terminal.heading("History")
    columns = (
        Column("TIME"),
        Column("WHAT"),
        Column("CAUSE"),
        Column("BY"),
        Column("ABOUT", cut=True),
    )
    terminal.show_table(
        columns,
        [
            (
                clock(event.at, precise=True),
                event_words(event),
                cause_words(event.cause),
                event.actor,
                event.message,
            )
            for event in events[-EVENTS_SHOWN:]
        ],
    )
    if len(events) > EVENTS_SHOWN:
        terminal.say(f"{len(events) - EVENTS_SHOWN:,} earlier events are left out.")
