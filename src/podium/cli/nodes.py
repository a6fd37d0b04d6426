"""`podium nodes`, `cordon` and `uncordon`: the machines and their GPUs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import completion, options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.wording import (
    ago,
    bytes_of,
    count,
    gpus_words,
    lasted,
    of_total,
    plain,
    plural,
)
from podium.domain.quantity import format_milli

if TYPE_CHECKING:
    from podium.spec.views.node import DeviceView, NodeReplicaView, NodeView

REPLICAS_SHOWN = 50

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="The node.", autocompletion=completion.nodes)
]


def nodes(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="One node, with its devices.", autocompletion=completion.nodes
        ),
    ] = None,
    pool: Annotated[
        str | None,
        typer.Option(
            "--pool",
            metavar="NAME",
            help="Only those of this pool.",
            autocompletion=completion.pools,
            show_default=False,
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            metavar="NAME",
            help='Only those of this cluster; "" for servers\' own machines.',
            autocompletion=completion.clusters,
            show_default=False,
        ),
    ] = None,
    json_output: options.Json = False,
) -> None:
    """List the machines and what is in use, or show one with its GPUs.

    Examples:
      podium nodes
      podium nodes gpu-1
      podium nodes --pool a100
      podium nodes --cluster munich
    """
    with connect() as client:
        if name is not None:
            view = client.nodes.get(name)
            if json_output:
                terminal.document(view)
            else:
                _show(view, list(client.nodes.replicas(name, limit=REPLICAS_SHOWN + 1)))
            return
        if pool is not None:
            client.pools.get(pool)  # says so where there is none
        if cluster:
            client.clusters.get(cluster)
        listed = client.nodes.list(cluster=cluster)
        views = [view for view in listed if pool in (None, view.pool)]
    if json_output:
        terminal.listing(views)
        return
    if not views:
        nowhere = "No node is in this pool." if cluster is None else "No node of it has reported."
        terminal.say("No node has reported yet." if pool is cluster is None else nowhere)
        return
    now = datetime.now(UTC)
    pooled = any(view.pool for view in views)
    clustered = any(view.cluster for view in views)
    columns = (
        Column("NAME", style="bold"),
        Column("STATE"),
        Column("GPUS", cut=True),
        Column("CPU", right=True),
        Column("MEMORY", right=True),
        *((Column("POOL", drop=3),) if pooled else ()),
        Column("CLUSTER" if clustered else "ENGINE", drop=2),
        Column("SEEN", right=True, drop=1),
    )
    terminal.show_table(
        columns,
        [
            (
                view.name,
                terminal.state_text(view.state),
                gpus_words(view.devices),
                of_total(view.cpu_milli_used, view.cpu_milli, ""),
                bytes_of(view.memory_bytes_used, view.memory_bytes),
                *((view.pool or "–",) if pooled else ()),
                (view.cluster or "–") if clustered else view.engine,
                ago(view.seen_at, now),
            )
            for view in views
        ],
    )


def cordon(name: Name, json_output: options.Json = False) -> None:
    """Let nothing new start on a node. What runs there goes on.

    Examples:
      podium cordon gpu-1
    """
    with connect() as client:
        _turned(client.nodes.cordon(name), json_output)


def uncordon(name: Name, json_output: options.Json = False) -> None:
    """Let work start on a node again.

    Examples:
      podium uncordon gpu-1
    """
    with connect() as client:
        _turned(client.nodes.uncordon(name), json_output)


def _turned(view: NodeView, as_json: bool) -> None:
    if as_json:
        terminal.document(view)
    else:
        terminal.write(f"{view.name} is {view.state}.")


def _show(view: NodeView, replicas: Sequence[NodeReplicaView]) -> None:
    now = datetime.now(UTC)
    terminal.heading(view.name)
    terminal.show_facts(
        [
            ("State", terminal.state_text(view.state)),
            ("Cluster", view.cluster),
            ("Engine", view.engine),
            ("Address", view.address),
            ("Place", " / ".join(part for part in (view.block, view.rack) if part)),
            ("NVLink", view.nvlink),
            ("Pool", view.pool),
            ("Replicas", count(view.replicas)),
            ("CPU", of_total(view.cpu_milli_used, view.cpu_milli, "in use")),
            ("Memory", bytes_of(view.memory_bytes_used, view.memory_bytes) + " in use"),
            ("Labels", ", ".join(f"{key}={value}" for key, value in sorted(view.labels.items()))),
            ("Seen", ago(view.seen_at, now)),
            ("Lost", ago(view.lost_since, now) if view.lost_since else ""),
            ("Given up", _given_up(view)),
        ]
    )
    if view.devices:
        _devices(view.devices)
    if replicas:
        _replicas(replicas, now)


def _given_up(view: NodeView) -> str:
    if not view.given_up:
        return ""
    if view.lost_since is not None:
        return f"{plural(view.given_up, 'replica')}, which may still run there"
    return f"{plural(view.given_up, 'replica')}; nothing new starts until they have ended"


def _devices(devices: Sequence[DeviceView]) -> None:
    terminal.write("")
    terminal.heading("GPUs")
    columns = (
        Column("#", right=True),
        Column("TYPE"),
        Column("HELD", right=True),
        Column("BUSY", right=True),
        Column("MEMORY HELD", right=True, drop=2),
        Column("POWER", right=True, drop=4),
        Column("HEAT", right=True, drop=3),
        Column("HEALTH"),
        Column("WORKLOADS", cut=True),
        Column("UUID", drop=1, style="dim"),
    )
    terminal.show_table(columns, [_device_row(device) for device in devices])
    for device in devices:
        if device.fault:
            terminal.write(f"GPU {device.index} takes no work. {device.fault}")
    cut = [device for device in devices if device.mig]
    if cut:
        terminal.write("")
        terminal.heading("MIG")
    for device in cut:
        terminal.write(slices_line(device))


def slices_line(device: DeviceView) -> str:
    """`"GPU 0 H100 MIG [3g.40gb alice/train][1g.10gb idle][....]"`: a dot for each free slice."""
    drawn, at = "", 0
    for each in device.slices:
        if each.start < at:
            continue  # idle, and about to make room for what is held there
        words = "busy" if each.state == "busy" else "idle"
        if each.state == "held":
            holder = each.holder
            words = "others" if holder is None else f"{plain(holder.owner)}/{plain(holder.name)}"
        drawn += _free(each.start - at) + f"[{each.profile} {words}]"
        at = each.start + each.size
    drawn += _free(device.memory_slices - at)
    pinned = " pinned" if device.pinned else ""
    return f"GPU {device.index} {device.type} MIG{pinned} {drawn}"


def _free(count: int) -> str:
    return f"[{'.' * count}]" if count > 0 else ""


def _device_row(device: DeviceView) -> list[str]:
    kind = " ".join(
        word
        for word in (device.type, device.mig_profile, "virtual" if device.virtual else "")
        if word
    )
    return [
        str(device.index),
        kind,
        format_milli(device.gpu_milli_used),
        "–" if device.busy_milli is None else f"{device.busy_milli / 10:.0f} %",
        bytes_of(device.memory_bytes_used, device.memory_bytes),
        "–" if device.power_watts is None else f"{device.power_watts:.0f} W",
        "–" if device.temperature_celsius is None else f"{device.temperature_celsius:.0f} °C",
        "healthy" if device.healthy else "unhealthy",
        ", ".join(dict.fromkeys(holder.name for holder in device.holders)) or "–",
        device.uuid,
    ]


def _replicas(replicas: Sequence[NodeReplicaView], now: datetime) -> None:
    terminal.write("")
    terminal.heading("Work")
    columns = (
        Column("ID", style="dim", drop=1),
        Column("NAME", cut=True, style="bold"),
        Column("RANK", right=True),
        Column("PROJECT"),
        Column("OWNER", drop=2),
        Column("STATE"),
        Column("GPUS", right=True),
        Column("HELD FOR", right=True),
    )
    terminal.show_table(
        columns,
        [
            (
                each.workload_id,
                each.name,
                str(each.rank),
                each.project,
                each.owner,
                terminal.state_text(each.state),
                ", ".join(f"#{index}" for index in each.devices) or "–",
                lasted(each.since, None, now),
            )
            for each in replicas[:REPLICAS_SHOWN]
        ],
    )
    if len(replicas) > REPLICAS_SHOWN:
        terminal.say(f"More than {REPLICAS_SHOWN} replicas are here.")
