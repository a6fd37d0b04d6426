"""`podium submit`: spec files in, workloads out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import following, options, specs, terminal
from podium.cli.connection import connect
from podium.cli.dry_run import dry_run as dry_run_told
from podium.cli.failure import ExitCode
from podium.cli.wording import plural
from podium.domain.errors import UserError

if TYPE_CHECKING:
    from podium.client.client import Client
    from podium.spec.views.workload import SubmittedView


def submit(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE", help="Spec files in YAML or JSON; - is standard input."),
    ],
    project: options.Project = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Set a field, as in --set resources.gpus=2."
        ),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Stay until all have ended.")] = False,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Show the logs until it has ended.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Submit nothing; say where and when it would start."),
    ] = False,
    defaults: Annotated[
        bool, typer.Option("--defaults", help="With --dry-run: print it with every default, too.")
    ] = False,
    json_output: options.Json = False,
) -> int:
    """Submit work that spec files describe.

    A file may hold several documents, divided by ---. All are accepted or none. A folder named
    by source.path is uploaded without what .gitignore and .podiumignore name. With --wait or
    --follow the exit code is 1 when the work did not succeed, with --dry-run when some of it can
    never start here.

    Examples:
      podium submit train.yaml
      podium submit train.yaml --set resources.gpus=2 --follow
      podium submit train.yaml --dry-run
      podium submit sweep/*.yaml --wait
    """
    drafts = specs.read_drafts(files)
    if follow and len(drafts) > 1:
        raise typer.BadParameter(
            f"shows the logs of one workload, and {len(drafts)} are given; use --wait.",
            param_hint="--follow",
        )
    for draft in drafts:
        specs.apply_settings(draft.spec, settings or [])
        if project is not None:
            draft.spec["project"] = project
    with connect(project) as client:
        for draft in drafts:
            if draft.spec.get("project") is None:
                draft.spec["project"] = client.projects.resolve()
        if dry_run:
            try:
                return dry_run_told(
                    client,
                    [draft.spec for draft in drafts],
                    defaults=defaults,
                    as_json=json_output,
                )
            except UserError as error:
                raise specs.by_label(error, drafts) from error.__cause__
        specs.send_folders(client, drafts)
        made = _sent(client, drafts)
        _told(made, json_output)
        ids = [view.id for view in made]
        if follow:
            return following.follow(client, ids[0], as_json=json_output)
        if wait:
            return following.wait_for_all(client, ids, as_json=json_output)
    if len(made) == 1 and not json_output:
        terminal.say(f"Follow it with `podium logs -f {made[0].id}`.")
    return ExitCode.OK


def _sent(client: Client, drafts: Sequence[specs.Draft]) -> Sequence[SubmittedView]:
    if len(drafts) == 1:
        return [client.workloads.submit(drafts[0].spec)]
    with terminal.busy(f"Submitting {plural(len(drafts), 'workload')}"):
        try:
            return client.workloads.submit_many([draft.spec for draft in drafts])
        except UserError as error:
            raise specs.by_label(error, drafts) from error.__cause__


def _told(made: Sequence[SubmittedView], as_json: bool) -> None:
    for view in made:
        if as_json:
            terminal.line(view)
        else:
            known = "" if view.created else " (submitted before)"
            terminal.write(f"{view.id}  {view.name}  {view.state} in {view.project}{known}")
