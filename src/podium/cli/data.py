"""`podium data`: data sources, who may use them, and who did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import options, terminal
from podium.cli.connection import connect
from podium.cli.terminal import Column
from podium.cli.wording import clock
from podium.domain.data import Classification, GranteeKind, SourceKind
from podium.domain.errors import FieldFault, NotFoundError, UserError

if TYPE_CHECKING:
    from podium.spec.views.data import DataSourceView

app = typer.Typer(no_args_is_help=True, help="Data sources, who may use them, and who did.")

Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="The source: NAME, or PROJECT/NAME for a project's own."),
]


def _option(flag: str, metavar: str, words: str) -> typer.models.OptionInfo:
    found: typer.models.OptionInfo = typer.Option(
        flag, metavar=metavar, help=words, show_default=False
    )
    return found


@app.command("ls")
def list_sources(json_output: options.Json = False) -> None:
    """List the sources that you may use, and those that you keep.

    Examples:
      podium data ls
    """
    with connect() as client:
        views = list(client.data.list())
    if json_output:
        terminal.listing(views)
        return
    if not views:
        terminal.say("No data source is granted to you. Who keeps one grants it: podium data grant")
        return
    columns = (
        Column("NAME", style="bold"),
        Column("KIND"),
        Column("CLASS"),
        Column("REGIONS", drop=1),
        Column("GRANTED TO", cut=True, drop=2),
        Column("DESCRIPTION", cut=True, drop=3),
    )
    terminal.show_table(
        columns,
        [
            (
                view.id,
                view.kind,
                view.classification,
                ", ".join(view.regions) or "any",
                _grants(view),
                view.description,
            )
            for view in views
        ],
    )


@app.command("show")
def show_source(name: Name, json_output: options.Json = False) -> None:
    """Show one source.

    Examples:
      podium data show scans
    """
    with connect() as client:
        view = client.data.get(name)
    if json_output:
        terminal.document(view)
    else:
        _show(view)


@app.command("add")
def add_source(
    name: Name,
    kind: Annotated[SourceKind, typer.Option("--kind", help="Where the data lies.")],
    classification: Annotated[
        Classification, typer.Option("--class", help="How sensitive the data is.")
    ],
    path: Annotated[
        str | None, _option("--path", "PATH", "Of a folder, below a --data-root of the server.")
    ] = None,
    nfs_server: Annotated[str | None, _option("--nfs-server", "HOST", "Of NFS.")] = None,
    export: Annotated[str | None, _option("--export", "PATH", "Of NFS: what is exported.")] = None,
    mount_options: Annotated[
        str | None, _option("--options", "LIST", "Of NFS, such as vers=4.2,nconnect=4.")
    ] = None,
    endpoint: Annotated[
        str | None, _option("--endpoint", "URL", "Of S3, such as https://s3.example.com.")
    ] = None,
    bucket: Annotated[str | None, _option("--bucket", "NAME", "Of S3.")] = None,
    prefix: Annotated[str | None, _option("--prefix", "PATH", "Of S3: only what is in it.")] = None,
    s3_region: Annotated[
        str | None, _option("--s3-region", "NAME", "Of S3: what requests are signed for.")
    ] = None,
    secret: Annotated[
        str | None, _option("--secret", "NAME", "Of S3: the project's secret with KEY_ID:KEY.")
    ] = None,
    secret_project: Annotated[
        str | None,
        _option("--secret-project", "NAME", "Whose secret, for a source of the organisation."),
    ] = None,
    claim: Annotated[str | None, _option("--claim", "NAME", "Of a volume claim.")] = None,
    namespace: Annotated[str | None, _option("--namespace", "NAME", "Of a volume claim.")] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            "--region",
            metavar="NAME",
            help="Where it may be used. May be repeated; everywhere when left out.",
            show_default=False,
        ),
    ] = None,
    description: Annotated[str, _option("--description", "TEXT", "What it is.")] = "",
    json_output: options.Json = False,
) -> None:
    """Make a source, or change it. Grants stay as they are.

    Folders, NFS and volume claims are for administrators; a project's lead adds object storage with
    the project's own credentials.

    Examples:
      podium data add scans --kind folder --path /srv/data/scans --class phi --region eu-central
      podium data add vision/models --kind s3 --endpoint https://s3.example.com --bucket models \
--secret S3_KEYS --class internal
      podium data add corpus --kind nfs --nfs-server nas.example.com --export /corpus --class public
    """
    given = {
        "path": path, "server": nfs_server, "export": export, "options": mount_options,
        "endpoint": endpoint, "bucket": bucket, "prefix": prefix, "region": s3_region,
        "secret": secret, "secret_project": secret_project, "claim": claim, "namespace": namespace,
    }  # fmt: skip
    location = {key: value for key, value in given.items() if value is not None}
    with connect() as client:
        view = client.data.set(
            name,
            kind,
            location,
            classification,
            regions=region or (),
            description=description,
        )
    if json_output:
        terminal.document(view)
    else:
        terminal.write(f"Data source {view.id} is set: {view.kind}, {view.classification}.")


@app.command("rm")
def remove_source(name: Name) -> None:
    """Forget a source. The data itself is not touched.

    Examples:
      podium data rm scans
    """
    with connect() as client:
        client.data.remove(name)
    terminal.say(f"Data source {name} is gone.")


_Project = Annotated[str | None, _option("--project", "NAME", "To a project.")]
_Team = Annotated[str | None, _option("--team", "NAME", "To all projects of a team.")]
_User = Annotated[str | None, _option("--user", "NAME", "To one person, in any project of theirs.")]


@app.command("grant")
def grant_source(
    name: Name,
    project: _Project = None,
    team: _Team = None,
    user: _User = None,
    write: Annotated[bool, typer.Option("--write", help="Also to write to it.")] = False,
    json_output: options.Json = False,
) -> None:
    """Let a project, a team or a person use a source.

    Examples:
      podium data grant scans --project vision
      podium data grant scans --user ada --write
    """
    kind, who = _grantee(project, team, user)
    with connect() as client:
        view = client.data.grant(name, kind, who, write=write)
    if json_output:
        terminal.document(view)
        return
    terminal.write(f"{kind.capitalize()} {who} may {'write to' if write else 'read'} {view.id}.")


@app.command("revoke")
def revoke_source(
    name: Name, project: _Project = None, team: _Team = None, user: _User = None
) -> None:
    """Take a grant back. What has it mounted goes on; what starts from now on does not get it.

    Examples:
      podium data revoke scans --project vision
    """
    kind, who = _grantee(project, team, user)
    with connect() as client:
        try:
            client.data.revoke(name, kind, who)
        except NotFoundError:
            client.data.get(name)  # or it is the source that is not there
    terminal.write(f"{kind.capitalize()} {who} has no grant for {name}.")


@app.command("log")
def show_log(
    name: Name,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many.")] = 50,
    json_output: options.Json = False,
) -> None:
    """Who mounted a source, when and where, newest first, from the audit trail.

    Examples:
      podium data log scans
    """
    with connect() as client:
        views = list(client.data.log(name, limit=limit))
    if json_output:
        terminal.listing(views)
        return
    columns = (
        Column("AT"),
        Column("WHO", style="bold"),
        Column("PROJECT"),
        Column("WORKLOAD"),
        Column("MODE"),
        Column("NODE", cut=True),
        Column("POOL", drop=1),
        Column("REGION", drop=2),
        Column("BY", drop=3),
    )
    terminal.show_table(
        columns,
        [
            (
                clock(view.at), view.username, view.project, view.workload_id, view.mode,
                view.node, view.pool or "–", view.region or "–", view.right,
            )
            for view in views
        ],
    )  # fmt: skip


def _grantee(project: str | None, team: str | None, user: str | None) -> tuple[GranteeKind, str]:
    given = [
        (kind, name)
        for kind, name in (
            (GranteeKind.PROJECT, project),
            (GranteeKind.TEAM, team),
            (GranteeKind.USER, user),
        )
        if name is not None
    ]
    if len(given) != 1:
        message = "is missing." if not given else "cannot go together with others."
        raise UserError(FieldFault("--project", message, "Name one project, team or user."))
    return given[0]


def _grants(view: DataSourceView) -> str:
    return ", ".join(
        f"{each.kind} {each.name}{' (write)' if each.write else ''}" for each in view.grants or ()
    )


def _show(view: DataSourceView) -> None:
    terminal.heading(view.id)
    place = ", ".join(f"{key} {value}" for key, value in (view.location or {}).items())
    terminal.show_facts(
        [
            ("Owner", f"project {view.project}" if view.project else "the organisation"),
            ("Kind", view.kind),
            ("Class", view.classification),
            ("Regions", ", ".join(view.regions) or "any"),
            ("Place", place),
            ("Granted to", _grants(view)),
            ("Used by", ", ".join(view.used_by)),
            ("About", view.description),
        ]
    )
