"""`podium quota`: what teams and projects may count on, and how they stand against it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from podium.cli import options, terminal
from podium.cli.ceilings import ceiling_amount
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.domain.quantity import format_bytes, format_milli, parse_milli
from podium.domain.quota import COUNTED_WORDS, Counted, QuotaLevel

if TYPE_CHECKING:
    from rich.text import Text

    from podium.spec.views.explain import WhatIfView
    from podium.spec.views.quota import QuotaAmounts, QuotaGpuView, QuotasView, QuotaView

app = typer.Typer(
    no_args_is_help=True, help="What teams and projects may count on, and what they hold of it."
)

ALL = "all"
LEGEND = "█ held inside the guarantee  ▒ borrowed  ░ guaranteed and free to take back"
_ORGANISATION = "organisation"
_BAR_CELLS = 20
_INDENT = {QuotaLevel.ORGANISATION: "", QuotaLevel.TEAM: "  ", QuotaLevel.PROJECT: "    "}

Level = Annotated[
    QuotaLevel, typer.Argument(metavar="LEVEL", help="organisation, team or project.")
]
Name = Annotated[
    str,
    typer.Argument(
        metavar="[NAME]",
        help="The team's or project's name; nothing for the organisation.",
        show_default=False,
    ),
]


@app.command("show")
def show_quotas(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="Only this team, or only this project.", show_default=False
        ),
    ] = None,
    gpu_type: Annotated[
        str | None,
        typer.Option("--type", metavar="TYPE", help="Only this GPU type.", show_default=False),
    ] = None,
    json_output: options.Json = False,
) -> None:
    """Show the tree of organisation, teams and projects.

    Guaranteed GPUs are always got back from those who borrow them. Beyond its guarantee, whoever
    has had the least of its due is served first; GPUs held beyond it are borrowed. DUE is what
    would be its part if all were divided anew among those who use or want something, and SHARE
    is by what the order of service goes, the least first. You see your projects and their teams.

    Examples:
      podium quota show
      podium quota show research --type H100
    """
    with connect() as client:
        view = client.quotas.tree()
    if json_output:
        terminal.document(view)
        return
    items = [each for each in view.items if name in (None, each.name, each.team)]
    if not items:
        terminal.say(f"There is no team or project {name} that you can see.")
        raise typer.Exit(1)
    _tree(view, items, gpu_type)


@app.command("set")
def set_quota(
    level: Level,
    name: Name = _ORGANISATION,
    guarantee: Annotated[
        list[str] | None,
        typer.Option(
            "--guarantee",
            metavar="TYPE=GPUS",
            help="GPUs that it can always get back; `all=` counts all types together, `=0` "
            "takes the guarantee away. May be repeated.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            "--limit",
            metavar="TYPE=GPUS",
            help="GPUs that it may hold at most; `=none` takes the limit away. May be repeated.",
            show_default=False,
        ),
    ] = None,
    weight: Annotated[
        int | None,
        typer.Option(
            "--weight",
            metavar="NUMBER",
            help="Its part of what nobody is guaranteed, beside its neighbours'. 1 if never set; "
            "0: only what they leave.",
            show_default=False,
        ),
    ] = None,
    per_user: Annotated[
        list[str] | None,
        typer.Option(
            "--per-user",
            metavar="TYPE=GPUS",
            help="GPUs that one person may hold of it at most; `=none` takes the cap away. May be "
            "repeated.",
            show_default=False,
        ),
    ] = None,
    cpus: Annotated[
        str | None,
        typer.Option(
            "--cpus",
            metavar="NUMBER",
            help="CPUs that it may hold at most; `none` takes the limit away.",
            show_default=False,
        ),
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(
            "--memory",
            metavar="SIZE",
            help="Memory that it may hold, such as 512GiB.",
            show_default=False,
        ),
    ] = None,
    mig_slices: Annotated[
        str | None,
        typer.Option(
            "--mig-slices",
            metavar="NUMBER",
            help="Compute slices of MIG instances: a 3g.40gb is three.",
            show_default=False,
        ),
    ] = None,
    workspaces: Annotated[
        str | None,
        typer.Option(
            "--workspaces",
            metavar="NUMBER",
            help="Workspaces at once.",
            show_default=False,
        ),
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            "--storage",
            metavar="SIZE",
            help="What it may keep here, such as 100GiB.",
            show_default=False,
        ),
    ] = None,
    preview: Annotated[
        bool,
        typer.Option("--preview", help="Only show who would be affected; nothing is set."),
    ] = False,
    json_output: options.Json = False,
) -> None:
    """Set what a team or project may count on. For administrators.

    What is not named stays as it is. A team's guarantee serves all of its projects; one that
    must have its own part gets a guarantee itself, inside the team's.

    Examples:
      podium quota set team research --guarantee H100=8 --limit H100=16 --weight 2
      podium quota set team research --limit H100=4 --preview
      podium quota set project vision --guarantee all=4
      podium quota set project vision --per-user H100=2 --cpus 64 --memory 512GiB
      podium quota set organisation --workspaces 20 --storage 1TiB
      podium quota set project batch --weight 0 --limit H100=none
      podium quota set organisation --limit L4=30
    """
    from podium.spec.views.quota import QuotaAmounts

    guarantees = dict(_amounts("--guarantee", guarantee or ()))
    limits = dict(_amounts("--limit", limit or ()))
    caps = dict(_amounts("--per-user", per_user or ()))
    given = {"cpus": cpus, "memory": memory, "mig-slices": mig_slices}
    given |= {"workspaces": workspaces, "storage": storage}
    counted = dict(
        ceiling_amount(option, text) for option, text in given.items() if text is not None
    )
    if weight is None and not (guarantees or limits or caps or counted):
        raise typer.BadParameter("Name what to set: --guarantee, --limit, --weight, …")
    with connect() as client:
        before = next(
            (
                each
                for each in client.quotas.tree().items
                if each.level is level and each.name == name
            ),
            None,
        )
        gpus = {} if before is None else dict(_set_before(before))
        spelled = {key.casefold(): key for key in gpus}
        for gpu_type in dict.fromkeys((*guarantees, *limits, *caps)):
            key = spelled.get(gpu_type.casefold(), gpu_type)
            old = gpus.get(key, QuotaAmounts())
            gpus[key] = QuotaAmounts(
                guarantee_milli=guarantees.get(gpu_type, old.guarantee_milli) or 0,
                limit_milli=limits.get(gpu_type, old.limit_milli),
                per_user_milli=caps.get(gpu_type, old.per_user_milli),
            )
        ceilings = {each.counted: each.limit for each in before.counted} if before else {}
        ceilings |= counted
        kept = {what: most for what, most in ceilings.items() if most is not None}
        if weight is None:
            weight = 1 if before is None else before.weight
        if preview:
            tried = client.quotas.preview(level, name, weight=weight, gpus=gpus, ceilings=kept)
            _previewed(tried, json_output=json_output)
            return
        view = client.quotas.set(level, name, weight=weight, gpus=gpus, ceilings=kept)
    if json_output:
        terminal.document(view)
    else:
        terminal.write(_sentence(view))


@app.command("remove")
def remove_quota(level: Level, name: Name = _ORGANISATION) -> None:
    """Guarantee and limit nothing any more; the weight is 1 again. For administrators.

    What it holds goes on, but is all borrowed then.

    Examples:
      podium quota remove project vision
    """
    with connect() as client:
        client.quotas.remove(level, name)
    terminal.write(f"{_called(level, name)} has no quota any more.")


@app.command("history")
def quota_history(
    level: Annotated[
        QuotaLevel | None,
        typer.Argument(
            metavar="[LEVEL]", help="organisation, team or project.", show_default=False
        ),
    ] = None,
    name: Name = _ORGANISATION,
    most: Annotated[int, typer.Option("--most", min=1, help="So many of the newest.")] = 50,
    json_output: options.Json = False,
) -> None:
    """Show who changed which quota, when, and from what to what; newest first.

    Examples:
      podium quota history
      podium quota history team research
    """
    with connect() as client:
        views = list(islice(client.quotas.history(level, name if level else ""), most))
    if json_output:
        terminal.listing(views)
        return
    rows = [
        (
            f"{each.at:%Y-%m-%d %H:%M:%S}",
            each.username,
            _called(each.level, each.name),
            _changed(each.before),
            _changed(each.after),
        )
        for each in views
    ]
    columns = (Column("WHEN (UTC)"), Column("WHO"), Column("WHOSE", style="bold"))
    terminal.show_table((*columns, Column("BEFORE"), Column("AFTER")), rows)


def _changed(amounts: Mapping[str, Any] | None) -> str:
    """`8 H100, at most 16 H100, weight 2`."""
    if amounts is None:
        return "nothing set"
    words = {"guarantees": "{1} {0}", "limits": "at most {1} {0}", "per_user": "{1} {0} a person"}
    parts = [
        form.format("GPUs" if key == ALL else key, format_milli(amount))
        for kind, form in words.items()
        for key, amount in amounts.get(kind, {}).items()
    ]
    parts += [_ceiling_words(Counted(k), v) for k, v in amounts.get("ceilings", {}).items()]
    return ", ".join([*parts, f"weight {amounts.get('weight', 1)}"])


def _previewed(view: WhatIfView, *, json_output: bool) -> None:
    from datetime import UTC, datetime

    from podium.cli.what_if import show_difference

    if json_output:
        terminal.document(view)
        return
    show_difference(view, datetime.now(UTC))
    terminal.faint("Nothing was set. Without --preview it is.")


def _ceiling_words(what: Counted, amount: int) -> str:
    return f"at most {_amount(what, amount)} {COUNTED_WORDS[what]}"


def _amount(what: Counted, amount: int) -> str:
    if what in (Counted.MEMORY, Counted.STORAGE):
        return format_bytes(amount)
    return format_milli(amount) if what is Counted.CPU else str(amount)


def _amounts(option: str, given: Iterable[str]) -> Iterator[tuple[str, int | None]]:
    for each in given:
        gpu_type, equals, amount = each.partition("=")
        if not equals or not gpu_type:
            raise typer.BadParameter(f"Write {option} TYPE=GPUS, such as H100=8; not '{each}'.")
        if amount == "none":
            yield gpu_type, None
            continue
        try:
            yield gpu_type, parse_milli(amount)
        except ValueError as error:
            raise typer.BadParameter(
                f"'{amount}' in {option} {each} is not a number of GPUs, such as 8 or 0.5."
            ) from error


def _set_before(view: QuotaView) -> Iterator[tuple[str, QuotaAmounts]]:
    from podium.spec.views.quota import QuotaAmounts

    for each in view.gpus:
        # Guarantees by type are shown in the sum over all types too, where nobody set them.
        own = each.set_guarantee_milli
        if own or each.limit_milli is not None or each.per_user_milli is not None:
            yield (
                each.gpu_type,
                QuotaAmounts(
                    guarantee_milli=own,
                    limit_milli=each.limit_milli,
                    per_user_milli=each.per_user_milli,
                ),
            )


def _called(level: QuotaLevel, name: str) -> str:
    return "The organisation" if level is QuotaLevel.ORGANISATION else f"{level.title()} {name}"


def _sentence(view: QuotaView) -> str:
    parts = []
    for each in view.gpus:
        noun = "GPUs in all" if each.gpu_type == ALL else each.gpu_type
        if each.set_guarantee_milli:
            parts.append(f"is guaranteed {format_milli(each.set_guarantee_milli)} {noun}")
        if each.limit_milli is not None:
            parts.append(f"may hold {format_milli(each.limit_milli)} {noun} at most")
        if each.per_user_milli is not None:
            parts.append(f"may give one person {format_milli(each.per_user_milli)} {noun}")
    parts += [
        f"may hold {_ceiling_words(each.counted, each.limit)}"
        for each in view.counted
        if each.limit is not None
    ]
    parts.append(f"has weight {view.weight}")
    return f"{_called(view.level, view.name)} {', '.join(parts)}."


def _tree(view: QuotasView, items: Sequence[QuotaView], gpu_type: str | None) -> None:
    capacity = {each.gpu_type: each.gpu_milli for each in view.capacity}
    capacity[ALL] = sum(capacity.values())
    rows: list[tuple[str | Text, ...]] = []
    for item in items:
        shown = rows_shown(item, gpu_type)
        for number, each in enumerate(shown):
            first = number == 0
            rows.append(
                (
                    f"{_INDENT[item.level]}{item.name}" if first else "",
                    each.gpu_type,
                    bar(each, capacity.get(each.gpu_type, 0)),
                    format_milli(each.used_milli),
                    format_milli(each.guarantee_milli) if each.guarantee_milli else "–",
                    format_milli(each.borrowed_milli) if each.borrowed_milli else "–",
                    "–" if each.limit_milli is None else format_milli(each.limit_milli),
                    format_milli(each.waiting_milli) if each.waiting_milli else "–",
                    format_milli(each.fair_milli),
                    str(item.weight) if first else "",
                    f"{item.share * 100:.1f} %" if first else "",
                )
            )
    if not rows:
        terminal.say(f"No GPU of type {gpu_type} is in the cluster or in a quota.")
        raise typer.Exit(1)
    terminal.show_table(
        (
            Column("NAME", style="bold"),
            Column("GPUS"),
            Column("", drop=5),
            Column("HELD", right=True),
            Column("GUARANTEED", right=True),
            Column("BORROWED", right=True, drop=3),
            Column("LIMIT", right=True),
            Column("WAITING", right=True, drop=1),
            Column("DUE", right=True, drop=2),
            Column("WEIGHT", right=True, drop=4),
            Column("SHARE", right=True, drop=4),
        ),
        rows,
    )
    terminal.say(LEGEND)
    _show_counted(items)


def _show_counted(items: Iterable[QuotaView]) -> None:
    """What is limited beside GPUs, and each person's GPUs, where anything is."""
    rows = [
        (
            item.name,
            COUNTED_WORDS[each.counted],
            _amount(each.counted, each.used),
            _amount(each.counted, each.limit),
        )
        for item in items
        for each in item.counted
        if each.limit is not None
    ]
    rows += [
        (item.name, f"{each.gpu_type} GPUs for each person", "", format_milli(each.per_user_milli))
        for item in items
        for each in item.gpus
        if each.per_user_milli is not None
    ]
    if rows:
        columns = (Column("NAME", style="bold"), Column("LIMITED"), Column("HELD", right=True))
        terminal.show_table((*columns, Column("LIMIT", right=True)), rows)


def rows_shown(item: QuotaView, gpu_type: str | None) -> list[QuotaGpuView]:
    """All types together only where that says more than the types do."""
    if gpu_type is not None:
        return [each for each in item.gpus if each.gpu_type.casefold() == gpu_type.casefold()]
    whole, *types = item.gpus
    more = whole.limit_milli is not None or whole.set_guarantee_milli
    return item.gpus if more or len(types) != 1 else types


def bar(each: QuotaGpuView, capacity_milli: int) -> str:
    """What is held and guaranteed, as a part of all GPUs of the type."""
    if capacity_milli <= 0:
        return ""
    held = _cells(each.used_milli, capacity_milli)
    inside = _cells(each.used_milli - each.borrowed_milli, capacity_milli)
    guaranteed = _cells(each.guarantee_milli, capacity_milli)
    text = "█" * inside + "▒" * (held - inside) + "░" * max(0, guaranteed - held)
    return f"{text:·<{_BAR_CELLS}}"


def _cells(milli: int, capacity_milli: int) -> int:
    """Rounded up, so that a little of something is seen."""
    return min(_BAR_CELLS, -(-milli * _BAR_CELLS // capacity_milli))
