"""Teams, which own projects, and whose cost centre they are billed to."""

from __future__ import annotations

from podium.domain.rights import Action
from podium.domain.tenancy import Identity, Team
from podium.intake.office import Office, audited, authorise, told
from podium.intake.projects import check_name
from podium.store import projects
from podium.store.audit import AuditEntry
from podium.store.database import Transaction


async def team_create(
    office: Office, identity: Identity, *, name: str, cost_centre: str = ""
) -> Team:
    """A team without projects. Raises ConflictError when the name is taken."""
    authorise(identity, Action.PROJECT_CREATE)
    check_name("name", name)
    team = Team(name=name, created_at_ms=office.database.now_ms(), cost_centre=cost_centre)
    entry = AuditEntry(
        actor=identity.username,
        action=Action.PROJECT_CREATE,
        subject=name,
        detail={"level": "team", "cost_centre": cost_centre},
    )
    await audited(office, entry, lambda tx: projects.team_insert(tx, team))
    return team


async def team_change(office: Office, identity: Identity, name: str, *, cost_centre: str) -> None:
    """Raises ForbiddenError, NotFoundError, and ConflictError for an archived one."""
    authorise(identity, Action.PROJECT_CHANGE, team=name)

    def write(tx: Transaction) -> AuditEntry:
        before = projects.team_open(tx, name)
        projects.team_change(tx, name, cost_centre=cost_centre)
        return AuditEntry(
            actor=identity.username,
            action=Action.PROJECT_CHANGE,
            subject=name,
            detail={
                "level": "team",
                "before": {"cost_centre": before.cost_centre},
                "after": {"cost_centre": cost_centre},
            },
        )

    await told(office, write)
