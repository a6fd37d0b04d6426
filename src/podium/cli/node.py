"""`podium node`: what an administrator does with one machine."""

from __future__ import annotations

from typing import Annotated

import typer

from podium.cli import completion, options, terminal
from podium.cli.connection import connect
from podium.cli.wording import plural
from podium.domain.errors import FieldFault, UserError

app = typer.Typer(no_args_is_help=True, help="A machine that is lost.")

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="The node.", autocompletion=completion.nodes)
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command("release")
def release(name: Name, yes: Yes = False, json_output: options.Json = False) -> None:
    """Give up the work on a lost node, so that it goes on elsewhere. For administrators.

    Only when the machine is really off: work that still runs there would run twice until it is
    back. It uses up no retry. What is found running when the node is back is stopped.

    Examples:
      podium node release gpu-7
      podium node release gpu-7 --yes
    """
    with connect() as client:
        if not yes and not _is_meant(name):
            return
        view = client.nodes.release(name)
    if json_output:
        terminal.document(view)
        return
    if view.replicas:
        whose = plural(view.workloads, "workload")
        terminal.write(f"{plural(view.replicas, 'replica')} of {whose} on {name} given up.")
    else:
        terminal.write(f"Nothing is held on {name}.")
    if view.reports_again:
        terminal.say(f"{name} reports again, and keeps what was not given up yet.")


def _is_meant(name: str) -> bool:
    if not terminal.interactive():
        raise UserError(FieldFault("--yes", "is needed where nobody can be asked.", "Add --yes."))
    terminal.say(
        "Only when the machine is really off: work that still runs there would run twice until it "
        "is back."
    )
    if typer.confirm(f"Give up all work on {name}?", err=True):
        return True
    terminal.say("Nothing was changed.")
    return False
