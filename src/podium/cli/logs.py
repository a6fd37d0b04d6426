"""`podium logs`: what the work wrote."""

from __future__ import annotations

from typing import Annotated

import typer

from podium.cli import options
from podium.cli.connection import connect
from podium.cli.failure import ExitCode


def logs(
    ref: options.Ref,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Stay until the work has ended.")
    ] = False,
    rank: Annotated[
        int | None, typer.Option("--rank", "-r", min=0, help="Only this replica.")
    ] = None,
    tail: Annotated[
        int | None,
        typer.Option("--tail", "-n", min=0, help="Only the last lines, of each replica."),
    ] = None,
    timestamps: Annotated[
        bool, typer.Option("--timestamps", "-t", help="Put the time before each line.")
    ] = False,
    grep: Annotated[
        str | None, typer.Option("--grep", "-g", help="Only lines with this text, in any case.")
    ] = None,
    attempt: Annotated[
        int | None, typer.Option("--attempt", min=1, help="Of this attempt, not of the latest.")
    ] = None,
    raw: Annotated[
        bool,
        typer.Option("--raw", help="On a terminal, too, exactly what was written."),
    ] = False,
    project: options.Project = None,
    json_output: options.Json = False,
) -> int:
    """Show what a workload wrote. With several replicas, each line says whose it is. On a
    terminal lines keep their colours, but cannot move the cursor or change the window's title.

    Examples:
      podium logs digits
      podium logs -f digits --tail 20
      podium logs sweep --rank 3 --timestamps
      podium logs digits --grep error --attempt 1
    """
    from podium.cli.following import LogPrinter

    if follow and (grep is not None or attempt is not None):
        raise typer.BadParameter("--grep and --attempt go with what was written, not with -f.")

    with connect(project) as client:
        if follow or rank is None:
            view = client.workloads.get(ref)
            workload_id, ranks = view.id, view.replicas.total
        else:
            workload_id, ranks = client.workloads.id_of(ref), 1
        printer = LogPrinter(
            ranks=1 if rank is not None else ranks,
            as_json=json_output,
            timestamps=timestamps,
            raw=raw,
        )
        lines = (
            client.workloads.follow_logs(workload_id, rank=rank, tail=tail)
            if follow
            else client.workloads.log_lines(
                workload_id, rank=rank, tail=tail, q=grep, attempt=attempt
            )
        )
        try:
            for line in lines:
                printer.print(line)
        except KeyboardInterrupt:
            return ExitCode.INTERRUPTED
    return ExitCode.OK
