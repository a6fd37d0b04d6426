"""What operators ask of nodes."""

from __future__ import annotations

from podium.domain.tenancy import Action, Identity
from podium.intake.office import Office, authorise
from podium.store import audit, nodes
from podium.store.audit import AuditEntry
from podium.store.database import Transaction


async def node_cordon(office: Office, identity: Identity, name: str, *, cordoned: bool) -> None:
    """Keep new work off a node (what runs goes on), or let it on again."""
    authorise(identity, Action.NODE_CONTROL)
    now_ms = office.database.now_ms()
    entry = AuditEntry(
        actor=identity.username,
        action=Action.NODE_CONTROL,
        subject=name,
        detail={"cordoned": cordoned},
    )

    def write(tx: Transaction) -> None:
        nodes.node_cordon(tx, name, cordoned=cordoned)
        audit.audit_append(tx, [entry], now_ms)

    await office.database.write(write)
    office.hints.wake("schedule")
