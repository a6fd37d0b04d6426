"""What operators ask of nodes."""

from __future__ import annotations

from dataclasses import dataclass

from podium.domain.errors import ConflictError
from podium.domain.rights import Action
from podium.domain.tenancy import Identity
from podium.intake.office import Office, authorise, told
from podium.store import lost_nodes, nodes
from podium.store.audit import AuditEntry
from podium.store.database import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What was given up on a lost node. `reports_again`: it did meanwhile, and keeps the rest."""

    replicas: int
    workloads: int
    reports_again: bool


async def node_cordon(office: Office, identity: Identity, name: str, *, cordoned: bool) -> None:
    """Keep new work off a node (what runs goes on), or let it on again."""
    authorise(identity, Action.NODE_CONTROL)

    def write(tx: Transaction) -> AuditEntry:
        before = nodes.node_fetch(tx, name).state
        nodes.node_cordon(tx, name, cordoned=cordoned)
        after = nodes.node_fetch(tx, name).state
        return AuditEntry(
            actor=identity.username,
            action=Action.NODE_CONTROL,
            subject=name,
            detail={
                "cordoned": cordoned,
                "before": {"state": before.value},
                "after": {"state": after.value},
            },
        )

    await told(office, write)
    office.hints.wake("schedule")


async def node_release(office: Office, identity: Identity, name: str) -> Released:
    """Give up all work on a lost node, so that it can go on elsewhere. Raises NotFoundError, and
    ConflictError for a node that is not lost."""
    authorise(identity, Action.NODE_RELEASE)

    def write(tx: Transaction) -> lost_nodes.Release:
        now_ms = office.database.now_ms()
        return lost_nodes.node_release(tx, name, now_ms, actor=identity.username)

    parts = [await office.database.write(write)]
    reports_again = False
    while parts[-1].more and not reports_again:
        try:
            parts.append(await office.database.write(write))
        except ConflictError:
            reports_again = True
    office.hints.wake("schedule", "stop", "events")
    return Released(
        replicas=sum(each.replicas for each in parts),
        workloads=len(frozenset().union(*(each.workloads for each in parts))),
        reports_again=reports_again,
    )
