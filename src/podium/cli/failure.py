"""Every error of the command line in one form, with one exit code each. Called by `app.run`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

from podium.cli.terminal import say
from podium.cli.wording import plain
from podium.domain.errors import (
    ForbiddenError,
    NotFoundError,
    PodiumError,
    TemporaryError,
    UnauthenticatedError,
    UserError,
)

if TYPE_CHECKING:
    import typer


class ExitCode(IntEnum):
    """What the shell gets. 130 after Ctrl-C, as is usual."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    NOT_ALLOWED = 4
    UNAVAILABLE = 5
    INTERRUPTED = 130


def exit_code(error: PodiumError) -> ExitCode:
    if isinstance(error, NotFoundError):
        return ExitCode.NOT_FOUND
    if isinstance(error, UnauthenticatedError | ForbiddenError):
        return ExitCode.NOT_ALLOWED
    if isinstance(error, TemporaryError):
        return ExitCode.UNAVAILABLE
    return ExitCode.FAILED


def wants_json(arguments: Sequence[str]) -> bool:
    """True when `--json` is among Podium's own options, not among those of a command to run."""
    own = list(arguments)
    return "--json" in (own[: own.index("--")] if "--" in own else own)


def report(error: PodiumError, *, as_json: bool) -> ExitCode:
    """Prints a PodiumError on stderr and says what to exit with."""
    if as_json:
        from podium.client.failures import problem_of

        say(problem_of(error).model_dump_json())
        return exit_code(error)
    if isinstance(error, UserError) and error.faults:
        for fault in error.faults:
            words = f"{fault.field}: {fault.message}" if fault.field else fault.message
            _print(words, fault.remedy)
    else:
        _print(error.message, _hint(error))
    request_id = _request_id(error)
    if request_id and exit_code(error) is ExitCode.FAILED and not isinstance(error, UserError):
        say(f"  request: {plain(request_id)}")
    return exit_code(error)


def report_usage(error: typer.TyperException, *, as_json: bool) -> ExitCode:
    """A wrong option or argument."""
    message = error.format_message()
    if type(error).__name__ == "NoArgsIsHelpError":
        # A group without a command: its help was asked for, and Rich has printed it already.
        if message:
            print(message)
        return ExitCode.OK
    context = getattr(error, "ctx", None)
    hint = f"See `{context.command_path} --help`." if context is not None else ""
    if as_json:
        _print_problem("usage", message, hint)
    else:
        _print(message, hint)
    return ExitCode.USAGE


def report_bug(error: Exception, *, as_json: bool) -> ExitCode:
    """What should never happen; PODIUM_DEBUG=1 shows where."""
    if os.environ.get("PODIUM_DEBUG"):
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    message = f"Podium met a fault of its own: {type(error).__name__}: {error}"
    hint = "Run it again with PODIUM_DEBUG=1 and report what it prints."
    if as_json:
        _print_problem("internal", message, hint)
    else:
        _print(message, hint)
    return ExitCode.FAILED


def _hint(error: PodiumError) -> str:
    if isinstance(error, UnauthenticatedError) and "podium login" not in error.message:
        return "Sign in with `podium login`."
    return ""


def _request_id(error: PodiumError) -> str:
    from podium.client.failures import problem_of

    return problem_of(error).request_id


def _print(message: str, hint: str) -> None:
    from rich.text import Text

    from podium.cli.terminal import console

    first, *more = (plain(part) for part in message.strip().split("\n"))
    console(stderr=True).print(Text("error: ", style="bold red") + Text(first), soft_wrap=True)
    for part in more:
        say(f"  {part}")
    if hint:
        say(f"  hint: {plain(hint)}")


def _print_problem(code: str, message: str, hint: str) -> None:
    import json

    title = "Wrong command line" if code == "usage" else "Fault in Podium"
    document = {
        "type": "about:blank",
        "title": title,
        "status": 0,
        "code": code,
        "detail": message,
        "faults": [{"field": "", "message": message, "remedy": hint}],
    }
    say(json.dumps(document, ensure_ascii=False))
