"""`podium replay`: one cycle of the scheduler decided again, on this machine. `podium.main` puts
it among the commands; what computes is imported by the command itself."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from podium import __version__
from podium.cli import options, terminal
from podium.cli.connection import connect
from podium.cli.scheduler import took
from podium.cli.wording import clock, count, plural
from podium.domain.errors import FieldFault, UserError
from podium.domain.quantity import format_bytes
from podium.spec.views.base import utc

if TYPE_CHECKING:
    from podium.scheduling.replay.record import Record


def replay(
    cycle: Annotated[
        str,
        typer.Argument(
            metavar="ID|FILE",
            help="A cycle that the server has recorded, or a file of one, for which no server is "
            "needed.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the record to a file that stands for itself.",
            show_default=False,
        ),
    ] = None,
    anonymise: Annotated[
        bool,
        typer.Option(
            "--anonymise",
            help="Take out all names: of people, projects, work, machines and labels.",
        ),
    ] = False,
    json_output: options.Json = False,
) -> None:
    """Decide a recorded cycle of the scheduler again, and say whether it comes out the same.

    The exit code is 1 where it does not, with the first difference. Nothing is changed. For
    administrators; whoever has a file needs no server.

    Examples:
      podium replay 1204
      podium replay 1204 --anonymise --output cycle.podium
      podium replay cycle.podium
    """
    data = _read(cycle, anonymise=anonymise)

    from podium.scheduling.replay.anonymous import anonymised_record
    from podium.scheduling.replay.coding import RecordError
    from podium.scheduling.replay.record import packed, replayed, unpacked

    try:
        record = unpacked(data)
    except RecordError as error:
        raise UserError(
            FieldFault("ID|FILE", str(error), "Write one with podium replay ID --output FILE.")
        ) from error
    if anonymise and not _is_id(cycle):  # the server has done it already
        record = anonymised_record(record)
        data = packed(record)
    with terminal.busy("Deciding…"):
        begun = time.monotonic()
        again = replayed(record)
        took_ms = (time.monotonic() - begun) * 1000
    if output is not None:
        _write(output, data)
    if json_output:
        terminal.document(
            {
                "same": again.same,
                "digest": again.digest,
                "recorded_digest": record.digest,
                "difference": again.difference,
                "at": utc(record.now_ms).isoformat(),
                "seed": record.seed,
                "version": record.version,
                "replayed_with": __version__,
                "took_ms": round(took_ms, 3),
                "nodes": len(record.snapshot.nodes),
                "running": len({hold.workload_id for hold in record.snapshot.holds}),
                "waiting": len(record.snapshot.demands),
                "placed": len(again.plan.placements),
                "output": None if output is None else str(output),
            }
        )
    else:
        _show(record, again.digest, took_ms, again.difference)
        if output is not None:
            names = "without names" if anonymise else "with all names"
            terminal.say(f"Written to {output}: {format_bytes(len(data))}, {names}.")
    if not again.same:
        raise typer.Exit(1)


def _is_id(cycle: str) -> bool:
    return cycle.isascii() and cycle.isdigit()


def _read(cycle: str, *, anonymise: bool) -> bytes:
    if _is_id(cycle):
        with connect() as client:
            return client.scheduler.record(int(cycle), anonymise=anonymise)
    try:
        return Path(cycle).read_bytes()
    except OSError as error:
        raise UserError(
            FieldFault(
                "ID|FILE",
                f"{cycle} cannot be read: {error.strerror}.",
                "Name a file, or the number of a cycle; see: podium scheduler",
            )
        ) from error


def _write(output: Path, data: bytes) -> None:
    try:
        output.write_bytes(data)
    except OSError as error:
        raise UserError(
            FieldFault(
                "--output", f"{output} cannot be written: {error.strerror}.", "Choose another."
            )
        ) from error


def _show(record: Record, digest: str, took_ms: float, difference: str) -> None:
    snapshot = record.snapshot
    saw = (
        f"{plural(len(snapshot.nodes), 'node')}, {plural(len(snapshot.holds), 'running replica')}, "
        f"{count(len(snapshot.demands))} waiting"
    )
    terminal.show_facts(
        [
            ("Decided for", clock(utc(record.now_ms), precise=True)),
            ("By Podium", record.version),
            ("Saw", saw),
            ("Digest", record.digest),
        ]
    )
    if not difference:
        terminal.write(f"Decided again in {took(took_ms)} by Podium {__version__}: the same plan.")
        return
    terminal.write(f"Decided again by Podium {__version__}: another plan, digest {digest}.")
    terminal.write(f"First difference: {difference}")
