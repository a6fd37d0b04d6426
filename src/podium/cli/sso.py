"""`podium sso`: the providers that people sign in with, for administrators."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import options, terminal
from podium.cli.connection import connect
from podium.cli.failure import ExitCode
from podium.cli.terminal import Column
from podium.domain.errors import FieldFault, NotFoundError, UserError

if TYPE_CHECKING:
    from podium.spec.views.sign_in import ProviderTrialView, ProviderView

app = typer.Typer(no_args_is_help=True, help="Single sign-on: OpenID Connect providers.")

SCOPES = ("openid", "profile", "email")
Name = Annotated[str, typer.Argument(metavar="NAME", help="The provider's name here.")]


@app.command("ls")
def list_providers(json_output: options.Json = False) -> None:
    """List the providers.

    Examples:
      podium sso ls
    """
    with connect() as client:
        views = client.providers.list()
    if json_output:
        terminal.listing(views)
        return
    columns = (Column("NAME", style="bold"), Column("ISSUER"), Column("GROUPS"), Column("LABEL"))
    terminal.show_table(
        columns,
        [
            (
                view.name,
                view.issuer,
                f"{view.groups_claim} ({view.groups})" if view.groups_claim else "kept here",
                view.label,
            )
            for view in views
        ],
    )


@app.command()
def show(name: Name, json_output: options.Json = False) -> None:
    """Show a provider, and what to register there.

    Examples:
      podium sso show corp
    """
    with connect() as client:
        view = client.providers.get(name)
    _show(view, json_output=json_output)


@app.command()
def add(
    name: Name,
    issuer: Annotated[
        str | None,
        typer.Option("--issuer", metavar="URL", help="Its issuer, exactly as it says itself."),
    ] = None,
    client_id: Annotated[
        str | None, typer.Option("--client-id", metavar="ID", help="Podium's id there.")
    ] = None,
    client_secret_stdin: Annotated[
        bool,
        typer.Option("--client-secret-stdin", help="Read the client's secret from standard input."),
    ] = False,
    no_secret: Annotated[
        bool, typer.Option("--no-client-secret", help="It has none; forget one that is set.")
    ] = False,
    label: Annotated[
        str | None, typer.Option("--label", help="What the button says. Default: the name.")
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", metavar="SCOPE", help="Ask for this, too; repeat it."),
    ] = None,
    groups_claim: Annotated[
        str | None,
        typer.Option(
            "--groups-claim",
            metavar="CLAIM",
            help="Where it names a person's groups, such as groups or realm_access.roles; empty: "
            "groups are kept here. Default: groups.",
        ),
    ] = None,
    groups: Annotated[
        str | None,
        typer.Option(
            "--groups",
            metavar="known|create",
            help="Whether groups that are not known here are made. Default: known.",
        ),
    ] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(
            "--group",
            metavar="THERE=HERE",
            help="A group that is named differently here; repeat it.",
        ),
    ] = None,
    username_claim: Annotated[
        str | None,
        typer.Option("--username-claim", metavar="CLAIM", help="Default: preferred_username."),
    ] = None,
    link: Annotated[
        str | None,
        typer.Option(
            "--link",
            metavar="none|email|directory",
            help="Whether somebody new may be a person that is here already: never; by verified "
            "e-mail address; or a person of the directory (SCIM). Default: none.",
        ),
    ] = None,
    json_output: options.Json = False,
) -> None:
    """Add a provider, or change one. What is not named stays as it is.

    Examples:
      podium sso add corp --issuer https://login.example.com --client-id podium \
--client-secret-stdin < secret.txt
      podium sso add corp --groups-claim realm_access.roles --groups create
      podium sso add corp --group '/ml/vision=vision'
    """
    with connect() as client:
        try:
            known = client.providers.get(name)
        except NotFoundError:
            known = None
        if known is None and not (issuer and client_id):
            missing = "--issuer" if not issuer else "--client-id"
            raise UserError(
                FieldFault(missing, "is not given.", f"Add {missing}; there is no {name} yet.")
            )
        secret = sys.stdin.read().strip() if client_secret_stdin else None
        if client_secret_stdin and not secret:
            raise UserError(
                FieldFault("--client-secret-stdin", "found nothing.", "Send the secret to it.")
            )
        view = client.providers.set(
            name,
            issuer=issuer or (known.issuer if known else ""),
            client_id=client_id or (known.client_id if known else ""),
            client_secret=secret,
            keep_secret=secret is None and not no_secret and known is not None,
            label=_or(label, known.label if known else ""),
            scopes=[*SCOPES, *scope] if scope else (known.scopes if known else SCOPES),
            groups_claim=_or(groups_claim, known.groups_claim if known else "groups"),
            groups=_or(groups, known.groups if known else "known"),
            group_names=_group_names(group) if group else (known.group_names if known else {}),
            username_claim=_or(
                username_claim, known.username_claim if known else "preferred_username"
            ),
            link=_or(link, known.link if known else "none"),
        )
    _show(view, json_output=json_output)


@app.command("test")
def try_provider(name: Name, json_output: options.Json = False) -> int:
    """Ask the provider for what a sign-in needs, without signing anybody in.

    Examples:
      podium sso test corp
    """
    with connect() as client:
        view = client.providers.test(name)
    return _tried(view, name, json_output=json_output)


def _tried(view: ProviderTrialView, name: str, *, json_output: bool) -> int:
    if json_output:
        terminal.document(view)
    elif view.ok:
        terminal.write(f"{name} answers, and signs with {view.keys} keys that Podium can check.")
    else:
        terminal.say(f"{name}: {view.fault}")
    return ExitCode.OK if view.ok else ExitCode.FAILED


@app.command()
def check(
    issuer: Annotated[str, typer.Argument(metavar="URL", help="Its issuer, as it says itself.")],
    json_output: options.Json = False,
) -> int:
    """Ask an issuer for what a sign-in needs, before you add it.

    Examples:
      podium sso check https://login.example.com/realms/main
    """
    with connect() as client:
        view = client.providers.check(issuer)
    return _tried(view, issuer, json_output=json_output)


@app.command("rm")
def remove(name: Name, yes: options.Yes = False, json_output: options.Json = False) -> None:
    """Remove a provider: sign-ins that came through it end. The people stay.

    Examples:
      podium sso rm corp --yes
    """
    if not yes and terminal.interactive():
        typer.confirm(f"End all sign-ins through {name} and remove it?", abort=True, err=True)
    with connect() as client:
        client.providers.remove(name)
    if json_output:
        terminal.document({"name": name, "removed": True})
    else:
        terminal.write(f"{name} is removed.")


def _show(view: ProviderView, *, json_output: bool) -> None:
    if json_output:
        terminal.document(view)
        return
    names = ", ".join(f"{there} = {here}" for there, here in view.group_names.items())
    terminal.show_facts(
        [
            ("Provider", view.name),
            ("Label", view.label),
            ("Issuer", view.issuer),
            ("Client", view.client_id + ("" if view.has_secret else " (no secret)")),
            ("Scopes", " ".join(view.scopes)),
            (
                "Groups",
                f"{view.groups_claim} ({view.groups})" if view.groups_claim else "kept here",
            ),
            ("Group names", names),
            ("Username", view.username_claim),
            ("Link", view.link),
            ("Redirect URI", view.redirect_uri),
            ("Logout URI", view.backchannel_logout_uri),
        ]
    )


def _group_names(pairs: list[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        there, equals, here = pair.rpartition("=")
        if not (there and equals and here):
            raise UserError(
                FieldFault("--group", f"'{pair}' has no equals sign.", "Write THERE=HERE.")
            )
        found[there] = here
    return found


def _or(given: str | None, otherwise: str) -> str:
    return otherwise if given is None else given
