"""Turns a report into its document and into CSV, for the API and for the command line."""

from __future__ import annotations

import csv
import io

from podium.domain.compliance import Report
from podium.domain.data import Classification
from podium.spec.views.base import utc, utc_or_none
from podium.spec.views.compliance import AccessView, ComplianceReportView, FindingView

_COLUMNS = (
    "row", "seq", "at", "verdict", "username", "project", "workload_id", "source", "mode", "class",
    "ranks", "node", "pool", "region", "approved_for", "right", "finding", "sentence",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def report_view(
    report: Report,
    *,
    trail_ok: bool | None,
    trail_sentence: str,
    trail_key_trusted: bool | None = None,
) -> ComplianceReportView:
    known = {each.value for each in Classification}
    return ComplianceReportView(
        trail_ok=trail_ok,
        trail_sentence=trail_sentence,
        trail_key_trusted=trail_key_trusted,
        first_seq=report.first_seq,
        last_seq=report.last_seq,
        since=utc_or_none(report.wanted.since_ms),
        until=utc_or_none(report.wanted.until_ms),
        accesses=report.accesses,
        approved=report.approved,
        unproven=report.unproven,
        violations=report.violations,
        by_class=dict(sorted(report.by_class.items())),
        by_pool=dict(sorted(report.by_pool.items())),
        findings=[
            FindingView(
                kind=each.kind,
                seq=each.seq,
                at=utc(each.at_ms),
                sentence=each.sentence,
                workload_id=each.workload_id,
                source=each.source,
                project=each.project,
            )
            for each in report.findings
        ],
        items=[
            AccessView(
                seq=each.seq,
                at=utc(each.at_ms),
                username=each.username,
                project=each.project,
                workload_id=each.workload_id,
                source=each.source,
                mode=each.mode,
                classification=each.classification,
                ranks=list(each.ranks),
                node=each.node,
                pool=each.pool,
                region=each.region,
                approved_for=None
                if each.approved_for is None
                else [Classification(name) for name in each.approved_for if name in known],
                right=each.right,
                verdict=each.verdict,
            )
            for each in report.newest()
        ],
    )


def report_csv(view: ComplianceReportView) -> str:
    """A row for each use, then one for each finding."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for use in view.items:
        writer.writerow(
            _cells(
                "use", use.seq, use.at.isoformat(), use.verdict, use.username, use.project,
                use.workload_id, use.source, use.mode, use.classification,
                " ".join(map(str, use.ranks)), use.node, use.pool, use.region,
                "" if use.approved_for is None else " ".join(use.approved_for), use.right, "", "",
            )
        )  # fmt: skip
    for found in view.findings:
        writer.writerow(
            _cells(
                "finding", found.seq, found.at.isoformat(), "", "", found.project,
                found.workload_id, found.source, "", "", "", "", "", "", "", "", found.kind,
                found.sentence,
            )
        )  # fmt: skip
    return text.getvalue()


def _cells(*values: object) -> list[str]:
    """No cell is taken for a formula by a spreadsheet."""
    words = [str(each) for each in values]
    return [f"'{each}" if each.startswith(_FORMULA) else each for each in words]
