"""`podium audit forward`: the audit trail, sent on as it grows."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import options, terminal
from podium.cli.connection import connect
from podium.cli.failure import ExitCode
from podium.cli.terminal import Column
from podium.cli.wording import ago, clock, count
from podium.domain.errors import FieldFault, UserError

if TYPE_CHECKING:
    from podium.spec.views.forwarding import ForwardView

app = typer.Typer(
    no_args_is_help=True, help="Send the audit trail on as it grows, by syslog or to a webhook."
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The forward's name.")]


@app.command("add")
def add_forward(
    name: Name,
    address: Annotated[
        str,
        typer.Argument(
            metavar="ADDRESS",
            help="udp://, tcp:// or tls://HOST:PORT for syslog; https://… for a webhook.",
        ),
    ],
    secret_stdin: Annotated[
        bool,
        typer.Option(
            "--secret-stdin", help="Read what signs a webhook's batches from standard input."
        ),
    ] = False,
    ca: Annotated[
        Path | None,
        typer.Option(
            "--ca", metavar="FILE", help="Certificates (PEM) to trust, where it has its own."
        ),
    ] = None,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Send all of the trail, not only what comes now.")
    ] = False,
    json_output: options.Json = False,
) -> None:
    """Forward the trail, in order, from now on. Under a name that is there, change that one; it
    goes on where it was.

    Examples:
      podium audit forward add siem tls://siem.example.com:6514
      podium audit forward add hook https://hooks.example.com/audit --secret-stdin < secret.txt
    """
    secret = sys.stdin.read(2000).strip() if secret_stdin else None
    if secret == "":
        raise UserError(FieldFault("secret", "is empty.", "Give it on standard input."))
    try:
        certificates = None if ca is None else ca.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(FieldFault("ca", f"{ca} cannot be read: {error}.")) from error
    with connect() as client:
        view = client.forwards.set(
            name, address, secret=secret, ca=certificates, from_start=from_start
        )
    if json_output:
        terminal.document(view)
        return
    terminal.say(f"{view.name} gets what follows entry {view.sent_seq}.")
    terminal.say(f"Try it out:  podium audit forward test {view.name}")


@app.command("ls")
def list_forwards(json_output: options.Json = False) -> None:
    """List where the trail is forwarded to, and how far each receiver has got.

    Examples:
      podium audit forward ls
    """
    with connect() as client:
        views = client.forwards.list()
    if json_output:
        terminal.listing(views)
        return
    now = datetime.now(UTC)
    columns = (
        Column("NAME", style="bold"),
        Column("ADDRESS"),
        Column("SENT", right=True),
        Column("BEHIND", right=True),
        Column("LAST", right=True),
        Column("STATE"),
    )
    terminal.show_table(
        columns,
        [
            (
                view.name,
                view.address,
                count(view.sent_seq),
                count(view.behind),
                ago(view.sent_at, now) if view.sent_at else "never",
                _state(view),
            )
            for view in views
        ],
    )


@app.command("test")
def try_forward(name: Name, json_output: options.Json = False) -> int:
    """Send a receiver an entry that is none, and tell whether it went. Over UDP nobody can tell.

    Examples:
      podium audit forward test siem
    """
    with connect() as client:
        view = client.forwards.test(name)
    if json_output:
        terminal.document(view)
    elif view.ok:
        terminal.say(f"{name} took it within {view.took_ms:,.0f} ms.")
    else:
        terminal.say(f"{name} did not take it. {view.fault}")
    return ExitCode.OK if view.ok else ExitCode.FAILED


@app.command("rm")
def remove_forward(name: Name) -> None:
    """Forward the trail there no longer.

    Examples:
      podium audit forward rm siem
    """
    with connect() as client:
        client.forwards.remove(name)
    terminal.say(f"{name} gets nothing from now on.")


def _state(view: ForwardView) -> str:
    if view.fault:
        since = f" Since {clock(view.failing_since)}." if view.failing_since else ""
        return f"{view.fault}{since}"
    return f"{count(view.skipped)} too old to be sent" if view.skipped else "well"
