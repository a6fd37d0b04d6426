"""Draws what the scheduler foretells: nodes that fell out, who holds what, quotas. `explain` and
dry runs share it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from podium.cli import terminal
from podium.cli.terminal import Column
from podium.cli.wording import moment, plain, plural
from podium.domain.quantity import format_milli

if TYPE_CHECKING:
    from podium.spec.views.explain import (
        EntitledView,
        GivingWayView,
        HeldByView,
        NamedWorkloadView,
        NodeGroupView,
        QuotaAfterView,
    )

OTHERS = "another project"
_NODES_SHOWN = 3


def show_nodes(groups: Sequence[NodeGroupView]) -> None:
    """Why they fell out, as a bar each."""
    from rich.text import Text

    if not groups:
        return
    terminal.write("")
    terminal.heading("Nodes")
    most = max(each.count for each in groups)
    width = len(f"{most:,}")
    for each in groups:
        line = Text(f"{each.count:>{width},}  ")
        cells = max(1, round(10 * each.count / most))
        line.append("█" * cells, style="yellow")
        line.append(" " * (11 - cells))
        line.append(plain(each.words))
        names = ", ".join(each.nodes[:_NODES_SHOWN])
        if each.count > _NODES_SHOWN:
            names += ", …"
        line.append(f"  {names}", style="dim")
        terminal.paragraph(line, hanging=width + 13)


def show_holders(holders: Sequence[HeldByView], in_all: int, now: datetime) -> None:
    if not holders:
        return
    terminal.write("")
    terminal.heading("In use by")
    columns = (
        Column("WORK", cut=True, style="bold"),
        Column("PROJECT", drop=1),
        Column("OWNER", drop=2),
        Column("HOLDS", right=True),
        Column("ENDS"),
    )
    terminal.show_table(
        columns,
        [
            (
                name_of(each.workload),
                OTHERS if each.workload is None else each.workload.project,
                "–" if each.workload is None else each.workload.owner,
                _held(each),
                _until(each, now),
            )
            for each in holders
        ],
    )
    if in_all > len(holders):
        terminal.faint(f"and {plural(in_all - len(holders), 'other')}.")


def _held(each: HeldByView) -> str:
    if each.gpu_milli:
        return f"{format_milli(each.gpu_milli)} {'GPU' if each.gpu_milli == 1000 else 'GPUs'}"
    return f"{format_milli(each.cpu_milli)} {'CPU' if each.cpu_milli == 1000 else 'CPUs'}"


def _until(each: HeldByView, now: datetime) -> str:
    if each.ending:
        return "it is ending"
    if each.starts_now:
        return "starts just now"
    if each.until is None:
        return "nobody knows"
    if each.until <= now:
        return "any moment"
    words = moment(each.until, now)
    return f"by {words}" if each.sure else f"about {words}"


def show_giving_way(giving: Sequence[GivingWayView]) -> None:
    if not giving:
        return
    terminal.write("")
    terminal.heading("Gives way to it")
    columns = (
        Column("WORK", cut=True, style="bold"),
        Column("REPLICAS", right=True),
        Column("WHY"),
    )
    terminal.show_table(
        columns, [(name_of(each.workload), str(each.replicas), each.why) for each in giving]
    )


def show_quotas(quotas: Sequence[EntitledView | QuotaAfterView]) -> None:
    if not quotas:
        return
    after = [getattr(each, "after_milli", None) for each in quotas]
    told = any(each is not None for each in after)
    terminal.write("")
    terminal.heading("Quota")
    columns = (
        Column("WHOSE"),
        Column("GPUS"),
        Column("HELD", right=True),
        *([Column("THEN", right=True)] if told else []),
        Column("GUARANTEED", right=True, drop=1),
        Column("LIMIT", right=True),
    )
    terminal.show_table(
        columns,
        [
            (
                "organisation" if each.level == "organisation" else f"{each.level} {each.name}",
                each.gpu_type,
                format_milli(each.used_milli),
                *([format_milli(then or 0)] if told else []),
                _or_dash(each.guarantee_milli),
                _or_dash(each.limit_milli),
            )
            for each, then in zip(quotas, after, strict=True)
        ],
    )


def name_of(workload: NamedWorkloadView | None) -> str:
    return "work of others" if workload is None else workload.name


def _or_dash(milli: int | None) -> str:
    return "–" if milli is None else format_milli(milli)
