"""`podium bench packing`; `podium.main` puts it among the commands.

What computes is imported by the command itself, because every command of Podium passes here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import terminal
from podium.cli.terminal import Column
from podium.domain.errors import FieldFault, UserError

if TYPE_CHECKING:
    from podium.simulation.packing.experiment import Outcome


def packing(
    nodes: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            show_default=False,
            help="Nodes: CSV with cpu_milli, memory_mib, gpu, model.",
        ),
    ],
    pods: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            show_default=False,
            help="Pods: CSV with cpu_milli, memory_mib, num_gpu, gpu_milli, gpu_spec.",
        ),
    ],
    arrivals: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            show_default=False,
            help="Order of arrival: CSV with a column seed_N. Default: drawn by the seed.",
        ),
    ] = None,
    node_order: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            show_default=False,
            help="Order of the nodes, which breaks ties: CSV with a column seed_N. Default: drawn "
            "by the seed.",
        ),
    ] = None,
    inflation: Annotated[
        float,
        typer.Option(
            min=0.01,
            max=10,
            help="Draw pods until this many times the GPUs have been asked for; of no effect with "
            "--arrivals.",
        ),
    ] = 1.3,
    seed: Annotated[int, typer.Option(min=0, help="Which orders, and all that is drawn.")] = 42,
    policy: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="podium, fgd, first-fit, best-fit, packing or random.",
        ),
    ] = "podium",
    moves: Annotated[
        int,
        typer.Option(
            min=0,
            max=1000,
            metavar="N",
            help="Move up to N placed pods for 1,000 arrivals, where that makes room; with policy "
            "podium.",
        ),
    ] = 0,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON document instead of words.")
    ] = False,
) -> None:
    """Measure how much of the GPUs a packing policy can give out.

    Pods arrive one by one, are placed at once or fail, and never leave. Told is the share of the
    GPUs that is given out when that much of them has been asked for. Nothing moves, unless you
    allow it.

    Examples:
      podium bench packing --nodes nodes.csv --pods pods.csv
      podium bench packing --nodes nodes.csv --pods pods.csv --policy fgd --seed 43 --json
      podium bench packing --nodes nodes.csv --pods pods.csv --moves 20
    """
    from podium.simulation.packing.experiment import arrivals_drawn, nodes_shuffled, run
    from podium.simulation.packing.policy import NAMES
    from podium.simulation.packing.trace import read_nodes, read_order, read_pods

    if policy not in NAMES:
        fault = f"there is no policy {policy!r}."
        raise UserError(FieldFault("--policy", fault, f"There are {', '.join(NAMES)}."))
    if moves and policy != "podium":
        fault = "moves are weighed by the prices of policy podium."
        raise UserError(FieldFault("--moves", fault, "Leave out --policy or --moves."))
    node_list, pod_list = read_nodes(nodes), read_pods(pods)
    if node_order is None:
        order = nodes_shuffled(len(node_list), seed)
    else:
        order = list(read_order(node_order, seed, len(node_list), every=True))
    capacity_milli = sum(node.gpus for node in node_list) * 1000
    if arrivals is None:
        sequence = arrivals_drawn(pod_list, capacity_milli, inflation, seed)
    else:
        sequence = list(read_order(arrivals, seed, len(pod_list), every=False))
    ordered = [node_list[position] for position in order]
    outcome = run(ordered, pod_list, sequence, policy=policy, seed=seed, moves=moves)
    if json_output:
        terminal.document(_document(outcome, policy, seed))
    else:
        _show(outcome)


def _document(outcome: Outcome, policy: str, seed: int) -> dict[str, object]:
    return {
        "policy": policy,
        "seed": seed,
        "allocation": {str(load): share for load, share in outcome.allocation.items()},
        "failed_pods": outcome.failed_pods,
        "moves": outcome.moves,
        "seconds": outcome.seconds,
    }


def _show(outcome: Outcome) -> None:
    columns = (Column("ASKED FOR", right=True), Column("GIVEN OUT", right=True, style="bold"))
    rows = [(f"{load} %", f"{share:.2f} %") for load, share in outcome.allocation.items()]
    terminal.show_table(columns, rows)
    moved = f"{outcome.moves} were moved; " if outcome.moves else ""
    terminal.say(f"{outcome.failed_pods} pods found no place; {moved}{outcome.seconds:.1f} s.")
