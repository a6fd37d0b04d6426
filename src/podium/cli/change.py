"""`podium set`: new values for workloads that live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import choice, many, options, terminal
from podium.cli.connection import connect
from podium.cli.failure import ExitCode
from podium.cli.wording import format_duration_seconds

if TYPE_CHECKING:
    from podium.spec.views.workload import WorkloadView


def set_values(
    refs: options.SomeRefs = None,
    priority: Annotated[
        str | None,
        typer.Option("--priority", metavar="0-100", help="A number, or low, normal or high."),
    ] = None,
    max_runtime: Annotated[
        str | None,
        typer.Option("--max-runtime", metavar="DURATION", help="Such as 4h; none for no limit."),
    ] = None,
    deadline: Annotated[
        str | None,
        typer.Option(
            "--deadline",
            metavar="TIME",
            help="Such as 2031-07-01T18:00:00Z, or 8h from now; none for no deadline.",
        ),
    ] = None,
    project: options.Project = None,
    state: choice.States = None,
    kind: choice.Kinds = None,
    owner: choice.Owner = None,
    label: choice.Labels = None,
    node: choice.Node = None,
    waits_for: choice.Reasons = None,
    everything: options.All = False,
    yes: options.Yes = False,
    json_output: options.Json = False,
) -> int:
    """Change the priority, time limit or deadline of workloads that have not ended.

    Name them, or choose them with the filters of `podium ls`; filters ask first. What has run for
    longer than its new time limit is stopped.

    Examples:
      podium set digits --priority high
      podium set digits sweep-1 --max-runtime 12h --deadline none
      podium set --label run=first --state queued --priority 80
    """
    if priority is max_runtime is deadline is None:
        raise typer.BadParameter("needs --priority, --max-runtime or --deadline.")
    level = int(priority) if priority is not None and priority.isdecimal() else priority
    where = choice.filter_of(
        project=project,
        state=state,
        kind=kind,
        owner=owner,
        label=label,
        node=node,
        reason=waits_for,
    )
    many.check_choice(refs, where, everything=everything)
    with connect(project) as client:
        if not refs:
            living = many.meant(client, "Change", where, yes=yes)
            if living is None:
                return ExitCode.FAILED
            acted = client.workloads.act(
                "change",
                where=living,
                priority=level,
                max_runtime=max_runtime,
                deadline=deadline,
            )
            return many.told("changed", acted, as_json=json_output)
        for ref in dict.fromkeys(refs):
            view = client.workloads.change(
                ref, priority=level, max_runtime=max_runtime, deadline=deadline
            )
            if json_output:
                terminal.line(view)
            else:
                terminal.write(f"{view.name} ({view.id}): {_limits(view)}")
    return ExitCode.OK


def _limits(view: WorkloadView) -> str:
    limit = format_duration_seconds(view.max_runtime_seconds) or "none"
    deadline = f"{view.deadline:%Y-%m-%d %H:%M:%S} UTC" if view.deadline else "none"
    return f"priority {view.priority}, time limit {limit}, deadline {deadline}"
