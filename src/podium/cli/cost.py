"""`podium cost`: what each cost centre, team, project or person pays."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from podium.cli import options, report_options, terminal
from podium.cli.connection import connect
from podium.cli.price import rate_words
from podium.cli.report_options import dimension, narrowed, shown
from podium.cli.terminal import Column
from podium.cli.usage import unpriced_words
from podium.cli.wording import count

if TYPE_CHECKING:
    from podium.spec.views.usage import StatementLineView, StatementsView, StatementView


def cost(
    by: report_options.By = "cost-centre",
    month: report_options.Month = None,
    since: report_options.Since = None,
    until: report_options.Until = None,
    project: report_options.OfProject = None,
    team: report_options.Team = None,
    cost_centre: report_options.CostCentre = None,
    user: report_options.User = None,
    kind: report_options.Kind = None,
    gpu_type: report_options.GpuType = None,
    label: report_options.Label = None,
    as_csv: report_options.Csv = False,
    json_output: options.Json = False,
) -> None:
    """Show statements: what each cost centre pays for a month, by project, GPU type and price.

    Of this month if no time is given. Each line is rounded to cents and so is each total, which is
    worked out exactly before, so lines may differ from it by cents. What has no price is named.

    Examples:
      podium cost --by cost-centre --month 2026-11
      podium cost --by team --since 2026-10-01 --until 2026-12-01 --csv
      podium cost --by user --project vision
    """
    whose = narrowed(
        project=project, team=team, cost_centre=cost_centre, user=user, kind=kind,
        gpu_type=gpu_type, label=label,
    )  # fmt: skip
    wanted = dimension(by or "cost-centre")
    times = {"since": since, "until": until, "month": month}
    with connect() as client:
        if as_csv:
            terminal.write(client.cost.statements_csv(wanted, **times, **whose).rstrip())
            return
        view = client.cost.statements(wanted, **times, **whose)
    if json_output:
        terminal.document(view)
    else:
        _show(view, wanted)


def _show(view: StatementsView, by: str) -> None:
    days = f"{view.since:%Y-%m-%d} to {_last(view.until):%Y-%m-%d} (UTC)"
    if not view.items:
        terminal.say(f"No GPU time was used from {days}.")
        return
    for statement in view.items:
        terminal.heading(f"{shown(statement.name, by)} · {days}")
        _statement(statement, view.currency)
    if len(view.items) > 1:
        terminal.heading(f"All together: {_money(view.total, view.currency)}")
    if not view.final:
        terminal.faint("Not final: the time is not over, or work that began in it still runs.")


def _statement(statement: StatementView, currency: str | None) -> None:
    columns = (
        Column("PROJECT", style="bold"),
        Column("GPU TYPE"),
        Column("GPU-HOURS", right=True),
        Column("PER HOUR", right=True),
        Column("BORROWED", right=True),
        Column("PER HOUR", right=True),
        Column("IDLE", right=True),
        Column("PER HOUR", right=True),
        Column("AMOUNT", right=True),
    )
    terminal.show_table(columns, [_line(each) for each in statement.lines])
    terminal.say(f"Total: {_money(statement.total, currency)}")
    if words := unpriced_words(statement.unpriced):
        terminal.say(words)


def _line(line: StatementLineView) -> tuple[str, ...]:
    own = line.gpu_hours - line.borrowed_gpu_hours
    return (
        line.project,
        line.gpu_type,
        count(own, 2),
        _rate(line.per_gpu_hour),
        count(line.borrowed_gpu_hours, 2),
        _rate(line.borrowed_per_gpu_hour),
        count(line.idle_gpu_hours, 2),
        _rate(line.idle_per_gpu_hour),
        "–" if line.amount is None else f"{line.amount:,.2f}",
    )


def _rate(rate: Decimal | None) -> str:
    return "–" if rate is None else rate_words(rate)


def _money(amount: Decimal | None, currency: str | None) -> str:
    return "no price is set" if amount is None else f"{amount:,.2f} {currency}"


def _last(until: datetime) -> datetime:
    return until - timedelta(days=1)
