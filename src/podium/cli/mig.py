"""`podium mig`: how GPUs are cut into MIG instances, and how they are to be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import completion, options, terminal
from podium.cli.connection import connect
from podium.cli.nodes import slices_line
from podium.cli.terminal import Column
from podium.cli.wording import ago, plain, plural

if TYPE_CHECKING:
    from podium.spec.views.layout import LayoutStepView, LayoutView, PackView
    from podium.spec.views.node import DeviceView

app = typer.Typer(no_args_is_help=True, help="See and change how GPUs are cut into MIG instances.")

Node = Annotated[
    str, typer.Argument(metavar="NODE", help="The node.", autocompletion=completion.nodes)
]
Gpu = Annotated[int, typer.Argument(metavar="GPU", help="The GPU's number there.", min=0)]
Move = Annotated[
    bool,
    typer.Option("--move", help="Have saved work that is in the way start again elsewhere."),
]


class Mode(StrEnum):
    ON = "on"
    OFF = "off"


@app.command("show")
def show(
    node: Annotated[
        str | None,
        typer.Argument(metavar="NODE", help="Only this node.", autocompletion=completion.nodes),
    ] = None,
    json_output: options.Json = False,
) -> None:
    """Show how GPUs are cut, what is pinned, and what changed outside of Podium.

    Examples:
      podium mig show
      podium mig show gpu-1
    """
    with connect() as client:
        machines = [client.nodes.get(node)] if node is not None else client.nodes.list()
        views = [
            client.mig.show(machine.name, device.index)
            for machine in machines
            for device in machine.devices
            if device.mig_board
        ]
    if json_output:
        terminal.listing(views)
        return
    if not views:
        terminal.say("No GPU here can be cut into MIG instances.")
        return
    for at in dict.fromkeys(view.node for view in views):
        terminal.heading(at)
        for view in views:
            if view.node == at:
                _show(view)


@app.command("plan")
def plan(
    node: Node,
    gpu: Gpu,
    layout: Annotated[str, typer.Argument(metavar="LAYOUT", help="Such as 3g.40gb@4,4x1g.10gb.")],
    json_output: options.Json = False,
) -> None:
    """Say what would be done for a layout, who is in the way, and what fits afterwards.

    Where no start is given, one is chosen so that all fit.

    Examples:
      podium mig plan gpu-1 0 3g.40gb@4,4x1g.10gb
      podium mig plan gpu-1 0 none
    """
    with connect() as client:
        view = client.mig.plan(node, gpu, layout)
    if json_output:
        terminal.document(view)
        return
    terminal.write(f"Layout: {view.layout}")
    if not view.steps:
        terminal.write("It stands already.")
    _steps(view.steps)
    gained = [each for each in view.room if each.before or each.after]
    if gained:
        terminal.write("")
        terminal.show_table(
            (Column("FREE"), Column("NOW", right=True), Column("THEN", right=True)),
            [(each.profile, str(each.before), str(each.after)) for each in gained],
        )


@app.command("apply")
def apply(
    node: Node,
    gpu: Gpu,
    layout: Annotated[str, typer.Argument(metavar="LAYOUT", help="Such as 3g.40gb@4,4x1g.10gb.")],
    move: Move = False,
    json_output: options.Json = False,
) -> None:
    """Cut a GPU once; afterwards it is cut as work asks again. For administrators.

    What is in use is not touched: the rest is made, and what it blocks once it has ended.

    Examples:
      podium mig apply gpu-1 0 2x3g.40gb
    """
    with connect() as client:
        _done(client.mig.apply(node, gpu, layout, move=move), json_output)


@app.command("pin")
def pin(
    node: Node,
    gpu: Gpu,
    layout: Annotated[
        str | None,
        typer.Argument(metavar="LAYOUT", help="Default: as it stands.", show_default=False),
    ] = None,
    move: Move = False,
    json_output: options.Json = False,
) -> None:
    """Cut a GPU for good: only these instances get work. For administrators.

    What is in use is not touched: the rest is made, and what it blocks once it has ended.

    Examples:
      podium mig pin gpu-1 0 3g.40gb@4,4x1g.10gb
      podium mig pin gpu-1 0
    """
    with connect() as client:
        _done(client.mig.pin(node, gpu, layout, move=move), json_output)


@app.command("unpin")
def unpin(node: Node, gpu: Gpu, json_output: options.Json = False) -> None:
    """Let a GPU be cut as work asks, or give up a layout that is being made.

    For administrators.

    Examples:
      podium mig unpin gpu-1 0
    """
    with connect() as client:
        view = client.mig.unpin(node, gpu)
    if json_output:
        terminal.document(view)
    else:
        terminal.write(f"GPU {gpu} of {node} is cut as work asks.")


@app.command("mode")
def mode(
    node: Node,
    gpu: Gpu,
    wanted: Annotated[Mode, typer.Argument(metavar="on|off", help="Whether it is cut.")],
    json_output: options.Json = False,
) -> None:
    """Turn MIG on or off on an idle GPU. Idle instances end with it. For administrators.

    Examples:
      podium mig mode gpu-1 0 on
    """
    with connect() as client:
        view = client.mig.mode(node, gpu, enabled=wanted is Mode.ON)
    if json_output:
        terminal.document(view)
    else:
        terminal.write(f"MIG is {'on' if view.gpu.mig else 'off'} on GPU {gpu} of {node}.")


@app.command("pack")
def pack(
    do: Annotated[bool, typer.Option("--apply", help="Do it, not only say it.")] = False,
    moves: Annotated[
        int, typer.Option("--moves", min=1, max=8, help="Move so much work at most.")
    ] = 8,
    json_output: options.Json = False,
) -> None:
    """Say which saved work to start again elsewhere so that larger instances fit.

    With --apply it is asked to. For administrators.

    Examples:
      podium mig pack
      podium mig pack --apply --moves 2
    """
    with connect() as client:
        view = client.mig.pack(apply=do, moves=moves)
    if json_output:
        terminal.document(view)
    else:
        _packed(view)


def _show(view: LayoutView) -> None:
    device = view.gpu
    if device.mig:
        terminal.write(slices_line(device))
        room = ", ".join(f"{each.count} × {each.profile}" for each in device.room if each.count)
        if room:
            terminal.write(f"  fits: {room}")
    else:
        terminal.write(f"GPU {device.index} {device.type}, MIG is off")
    if view.wanted is not None and not view.wanted.stands:
        terminal.write(f"  becomes: {view.wanted.layout}, set by {plain(view.wanted.set_by)}")
        if view.wanted.message:
            terminal.write(f"  {plain(view.wanted.message)}")
    _drift(device)


def _drift(device: DeviceView) -> None:
    if device.drift_at is not None:
        when = device.drift_at.astimezone()
        terminal.write(
            f"  changed outside of Podium at {when:%Y-%m-%d %H:%M:%S} "
            f"({ago(device.drift_at, datetime.now(UTC))}): {plain(device.drift)}"
        )


def _done(view: LayoutView, as_json: bool) -> None:
    if as_json:
        terminal.document(view)
        return
    name = f"GPU {view.gpu.index} of {view.node}"
    if view.wanted is None or view.wanted.stands:
        terminal.write(f"{name} is cut into {view.layout}.")
        return
    terminal.write(f"{name} is being cut into {view.wanted.layout}.")
    _steps(view.steps)


def _steps(steps: Sequence[LayoutStepView]) -> None:
    for number, each in enumerate(steps, 1):
        terminal.write(f"{number:>3}. {each.text}{_whose(each)}")


def _whose(step: LayoutStepView) -> str:
    if step.act != "wait":
        return ""
    holder = step.holder
    words = "" if holder is None else f" It is {plain(holder.owner)}/{plain(holder.name)}."
    if step.movable:
        return f"{words} It can start again elsewhere (--move)."
    return f"{words} It stays: {step.stays}." if step.stays else words


def _packed(view: PackView) -> None:
    if not view.moves:
        terminal.write("Nothing is won by moving work.")
        return
    did = "starts" if view.applied else "would start"
    terminal.write(f"{plural(len(view.moves), 'workload')} {did} again elsewhere.")
    terminal.show_table(
        (Column("WORKLOAD", style="bold"), Column("PROJECT"), Column("FROM"), Column("FITS ON")),
        [
            (
                each.name,
                each.project,
                f"{each.profile} of {each.node} #{each.gpu}",
                f"{each.target_node} #{each.target_gpu}",
            )
            for each in view.moves
        ],
    )
    terminal.write("")
    terminal.show_table(
        (Column("BOARD"), Column("FREE"), Column("NOW", right=True), Column("THEN", right=True)),
        [
            (each.board, each.profile, str(each.before), str(each.after))
            for each in view.room
            if each.before != each.after
        ],
    )
