"""`podium compliance`: what the audit trail proves about classified data."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from podium.cli import options, terminal
from podium.cli.audit import _key, _moment
from podium.cli.connection import connect
from podium.cli.failure import ExitCode
from podium.cli.terminal import Column
from podium.cli.wording import clock, count, plural
from podium.domain.data import Classification
from podium.domain.errors import FieldFault, UserError

if TYPE_CHECKING:
    from podium.spec.views.compliance import ComplianceReportView

app = typer.Typer(
    no_args_is_help=True, help="What the audit trail proves about where data was used."
)
_SHOWN = 50


@app.command("report")
def report(
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="WHEN", help="30d, or a time.", show_default=False),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="WHEN", help="1d, or a time.", show_default=False),
    ] = None,
    classification: Annotated[
        Classification | None,
        typer.Option("--class", help="Only data of this class.", show_default=False),
    ] = None,
    project: Annotated[
        str | None,
        typer.Option("--project", metavar="NAME", help="Only its work.", show_default=False),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file",
            metavar="FILE",
            help="An export of the audit trail, looked at without a server.",
            show_default=False,
        ),
    ] = None,
    public_key: Annotated[
        list[str] | None,
        typer.Option(
            "--public-key",
            metavar="KEY",
            help="What `podium audit key` printed, or a file of it. May be repeated.",
            show_default=False,
        ),
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="As CSV.")] = False,
    json_output: options.Json = False,
) -> None:
    """Each use of data: of what class, where, and whether that place was approved for it then.

    Everything comes from the audit trail, which is verified first. Ends with exit code 1 when there
    is a violation or the trail was changed. For those who may read the audit trail.

    Examples:
      podium compliance report --since 90d
      podium compliance report --class phi --csv > phi.csv
      podium audit export trail.jsonl && podium compliance report --file trail.jsonl
    """
    now = datetime.now(UTC)
    span = {"since": _moment("--since", since, now), "until": _moment("--until", until, now)}
    if file is None:
        with connect() as client:
            view = client.compliance.report(
                since=span["since"],
                until=span["until"],
                classification=classification,
                project=project,
                limit=10_000,
            )
    else:
        view = _of_file(file, public_key or (), classification, project, span)
    if json_output:
        terminal.document(view)
    elif csv:
        from podium.spec.compliance import report_csv

        sys.stdout.write(report_csv(view))
    else:
        _tell(view)
    if view.violations or view.trail_ok is False:
        raise typer.Exit(ExitCode.FAILED)


def _of_file(
    file: Path,
    keys: list[str] | tuple[str, ...],
    classification: Classification | None,
    project: str | None,
    span: dict[str, datetime | None],
) -> ComplianceReportView:
    from podium.client.compliance import report_of_file
    from podium.domain.audit_lines import BadLineError

    try:
        return report_of_file(
            file,
            since=span["since"],
            until=span["until"],
            classification=classification,
            project=project,
            public_keys=[_key(each) for each in keys],
            limit=10_000,
        )
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UserError(FieldFault("--file", f"{file} cannot be read: {why}.")) from None
    except BadLineError as error:
        raise UserError(FieldFault("--file", f"{file} cannot be read. {error}")) from None


def _tell(view: ComplianceReportView) -> None:
    terminal.write(view.trail_sentence)
    by_class = ", ".join(f"{count(number)} {name}" for name, number in view.by_class.items())
    terminal.write(
        f"{plural(view.accesses, 'use')} of data{f': {by_class}' if by_class else ''}. "
        f"{count(view.approved)} in approved places, {count(view.unproven)} not proven, "
        f"{plural(view.violations, 'violation')}."
    )
    if view.findings:
        terminal.write("")
        terminal.show_table(
            (Column("ENTRY", right=True), Column("AT"), Column("WHAT", style="bold"), Column("")),
            [
                (str(each.seq), clock(each.at), each.kind, each.sentence)
                for each in view.findings[:_SHOWN]
            ],
        )
    if view.items:
        terminal.write("")
        terminal.show_table(
            (
                Column("AT"),
                Column("WHO"),
                Column("SOURCE", cut=True),
                Column("CLASS"),
                Column("NODE", cut=True),
                Column("POOL", drop=1),
                Column("REGION", drop=2),
                Column("VERDICT", style="bold"),
            ),
            [
                (
                    clock(each.at), each.username, each.source or each.workload_id,
                    each.classification, each.node, each.pool or "–", each.region or "–",
                    each.verdict,
                )
                for each in view.items[:_SHOWN]
            ],
        )  # fmt: skip
        if view.accesses > _SHOWN:
            terminal.say("The newest are shown; all are in --json and --csv.")
