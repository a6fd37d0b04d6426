"""`podium usage`: what was used, by whatever is asked, and what devices did."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import options, report_options, terminal
from podium.cli.connection import connect
from podium.cli.report_options import dimension, head, narrowed, shown
from podium.cli.terminal import Column
from podium.cli.wording import cost_words, count
from podium.domain.quantity import format_bytes

if TYPE_CHECKING:
    from podium.client.client import Client
    from podium.spec.views.usage import AmountsView, UnpricedView, UsageReportView

app = typer.Typer(invoke_without_command=True, help="Show what was used, and what it cost.")
_MILLI_HOUR = 3_600_000_000


def usage(
    context: typer.Context,
    by: report_options.By = None,
    per: Annotated[
        str, typer.Option("--per", metavar="TIME", help="A row for each month or day.")
    ] = "total",
    since: report_options.Since = None,
    until: report_options.Until = None,
    month: report_options.Month = None,
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
    """Show what was used: GPU time, CPU time, and the cost where GPU types have a price.

    Alone, what each project used since ever. With --by, --per or a time, a report: of this month if
    no time is given. Days and months are those of UTC; what runs counts up to now.

    Examples:
      podium usage
      podium usage --project vision --json
      podium usage --by team --per month --since 2026-10-01 --csv
      podium usage --by user --month 2026-11 --project vision
      podium usage --by label:experiment
    """
    if context.invoked_subcommand is not None:
        return
    whose = narrowed(
        project=project, team=team, cost_centre=cost_centre, user=user, kind=kind,
        gpu_type=gpu_type, label=label,
    )  # fmt: skip
    reported = by or since or until or month or as_csv or per != "total" or set(whose) - {"project"}
    with connect() as client:
        if not reported and len(project or ()) <= 1:
            _since_ever(client, project[0] if project else None, json_output=json_output)
            return
        wanted = dimension(by or "project")
        times = {"since": since, "until": until, "month": month}
        if as_csv:
            terminal.write(client.usage.report_csv(wanted, per=per, **times, **whose).rstrip())
            return
        view = client.usage.report(wanted, per=per, **times, **whose)
    if json_output:
        terminal.document(view)
    else:
        _report(view, wanted)


@app.command("devices")
def devices(
    since: report_options.Since = None,
    until: report_options.Until = None,
    month: report_options.Month = None,
    as_csv: report_options.Csv = False,
    json_output: options.Json = False,
) -> None:
    """Show what GPUs did each day, in GPU-hours: billed, starting, free and out of service.

    For those who may see the usage of everyone. The four add up to the time that GPUs were there;
    starting is what work held while it did not run.

    Examples:
      podium usage devices
      podium usage devices --month 2026-10 --csv
    """
    with connect() as client:
        if as_csv:
            text = client.usage.devices_csv(since=since, until=until, month=month)
            terminal.write(text.rstrip())
            return
        view = client.usage.devices(since=since, until=until, month=month)
    if json_output:
        terminal.document(view)
        return
    names = ("THERE", "BILLED", "STARTING", "FREE", "OUT OF SERVICE")
    terminal.show_table(
        (Column("DAY"), Column("GPU TYPE", style="bold"), *(Column(n, right=True) for n in names)),
        [
            (
                each.day.date().isoformat(),
                each.gpu_type,
                *(
                    count(amount / _MILLI_HOUR, 2)
                    for amount in (
                        each.there_milli_ms,
                        each.billed_milli_ms,
                        each.unbilled_milli_ms,
                        each.free_milli_ms,
                        each.out_milli_ms,
                    )
                ),
            )
            for each in view.items
        ],
    )


app.callback(help=options.help_text(usage))(usage)


def unpriced_words(unpriced: list[UnpricedView]) -> str:
    """What has no price, in a sentence; empty where all has one."""
    if not unpriced:
        return ""
    told = ", ".join(f"{each.gpu_type} ({count(each.gpu_hours, 2)} GPU-hours)" for each in unpriced)
    return f"Not in the cost, for want of a price: {told}."


def _report(view: UsageReportView, by: str) -> None:
    timed = view.per != "total"
    columns = [
        *([Column("MONTH" if view.per == "month" else "DAY")] if timed else []),
        Column(head(by), style="bold"),
        Column("GPU-HOURS", right=True),
        Column("USED", right=True, drop=2),
        Column("IDLE", right=True, drop=3),
        Column("BORROWED", right=True, drop=4),
        Column("CPU CORE-HOURS", right=True, drop=1),
        Column("COST", right=True),
    ]
    rows = [
        (
            *([_time(each.since, view.per)] if timed else []),
            shown(each.name, by),
            *_amounts(each),
        )
        for each in view.items
    ]
    total = (*([""] if timed else []), "total", *_amounts(view.total))
    terminal.show_table(columns, [*rows, total] if len(rows) != 1 else rows)
    if words := unpriced_words(view.total.unpriced):
        terminal.say(words)
    if view.until > datetime.now(UTC):
        terminal.faint("What runs counts up to now.")


def _amounts(amounts: AmountsView) -> tuple[str, ...]:
    return (
        count(amounts.gpu_hours, 2),
        count(amounts.used_gpu_hours, 2),
        count(amounts.idle_gpu_hours, 2),
        count(amounts.borrowed_gpu_hours, 2),
        count(amounts.cpu_core_hours, 2),
        cost_words(amounts.cost) or "–",
    )


def _time(at: datetime, per: str) -> str:
    return f"{at:%Y-%m}" if per == "month" else f"{at:%Y-%m-%d}"


def _since_ever(client: Client, project: str | None, *, json_output: bool) -> None:
    views = list(client.usage.list(project))
    if json_output:
        terminal.listing(views)
        return
    columns = (
        Column("PROJECT", style="bold"),
        Column("TEAM"),
        Column("WORKLOADS", right=True),
        Column("GPU-SECONDS", right=True),
        Column("CPU-SECONDS USED", right=True),
        Column("CPU-SECONDS HELD", right=True),
        Column("PEAK MEMORY", right=True),
        Column("COST", right=True),
    )
    terminal.show_table(
        columns,
        [
            (
                view.project,
                view.team,
                count(view.workloads),
                count(view.usage.gpu_seconds, 1),
                count(view.usage.cpu_seconds_used, 1),
                count(view.usage.cpu_seconds_allocated, 1),
                format_bytes(view.usage.memory_peak_bytes),
                cost_words(view.usage.cost) or "–",
            )
            for view in views
        ],
    )
