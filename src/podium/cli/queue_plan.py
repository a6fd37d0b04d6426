"""What `podium queue --plan` draws: shares against guarantees, whose turn it is and why, and who
gave way. The time line of nodes is in `node_lines`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from podium.cli import terminal
from podium.cli.node_lines import show_timeline
from podium.cli.quota import LEGEND, bar, rows_shown
from podium.cli.terminal import Column
from podium.cli.wording import ago, count, eta_words, moment, plain, plural
from podium.domain.policy import Order
from podium.domain.quantity import format_duration, format_milli
from podium.domain.quota import QuotaLevel

if TYPE_CHECKING:
    from rich.text import Text

    from podium.spec.views.queue import PlannedWorkloadView, PreemptionView, QueuePlanView, TurnView
    from podium.spec.views.quota import QuotasView

_ORDERS = {
    Order.FAIR: "Higher priority goes first, then whose project has had the least of its due.",
    Order.FIFO: "Higher priority goes first, then what has waited longest.",
    Order.ATTAINED: "Higher priority goes first, then what has had the least GPU time.",
}
_GAVE_WAY = 5


def show_plan(plan: QueuePlanView, quotas: QuotasView, *, limit: int) -> None:
    """At most `limit` of those who wait."""
    now = datetime.now(UTC)
    _shares(quotas)
    _next(plan, now, limit)
    show_timeline(plan.timeline, now)
    _gave_way(plan.preemptions, now)


def _shares(quotas: QuotasView) -> None:
    capacity = {each.gpu_type: each.gpu_milli for each in quotas.capacity}
    capacity["all"] = sum(capacity.values())
    rows = []
    for team in quotas.items:
        whole = team.gpus[0]
        if team.level is not QuotaLevel.TEAM or not (
            whole.used_milli or whole.guarantee_milli or whole.waiting_milli
        ):
            continue
        for number, each in enumerate(rows_shown(team, None)):
            rows.append(
                (
                    team.name if number == 0 else "",
                    each.gpu_type,
                    _coloured(bar(each, capacity.get(each.gpu_type, 0))),
                    format_milli(each.used_milli),
                    _or_dash(each.guarantee_milli),
                    _or_dash(each.borrowed_milli),
                    _or_dash(each.waiting_milli),
                )
            )
    if not rows:
        return
    terminal.heading("Shares")
    columns = (
        Column("TEAM", style="bold"),
        Column("GPUS"),
        Column("OF THE CLUSTER"),
        Column("HELD", right=True),
        Column("GUARANTEED", right=True),
        Column("BORROWED", right=True, drop=2),
        Column("WAITING", right=True, drop=1),
    )
    terminal.show_table(columns, rows)
    terminal.faint(LEGEND)
    terminal.write("")


def _coloured(text: str) -> Text:
    from rich.text import Text

    drawn = Text(text)
    for signs, style in (("█", "green"), ("▒", "yellow"), ("░", "cyan"), ("·", "dim")):
        drawn.highlight_regex(f"{signs}+", style)
    return drawn


def _or_dash(milli: int) -> str:
    return format_milli(milli) if milli else "–"


def _next(plan: QueuePlanView, now: datetime, limit: int) -> None:
    terminal.heading("Next")
    if not plan.turns:
        terminal.write("Nobody waits for a place." if plan.made_at else "Nothing is planned yet.")
        return
    terminal.faint(_ORDERS[plan.order])
    shown = plan.turns[:limit]
    widths = [
        max(len(_heading(each)[at]) for each in shown) for at in range(len(_heading(shown[0])))
    ]
    for each in shown:
        _turn(each, widths, now)
    if len(plan.turns) > limit:
        terminal.say(f"… {count(len(plan.turns) - limit)} more; --limit shows more.")


def _heading(each: TurnView) -> tuple[str, str, str]:
    if each.workload is None:
        return str(each.position), "another project", ""
    return str(each.position), plain(each.workload.name), each.workload.project


def _turn(each: TurnView, widths: Sequence[int], now: datetime) -> None:
    from rich.text import Text

    position, name, project = _heading(each)
    line = Text(f"{position:>{widths[0]}}  ")
    line.append(f"{name:<{widths[1]}}  ", style="bold" if each.workload is not None else "dim")
    if widths[2]:
        line.append(f"{project:<{widths[2]}}  ")
    if each.workload is not None:
        line.append(f"{asked(each.workload)} · ")
    line.append(f"waits {format_duration(each.waits_for_ms)}")
    if each.starts_at is not None:
        line.append(" · ")
        line.append(f"starts {moment(each.starts_at, now)}", style="cyan")
    elif each.eta is not None:
        line.append(f" · starts {eta_words(each.eta, now)}")
    indent = widths[0] + 2
    terminal.paragraph(line, hanging=indent)
    why = [f"Priority {each.priority}", _right(each)]
    if each.share_ppm is not None:
        why.append(f"share {each.share_ppm / 10_000:.1f} %")
    words = ", ".join(why) + "."
    if each.refusal is not None:
        words += f" {plain(each.refusal.message)}"
    terminal.paragraph(Text(words, style="dim"), indent=indent, hanging=indent)


def _right(each: TurnView) -> str:
    return "inside its guarantee" if each.inside_guarantee else "beyond its guarantee"


def asked(workload: PlannedWorkloadView) -> str:
    """`"3 × (8 × H100 · 4 CPU · 16 GiB)"`; without the brackets for a single replica, and as it is
    for groups."""
    if workload.replicas == 1 or workload.groups:
        return workload.resources
    return f"{workload.replicas} × ({workload.resources})"


def _gave_way(preemptions: Sequence[PreemptionView], now: datetime) -> None:
    if not preemptions:
        return
    terminal.write("")
    terminal.heading("Gave way lately")
    columns = (
        Column("WHEN", right=True),
        Column("WORK", cut=True, style="bold"),
        Column("TO", cut=True),
        Column("REPLICAS", right=True, drop=2),
        Column("LOST", right=True, drop=1),
        Column("BECAUSE", cut=True),
    )
    terminal.show_table(
        columns,
        [
            (
                ago(each.at, now),
                work_name(each.workload),
                gave_way_to(each),
                count(each.replicas),
                f"{count(each.lost_gpu_seconds / 3600, 1)} GPU-h",
                each.justification,
            )
            for each in preemptions[:_GAVE_WAY]
        ],
    )
    if len(preemptions) > _GAVE_WAY:
        terminal.say(f"{plural(len(preemptions) - _GAVE_WAY, 'earlier one')}: --json.")


def gave_way_to(each: PreemptionView) -> str:
    """For what it gave way."""
    if each.booking is None:
        return work_name(each.in_favour_of)
    return f"booking {each.booking}" if each.booking else "a booking"


def work_name(workload: PlannedWorkloadView | None) -> str:
    """Work that is not to be seen has none."""
    return "work of others" if workload is None else workload.name
