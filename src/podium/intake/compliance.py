"""The compliance report of the database's own trail; who asked for it is audited."""

from __future__ import annotations

from podium.domain.audit import Link
from podium.domain.compliance import CONCERNED, Report, Wanted
from podium.domain.rights import Action
from podium.domain.tenancy import Identity
from podium.intake.office import Office, audited, authorise
from podium.store import audit_trail
from podium.store.audit import AuditEntry
from podium.store.data_trail import entries_of
from podium.store.database import Transaction

_SLICE = 5_000
REPORTED = "compliance:report"
"""The action under which the audit trail has it."""


def report_allowed(identity: Identity, project: str | None) -> None:
    """Raises ForbiddenError, or NotFoundError for a project that may not be known of."""
    authorise(identity, Action.AUDIT_READ, project)


async def report_made(office: Office, identity: Identity, wanted: Wanted) -> Report:
    """By what the trail has of approvals, classes, grants and uses, whatever its span."""
    report_allowed(identity, wanted.project)
    database = office.database
    begins, ends = await database.read(
        lambda tx: (audit_trail.start(tx).seq, audit_trail.head(tx).seq)
    )
    report = Report(wanted=wanted, whole=begins == 0)
    seq = begins
    while True:

        def look(tx: Transaction, after: int = seq) -> list[Link]:
            return entries_of(tx, CONCERNED, after_seq=after, limit=_SLICE)

        links = await database.read(look)
        report.take(links)
        if len(links) < _SLICE:
            break
        seq = links[-1][0]
    report.first_seq, report.last_seq = begins + 1 if ends > begins else begins, ends
    entry = AuditEntry(
        actor=identity.username,
        action=REPORTED,
        subject=wanted.project or "organisation",
        project=wanted.project,
        detail={"violations": report.violations, "accesses": report.accesses},
    )
    await audited(office, entry, lambda _tx: None)
    return report
