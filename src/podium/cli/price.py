"""`podium price`: what an hour of each type of GPU costs."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.wording import clock
from podium.domain.errors import FieldFault, UserError

if TYPE_CHECKING:
    from podium.spec.views.price import PriceView

app = typer.Typer(no_args_is_help=True, help="What an hour of each type of GPU costs.")


@app.command("ls")
def list_prices(
    every: Annotated[
        bool, typer.Option("--all", "-a", help="Also those of before, and those to come.")
    ] = False,
    json_output: options.Json = False,
) -> None:
    """List the prices that hold now, or all there ever were.

    BORROWED is the price of GPU time beyond what is guaranteed; IDLE comes on top for GPU time that
    is held and not used.

    Examples:
      podium price ls
      podium price ls --all
    """
    with connect() as client:
        views = list(client.prices.list(every=every))
    if json_output:
        terminal.document({"items": [view.model_dump(mode="json") for view in views]})
    else:
        _show(views, every=every)


@app.command("set")
def set_price(
    gpu_type: Annotated[
        str, typer.Argument(metavar="TYPE", help="The type of GPU, as `podium nodes` shows it.")
    ],
    amount: Annotated[
        str, typer.Argument(metavar="AMOUNT", help="For one whole GPU and one hour, such as 2.50.")
    ],
    borrowed: Annotated[
        str | None,
        typer.Option(
            "--borrowed",
            metavar="AMOUNT",
            show_default=False,
            help="For what is beyond guarantees; the same if left out.",
        ),
    ] = None,
    idle: Annotated[
        str | None,
        typer.Option(
            "--idle",
            metavar="AMOUNT",
            show_default=False,
            help="On top, for what is held and not used; nothing if left out.",
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="TIME",
            show_default=False,
            help="From when on, such as 2026-12-01 (UTC); now if left out.",
        ),
    ] = None,
    json_output: options.Json = False,
) -> None:
    """Set what an hour of a GPU costs, from now or a later time on. For administrators.

    What was used before keeps the price of its time; the first price of a type also holds for
    what was used before it. The currency is the server's.

    Examples:
      podium price set H100 2.50
      podium price set H100 2.40 --borrowed 1.20 --idle 0.50 --from 2026-12-01
      podium price set "H100 1g.10gb" 0.40
    """
    with connect() as client:
        view = client.prices.set(gpu_type, amount, borrowed=borrowed, idle=idle, since=since)
    if json_output:
        terminal.document(view)
    else:
        terminal.write(f"An hour of {view.gpu_type} costs {price_words(view)}.")


@app.command("apply")
def apply_list(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A price list in YAML or JSON; - reads it.")
    ],
    json_output: options.Json = False,
) -> None:
    """Set a whole price list, or nothing of it. For administrators.

    For each type that it names it says all that holds from its first period on: what was set for
    later and is not in it goes. What was before stays. The same list again changes nothing.

    A list has `currency` and `prices`; each of these `gpu_type`, `per_gpu_hour`, and where wanted
    `from`, `until`, `borrowed_per_gpu_hour` and `idle_per_gpu_hour`.

    Examples:
      podium price apply prices.yaml
    """
    from podium.cli.specs import read_drafts

    (draft, *more) = read_drafts([file])
    if more:
        raise UserError(FieldFault(file, "holds several documents.", "Write one price list."))
    with connect() as client:
        views = list(client.prices.apply(draft.spec))
    if json_output:
        terminal.document({"items": [view.model_dump(mode="json") for view in views]})
    else:
        _show(views, every=True)


def _show(views: list[PriceView], *, every: bool) -> None:
    if not views:
        terminal.say("No price is set. An administrator sets one: podium price set H100 2.50")
        return
    columns = (
        Column("GPU TYPE", style="bold"),
        Column("PER GPU-HOUR", right=True),
        Column("BORROWED", right=True, drop=2),
        Column("IDLE", right=True, drop=3),
        Column("SINCE", drop=1),
        *([Column("UNTIL")] if every else []),
    )
    terminal.show_table(
        columns,
        [
            (
                view.gpu_type,
                price_words(view),
                rate_words(view.borrowed_per_gpu_hour),
                rate_words(view.idle_per_gpu_hour),
                clock(view.since),
                *(["" if view.until is None else clock(view.until)] if every else []),
            )
            for view in views
        ],
    )


def price_words(view: PriceView) -> str:
    """`"2.50 EUR"`."""
    return f"{rate_words(view.per_gpu_hour)} {view.currency}"


def rate_words(amount: Decimal) -> str:
    """`"2.50"`: at least two decimals, and no more than are needed."""
    whole, _, fraction = f"{amount:f}".partition(".")
    return f"{int(whole):,}.{fraction.rstrip('0').ljust(2, '0')}"
