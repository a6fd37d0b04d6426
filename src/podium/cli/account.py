"""`podium login`, `logout`, `whoami` and `password`: who one is, and on which server."""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import options, terminal
from podium.cli.connection import connect
from podium.cli.wording import plural
from podium.domain.errors import FieldFault, PodiumError, TemporaryError, UserError

if TYPE_CHECKING:
    from podium.client.client import Client
    from podium.spec.views.tenancy import SessionView

PASSWORD_LENGTH_MIN = 10
_SET_FIRST = "Set your own with `podium password`; until then nothing else is possible."


def login(
    url: Annotated[
        str | None,
        typer.Argument(
            metavar="URL",
            help="The server, or a sign-in link. Default: the last one used.",
            show_default=False,
        ),
    ] = None,
    username: Annotated[
        str | None,
        typer.Option("--username", "-u", help="Your name, to sign in with your password."),
    ] = None,
    ticket: Annotated[
        str | None,
        typer.Option("--ticket", metavar="LINK", help="A sign-in link, in place of a password."),
    ] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Show the address only; open nothing.")
    ] = False,
    json_output: options.Json = False,
) -> None:
    """Sign in to a server and remember it.

    Without a name you confirm a code in the console, where you sign in as you always do. The
    sign-in is kept in ~/.config/podium/config.json, readable by you only.

    Examples:
      podium login http://127.0.0.1:8470
      podium login https://podium.example.com --username ada
      podium login --ticket 'http://127.0.0.1:8470/#ticket=...'
    """
    from podium.client.address import server_address, sign_in_link
    from podium.domain.address import is_loopback

    link = ticket or (url if url is not None and "ticket=" in url else None)
    server = None if url is None or url == link else server_address(url)
    one_time = ""
    if link is not None:
        linked_server, one_time = sign_in_link(link)
        server = server or linked_server
    with connect(server=server) as client:
        address = client.server.address
        if address.startswith("http://") and not is_loopback(address):
            terminal.say(f"warning: {address} is not encrypted; others may read what you send.")
        if link is not None:
            session, password = client.auth.ticket(one_time), None
        elif username is None and not password_stdin:
            session, password = _let_in(client, open_browser=not no_browser), None
        else:
            name = username or _ask("Username")
            password = _password(password_stdin, f"Password for {name} at {address}")
            session = client.auth.login(name, password, label=f"command line on {_host()}")
        _remember(address, session)
        if session.must_change_password:
            _own_password(client, password)
    if json_output:
        terminal.document(session.model_copy(update={"token": "(kept in the configuration file)"}))
    else:
        terminal.write(f"Signed in to {address} as {session.username}.")
    if os.environ.get("PODIUM_TOKEN"):
        terminal.say("note: PODIUM_TOKEN is set and goes before this sign-in.")


def logout(
    everywhere: Annotated[
        bool, typer.Option("--everywhere", help="End your sign-ins on every machine.")
    ] = False,
    tokens: Annotated[
        bool, typer.Option("--tokens", help="With --everywhere: your tokens for programs, too.")
    ] = False,
    json_output: options.Json = False,
) -> None:
    """Sign out: end this sign-in on the server and forget it here.

    Examples:
      podium logout
      podium logout --everywhere
    """
    from podium.client.config import config_load, config_path, config_save

    ended = None
    with connect() as client:
        address = client.server.address
        if everywhere:
            # Unlike the one of here, the others are not ended by forgetting.
            ended = client.auth.logout_everywhere(tokens=tokens)
        elif client.signed_in:
            try:
                client.auth.logout()
            except TemporaryError as error:
                terminal.say(f"note: {error.message} It is forgotten here only.")
            except PodiumError:
                pass  # the server knows this sign-in no longer
    path = config_path()
    config_save(path, config_load(path).signed_out(address))
    if json_output:
        terminal.document({"server": address, "signed_in": False, "ended": ended})
    elif ended is not None:
        terminal.write(f"Signed out of {address}; {plural(ended, 'sign-in')} ended.")
    else:
        terminal.write(f"Signed out of {address}.")


def whoami(json_output: options.Json = False) -> None:
    """Say who you are, where, and what you may do.

    Examples:
      podium whoami
    """
    with connect() as client:
        view = client.auth.me()
        address = client.server.address
        default = client.projects.default
    if json_output:
        terminal.document(view)
        return
    roles = ", ".join(f"{role} of {project}" for project, role in sorted(view.roles.items()))
    terminal.show_facts(
        [
            ("User", view.username + (" (administrator)" if view.administrator else "")),
            ("Server", address),
            ("Roles", roles or ("all projects" if view.administrator else "none yet")),
            ("Project", default or ""),
        ]
    )
    if view.must_change_password:
        terminal.say("Your password is a one-time one. " + _SET_FIRST)


def password(
    password_stdin: Annotated[
        bool,
        typer.Option(
            "--password-stdin", help="Read current and new from standard input, a line each."
        ),
    ] = False,
) -> None:
    """Set a new password.

    Examples:
      podium password
    """
    with connect() as client:
        current: str | None
        if password_stdin:
            current, new = (sys.stdin.readline().rstrip("\n") for _ in range(2))
        else:
            # Whoever came with a one-time one has shown it at the sign-in.
            one_time = client.auth.me().must_change_password
            current = None if one_time else _password(False, "Current password")
            new = _new_password()
        client.auth.set_password(current or None, new)
    terminal.say("The new password is set.")


def _let_in(client: Client, *, open_browser: bool) -> SessionView:
    """By a code that the person confirms in the console."""
    asked = client.auth.ask(f"command line on {_host()}")
    terminal.say("Open this page and check that it shows the same code:")
    terminal.say(f"  {asked.verification_uri_complete}")
    terminal.say(f"  code: {asked.user_code}")
    if open_browser and terminal.interactive() and _has_desktop():
        import webbrowser

        webbrowser.open(asked.verification_uri_complete)
    with terminal.busy("Waiting for you to confirm it"):
        return client.auth.await_approval(asked)


def _has_desktop() -> bool:
    return sys.platform == "darwin" or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )


def _own_password(client: Client, current: str | None) -> None:
    """In place of a one-time one, with which the server does nothing else."""
    if not terminal.interactive():
        terminal.say("Your password is a one-time one. " + _SET_FIRST)
        return
    terminal.say("Your password is a one-time one. Choose your own:")
    while True:
        try:
            client.auth.set_password(current, _new_password())
        except UserError as error:  # too easily guessed, or the same
            terminal.say("; ".join(str(fault) for fault in error.faults) or error.message)
            continue
        break
    terminal.say("The new password is set.")


def _remember(server: str, session: SessionView) -> None:
    from podium.client.config import config_load, config_path, config_save

    path = config_path()
    config = config_load(path)
    kept = replace(config.context(server), token=session.token, username=session.username)
    config_save(path, config.with_context(server, kept))


def _ask(words: str) -> str:
    if not terminal.interactive():
        raise UserError(FieldFault("--username", "is not given.", "Add --username NAME."))
    answer: str = typer.prompt(words, err=True)
    return answer


def _password(from_stdin: bool, words: str) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    if not terminal.interactive():
        raise UserError(
            FieldFault("password", "cannot be asked for here.", "Add --password-stdin.")
        )
    answer: str = typer.prompt(words, hide_input=True, err=True)
    return answer


def _new_password() -> str:
    while True:
        new: str = typer.prompt(
            f"New password (at least {PASSWORD_LENGTH_MIN} characters)",
            hide_input=True,
            confirmation_prompt=True,
            err=True,
        )
        if len(new) >= PASSWORD_LENGTH_MIN:
            return new
        terminal.say(f"That has {len(new)} characters.")


def _host() -> str:
    return socket.gethostname()[:60] or "this machine"
