"""Records of the scheduler's cycles leave the server: who took which, and with names or without."""

from __future__ import annotations

from podium.domain.rights import Action
from podium.domain.tenancy import Identity
from podium.intake.office import Office, audited, authorise
from podium.store.audit import AuditEntry
from podium.store.cycles import CycleRecord, cycle_record


async def cycle_export(
    office: Office, identity: Identity, cycle_id: int, *, anonymise: bool
) -> CycleRecord:
    """What the record is made from. Raises NotFoundError."""
    authorise(identity, Action.CYCLE_EXPORT)
    entry = AuditEntry(
        actor=identity.username,
        action=Action.CYCLE_EXPORT,
        subject=str(cycle_id),
        detail={"anonymise": anonymise},
    )
    kept = await office.database.read(lambda tx: cycle_record(tx, cycle_id))
    await audited(office, entry, lambda _: None)
    return kept
