"""`podium cancel`: asks for the end of workloads."""

from __future__ import annotations

from typing import Annotated

import typer

from podium.cli import choice, many, options, terminal
from podium.cli.connection import connect
from podium.cli.failure import ExitCode
from podium.cli.wording import state_words
from podium.domain.lifecycle import WORKLOAD_ENDS


def cancel(
    refs: options.SomeRefs = None,
    reason: Annotated[
        str | None, typer.Option("--reason", help="Kept in the history, for others to read.")
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
    """Cancel workloads. What runs is asked to stop, and ended after its grace period.

    Name them, or choose them with the filters of `podium ls`. Asks first when there are several
    and someone is there to answer.

    Examples:
      podium cancel digits
      podium cancel sweep-1 sweep-2 --yes --reason "wrong data"
      podium cancel --state queued --label run=first
    """
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
            living = many.meant(client, "Cancel", where, yes=yes)
            if living is None:
                return ExitCode.FAILED
            acted = client.workloads.act("cancel", where=living, reason=reason or "")
            return many.told("cancelled", acted, as_json=json_output)
        views = [client.workloads.get(ref) for ref in dict.fromkeys(refs)]
        live = [view for view in views if view.state not in WORKLOAD_ENDS]
        asks = len(live) > 1 and not yes and terminal.interactive()
        if asks and not many.confirmed("Cancel", live, len(live)):
            return ExitCode.FAILED
        for view in views:
            after = client.workloads.cancel(view.id, reason=reason)
            if json_output:
                terminal.line(after)
            elif view.state in WORKLOAD_ENDS:
                terminal.write(f"{state_words(after.state)}: {view.name} had ended already.")
            else:
                terminal.write(f"{state_words(after.state)}: {view.name} ({view.id})")
    return ExitCode.OK
