"""`podium price`: what an hour of each type of GPU costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.wording import clock

if TYPE_CHECKING:
    from podium.spec.views.price import PriceView

app = typer.Typer(no_args_is_help=True, help="What an hour of each type of GPU costs.")


@app.command("ls")
def list_prices(json_output: options.Json = False) -> None:
    """List the prices that hold now.

    Examples:
      podium price ls
    """
    with connect() as client:
        views = list(client.prices.list())
    if json_output:
        terminal.document({"items": [view.model_dump(mode="json") for view in views]})
        return
    if not views:
        terminal.say("No price is set. An administrator sets one: podium price set H100 2.50")
        return
    columns = (
        Column("GPU TYPE", style="bold"),
        Column("PER GPU-HOUR", right=True),
        Column("SINCE", drop=1),
    )
    terminal.show_table(
        columns, [(view.gpu_type, price_words(view), clock(view.since)) for view in views]
    )


@app.command("set")
def set_price(
    gpu_type: Annotated[
        str, typer.Argument(metavar="TYPE", help="The type of GPU, as `podium nodes` shows it.")
    ],
    amount: Annotated[
        str, typer.Argument(metavar="AMOUNT", help="For one whole GPU and one hour, such as 2.50.")
    ],
    json_output: options.Json = False,
) -> None:
    """Set what an hour of a GPU costs from now on. For administrators.

    What was used before keeps the price of its time; the first price of a type also holds for
    what was used before it. The currency is the server's.

    Examples:
      podium price set H100 2.50
      podium price set "H100 1g.10gb" 0.40
    """
    with connect() as client:
        view = client.prices.set(gpu_type, amount)
    if json_output:
        terminal.document(view)
    else:
        terminal.write(f"An hour of {view.gpu_type} costs {price_words(view)}.")


def price_words(view: PriceView) -> str:
    """`"2.50 EUR"`: at least two decimals, and no more than are needed."""
    whole, _, fraction = f"{view.per_gpu_hour:f}".partition(".")
    return f"{int(whole):,}.{fraction.rstrip('0').ljust(2, '0')} {view.currency}"
