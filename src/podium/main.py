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
    shared: Annotated[
        Path | None,
        typer.Option(
            envvar="PODIUM_SHARED",
            metavar="FOLDER",
            help="A folder that all servers of one database share: uploads, the audit trail's key "
            "and seals, and the keys of secrets are in it. Default: the home folder.",
            show_default=False,
        ),
    ] = None,
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
    local: Annotated[
        bool,
        typer.Option(
            "--local/--no-local",
            envvar="PODIUM_LOCAL",
            help="Whether work runs on this machine, too. --no-local is for servers that work on "
            "clusters alone: podium cluster add",
        ),
    ] = True,
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
    isolation: Annotated[
        str,
        typer.Option(
            envvar="PODIUM_ISOLATION",
            metavar="LEVEL",
            help="What keeps projects apart on this machine: users (a Unix user for each, needs "
            "root), namespaces, none, or auto, which takes the strongest that works.",
        ),
    ] = "auto",
    isolation_uids: Annotated[
        str,
        typer.Option(
            envvar="PODIUM_ISOLATION_UIDS",
            metavar="FIRST-LAST",
            help="The numbers that Unix users of projects may have.",
        ),
    ] = "200000-265535",
    public_url: Annotated[
        str,
        typer.Option(
            envvar="PODIUM_PUBLIC_URL",
            metavar="URL",
            help="Where people reach this server, behind a proxy, such as "
            "https://podium.example.com. Default: the address that they ask at.",
            show_default=False,
        ),
    ] = "",
    trusted_proxies: Annotated[
        str,
        typer.Option(
            envvar="PODIUM_TRUSTED_PROXIES",
            metavar="ADDRESSES",
            help="Proxies in front, by address or network, separated by commas: what they say of "
            "who asks, and over what, is believed. Default: nobody.",
            show_default=False,
        ),
    ] = "",
    session_idle_hours: Annotated[
        int,
        typer.Option(
            envvar="PODIUM_SESSION_IDLE_HOURS",
            min=1,
            help="A console's sign-in ends when it was not used for so long.",
        ),
    ] = 8,
    session_days: Annotated[
        int,
        typer.Option(
            envvar="PODIUM_SESSION_DAYS", min=1, help="How long it lasts at most, in days."
        ),
    ] = 7,
    cli_idle_days: Annotated[
        int,
        typer.Option(
            envvar="PODIUM_CLI_IDLE_DAYS",
            min=1,
            help="A command line's sign-in ends when it was not used for so long.",
        ),
    ] = 30,
    cli_days: Annotated[
        int,
        typer.Option(envvar="PODIUM_CLI_DAYS", min=1, help="How long it lasts at most, in days."),
    ] = 90,
    audit_days: Annotated[
        int,
        typer.Option(
            envvar="PODIUM_AUDIT_DAYS", min=1, help="How long the audit trail is kept, in days."
        ),
    ] = 400,
    secret_key_file: Annotated[
        Path | None,
        typer.Option(
            "--secret-key-file",
            envvar="PODIUM_SECRET_KEY_FILE",
            metavar="FILE",
            help="The keys that seal secrets, one a line, where they are not to be in the home "
            "folder. All servers of one database need the same ones.",
            show_default=False,
        ),
    ] = None,
    outbound: Annotated[
        str,
        typer.Option(
            envvar="PODIUM_OUTBOUND",
            metavar="REACH",
            help="Where Git sources, webhooks, clusters and sign-in providers may be: private "
            "(private networks, too) or public. Never this machine itself, nor link-local "
            "addresses.",
        ),
    ] = "private",
    allow_outbound: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-outbound",
            envvar="PODIUM_ALLOW_OUTBOUND",
            metavar="CIDR",
            help="A network that may be reached in spite of that, also without encryption. May be "
            "repeated.",
            show_default=False,
        ),
    ] = None,
    data_root: Annotated[
        list[Path] | None,
        typer.Option(
            "--data-root",
            envvar="PODIUM_DATA_ROOT",
            metavar="PATH",
            help="A folder that data sources may be in. Work sees it only through a source. May be "
            "repeated.",
            show_default=False,
        ),
    ] = None,
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
      podium up --isolation users      refuse to start where projects cannot be kept apart
      podium up --virtual-gpus 2xH100-80GB:mig,4xA100-40GB
    """
    from podium.intake.sessions import lifetimes_of
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
            local=local,
            shared=shared.expanduser() if shared else None,
            currency=currency,
            labels=label or (),
            isolation=isolation,
            isolation_uids=isolation_uids,
            block=block,
            rack=rack,
            nvlink=nvlink,
            public_url=public_url.rstrip("/"),
            trusted_proxies=trusted_proxies,
            lifetimes=lifetimes_of(
                session_idle_hours=session_idle_hours,
                session_days=session_days,
                cli_idle_days=cli_idle_days,
                cli_days=cli_days,
            ),
            audit_days=audit_days,
            secret_key_file=secret_key_file,
            outbound=outbound,
            allow_outbound=allow_outbound or (),
            data_roots=data_root or (),
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
