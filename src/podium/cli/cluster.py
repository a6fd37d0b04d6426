"""`podium cluster`: the clusters that Podium works on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import completion, options, terminal
from podium.cli.connection import connect
from podium.cli.failure import ExitCode
from podium.cli.terminal import Column
from podium.cli.wording import ago, count, lasted, plural
from podium.domain.cluster import ClusterState
from podium.domain.errors import FieldFault, UserError
from podium.domain.quantity import format_milli

if TYPE_CHECKING:
    from rich.text import Text

    from podium.spec.views.cluster import ClusterCheckView, ClusterView

app = typer.Typer(no_args_is_help=True, help="The clusters that Podium works on.")

_COLOURS = {
    ClusterState.READY: "green",
    ClusterState.CONNECTING: "yellow",
    ClusterState.UNREACHABLE: "red",
}

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="The cluster.", autocompletion=completion.clusters)
]
File = Annotated[
    Path | None,
    typer.Option(
        "--kubeconfig",
        metavar="FILE",
        help="How to reach it, as kubectl has it. Files that it names are sent along.",
        show_default=False,
    ),
]
ContextName = Annotated[
    str | None,
    typer.Option(
        "--context",
        metavar="NAME",
        help="Which context of the file. Default: its current one.",
        show_default=False,
    ),
]
InCluster = Annotated[
    bool,
    typer.Option(
        "--in-cluster",
        help="Podium's server runs in that cluster, under an account that may do what it needs.",
    ),
]
Region = Annotated[
    str | None,
    typer.Option(
        "--region",
        metavar="NAME",
        help="Where its nodes stand; they carry the label region=NAME.",
        show_default=False,
    ),
]
Labels = Annotated[
    list[str] | None,
    typer.Option(
        "--label",
        metavar="KEY=VALUE",
        help="A label that its nodes carry beside cluster=NAME. May be repeated.",
        show_default=False,
    ),
]
Image = Annotated[
    str | None,
    typer.Option(
        "--image",
        metavar="IMAGE",
        help="The container image for work that names none.",
        show_default=False,
    ),
]
GroupsPrefix = Annotated[
    str | None,
    typer.Option(
        "--groups-prefix",
        metavar="TEXT",
        help="What its API server puts before groups of people (--oidc-groups-prefix).",
        show_default=False,
    ),
]


@app.command("add")
def add_cluster(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")],
    kubeconfig: File = None,
    context: ContextName = None,
    in_cluster: InCluster = False,
    region: Region = None,
    label: Labels = None,
    image: Image = None,
    groups_prefix: GroupsPrefix = None,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Try to reach it first, and see its rights.")
    ] = True,
    json_output: options.Json = False,
) -> None:
    """Work on one more cluster. For administrators.

    Its nodes carry the labels cluster=NAME and region=REGION, so that pools and work can ask for
    them. Adding the same once more changes nothing.

    Examples:
      podium cluster add munich --kubeconfig ~/.kube/config --region eu-central
      podium cluster add munich --kubeconfig admin.conf --context prod --label zone=secure
      podium cluster add here --in-cluster --image registry.example.com/ai/base:1
    """
    text, chosen = _access(kubeconfig, context, in_cluster=in_cluster)
    with connect() as client:
        if check:
            with terminal.busy("Asking the cluster"):
                found = client.clusters.check(text, context=chosen, in_cluster=in_cluster)
            _refuse_missing(found)
        view = client.clusters.add(
            name,
            text,
            context=chosen,
            in_cluster=in_cluster,
            region=region or "",
            labels=_pairs(label or ()),
            image=image or "",
            groups_prefix=groups_prefix or "",
        )
    if json_output:
        terminal.document(view)
        return
    terminal.write(f"Cluster {view.name} is added. Its nodes show within seconds: podium nodes")
    if not view.image:
        terminal.say(f"Work without an image cannot run there: podium cluster set {name} --image …")


@app.command("list")
def list_clusters(json_output: options.Json = False) -> None:
    """List the clusters, and how they are.

    Examples:
      podium cluster list
    """
    with connect() as client:
        views = client.clusters.list()
    if json_output:
        terminal.listing(views)
        return
    if not views:
        terminal.say("There is no cluster. An administrator adds one: podium cluster add")
        return
    now = datetime.now(UTC)
    columns = (
        Column("NAME", style="bold"),
        Column("STATE", cut=True),
        Column("NODES", right=True),
        Column("GPUS", right=True),
        Column("IN USE", right=True, drop=2),
        Column("REGION", drop=1),
        Column("VERSION", drop=3),
    )
    terminal.show_table(
        columns,
        [
            (
                view.name,
                _state(view, now),
                count(view.nodes),
                count(view.gpus),
                format_milli(view.gpu_milli_used),
                view.region or "–",
                view.version or "–",
            )
            for view in views
        ],
    )


@app.command("show")
def show_cluster(name: Name, json_output: options.Json = False) -> None:
    """Show one cluster.

    Examples:
      podium cluster show munich
    """
    with connect() as client:
        view = client.clusters.get(name)
    if json_output:
        terminal.document(view)
        return
    now = datetime.now(UTC)
    terminal.heading(view.name)
    terminal.show_facts(
        [
            ("State", _state(view, now)),
            ("Why", view.words),
            ("Server", "its own, from inside" if view.in_cluster else view.server),
            ("Context", view.context),
            ("Kubernetes", view.version),
            ("Region", view.region),
            ("Labels", ", ".join(f"{key}={value}" for key, value in sorted(view.labels.items()))),
            ("Image", view.image or "none: work without one cannot run there"),
            ("Groups", f"{view.groups_prefix}NAME" if view.groups_prefix else ""),
            ("Nodes", f"{count(view.nodes)}, {count(view.nodes_ready)} ready"),
            ("GPUs", f"{count(view.gpus)}, {format_milli(view.gpu_milli_used)} in use"),
            ("Seen", ago(view.seen_at, now) if view.seen_at else "never"),
            ("Rights missing", "; ".join(view.missing)),
            ("Added", ago(view.added_at, now)),
            ("By", view.added_by),
        ]
    )
    if view.drifts:
        terminal.write("")
        terminal.heading("Changed by others")
        for each in view.drifts:
            terminal.write(f"{ago(each.at, now)}, {each.project}: {each.words}")


@app.command("set")
def set_cluster(
    name: Name,
    kubeconfig: File = None,
    context: ContextName = None,
    in_cluster: InCluster = False,
    region: Region = None,
    label: Labels = None,
    no_labels: Annotated[bool, typer.Option("--no-labels", help="Take its labels away.")] = False,
    image: Image = None,
    groups_prefix: GroupsPrefix = None,
    json_output: options.Json = False,
) -> None:
    """Change a cluster. What is not named stays; labels that are named replace those from before.
    What runs there goes on. For administrators.

    Examples:
      podium cluster set munich --region eu-west
      podium cluster set munich --kubeconfig renewed.conf
      podium cluster set munich --label zone=secure --image registry.example.com/ai/base:2
      podium cluster set munich --groups-prefix oidc:
    """
    if no_labels and label:
        raise UserError(FieldFault("--no-labels", "does not go with --label.", "Name one."))
    text, chosen = None, None
    if kubeconfig is not None or in_cluster or context is not None:
        text, chosen = _access(kubeconfig, context, in_cluster=in_cluster)
    labels = {} if no_labels else _pairs(label) if label else None
    named = (text, region, labels, image, groups_prefix)
    if all(each is None for each in named) and not in_cluster:
        raise UserError(FieldFault("", "Nothing is to be changed.", "Name what is: --region, …"))
    with connect() as client:
        view = client.clusters.change(
            name,
            kubeconfig=text,
            context=chosen or None,
            in_cluster=in_cluster or None,
            region=region,
            labels=labels,
            image=image,
            groups_prefix=groups_prefix,
        )
    if json_output:
        terminal.document(view)
        return
    terminal.write(f"Cluster {view.name} is changed.")


@app.command("remove")
def remove_cluster(
    name: Name,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Give up what is placed there. What runs there now is stopped by nobody.",
        ),
    ] = False,
    json_output: options.Json = False,
) -> None:
    """Work on a cluster no longer, and forget its nodes. For administrators.

    Refused while Podium's work is placed there: cordon its nodes and wait, or cancel that work.
    With --force that work is given up and goes on elsewhere; use it for a cluster that is gone.

    Examples:
      podium cluster remove munich
      podium cluster remove munich --force
    """
    with connect() as client:
        view = client.clusters.remove(name, force=force)
    if json_output:
        terminal.document(view)
        return
    given = f" {plural(view.replicas, 'replica')} there were given up." if view.replicas else ""
    terminal.write(f"Cluster {name} is removed with {plural(view.nodes, 'node')}.{given}")


@app.command("check")
def check_cluster(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="A kubeconfig.", show_default=False),
    ] = None,
    context: ContextName = None,
    in_cluster: InCluster = False,
    json_output: options.Json = False,
) -> int:
    """Try to reach a cluster from Podium's server, and keep nothing. For administrators.

    Examples:
      podium cluster check ~/.kube/config
      podium cluster check admin.conf --context prod
    """
    text, chosen = _access(file, context, in_cluster=in_cluster)
    with connect() as client, terminal.busy("Asking the cluster"):
        view = client.clusters.check(text, context=chosen, in_cluster=in_cluster)
    if json_output:
        terminal.document(view)
    else:
        terminal.show_facts(
            [
                ("Server", view.server or "its own, from inside"),
                ("Context", view.context),
                ("Kubernetes", view.version),
                ("Nodes", count(view.nodes)),
                ("GPUs", count(view.gpus)),
                ("Rights missing", "; ".join(view.missing) or "none"),
                ("Device claims", "there, and not used yet (DRA)" if view.claims else ""),
            ]
        )
    return ExitCode.OK if view.ok else ExitCode.FAILED


def _access(file: Path | None, context: str | None, *, in_cluster: bool) -> tuple[str | None, str]:
    """The text of a kubeconfig with one context, and that context's name. Raises UserError."""
    if in_cluster:
        if file is not None or context is not None:
            raise UserError(
                FieldFault("--in-cluster", "does not go with a kubeconfig.", "Name one of them.")
            )
        return None, ""
    if file is None:
        raise UserError(
            FieldFault("--kubeconfig", "is missing.", "Name a file, or write --in-cluster.")
        )
    from podium.client.kubeconfig import load

    found = load(file.expanduser(), context or "")
    return found.text, found.context


def _refuse_missing(found: ClusterCheckView) -> None:
    if found.missing:
        raise UserError(
            FieldFault(
                "kubeconfig",
                f"may not do all that Podium needs there: {'; '.join(found.missing)}.",
                "Give its account these rights, or add the cluster with --no-check.",
            )
        )


def _state(view: ClusterView, now: datetime) -> Text:
    from rich.text import Text

    words = view.state.value
    if view.state is ClusterState.UNREACHABLE:
        words = f"{words} for {lasted(view.since, None, now)}"
    elif view.missing:
        words = f"{words}, rights missing"
    return Text(words, style=_COLOURS[view.state])


def _pairs(labels: list[str] | tuple[str, ...]) -> dict[str, str]:
    found = {}
    for each in labels:
        key, equals, value = each.partition("=")
        if not equals or not key.strip():
            raise UserError(
                FieldFault("--label", f"'{each}' is no label.", "Write it like zone=secure.")
            )
        found[key.strip()] = value
    return found
