"""`podium what-if`: what a change of the cluster or of the queue would do, without doing it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from podium.cli import completion, options, specs, terminal
from podium.cli.ceilings import CEILINGS, ceiling_amount
from podium.cli.connection import connect
from podium.cli.dry_run import without_path
from podium.cli.terminal import Column
from podium.cli.wording import moment, plain, plural
from podium.domain.errors import FieldFault, UserError
from podium.domain.quantity import parse_milli

if TYPE_CHECKING:
    from podium.client.client import Client
    from podium.spec.views.explain import MovedView, WhatIfView

_SHARE = re.compile(r"(organisation|(?:team|project)/[^:/]+):([^=:]+)=(.+)")
_ADDED = re.compile(r"(\d{1,4}):([^:]+)(?::(\d{1,2})x([^:]+))?")
_CUT = re.compile(r"([^/=]+)/(\d{1,2})=(.+)")
_BOOKED = re.compile(r"([^=]+)=([^@]+)(?:@(.+))?")


def what_if(
    quota: Annotated[
        list[str] | None,
        typer.Option(
            "--quota",
            metavar="SHARE:TYPE=GPUS",
            help="A guarantee: project/vision:H100=8, team/research:all=16.",
        ),
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            "--limit",
            metavar="SHARE:TYPE=GPUS",
            help="A limit: project/vision:H100=4; none takes it away.",
        ),
    ] = None,
    per_user: Annotated[
        list[str] | None,
        typer.Option(
            "--per-user",
            metavar="SHARE:TYPE=GPUS",
            help="A cap for each person: project/vision:H100=2; none takes it away.",
        ),
    ] = None,
    ceiling: Annotated[
        list[str] | None,
        typer.Option(
            "--ceiling",
            metavar="SHARE:WHAT=AMOUNT",
            help="A limit of cpus, memory, mig-slices or workspaces: project/vision:memory=512GiB; "
            "none takes it away.",
        ),
    ] = None,
    add: Annotated[
        list[str] | None,
        typer.Option(
            "--add",
            metavar="COUNT:NODE[:GPUSxTYPE]",
            help="Nodes like one that there is: 2:node-1, or 2:node-1:8xB200.",
        ),
    ] = None,
    drain: Annotated[
        list[str] | None,
        typer.Option(
            "--drain",
            metavar="NODE",
            help="Nothing new starts there, and what runs there stops and waits again.",
            autocompletion=completion.nodes,
        ),
    ] = None,
    lose: Annotated[
        list[str] | None,
        typer.Option(
            "--lose", metavar="NODE", help="The node fails.", autocompletion=completion.nodes
        ),
    ] = None,
    cordon: Annotated[
        list[str] | None,
        typer.Option(
            "--cordon",
            metavar="NODE",
            help="Nothing new starts there; what runs goes on.",
            autocompletion=completion.nodes,
        ),
    ] = None,
    book: Annotated[
        list[str] | None,
        typer.Option(
            "--book",
            metavar="NODES=LENGTH[@PROJECT]",
            help="Nodes kept from now on: node-1,node-2=8h@vision; without a project for "
            "maintenance.",
        ),
    ] = None,
    layout: Annotated[
        list[str] | None,
        typer.Option(
            "--layout",
            metavar="NODE/GPU=LAYOUT",
            help="A GPU is cut for good: gpu-1/0=3g.40gb@4,4x1g.10gb, or none.",
        ),
    ] = None,
    move: Annotated[
        bool,
        typer.Option(
            "--move", help="Have saved work in the way of a layout start again elsewhere."
        ),
    ] = False,
    cancel: Annotated[
        list[str] | None,
        typer.Option(
            "--cancel",
            metavar="REF",
            help="A workload ends, waiting or running.",
            autocompletion=completion.workloads,
        ),
    ] = None,
    priority: Annotated[
        list[str] | None,
        typer.Option("--priority", metavar="REF=0-100", help="A workload gets another priority."),
    ] = None,
    submit: Annotated[
        list[str] | None,
        typer.Option("--submit", metavar="FILE", help="What a spec file describes is submitted."),
    ] = None,
    project: options.Project = None,
    json_output: options.Json = False,
) -> None:
    """Say who would start earlier or later, and who would be stopped. Nothing is done.

    It is tried on what the scheduler saw last, in the order in which the options stand here. May
    be asked by everyone about their own work; the rest is for administrators.

    Examples:
      podium what-if --drain node-3
      podium what-if --quota project/vision:H100=8 --submit train.yaml
      podium what-if --per-user team/research:H100=4 --ceiling project/vision:cpus=64
      podium what-if --add 2:node-1 --cancel w-01k2x5e8g7h3m9qz
      podium what-if --layout gpu-1/0=3g.40gb@4,4x1g.10gb --move
    """
    changes = [
        *(_quota("--quota", each, "guarantees") for each in quota or ()),
        *(_quota("--limit", each, "limits") for each in limit or ()),
        *(_quota("--per-user", each, "per_user") for each in per_user or ()),
        *map(_ceiling, ceiling or ()),
        *map(_added, add or ()),
        *({"change": "drain", "node": each} for each in drain or ()),
        *({"change": "lose", "node": each} for each in lose or ()),
        *({"change": "cordon", "node": each} for each in cordon or ()),
        *map(_booked, book or ()),
        *(_cut(each, move=move) for each in layout or ()),
    ]
    if move and not layout:
        raise typer.BadParameter("--move goes with --layout.")
    if not (changes or cancel or priority or submit):
        raise typer.BadParameter("Name a change to try, such as --drain NODE.")
    with connect(project) as client:
        changes += _steered(client, cancel or (), priority or ())
        changes += _submitted(client, submit or (), project)
        with terminal.busy("Playing it through"):
            view = client.what_if(changes)
    if json_output:
        terminal.document(view)
        return
    show_difference(view, datetime.now(UTC))


def _quota(option: str, text: str, kind: str) -> dict[str, Any]:
    match = _SHARE.fullmatch(text)
    if match is None:
        raise _fault(option, text, "project/vision:H100=8")
    share, gpu_type, amount = match.groups()
    level, _, name = share.partition("/")
    if amount == "none" and kind != "guarantees":
        milli = None
    else:
        try:
            milli = parse_milli(amount)
        except ValueError as error:
            raise UserError(FieldFault(option, f"{error}.")) from None
    return {"change": "quota", "level": level, "name": name, kind: {gpu_type: milli}}


def _ceiling(text: str) -> dict[str, Any]:
    match = _SHARE.fullmatch(text)
    if match is None or match[2] not in CEILINGS:
        raise _fault("--ceiling", text, "project/vision:cpus=64 or project/vision:memory=512GiB")
    share, option, given = match.groups()
    level, _, name = share.partition("/")
    what, amount = ceiling_amount(option, given, f"--ceiling {text}")
    return {"change": "quota", "level": level, "name": name, "ceilings": {what.value: amount}}


def _added(text: str) -> dict[str, Any]:
    match = _ADDED.fullmatch(text)
    if match is None:
        raise _fault("--add", text, "2:node-1 or 2:node-1:8xB200")
    number, like, gpus, gpu_type = match.groups()
    change: dict[str, Any] = {"change": "add_nodes", "like": like, "count": int(number)}
    return change if gpus is None else {**change, "gpus": int(gpus), "gpu_type": gpu_type}


def _booked(text: str) -> dict[str, Any]:
    match = _BOOKED.fullmatch(text)
    if match is None:
        raise _fault("--book", text, "node-1,node-2=8h or node-1=8h@vision")
    names, until_at, project = match.groups()
    return {
        "change": "book",
        "nodes": [each.strip() for each in names.split(",")],
        "until_at": until_at,
        "project": project,
    }


def _cut(text: str, *, move: bool) -> dict[str, Any]:
    match = _CUT.fullmatch(text)
    if match is None:
        raise _fault("--layout", text, "gpu-1/0=3g.40gb@4,4x1g.10gb")
    node, gpu, layout = match.groups()
    return {"change": "layout", "node": node, "gpu": int(gpu), "layout": layout, "move": move}


def _steered(
    client: Client, cancel: Sequence[str], priority: Sequence[str]
) -> Iterator[dict[str, Any]]:
    for ref in cancel:
        yield {"change": "cancel", "workload": client.workloads.id_of(ref)}
    for text in priority:
        ref, equals, number = text.rpartition("=")
        if not equals or not number.isdecimal():
            raise _fault("--priority", text, "digits=80")
        workload_id = client.workloads.id_of(ref)
        yield {"change": "priority", "workload": workload_id, "priority": int(number)}


def _submitted(
    client: Client, files: Sequence[str], project: str | None
) -> Iterator[dict[str, Any]]:
    for draft in specs.read_drafts(files):
        spec = without_path(draft.spec)
        if project is not None or spec.get("project") is None:
            spec = {**spec, "project": client.projects.resolve(project)}
        yield {"change": "submit", "workload": spec}


def _fault(option: str, text: str, right: str) -> UserError:
    return UserError(FieldFault(option, f"'{text}' cannot be read.", f"Write it like {right}."))


def show_difference(view: WhatIfView, now: datetime) -> None:
    from rich.text import Text

    terminal.paragraph(Text(plain(view.sentence), style="bold"))
    hidden = view.hidden
    for title, stopped, unseen in (
        ("Would stop", view.stopped, hidden.stopped),
        ("Would not have to give way", view.spared, hidden.spared),
    ):
        if stopped or unseen:
            columns = (
                Column("WORK", cut=True, style="bold"),
                Column("PROJECT"),
                Column("WHY", cut=True),
            )
            rows = [(each.workload.name, each.workload.project, each.why) for each in stopped]
            _show(title, columns, rows, unseen)
    at = view.looked_at
    for title, moved, unseen in (
        ("Earlier", view.earlier, hidden.earlier),
        ("Later", view.later, hidden.later),
        ("Could not start any more", view.never, hidden.never),
        ("Could start then", view.possible, hidden.possible),
        ("New in the queue", view.fresh, 0),
    ):
        if moved or unseen:
            _show(title, _MOVED, [_moved(each, at, now) for each in moved], unseen)
    if view.looked_at_starts == 0 and view.waiting:
        terminal.faint("Nobody can say when others start, so only what starts now was compared.")


_STOPPED = (
    Column("WORK", cut=True, style="bold"),
    Column("PROJECT", drop=1),
    Column("WHY", cut=True),
)
_MOVED = (
    Column("WORK", cut=True, style="bold"),
    Column("PROJECT", drop=2),
    Column("STARTS"),
    Column("INSTEAD OF"),
    Column("WHY", cut=True, drop=1),
)


def _moved(each: MovedView, at: datetime, now: datetime) -> tuple[str, ...]:
    name = each.workload
    return (
        name.name,
        name.project,
        _start(each.after, at, now),
        _start(each.before, at, now),
        each.why,
    )


def _start(start: datetime | None, at: datetime, now: datetime) -> str:
    if start is None:
        return "–"
    return "now" if start <= at else f"about {moment(start, now)}"


def _show(
    title: str, columns: Sequence[Column], rows: Sequence[tuple[str, ...]], unseen: int
) -> None:
    terminal.write("")
    terminal.heading(title)
    if rows:
        terminal.show_table(columns, rows)
    if unseen:
        terminal.faint(f"{plural(unseen, 'workload')} of other projects.")
