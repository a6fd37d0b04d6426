"""The compliance report. Reached as `client.compliance`; of an exported file, without a server:
`report_of_file`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from podium.client.transport import Parameter, Transport
from podium.domain.audit_export import verify_export
from podium.domain.audit_lines import BadLineError, read_entry, read_lines
from podium.domain.compliance import Report, Wanted
from podium.domain.data import Classification
from podium.spec.compliance import report_view
from podium.spec.views.base import milliseconds
from podium.spec.views.compliance import ComplianceReportView

_SECONDS = 3600.0


class Compliance:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def report(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        classification: Classification | str | None = None,
        project: str | None = None,
        verify: bool = True,
        limit: int = 1000,
    ) -> ComplianceReportView:
        """From the server's trail, which it verifies first."""
        params: dict[str, Parameter] = {
            "since": None if since is None else since.isoformat(),
            "until": None if until is None else until.isoformat(),
            "class": None if classification is None else str(classification),
            "project": project,
            "verify": "true" if verify else "false",
            "limit": limit,
        }
        answer = self._transport.send("GET", "/compliance", params=params, timeout_seconds=_SECONDS)
        return self._transport.parse(ComplianceReportView, answer)


def report_of_file(
    path: Path,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    classification: Classification | str | None = None,
    project: str | None = None,
    public_keys: Sequence[bytes] = (),
    limit: int = 1000,
) -> ComplianceReportView:
    """From an export of the audit trail. An extract is read too, but proves nothing. Raises OSError
    and BadLineError."""
    wanted = Wanted(
        since_ms=None if since is None else milliseconds(since),
        until_ms=None if until is None else milliseconds(until),
        classification=None if classification is None else str(classification),
        project=project,
        items_max=limit,
    )
    with path.open(encoding="utf-8") as lines:
        records = read_lines(iter(lines))
        header = next(records, {})
        if header.get("kind") != "header":
            raise BadLineError("This is not an export of the audit trail.")
        complete = bool(header.get("whole"))
        report = Report(wanted=wanted, whole=complete and header.get("start_seq") == 0)
        report.take(read_entry(each) for each in records if each["kind"] == "entry")
    if not complete:
        sentence = "This is an extract, which cannot be verified, and may leave out violations."
        return report_view(report, trail_ok=None, trail_sentence=sentence)
    with path.open(encoding="utf-8") as lines:
        found = verify_export(lines, public_keys)
    verdict = found.verdict
    sentence = (
        f"Verified: {verdict.entries:,} entries are as they were written."
        if verdict.ok
        else f"The trail was changed: {verdict.faults[0].sentence}"
    )
    if verdict.ok and not found.trusted:
        sentence += " The key is the one in the file; give the one that you trust."
    return report_view(
        report, trail_ok=verdict.ok, trail_sentence=sentence, trail_key_trusted=found.trusted
    )
