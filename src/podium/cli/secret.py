"""`podium secret`: values that work gets and that nobody can read back, and the keys that seal
them."""

from __future__ import annotations

import base64
import secrets
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.wording import ago
from podium.domain.errors import FieldFault, UserError

if TYPE_CHECKING:
    from podium.client.client import Client
    from podium.spec.views.secret import SealingKeysView, SecretView

app = typer.Typer(no_args_is_help=True, help="Values that work gets, and nobody can read back.")

VALUE_CHARACTERS_MAX = 65_536
_KEY_BYTES = 32
_LOOK_SECONDS = 0.2
Name = Annotated[str, typer.Argument(metavar="NAME", help="The secret's name, such as HF_TOKEN.")]


@app.command("ls")
def list_secrets(project: options.Project = None, json_output: options.Json = False) -> None:
    """List a project's secrets by name, with when they were last used and by how many.

    Examples:
      podium secret ls --project vision
    """
    with connect(project) as client:
        views = list(client.secrets.list(client.projects.resolve()))
    if json_output:
        terminal.listing(views)
        return
    now = datetime.now(UTC)
    columns = (
        Column("NAME", style="bold"),
        Column("UPDATED", right=True),
        Column("BY"),
        Column("LAST USED", right=True),
        Column("USED BY"),
    )
    terminal.show_table(
        columns,
        [
            (
                view.name,
                ago(view.updated_at, now),
                view.updated_by,
                "never" if view.last_used_at is None else ago(view.last_used_at, now),
                _users(view),
            )
            for view in views
        ],
    )


@app.command("set")
def set_secret(
    name: Name, project: options.Project = None, json_output: options.Json = False
) -> None:
    """Set a secret. Its value is asked for, or read from standard input.

    Examples:
      podium secret set HF_TOKEN
      podium secret set KEY --project vision < key.pem
      podium secret set DOCKER_CONFIG_JSON < ~/.docker/config.json
    """
    with connect(project) as client:
        chosen = client.projects.resolve()
        if sys.stdin.isatty():
            value: str = typer.prompt(f"Value of {name}", hide_input=True, err=True)
        else:
            # What `echo` adds is no part of the secret; a file's own inner lines are.
            value = sys.stdin.read(VALUE_CHARACTERS_MAX + 2).removesuffix("\n")
        if not value or len(value) > VALUE_CHARACTERS_MAX:
            wrong = "is empty." if not value else f"is longer than {VALUE_CHARACTERS_MAX:,}."
            raise UserError(FieldFault("value", wrong, "Give it on standard input."))
        view = client.secrets.set(chosen, name, value)
    if json_output:
        terminal.document(view)
    else:
        terminal.say(f"{view.name} is set in {view.project}.")


@app.command("rm")
def remove_secret(name: Name, project: options.Project = None) -> None:
    """Remove a secret. Work that names it will not start any more.

    Examples:
      podium secret rm HF_TOKEN
    """
    with connect(project) as client:
        chosen = client.projects.resolve()
        client.secrets.remove(chosen, name)
    terminal.say(f"{name} is no longer in {chosen}.")


@app.command("keys")
def list_keys(json_output: options.Json = False) -> None:
    """List the keys that seal secrets, by their ids. For administrators.

    Examples:
      podium secret keys
    """
    with connect() as client:
        view = client.secrets.keys()
    if json_output:
        terminal.document(view)
        return
    columns = (Column("KEY", style="bold"), Column("SEALS", right=True), Column(""))
    rows = [
        (
            key.id,
            f"{key.secrets:,}",
            "seals now" if key.seals and key.here else "" if key.here else "missing here",
        )
        for key in view.keys
    ]
    terminal.show_table(columns, rows)
    terminal.say(f"They are in {view.place}.")
    _tell_rest(view)


@app.command("rotate")
def rotate_keys(
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait until all secrets are sealed anew.")
    ] = True,
    json_output: options.Json = False,
) -> None:
    """Let a new key seal secrets, and seal all of them anew. For administrators.

    Work that runs is not touched. Back up the key file afterwards.

    Examples:
      podium secret rotate
    """
    with connect() as client:
        view = client.secrets.rotate()
        if wait:
            view = _resealed(client, view)
    if json_output:
        terminal.document(view)
        return
    (key,) = (each.id for each in view.keys if each.seals)
    terminal.say(f"Key {key} seals now. Back up {view.place}.")
    _tell_rest(view)


@app.command("new-key")
def new_key() -> None:
    """Print a new key, for a key file or PODIUM_SECRET_KEYS that you keep yourself.

    Examples:
      podium secret new-key > secret.key
    """
    sys.stdout.write(f"{base64.urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)).decode()}\n")


def _resealed(client: Client, view: SealingKeysView) -> SealingKeysView:
    while view.left:
        time.sleep(_LOOK_SECONDS)
        view = client.secrets.keys()
    return view


def _tell_rest(view: SealingKeysView) -> None:
    if view.left:
        terminal.say(f"{view.left:,} secrets are yet to be sealed with the new key.")
    if view.locked:
        terminal.say(
            f"{view.locked:,} secrets open with no key that is here: restore their key, or set "
            "them again."
        )


def _users(view: SecretView) -> str:
    if view.locked:
        return "cannot be opened: its key is missing"
    if not view.used_by_count:
        return ""
    names = ", ".join(each.name for each in view.used_by[:3])
    more = view.used_by_count - len(view.used_by[:3])
    return f"{names} and {more} more" if names and more else names or str(view.used_by_count)
