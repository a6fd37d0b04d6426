"""`podium pool`: named sets of nodes, and whose work may stand there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import completion, options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.wording import count, plural
from podium.domain.data import Classification
from podium.domain.errors import FieldFault, NotFoundError, UserError
from podium.domain.quantity import format_milli

if TYPE_CHECKING:
    from podium.spec.views.node import NodeView
    from podium.spec.views.pool import PoolGpusView, PoolView

app = typer.Typer(no_args_is_help=True, help="Named sets of nodes, and whose work may stand there.")

NODES_SHOWN = 50

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="The pool.", autocompletion=completion.pools)
]


@app.command("list")
def list_pools(json_output: options.Json = False) -> None:
    """List the pools that are open to a project of yours.

    Examples:
      podium pool list
    """
    with connect() as client:
        views = list(client.pools.list())
    if json_output:
        terminal.listing(views)
        return
    if not views:
        terminal.say("There is no pool. An administrator makes one: podium pool set")
        return
    columns = (
        Column("NAME", style="bold"),
        Column("NODES", right=True),
        Column("GPUS"),
        Column("IN USE", right=True),
        Column("OPEN TO", cut=True),
        Column("LABELS", drop=1, cut=True),
        Column("NOTE", drop=2, cut=True),
    )
    terminal.show_table(
        columns,
        [
            (
                view.name,
                count(view.nodes),
                _gpus(view.gpus),
                _in_use(view.gpus),
                open_to(view),
                _labels(view),
                view.note,
            )
            for view in views
        ],
    )


@app.command("show")
def show_pool(name: Name, json_output: options.Json = False) -> None:
    """Show one pool with its nodes.

    Examples:
      podium pool show a100
    """
    with connect() as client:
        view = client.pools.get(name)
        if json_output:
            terminal.document(view)
            return
        nodes = [node for node in client.nodes.list() if node.pool == name]
    _show(view, nodes)


@app.command("set")
def set_pool(
    name: Name,
    label: Annotated[
        list[str] | None,
        typer.Option(
            "--label",
            metavar="KEY=VALUE",
            help="A label that its nodes carry. May be repeated; they carry all of them.",
            show_default=False,
        ),
    ] = None,
    project: Annotated[
        list[str] | None,
        typer.Option(
            "--project",
            "-p",
            metavar="NAME",
            help="A project that may use it. May be repeated.",
            autocompletion=completion.projects,
            show_default=False,
        ),
    ] = None,
    team: Annotated[
        list[str] | None,
        typer.Option(
            "--team",
            metavar="NAME",
            help="A team whose projects may use it. May be repeated.",
            show_default=False,
        ),
    ] = None,
    everyone: Annotated[bool, typer.Option("--everyone", help="Everyone may use it.")] = False,
    note: Annotated[
        str | None,
        typer.Option("--note", metavar="TEXT", help="What it is for.", show_default=False),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(
            "--region",
            metavar="NAME",
            help='Where its nodes stand; "" for nowhere in particular.',
            show_default=False,
        ),
    ] = None,
    approve: Annotated[
        list[str] | None,
        typer.Option(
            "--approve",
            metavar="CLASS",
            help="A class of data, restricted or phi, that may be there. May be repeated.",
            show_default=False,
        ),
    ] = None,
    approve_none: Annotated[
        bool, typer.Option("--approve-none", help="Neither restricted nor PHI data may be there.")
    ] = False,
    json_output: options.Json = False,
) -> None:
    """Make a pool, or change what it is. For administrators.

    What is not named stays as it is; labels that are named replace those from before, and so do
    projects and teams. A node belongs to the first pool, by name, all of whose labels it carries.
    What runs there goes on; only work of those who may use the pool is placed there from now on.

    Examples:
      podium pool set a100 --label gpu=a100
      podium pool set secure --label zone=secure --team research --note "patient data"
      podium pool set secure --everyone
      podium pool set secure --region eu-central --approve restricted --approve phi
    """
    if everyone and (project or team):
        raise UserError(
            FieldFault("--everyone", "cannot go together with --project or --team.", "Name one.")
        )
    classes = _classes(approve or ())
    if approve_none and classes:
        raise UserError(
            FieldFault("--approve-none", "cannot go together with --approve.", "Write one.")
        )
    with connect() as client:
        try:
            before = client.pools.get(name)
        except NotFoundError:
            before = None
        labels = dict(_pairs(label or ()))
        if before is None and not labels:
            raise UserError(
                FieldFault("--label", "is missing.", "Name a label that its nodes carry.")
            )
        chosen = project is not None or team is not None or everyone
        projects, teams = project or [], team or []
        if before is not None and not chosen:
            projects, teams = before.projects, before.teams
        if note is None:
            note = "" if before is None else before.note
        if before is not None and not labels:
            labels = before.labels
        if before is not None:
            region = before.region if region is None else region
            classes = before.approved_for if approve is None and not approve_none else classes
        view = client.pools.set(
            name,
            labels,
            projects=projects,
            teams=teams,
            note=note,
            region=region or "",
            approved_for=classes,
        )
    if json_output:
        terminal.document(view)
        return
    terminal.write(
        f"Pool {view.name} has {plural(view.nodes, 'node')} and is open to {open_to(view)}."
    )


@app.command("delete")
def delete_pool(name: Name) -> None:
    """Take a pool away. Its nodes are open to everyone, unless another pool has them.

    For administrators.

    Examples:
      podium pool delete a100
    """
    with connect() as client:
        client.pools.delete(name)
    terminal.write(f"Pool {name} is deleted.")


def open_to(view: PoolView) -> str:
    """`everyone`; `team research, project vision and 2 others`."""
    if not view.restricted:
        return "everyone"
    names = [f"team {each}" for each in view.teams] + [f"project {each}" for each in view.projects]
    if view.others:
        names.append(plural(view.others, "other") if names else "others")
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _show(view: PoolView, nodes: Sequence[NodeView]) -> None:
    terminal.heading(view.name)
    terminal.show_facts(
        [
            ("Open to", open_to(view)),
            ("Labels", _labels(view)),
            ("Nodes", f"{count(view.nodes)}, {count(view.nodes_ready)} ready"),
            ("GPUs", _gpus(view.gpus)),
            ("In use", _in_use(view.gpus)),
            ("Region", view.region),
            ("Approved for", ", ".join(view.approved_for)),
            ("Note", view.note),
        ]
    )
    if not nodes:
        return
    terminal.write("")
    terminal.show_table(
        (Column("NODE", style="bold"), Column("STATE"), Column("GPUS", right=True)),
        [
            (node.name, terminal.state_text(node.state), str(len(node.devices)))
            for node in nodes[:NODES_SHOWN]
        ],
    )
    if len(nodes) > NODES_SHOWN:
        terminal.say(f"… {count(len(nodes) - NODES_SHOWN)} more; see: podium nodes --pool")


def _labels(view: PoolView) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(view.labels.items()))


def _classes(words: Sequence[str]) -> list[Classification]:
    known = [each.value for each in Classification if each.bound]
    for each in words:
        if each not in known:
            raise UserError(
                FieldFault("--approve", f"is '{each}'.", f"Write {' or '.join(known)}.")
            )
    return [Classification(each) for each in dict.fromkeys(words)]


def _gpus(gpus: Sequence[PoolGpusView]) -> str:
    return ", ".join(f"{count(each.count)} × {each.type}" for each in gpus) or "none"


def _in_use(gpus: Sequence[PoolGpusView]) -> str:
    used = format_milli(sum(each.gpu_milli_used for each in gpus))
    return f"{used} of {format_milli(sum(each.gpu_milli for each in gpus))}" if gpus else "–"


def _pairs(labels: Sequence[str]) -> list[tuple[str, str]]:
    found = []
    for each in labels:
        key, equals, value = each.partition("=")
        if not equals or not key.strip():
            raise UserError(
                FieldFault("--label", f"'{each}' is no label.", "Write it like zone=secure.")
            )
        found.append((key.strip(), value))
    return found
