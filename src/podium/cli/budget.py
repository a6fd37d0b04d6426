"""`podium budget`: how much may be spent in a period, and what happens then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.wording import clock
from podium.domain.budget import THRESHOLDS, BudgetLevel, Period, WhenSpent

if TYPE_CHECKING:
    from decimal import Decimal

    from podium.spec.views.budget import BudgetView

app = typer.Typer(
    no_args_is_help=True, help="How much may be spent in a period, and what happens then."
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The budget.")]
_BAR_CELLS = 10
_STATES = {"good": "green", "near": "yellow", "spent": "red"}
_THEN = {
    WhenSpent.WARN: "people are told",
    WhenSpent.BLOCK: "nothing new starts",
    WhenSpent.STOP: "nothing new starts, and what may be preempted is stopped",
}


@app.command("ls")
def list_budgets(json_output: options.Json = False) -> None:
    """List budgets and how they stand.

    Examples:
      podium budget ls
    """
    from rich.text import Text

    with connect() as client:
        views = list(client.budgets.list())
    if json_output:
        terminal.listing(views)
        return
    if not views:
        terminal.say("No budget is set that you can see. One is set with: podium budget set")
        return
    columns = (
        Column("NAME", style="bold"),
        Column("FOR"),
        Column("SPENT", right=True),
        Column("OF", right=True),
        Column("A", drop=2),
        Column("", drop=1),
        Column("STATE"),
        Column("RUNS OUT", drop=3),
        Column("THEN", drop=4),
    )
    terminal.show_table(
        columns,
        [
            (
                view.name,
                view.whose,
                "no price" if view.spent is None else _amount(view, view.spent),
                _amount(view, view.amount),
                view.period.value,
                _bar(view.percent),
                Text(f"{view.state} {view.percent} %", style=_STATES[view.state]),
                "–" if view.runs_out_at is None else clock(view.runs_out_at),
                view.when_spent.value,
            )
            for view in views
        ],
    )


@app.command("show")
def show_budget(name: Name, json_output: options.Json = False) -> None:
    """Show one budget and how it stands.

    Examples:
      podium budget show nlp-gpus
    """
    with connect() as client:
        view = client.budgets.get(name)
    if json_output:
        terminal.document(view)
        return
    _facts(view)


@app.command("set")
def set_budget(
    name: Name,
    gpu_hours: Annotated[
        str | None,
        typer.Option("--gpu-hours", metavar="N", help="So many GPU-hours.", show_default=False),
    ] = None,
    money: Annotated[
        str | None,
        typer.Option("--money", metavar="N", help="So much money.", show_default=False),
    ] = None,
    team: Annotated[
        str | None,
        typer.Option("--team", metavar="NAME", help="For a team.", show_default=False),
    ] = None,
    project: Annotated[
        str | None,
        typer.Option("--project", "-p", metavar="NAME", help="A project.", show_default=False),
    ] = None,
    cost_centre: Annotated[
        str | None,
        typer.Option("--cost-centre", metavar="NAME", help="A cost centre.", show_default=False),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option("--user", metavar="NAME", help="A person.", show_default=False),
    ] = None,
    period: Annotated[
        Period, typer.Option("--per", help="When it is whole again, at midnight UTC.")
    ] = Period.MONTH,
    gpu_type: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="TYPE", help="Only this GPU type counts. Repeatable."),
    ] = None,
    at: Annotated[
        list[int] | None,
        typer.Option(
            "--at",
            metavar="PERCENT",
            help="Tell people when so much is spent. Repeatable.  [default: 50, 80, 100]",
            show_default=False,
        ),
    ] = None,
    then: Annotated[
        WhenSpent, typer.Option("--then", help="What happens once all of it is spent.")
    ] = WhenSpent.WARN,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="What it is for.")] = "",
    json_output: options.Json = False,
) -> None:
    """Set a budget, in place of what had this name. Without whose it is, the organisation's.

    A budget counts all of the period that it is set in. Once it is spent, `--then warn` tells
    people; `block` also lets nothing new start; `stop` also stops what may be preempted, which is
    queued again. Nothing is ever cancelled.

    Examples:
      podium budget set nlp-gpus --team nlp --gpu-hours 500 --then block
      podium budget set all --money 20000 --per quarter --at 80 --at 100
      podium budget set ada-h100 --user ada --gpu-hours 24 --type H100 --per week --then stop
    """
    level, target = _whose(team=team, project=project, cost_centre=cost_centre, user=user)
    with connect() as client:
        view = client.budgets.set(
            name,
            level,
            target,
            gpu_hours=_number("--gpu-hours", gpu_hours),
            money=_number("--money", money),
            period=period,
            gpu_types=gpu_type or (),
            thresholds=at or THRESHOLDS,
            when_spent=then,
            note=note,
        )
    if json_output:
        terminal.document(view)
        return
    terminal.write(
        f"Budget {view.name} gives {view.whose} {_amount(view, view.amount)} {_per(view)}; "
        f"{view.percent} % is spent. Then {_THEN[view.when_spent]}."
    )


@app.command("delete")
def delete_budget(name: Name) -> None:
    """Remove a budget; what it held back may start.

    Examples:
      podium budget delete nlp-gpus
    """
    with connect() as client:
        client.budgets.delete(name)
    terminal.write(f"Budget {name} is deleted.")


def _whose(
    *, team: str | None, project: str | None, cost_centre: str | None, user: str | None
) -> tuple[BudgetLevel, str]:
    named = [
        (level, name)
        for level, name in (
            (BudgetLevel.TEAM, team),
            (BudgetLevel.PROJECT, project),
            (BudgetLevel.COST_CENTRE, cost_centre),
            (BudgetLevel.USER, user),
        )
        if name is not None
    ]
    if len(named) > 1:
        raise typer.BadParameter("Name one of --team, --project, --cost-centre and --user.")
    return named[0] if named else (BudgetLevel.ORGANISATION, "")


def _number(option: str, text: str | None) -> Decimal | None:
    from decimal import Decimal, InvalidOperation

    if text is None:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal(0)
    if not found.is_finite() or found <= 0:
        raise typer.BadParameter(f"{option} is a number above zero, such as 500 or 12.5.")
    return found


def _facts(view: BudgetView) -> None:
    spent = "work that counts has no price" if view.spent is None else _amount(view, view.spent)
    whole = "never" if view.until is None else clock(view.until)
    terminal.show_facts(
        [
            ("Name", view.name),
            ("For", view.whose),
            ("Amount", f"{_amount(view, view.amount)} {_per(view)}"),
            ("Counts", ", ".join(view.gpu_types) or "all GPU types"),
            ("Spent", f"{spent}  {_bar(view.percent)} {view.percent} %"),
            ("Left", _amount(view, view.left)),
            ("Now", f"{_amount(view, view.per_hour)} an hour"),
            ("Runs out", "not in this period" if view.runs_out_at is None
             else clock(view.runs_out_at)),
            ("Since", clock(view.since)),
            ("Whole again", whole),
            ("People told at", ", ".join(f"{each} %" for each in view.thresholds)),
            ("Once spent", _THEN[view.when_spent]),
            ("Note", view.note),
            ("Set", f"{clock(view.updated_at)} by {view.updated_by}"),
        ]
    )  # fmt: skip


def _amount(view: BudgetView, amount: Decimal) -> str:
    if view.currency is None:
        return f"{amount.normalize():,f} GPU-hours"
    return f"{amount:,.2f} {view.currency}"


def _per(view: BudgetView) -> str:
    return "in all" if view.period is Period.TOTAL else f"a {view.period.value}"


def _bar(percent: int) -> str:
    filled = min(_BAR_CELLS, percent * _BAR_CELLS // 100)
    return "█" * filled + "░" * (_BAR_CELLS - filled)
