"""`podium clone`: submits again what was submitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import following, options, specs, terminal
from podium.cli.connection import connect
from podium.cli.failure import ExitCode
from podium.domain.errors import ConflictError
from podium.domain.lifecycle import WorkloadState

if TYPE_CHECKING:
    from podium.client.client import Client


def clone(
    ref: options.Ref,
    name: Annotated[
        str | None, typer.Option("--name", "-n", help="A new name; it keeps its own otherwise.")
    ] = None,
    priority: Annotated[
        str | None,
        typer.Option("--priority", metavar="0-100", help="A number, or low, normal or high."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Set a field, as in --set resources.gpus=2."
        ),
    ] = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Cancel the one that waits once the new one is accepted."),
    ] = False,
    project: options.Project = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Show the logs until it has ended.")
    ] = False,
    json_output: options.Json = False,
) -> int:
    """Submit a workload again as it was submitted, with changes if you like.

    It may have ended long ago; its code is the same, unless its source is a branch that moved.
    --set KEY=null drops a field. With --replace the one that waits is cancelled as soon as the new
    one was accepted; one that does not wait any more is left alone, and nothing is submitted.

    Examples:
      podium clone digits
      podium clone digits --name digits-2 --set env.EPOCHS=100 --follow
      podium clone digits --set resources.gpus=2 --replace
    """
    with connect(project) as client:
        before = _waiting(client, ref) if replace else ""
        spec = client.workloads.clone_spec(before or ref)
        if name is not None:
            spec["name"] = name
        if priority is not None:
            spec["priority"] = int(priority) if priority.isdecimal() else priority
        specs.apply_settings(spec, settings or [])
        made = client.workloads.submit(
            {key: value for key, value in spec.items() if value is not None}
        )
        if before:
            client.workloads.cancel(before, reason=f"{made.id} is in its place.")
        if json_output:
            terminal.line(made)
        else:
            instead = f", in place of {before}" if before else ""
            terminal.write(f"{made.id}  {made.name}  {made.state} in {made.project}{instead}")
        if follow:
            return following.follow(client, made.id, as_json=json_output)
    if not json_output:
        terminal.say(f"Follow it with `podium logs -f {made.id}`.")
    return ExitCode.OK


def _waiting(client: Client, ref: str) -> str:
    """Its id. Raises ConflictError when it does not wait any more."""
    found = client.workloads.get(ref)
    if found.state != WorkloadState.QUEUED:
        raise ConflictError(
            f"{found.name} does not wait any more, it is {found.state}. Nothing was submitted; "
            "leave --replace out to submit it a second time."
        )
    return found.id
