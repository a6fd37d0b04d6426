"""The `podium` command with all its parts: the client's commands, `up` and `simulate`.

Kept light, because every command passes through here; the server is loaded by `up` alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from podium.cli import options
from podium.cli.app import app, run
from podium.simulation.admission.command import admission
from podium.simulation.packing.command import packing
from podium.simulation.replay import replay
from podium.simulation.simulate import simulate
from podium.simulation.speed.command import scheduler

DEFAULT_HOME = Path("~/.podium")
DEFAULT_PORT = 8470


def up(
    home: Annotated[
        Path,
        typer.Option(envvar="PODIUM_HOME", help="Where the server keeps its data."),
    ] = DEFAULT_HOME,
    host: Annotated[
        str, typer.Option(envvar="PODIUM_HOST", help="Address to listen on.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(envvar="PODIUM_PORT", min=0, max=65535, help="Port; 0 takes a free one.")
    ] = DEFAULT_PORT,
    database: Annotated[
        str | None,
        typer.Option(
            envvar="PODIUM_DATABASE",
            metavar="URL",
            help="postgresql://… to share a database; SQLite in the home folder otherwise.",
            show_default=False,
        ),
    ] = None,
    virtual_gpus: Annotated[
        str | None,
        typer.Option(
            envvar="PODIUM_VIRTUAL_GPUS",
            metavar="GPUS",
            help="Pretend GPUs, to try Podium without any: a number, or boards such as "
            "4xH100-80GB,2xA100-40GB; :mig after a board turns MIG on. Default: the real ones, or "
            "4 virtual ones where there are none.",
            show_default=False,
        ),
    ] = None,
    virtual_gpu_type: Annotated[
        str,
        typer.Option(
            envvar="PODIUM_VIRTUAL_GPU_TYPE",
            help="The type that a mere number of them claims to be.",
        ),
    ] = "A100",
    node_name: Annotated[
        str | None,
        typer.Option(
            envvar="PODIUM_NODE_NAME", help="Name of this machine as a node.", show_default=False
        ),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            "--label",
            envvar="PODIUM_NODE_LABELS",
            metavar="KEY=VALUE",
            help="A label of this node, for pools and for work that asks for it. May be repeated.",
            show_default=False,
        ),
    ] = None,
    block: Annotated[
        str,
        typer.Option(
            envvar="PODIUM_NODE_BLOCK",
            metavar="NAME",
            help="In which block of racks it stands.",
            show_default=False,
        ),
    ] = "",
    rack: Annotated[
        str,
        typer.Option(
            envvar="PODIUM_NODE_RACK",
            metavar="NAME",
            help="In which rack it stands.",
            show_default=False,
        ),
    ] = "",
    nvlink: Annotated[
        str,
        typer.Option(
            envvar="PODIUM_NODE_NVLINK",
            metavar="NAME",
            help="The NVLink domain that it shares with other nodes.",
            show_default=False,
        ),
    ] = "",
    currency: Annotated[
        str,
        typer.Option(
            envvar="PODIUM_CURRENCY", help="Of prices that are set from now on; three letters."
        ),
    ] = "EUR",
) -> None:
    """Serve Podium on this machine: API, console, and the loops that run the work.

    Stop it with Ctrl-C: what runs goes on, and the next start finds it again.

    Examples:
      podium up                        on http://127.0.0.1:8470, data in ~/.podium
      podium up --virtual-gpus 8       try scheduling without any GPU
      podium up --label zone=secure --block hall-a --rack a1
      podium up --virtual-gpus 2xH100-80GB:mig,4xA100-40GB
    """
    from podium.server import Settings, serve

    serve(
        Settings(
            home=home.expanduser(),
            host=host,
            port=port,
            database=database,
            virtual_gpus=virtual_gpus,
            virtual_gpu_type=virtual_gpu_type,
            node_name=node_name,
            currency=currency,
            labels=label or (),
            block=block,
            rack=rack,
            nvlink=nvlink,
        )
    )


app.command("up", help=options.help_text(up), rich_help_panel=options.CLUSTER)(up)
app.command("simulate", help=options.help_text(simulate), rich_help_panel=options.ADMINISTRATION)(
    simulate
)
app.command("replay", help=options.help_text(replay), rich_help_panel=options.ADMINISTRATION)(
    replay
)

bench = typer.Typer(no_args_is_help=True, help="Measure the scheduler; no server is needed.")
bench.command("scheduler", help=options.help_text(scheduler))(scheduler)
bench.command("packing", help=options.help_text(packing))(packing)
bench.command("admission", help=options.help_text(admission))(admission)
app.add_typer(bench, name="bench", rich_help_panel=options.CLUSTER)


def main() -> None:
    """Entry point of the `podium` script."""
    run(app)


if __name__ == "__main__":
    main()
