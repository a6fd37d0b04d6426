"""`podium policy`: what holds for each kind of work, and how the cluster is shared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from podium.cli import completion, options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.domain.errors import FieldFault, UserError

if TYPE_CHECKING:
    from podium.spec.views.policy import PoliciesView, PolicyView

app = typer.Typer(
    no_args_is_help=True, help="What holds for each kind of work, and how the cluster is shared."
)

_SCHEDULING = "scheduling"

Part = Annotated[
    str, typer.Argument(metavar="PART", help="A kind of work, such as training, or scheduling.")
]
Pool = Annotated[
    str | None,
    typer.Option(
        "--pool",
        metavar="NAME",
        help="For work that names this pool and no other.",
        autocompletion=completion.pools,
        show_default=False,
    ),
]
Team = Annotated[
    str | None,
    typer.Option("--team", metavar="NAME", help="For this team.", show_default=False),
]
InProject = Annotated[
    str | None,
    typer.Option(
        "--project",
        "-p",
        metavar="NAME",
        help="For this project.",
        autocompletion=completion.projects,
        show_default=False,
    ),
]


def _text(flag: str, words: str) -> Any:
    return typer.Option(flag, metavar="VALUE", help=words, show_default=False)


@app.command("show")
def show_policies(
    part: Annotated[
        str | None, typer.Argument(metavar="[PART]", help="Only this part.", show_default=False)
    ] = None,
    pool: Pool = None,
    team: Team = None,
    project: InProject = None,
    json_output: options.Json = False,
) -> None:
    """Show what holds, for the cluster or for one pool, team or project.

    A value that was changed shows for whom: the cluster, the pool, the team or the project.

    Examples:
      podium policy show
      podium policy show training --project vision
    """
    level, name = _whose(pool, team, project)
    with connect() as client:
        view = client.policies.show(level, name)
    _show(view, part, json_output=json_output)


@app.command("set")
def set_policy(
    part: Part,
    pool: Pool = None,
    team: Team = None,
    project: InProject = None,
    priority: Annotated[str | None, _text("--priority", "Of work that names none.")] = None,
    priority_max: Annotated[str | None, _text("--priority-max", "The highest allowed.")] = None,
    cpus: Annotated[str | None, _text("--cpus", "For each replica that names none.")] = None,
    memory: Annotated[str | None, _text("--memory", "For each replica that names none.")] = None,
    grace: Annotated[str | None, _text("--grace", "Time to end after it was asked to.")] = None,
    preemptible: Annotated[
        bool | None,
        typer.Option(
            "--preemptible/--not-preemptible",
            help="Whether it may be stopped for others.",
            show_default=False,
        ),
    ] = None,
    preempts: Annotated[
        bool | None,
        typer.Option(
            "--preempts/--does-not-preempt",
            help="Whether others may be stopped for it.",
            show_default=False,
        ),
    ] = None,
    spread: Annotated[
        bool | None,
        typer.Option(
            "--spread/--no-spread", help="Whether replicas keep apart.", show_default=False
        ),
    ] = None,
    minimum_runtime: Annotated[
        str | None, _text("--minimum-runtime", "How long it runs before it may be stopped.")
    ] = None,
    order: Annotated[str | None, _text("--order", "scheduling: fair, fifo or attained.")] = None,
    preempt: Annotated[
        str | None, _text("--preempt", "scheduling: never, guarantee or priority.")
    ] = None,
    half_life: Annotated[
        str | None, _text("--half-life", "scheduling: how fast past use is forgotten.")
    ] = None,
    patience: Annotated[
        str | None, _text("--patience", "scheduling: how long large work waits for nodes to empty.")
    ] = None,
    reservations_max: Annotated[
        int | None,
        typer.Option(
            "--reservations-max",
            metavar="NUMBER",
            help="scheduling: for how many at once nodes are kept free.",
            show_default=False,
        ),
    ] = None,
    moves_max: Annotated[
        int | None,
        typer.Option(
            "--moves-max",
            metavar="NUMBER",
            help="scheduling: how much saved work may start again elsewhere at once, so that "
            "larger work fits; 0 for never.",
            show_default=False,
        ),
    ] = None,
    lost_node_after: Annotated[
        str | None,
        _text(
            "--lost-node-after",
            "scheduling: when work on a lost node is given up; a duration, or never.",
        ),
    ] = None,
    json_output: options.Json = False,
) -> None:
    """Set what holds where a spec says nothing, or how the cluster is shared. For administrators.

    What was submitted before keeps what its spec was understood as.

    Examples:
      podium policy set scheduling --order attained --half-life 3d
      podium policy set training --project vision --minimum-runtime 30m --priority-max 60
      podium policy set training --pool a100 --not-preemptible
    """
    given = {
        "priority": priority,
        "priority_max": priority_max,
        "cpus": cpus,
        "memory": memory,
        "grace": grace,
        "preemptible": preemptible,
        "preempts": preempts,
        "spread": spread,
        "minimum_runtime": minimum_runtime,
        "order": order,
        "preempt": preempt,
        "half_life": half_life,
        "patience": patience,
        "reservations_max": reservations_max,
        "moves_max": moves_max,
        "lost_node_after": lost_node_after,
    }
    values = {name: _number(value) for name, value in given.items() if value is not None}
    level, name = _whose(pool, team, project)
    with connect() as client:
        view = client.policies.set(part, values, level=level, name=name)
    _show(view, part, json_output=json_output)


@app.command("reset")
def reset_policy(
    part: Part,
    field: Annotated[
        str | None,
        typer.Argument(metavar="[FIELD]", help="Only this field.", show_default=False),
    ] = None,
    pool: Pool = None,
    team: Team = None,
    project: InProject = None,
    json_output: options.Json = False,
) -> None:
    """Let hold again what holds otherwise. For administrators.

    Examples:
      podium policy reset scheduling order
      podium policy reset training --project vision
    """
    level, name = _whose(pool, team, project)
    with connect() as client:
        view = client.policies.reset(part, field, level=level, name=name)
    _show(view, part, json_output=json_output)


def _whose(pool: str | None, team: str | None, project: str | None) -> tuple[str, str]:
    named = {"pool": pool, "team": team, "project": project}
    given = [(level, name) for level, name in named.items() if name is not None]
    if len(given) > 1:
        first, second = (f"--{level}" for level, _ in given[:2])
        raise UserError(FieldFault(first, f"cannot go together with {second}.", "Name one."))
    return given[0] if given else ("cluster", "cluster")


def _number(value: str | bool | int) -> str | bool | int:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


def _show(view: PoliciesView, part: str | None, *, json_output: bool) -> None:
    if json_output:
        terminal.document(view)
        return
    items = [each for each in view.items if part in (None, each.part)]
    if not items:
        known = ", ".join(each.part for each in view.items)
        terminal.say(f"There is no policy {part} here. Known are {known}.")
        raise typer.Exit(1)
    for scheduling in (each for each in items if each.part == _SCHEDULING):
        terminal.heading(_SCHEDULING)
        terminal.show_facts((name, _value(scheduling, name)) for name in scheduling.values)
    kinds = [each for each in items if each.part != _SCHEDULING]
    if kinds:
        terminal.show_table(
            (Column("FIELD", style="bold"), *(Column(each.part.upper()) for each in kinds)),
            [(name, *(_value(each, name) for each in kinds)) for name in kinds[0].values],
        )


def _value(view: PolicyView, name: str) -> str:
    value = view.values[name]
    words = ("yes" if value else "no") if isinstance(value, bool) else str(value)
    level = view.set_by.get(name)
    return words if level is None else f"{words} ({level.value})"
