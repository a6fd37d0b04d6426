"""`podium audit`: who did what and who saw what, whether the trail is as it was written, and the
trail as a file."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from podium.cli import audit_forward, completion, options, terminal
from podium.cli.connection import connect
from podium.cli.failure import ExitCode
from podium.cli.terminal import Column
from podium.cli.wording import clock, count, plural
from podium.domain.errors import FieldFault, UserError
from podium.domain.quantity import format_bytes, parse_duration_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from podium.client.client import Client
    from podium.domain.audit_export import ExportVerdict
    from podium.domain.audit_verify import Verdict
    from podium.spec.views.audit import AuditEntryView, AuditVerdictView

app = typer.Typer(
    invoke_without_command=True,
    help="Who did what, and who saw what. For auditors and leads.\n\n"
    "Without a command, lists the newest entries.",
)

app.add_typer(audit_forward.app, name="forward")

FAULTS_SHOWN = 10
_FOLLOW_SECONDS = 2.0
_FOLLOW_MAX = 500
_TIMES = frozenset({"since", "until"})

Actor = Annotated[
    str | None, typer.Option("--actor", metavar="NAME", help="Only what this person did.")
]
ActionOf = Annotated[
    str | None,
    typer.Option("--action", metavar="ACTION", help="Such as quota:set; quota: is all of quotas."),
]
Subject = Annotated[
    str | None, typer.Option("--subject", metavar="NAME", help="Only what was done to this.")
]
# Unlike elsewhere, the project of `podium project use` does not narrow the trail.
Project = Annotated[
    str | None,
    typer.Option(
        "--project",
        "-p",
        metavar="NAME",
        help="Only this project. Default: all that you may read.",
        autocompletion=completion.projects,
        show_default=False,
    ),
]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="From then on: 2h, 7d, or 2026-05-03T14:00."),
]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Before then.")]
Grep = Annotated[
    str | None, typer.Option("--grep", metavar="WORDS", help="Only entries that have these words.")
]
Outcome = Annotated[
    str | None, typer.Option("--outcome", metavar="OUTCOME", help="allowed or refused.")
]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many at most.")]
Follow = Annotated[
    bool, typer.Option("--follow", "-f", help="Stay, and print what is added, oldest first.")
]


@app.callback()
def newest(
    context: typer.Context,
    actor: Actor = None,
    action: ActionOf = None,
    subject: Subject = None,
    project: Project = None,
    since: Since = None,
    until: Until = None,
    grep: Grep = None,
    outcome: Outcome = None,
    limit: Limit = 50,
    follow: Follow = False,
    json_output: options.Json = False,
) -> None:
    if context.invoked_subcommand is None:
        list_entries(
            actor, action, subject, project, since, until, grep, outcome, limit, follow, json_output
        )


@app.command("list")
def list_entries(
    actor: Actor = None,
    action: ActionOf = None,
    subject: Subject = None,
    project: Project = None,
    since: Since = None,
    until: Until = None,
    grep: Grep = None,
    outcome: Outcome = None,
    limit: Limit = 50,
    follow: Follow = False,
    json_output: options.Json = False,
) -> None:
    """List entries, newest first.

    Examples:
      podium audit --since 2h
      podium audit --actor ada --action quota: --json
      podium audit --outcome refused --follow
    """
    wanted = _wanted(actor, action, subject, project, since, until, grep, outcome)
    with connect() as client:
        views = list(client.audit.list(**wanted, limit=limit))
        if follow:
            _follow(client, wanted, views, as_json=json_output)
            return
    if json_output:
        terminal.listing(views)
        return
    if not views:
        terminal.say("Nothing that you may read fits.")
        return
    _table(views)


@app.command("show")
def show_entry(
    seq: Annotated[int, typer.Argument(metavar="SEQ", min=1, help="The entry.")],
    json_output: options.Json = False,
) -> None:
    """Show one entry with all that it tells.

    Examples:
      podium audit show 1204
    """
    with connect() as client:
        view = client.audit.entry(seq)
    if json_output:
        terminal.document(view)
        return
    terminal.heading(f"Entry {view.seq}")
    terminal.show_facts(
        [
            ("At", clock(view.at, precise=True)),
            ("Who", view.actor or "nobody who was signed in"),
            ("Did", view.action),
            ("To", view.subject),
            ("Project", view.project or ""),
            ("Outcome", view.outcome),
            *((key.capitalize(), _plain(view.detail[key])) for key in _in_time(view.detail)),
            ("From", view.source),
            ("With", view.user_agent),
            ("Token", view.token_id),
            ("Request", view.request_id),
            ("Hash", view.hash),
        ]
    )


@app.command("verify")
def verify(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="An export; without one, the server's own trail."),
    ] = None,
    public_key: Annotated[
        list[str] | None,
        typer.Option(
            "--public-key",
            metavar="KEY",
            help="The key that is trusted, or a file with it. May be repeated.",
        ),
    ] = None,
    json_output: options.Json = False,
) -> int:
    """Find out whether the trail is as it was written: no entry changed, taken out or put in.

    The exit code is 1 when it is not. A file needs no server; give the key that you noted when all
    was well, for the file's own key proves nothing.

    Examples:
      podium audit verify
      podium audit verify audit.jsonl --public-key audit.pub
    """
    if file is not None:
        return _verify_file(file, public_key or [], as_json=json_output)
    if public_key:
        raise UserError(
            FieldFault("--public-key", "goes with a file.", "The server uses its own key.")
        )
    with connect() as client, terminal.busy("Looking at every entry"):
        view = client.audit.verify()
    if json_output:
        terminal.document(view)
    else:
        _tell(view, [(each.seq, each.by, each.reason) for each in view.breaks])
        terminal.say(
            f"{plural(view.seals, 'seal')} by key {', '.join(view.key_ids)}; "
            f"took {view.took_ms / 1000:.1f} s."
        )
    return ExitCode.OK if view.ok else ExitCode.FAILED


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.")],
    actor: Actor = None,
    action: ActionOf = None,
    subject: Subject = None,
    project: Project = None,
    since: Since = None,
    until: Until = None,
    grep: Grep = None,
    outcome: Outcome = None,
    json_output: options.Json = False,
) -> None:
    """Write the trail to a file of JSON Lines, which verifies without a server.

    Of a span of time, it begins and ends at the seals around it. With any other filter it is an
    extract: entries are left out, so it cannot be verified.

    Examples:
      podium audit export audit.jsonl
      podium audit export may.jsonl --since 2026-05-01 --until 2026-06-01
      podium audit export refused.jsonl --outcome refused --since 30d
    """
    wanted = _wanted(actor, action, subject, project, since, until, grep, outcome)
    with connect() as client, terminal.busy("Writing the trail"):
        size_bytes = client.audit.export(file, **wanted)
    extract = any(value is not None for name, value in wanted.items() if name not in _TIMES)
    if json_output:
        terminal.document({"file": str(file), "size_bytes": size_bytes, "extract": extract})
        return
    terminal.say(f"Wrote {format_bytes(size_bytes)} to {file}.")
    if extract:
        terminal.say("It holds some entries only, so it cannot be verified.")
    else:
        terminal.say(f"Verify it anywhere: podium audit verify {file} --public-key KEY")


@app.command("key")
def show_key(json_output: options.Json = False) -> None:
    """Print the public key that seals are verified with. Keep it away from the server.

    Examples:
      podium audit key > audit.pub
    """
    with connect() as client:
        view = client.audit.key()
    if json_output:
        terminal.document(view)
        return
    terminal.write(view.public_key)
    terminal.say(f"{view.algorithm}, key {view.key_id}.")


@app.command("state")
def show_state(json_output: options.Json = False) -> None:
    """Show how far the trail is sealed, and whether anything is wrong with it.

    Examples:
      podium audit state
    """
    with connect() as client:
        view = client.audit.state()
    if json_output:
        terminal.document(view)
        return
    sealed = (
        "none" if view.sealed_at is None else f"{count(view.sealed_seq)}, {clock(view.sealed_at)}"
    )
    removed = view.removal
    terminal.show_facts(
        [
            ("Last entry", count(view.last_seq)),
            ("Sealed through", sealed),
            ("Alarm", view.alarm or "none"),
            ("Kept", plural(view.kept_days, "day")),
            ("Removed", "" if removed is None else f"through entry {count(removed.last_seq)}"),
            ("Key", view.key.key_id),
        ]
    )


@app.command("break")
def declare_break(
    reason: Annotated[str, typer.Argument(metavar="REASON", help="What happened, in a sentence.")],
    json_output: options.Json = False,
) -> None:
    """Let the trail be sealed again after a fault that is explained, such as a restored backup.

    What is wrong before stays on record, beside the reason and your name.

    Examples:
      podium audit break "Restored the backup of 3 May after the disk failed."
    """
    with connect() as client:
        view = client.audit.declare_break(reason)
    if json_output:
        terminal.document(view)
        return
    terminal.say(f"The trail goes on after entry {view.seq}.")


def _wanted(
    actor: str | None,
    action: str | None,
    subject: str | None,
    project: str | None,
    since: str | None,
    until: str | None,
    grep: str | None,
    outcome: str | None,
) -> dict[str, Any]:
    """The filters, as the SDK takes them. Raises UserError."""
    if outcome not in (None, "allowed", "refused"):
        raise UserError(FieldFault("--outcome", f"is {outcome}.", "Write allowed or refused."))
    now = datetime.now(UTC)
    return {
        "actor": actor,
        "action": action,
        "subject": subject,
        "project": project,
        "outcome": outcome,
        "since": _moment("--since", since, now),
        "until": _moment("--until", until, now),
        "q": grep,
    }


def _follow(
    client: Client, wanted: dict[str, Any], views: Sequence[AuditEntryView], *, as_json: bool
) -> None:
    """Until Ctrl-C. What comes faster than can be listed is left to the list."""
    last = views[0].seq if views else 0
    for view in reversed(views):
        _line(view, as_json=as_json)
    while True:
        time.sleep(_FOLLOW_SECONDS)
        new = []
        for view in client.audit.list(**wanted, limit=_FOLLOW_MAX):
            if view.seq <= last:
                break
            new.append(view)
        for view in reversed(new):
            _line(view, as_json=as_json)
        last = new[0].seq if new else last


def _line(view: AuditEntryView, *, as_json: bool) -> None:
    if as_json:
        terminal.line(view)
        return
    who = view.actor or view.source or "nobody"
    refused = "  refused" if view.outcome == "refused" else ""
    terminal.write(f"{clock(view.at)}  {who}  {view.action}  {view.subject}{refused}")


def _table(views: Sequence[AuditEntryView]) -> None:
    columns = (
        Column("ENTRY", right=True, drop=4),
        Column("AT"),
        Column("WHO", cut=True, style="bold"),
        Column("DID"),
        Column("TO", cut=True),
        Column("PROJECT", cut=True, drop=3),
        Column("OUTCOME", drop=1),
        Column("FROM", drop=2),
        Column("DETAIL", cut=True, drop=5),
    )
    terminal.show_table(
        columns,
        [
            (
                str(each.seq),
                clock(each.at),
                each.actor or "–",
                each.action,
                each.subject,
                each.project or "",
                each.outcome,
                each.source,
                _plain(each.detail) if each.detail else "",
            )
            for each in views
        ],
    )


def _in_time(detail: dict[str, Any]) -> Sequence[str]:
    """What was before comes before what is after."""
    return [*(key for key in ("before", "after") if key in detail),
            *(key for key in detail if key not in ("before", "after"))]  # fmt: skip


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _verify_file(file: Path, keys: Sequence[str], *, as_json: bool) -> int:
    from podium.domain.audit import read_break
    from podium.domain.audit_export import verify_export
    from podium.domain.audit_lines import BadLineError

    try:
        with file.open(encoding="utf-8") as lines:
            found = verify_export(lines, [_key(each) for each in keys])
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UserError(FieldFault("FILE", f"{file} cannot be read: {why}.")) from None
    except BadLineError as error:
        raise UserError(FieldFault("FILE", f"{file} cannot be verified. {error}")) from None
    if as_json:
        terminal.document(_export_document(found))
    else:
        told = [(each.seq, read_break(each.note)) for each in found.verdict.breaks]
        _tell(found.verdict, [(seq, each.by, each.reason) for seq, each in told])
        if found.sealed_at_ms is not None:
            at = datetime.fromtimestamp(found.sealed_at_ms / 1000, UTC)
            terminal.say(f"Sealed {clock(at)} by key {', '.join(found.key_ids)}.")
        if not found.trusted:
            terminal.say(
                "The key is the one in the file: give the one that you trust with --public-key, or "
                "this proves only that the file agrees with itself."
            )
    return ExitCode.OK if found.verdict.ok else ExitCode.FAILED


def _export_document(found: ExportVerdict) -> dict[str, Any]:
    """The fields of the server's own verdict, as far as a file can tell them."""
    verdict = found.verdict
    faults = [
        {
            "kind": each.kind.value,
            "first_seq": each.first_seq,
            "last_seq": each.last_seq,
            "sentence": each.sentence,
        }
        for each in verdict.faults
    ]
    return {
        "ok": verdict.ok,
        "entries": verdict.entries,
        "first_seq": verdict.first_seq,
        "last_seq": verdict.last_seq,
        "sealed_seq": verdict.sealed_seq,
        "unsealed": verdict.unsealed,
        "first_fault_seq": faults[0]["first_seq"] if faults else None,
        "fault_count": verdict.fault_count,
        "faults": faults,
        "key_ids": list(found.key_ids),
        "key_trusted": found.trusted,
    }


def _tell(view: AuditVerdictView | Verdict, breaks: Sequence[tuple[int, str, str]]) -> None:
    """A verdict of the server, or of a file; `breaks` are places with who declared them and why."""
    span = f"entries {count(view.first_seq)} to {count(view.last_seq)}"
    if not view.entries:
        span = "no entries"
    if view.ok:
        terminal.write(f"Whole: {span} are as they were written.")
    else:
        terminal.write(f"Changed: {plural(view.fault_count, 'fault')} in {span}.")
        for fault in view.faults[:FAULTS_SHOWN]:
            terminal.write(f"  {fault.sentence}")
        if view.fault_count > FAULTS_SHOWN:
            terminal.write(f"  … and {count(view.fault_count - FAULTS_SHOWN)} more.")
    for seq, by, reason in breaks:
        terminal.write(f"A break was declared after entry {seq} by {by}: {reason}")
    for fault in view.excused[:FAULTS_SHOWN]:
        terminal.write(f"  before it: {fault.sentence}")
    if view.removal is not None:
        terminal.write(f"Entries through {count(view.removal.last_seq)} were removed by retention.")
    if view.unsealed:
        terminal.write(
            f"{plural(view.unsealed, 'entry', 'entries')} after entry {count(view.sealed_seq)} "
            "not sealed yet."
        )


def _key(text: str) -> bytes:
    from podium.domain.signature import read_key

    path = Path(text)
    try:
        return read_key(path.read_text(encoding="ascii") if path.is_file() else text)
    except (OSError, ValueError) as error:
        raise UserError(
            FieldFault("--public-key", f"{error}.", "Give what `podium audit key` printed.")
        ) from None


def _moment(option: str, text: str | None, now: datetime) -> datetime | None:
    """A time, or how long ago. Raises UserError."""
    if text is None:
        return None
    try:
        return now - timedelta(seconds=parse_duration_seconds(text))
    except (ValueError, OverflowError):
        pass
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        remedy = "Write 2h or 7d, or a time such as 2026-05-03T14:00."
        raise UserError(FieldFault(option, f"is {text!r}.", remedy)) from None
