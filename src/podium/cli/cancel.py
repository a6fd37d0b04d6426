"""`podium cancel`: asks for the end of workloads."""

from __future__ import annotations

from typing import Annotated

import typer

from podium.cli import options, terminal
from podium.cli.connection import connect
from podium.cli.failure import ExitCode
from podium.cli.wording import plural, state_words
from podium.domain.lifecycle import WORKLOAD_ENDS


def cancel(
    refs: options.Refs,
    reason: Annotated[
        str | None, typer.Option("--reason", help="Kept in the history, for others to read.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    project: options.Project = None,
    json_output: options.Json = False,
) -> int:
    """Cancel workloads. What runs is asked to stop, and ended after its grace period.

    Asks first when several are named and someone is there to answer.

    Examples:
      podium cancel digits
      podium cancel sweep-1 sweep-2 --yes --reason "wrong data"
    """
    with connect(project) as client:
        views = [client.workloads.get(ref) for ref in dict.fromkeys(refs)]
        living = [view for view in views if view.state not in WORKLOAD_ENDS]
        if len(living) > 1 and not yes and terminal.interactive():
            for view in living:
                terminal.say(f"  {state_words(view.state)}  {view.name}  {view.id}")
            if not typer.confirm(f"Cancel {plural(len(living), 'workload')}?", err=True):
                terminal.say("Nothing was cancelled.")
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
