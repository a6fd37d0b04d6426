"""What operators ask of nodes."""

from __future__ import annotations

from podium.domain.tenancy import Action, Identity
from podium.intake.office import Office, audited, authorise
from podium.store import nodes
from podium.store.audit import AuditEntry
from podium.store.database import Transaction


async def node_cordon(office: Office, identity: Identity, name: str, *, cordoned: bool) -> None:
    """Keep new work off a node (what runs goes on), or let it on again."""
    authorise(identity, Action.NODE_CONTROL)
    entry = AuditEntry(
        actor=identity.username,
        action=Action.NODE_CONTROL,
        subject=name,
        detail={"cordoned": cordoned},
    )

    def write(tx: Transaction) -> None:
        nodes.node_cordon(tx, name, cordoned=cordoned)

    await audited(office, entry, write)
    office.hints.wake("schedule")
