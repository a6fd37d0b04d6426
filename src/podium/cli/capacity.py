"""`podium capacity`: who wants more than there is, and how many GPUs would shorten the wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.wording import count
from podium.domain.errors import FieldFault, UserError
from podium.domain.quantity import format_duration, parse_duration_seconds

if TYPE_CHECKING:
    from podium.spec.views.capacity import DemandView, PlanResultView, PlanStateView, PlanTypeView

app = typer.Typer(
    no_args_is_help=True, help="What was wanted, and how many GPUs would shorten the wait."
)

_WORDS = ("team", "project", "cost-centre")
_DAY_SECONDS = 86_400


@app.command("demand")
def demand(
    by: Annotated[
        str, typer.Option("--by", metavar="WHAT", help="team, project, cost-centre.")
    ] = "team",
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="How far back, in whole days.")
    ] = "30d",
    gpu_type: Annotated[
        str | None,
        typer.Option("--type", metavar="TYPE", help="Only this GPU type.", show_default=False),
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a CSV file.")] = False,
    json_output: options.Json = False,
) -> None:
    """Show what was held and waited for, against what is guaranteed, and why it waited.

    WANTED is what was held and waited for together, on average; PEAK that of the highest hour.
    OVER counts the hours in which more was wanted than is guaranteed now.

    Examples:
      podium capacity demand
      podium capacity demand --by project --since 7d --type H100
      podium capacity demand --by cost-centre --csv
    """
    if by not in _WORDS:
        raise UserError(FieldFault("--by", f"'{by}' is none.", f"Write {', '.join(_WORDS)}."))
    days = _days(since)
    with connect() as client:
        asked = by.replace("-", "_")
        if as_csv:
            text = client.capacity.demand_csv(asked, days=days, gpu_type=gpu_type)
            terminal.write(text.rstrip())
            return
        view = client.capacity.demand(asked, days=days, gpu_type=gpu_type)
    if json_output:
        terminal.document(view)
        return
    if not view.items:
        terminal.say("Nothing was held or waited for in this time.")
        return
    columns = (
        Column(by.upper().replace("-", " "), style="bold"),
        Column("GPUS"),
        Column("HELD", right=True),
        Column("WANTED", right=True),
        Column("PEAK", right=True),
        Column("GUARANTEED", right=True),
        Column("OVER", right=True, drop=2),
        Column("WAITED GPU-H", right=True),
        Column("MEAN WAIT", right=True, drop=1),
        Column("MOSTLY FOR", drop=3),
    )
    terminal.show_table(columns, [_demanded(each) for each in view.items])
    terminal.faint(f"Of {view.hours:,} hours in which anything was held or waited for.")


def _demanded(each: DemandView) -> tuple[str, ...]:
    wait = each.wait_mean_seconds
    return (
        each.name or "–",
        each.gpu_type or "any",
        count(each.held_gpus, 1),
        count(each.wanted_gpus, 1),
        count(each.peak_gpus, 1),
        count(each.guarantee_gpus, 1) if each.guarantee_gpus else "–",
        f"{each.over_hours:,} h",
        count(each.waited_gpu_hours, 1),
        "–" if wait is None else _time(wait),
        each.reasons[0].reason if each.reasons else "–",
    )


@app.command("plan")
def plan(
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="What is replayed, in whole days.")
    ] = "7d",
    gpu_type: Annotated[
        list[str] | None,
        typer.Option(
            "--type", metavar="TYPE", help="Only this type. May be repeated.", show_default=False
        ),
    ] = None,
    target: Annotated[
        float,
        typer.Option(
            "--target",
            min=0.01,
            max=0.99,
            help="The mean wait that is wanted, as a part of what it was.",
        ),
    ] = 0.5,
    most: Annotated[
        int, typer.Option("--most", min=1, max=10_000, help="Try no more GPUs than this.")
    ] = 1024,
    json_output: options.Json = False,
) -> None:
    """Find how many GPUs of which type would have halved the wait.

    What was submitted is replayed with the scheduler's own decisions and more and more GPUs of one
    type. The replay with the GPUs that are there is compared with what really happened, so that
    you see how far to trust the answer. For those who may see everyone's usage.

    Examples:
      podium capacity plan
      podium capacity plan --since 30d --type H100 --target 0.25
    """
    days = _days(since)
    with connect() as client, terminal.waiting("reading the past") as say:

        def told(state: PlanStateView) -> None:
            say(f"{state.progress:.0%} {state.doing}")

        view = client.capacity.plan(
            days=days, gpu_types=gpu_type or (), target=target, most=most, told=told
        )
    if json_output:
        terminal.document(view)
        return
    _show(view)


def _show(view: PlanResultView) -> None:
    part = "halved" if view.target == 0.5 else f"brought to {view.target:.0%}"
    for each in view.types:
        terminal.write(_sentence(each, part))
        if each.teams:
            columns = (Column("  TEAM", style="bold"), Column("WORKLOADS", right=True))
            rows = [
                (
                    f"  {team.team}",
                    count(team.workloads),
                    _time(team.before_seconds),
                    _time(team.after_seconds),
                )
                for team in each.teams
            ]
            more = (Column("WAIT BEFORE", right=True), Column("AFTER", right=True))
            terminal.show_table((*columns, *more), rows)
    if not view.finished:
        terminal.say("Time ran out before all types were tried; ask for fewer days or types.")
    fit = view.calibration
    terminal.faint(
        f"Replayed {count(fit.workloads)} workloads, {view.replays} times in "
        f"{view.took_seconds:.1f} s. They really waited {_time(fit.recorded_mean_seconds)} on "
        f"average; in the replay {_time(fit.replayed_mean_seconds)}, and {fit.near:.0%} of them "
        "came within 5 min or a quarter of what it was."
    )
    for each_word in view.assumptions:
        terminal.faint(f"- {each_word}")


def _sentence(each: PlanTypeView, part: str) -> str:
    head = f"{each.gpu_type} ({each.gpus:,} now): "
    before = _time(each.before_seconds)
    if each.more is not None and each.after_seconds is not None:
        return (
            f"{head}{each.more:,} more would have {part} the mean wait, from {before} to "
            f"{_time(each.after_seconds)}."
        )
    if each.after_seconds is not None:
        after = _time(each.after_seconds)
        return f"{head}{each.tried_most:,} more leave {after} of {before}. {each.note}"
    return f"{head}{each.note}"


def _time(seconds: float) -> str:
    return format_duration(round(seconds) * 1000)


def _days(text: str) -> int:
    try:
        seconds = parse_duration_seconds(text)
    except ValueError as error:
        raise UserError(FieldFault("--since", f"{error}.", "Write it like 7d.")) from error
    if seconds < _DAY_SECONDS:
        raise UserError(FieldFault("--since", f"'{text}' is less than a day.", "Write it like 7d."))
    return -(-seconds // _DAY_SECONDS)
