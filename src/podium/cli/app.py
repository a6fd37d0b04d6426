"""The `podium` command: puts the commands together and ends every failure in one form.

`podium.main` adds `up` to `app` and calls `run`; without a server part, `main` here is enough.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any, NoReturn

import typer

from podium.cli import (
    about,
    access,
    account,
    audit,
    binding,
    booking,
    budget,
    cancel,
    capacity,
    change,
    clone,
    cluster,
    compliance,
    cost,
    data,
    explain,
    failure,
    group,
    logs,
    ls,
    mig,
    node,
    nodes,
    notices,
    options,
    overview,
    policy,
    pool,
    price,
    project,
    queue,
    quota,
    role,
    scheduler,
    scim,
    search,
    secret,
    service_account,
    show,
    sso,
    submit,
    team,
    token,
    top,
    usage,
    user,
    view,
    what_if,
)
from podium.cli import run as run_command
from podium.domain.errors import PodiumError

app = typer.Typer(
    name="podium",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def root(
    context: typer.Context,
    server: Annotated[
        str | None,
        typer.Option(
            "--server",
            metavar="URL",
            help="The server, for this command only. Default: PODIUM_SERVER, then the last login.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Run AI work on the GPUs that you share with others.

    Start here:
      podium login URL               sign in to a server
      podium run --gpus 1 -- CMD     run a command and see its output
      podium submit train.yaml       submit what a file describes
      podium explain NAME            see why something waits
    """
    if server is not None:
        # Through the environment, so that completion inside this process sees it too.
        os.environ["PODIUM_SERVER"] = server
    if context.invoked_subcommand is None:
        context.get_help()


_COMMANDS: Sequence[tuple[str, str, Callable[..., Any]]] = (
    (options.WORK, "submit", submit.submit),
    (options.WORK, "run", run_command.run),
    (options.WORK, "ls", ls.ls),
    (options.WORK, "show", show.show),
    (options.WORK, "logs", logs.logs),
    (options.WORK, "explain", explain.explain),
    (options.WORK, "cancel", cancel.cancel),
    (options.WORK, "set", change.set_values),
    (options.WORK, "clone", clone.clone),
    (options.WORK, "queue", queue.queue),
    (options.WORK, "notices", notices.notices),
    (options.WORK, "search", search.search),
    (options.CLUSTER, "what-if", what_if.what_if),
    (options.CLUSTER, "overview", overview.overview),
    (options.CLUSTER, "nodes", nodes.nodes),
    (options.WORK, "top", top.top),
    (options.CLUSTER, "cost", cost.cost),
    (options.ACCOUNT, "login", account.login),
    (options.ACCOUNT, "logout", account.logout),
    (options.ACCOUNT, "whoami", account.whoami),
    (options.ACCOUNT, "password", account.password),
    (options.ACCOUNT, "version", about.version),
    (options.WORK, "schema", about.schema),
    (options.ADMINISTRATION, "cordon", nodes.cordon),
    (options.ADMINISTRATION, "uncordon", nodes.uncordon),
)
_GROUPS = (
    (options.WORK, "secret", secret.app),
    (options.WORK, "data", data.app),
    (options.ADMINISTRATION, "compliance", compliance.app),
    (options.ACCOUNT, "view", view.app),
    (options.ACCOUNT, "token", token.app),
    (options.CLUSTER, "price", price.app),
    (options.CLUSTER, "usage", usage.app),
    (options.CLUSTER, "booking", booking.app),
    (options.CLUSTER, "budget", budget.app),
    (options.CLUSTER, "policy", policy.app),
    (options.CLUSTER, "pool", pool.app),
    (options.CLUSTER, "quota", quota.app),
    (options.CLUSTER, "capacity", capacity.app),
    (options.CLUSTER, "mig", mig.app),
    (options.ADMINISTRATION, "node", node.app),
    (options.ADMINISTRATION, "cluster", cluster.app),
    (options.CLUSTER, "scheduler", scheduler.app),
    (options.ADMINISTRATION, "project", project.app),
    (options.ADMINISTRATION, "team", team.app),
    (options.ADMINISTRATION, "user", user.app),
    (options.ADMINISTRATION, "group", group.app),
    (options.ADMINISTRATION, "role", role.app),
    (options.ADMINISTRATION, "binding", binding.app),
    (options.ADMINISTRATION, "access", access.app),
    (options.ADMINISTRATION, "account", service_account.app),
    (options.ADMINISTRATION, "sso", sso.app),
    (options.ADMINISTRATION, "audit", audit.app),
    (options.ADMINISTRATION, "scim", scim.app),
)
app.callback(help=options.help_text(root))(root)
for _panel, _name, _function in _COMMANDS:
    # `run` hands everything after its command's first word to that command.
    _settings = {"allow_interspersed_args": False} if _name == "run" else None
    app.command(
        _name,
        help=options.help_text(_function),
        rich_help_panel=_panel,
        context_settings=_settings,
    )(_function)
for _panel, _name, _group in _GROUPS:
    _inner = [each.typer_instance for each in _group.registered_groups]
    for _command in (
        *_group.registered_commands,
        *(each for inner in _inner if inner is not None for each in inner.registered_commands),
    ):
        assert _command.callback is not None
        _command.help = options.help_text(_command.callback)
    app.add_typer(_group, name=_name, rich_help_panel=_panel)


def execute(application: typer.Typer, arguments: Sequence[str]) -> int:
    """Runs one command line and returns its exit code; every failure is told on stderr."""
    as_json = failure.wants_json(arguments)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a symbol gets another one, not a crash.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        result = application(list(arguments), standalone_mode=False, prog_name="podium")
    except PodiumError as error:
        return failure.report(error, as_json=as_json)
    except typer.TyperException as error:
        return failure.report_usage(error, as_json=as_json)
    except (typer.Abort, KeyboardInterrupt):
        print(file=sys.stderr)
        return failure.ExitCode.INTERRUPTED
    except Exception as error:
        return failure.report_bug(error, as_json=as_json)
    return result if isinstance(result, int) else failure.ExitCode.OK


def run(application: typer.Typer) -> NoReturn:
    """Runs what the shell gave, and ends the process with its exit code."""
    sys.exit(execute(application, sys.argv[1:]))


def main() -> None:
    """Entry point for a machine that only talks to a server."""
    run(app)
