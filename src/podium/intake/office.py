"""What every intake module works with, and the one place where rights are checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from podium.domain.errors import ForbiddenError, NotFoundError, PodiumError
from podium.domain.outbound import Outbound
from podium.domain.rights import Action
from podium.domain.tenancy import Identity
from podium.intake.refusals import Refusals
from podium.intake.sightings import Sightings
from podium.store import audit
from podium.store.audit import AuditEntry
from podium.store.database import Database, Transaction
from podium.store.hints import Hints
from podium.store.ids import IdSource
from podium.store.sealing import Sealer

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Office:
    """The store and its companions, made once by `main`."""

    database: Database
    hints: Hints
    ids: IdSource
    sealer: Sealer
    uploads_path: Path
    outbound: Outbound = field(default_factory=Outbound)
    data_roots: tuple[Path, ...] = ()
    refusals: Refusals = field(init=False)
    sightings: Sightings = field(init=False, default_factory=Sightings)

    def __post_init__(self) -> None:
        object.__setattr__(self, "refusals", Refusals(self.database))


async def audited(
    office: Office, entry: AuditEntry, write: Callable[[Transaction], Result]
) -> Result:
    """Run `write` and record who did it, in one transaction or not at all."""
    now_ms = office.database.now_ms()

    def both(tx: Transaction) -> Result:
        result = write(tx)
        audit.audit_append(tx, [entry], now_ms)
        return result

    return await office.database.write(both)


async def told(office: Office, write: Callable[[Transaction], AuditEntry]) -> None:
    """As `audited`, for a command whose entry tells what was there before."""
    now_ms = office.database.now_ms()
    await office.database.write(lambda tx: audit.audit_append(tx, [write(tx)], now_ms))


def entry_of_level(
    identity: Identity, action: Action, level: str, name: str, detail: Mapping[str, object]
) -> AuditEntry:
    """For what is set for the whole cluster, a team or a project; `name` is empty for the first."""
    return AuditEntry(
        actor=identity.username,
        action=action,
        subject=name or level,
        project=name if level == "project" else None,
        detail={"level": level, **detail},
    )


def authorise(
    identity: Identity, action: Action, project: str | None = None, *, team: str | None = None
) -> None:
    """Raises ForbiddenError, or NotFoundError for a project that this person may not know of.
    With neither project nor team, it is about the whole organisation."""
    if identity.may(action, project, team=team):
        return
    refusal = _refusal(identity, action, project)
    # The API tells the audit trail of it.
    refusal.refused_action, refusal.refused_project = str(action), project
    raise refusal


def _refusal(identity: Identity, action: Action, project: str | None) -> PodiumError:
    if project is not None and not identity.known.admits(project):
        return NotFoundError(f"There is no project {project} that you can see.")
    if project is not None:
        role = identity.roles.get(project)
        yours = f"Your role in project {project} is {role}; it does" if role else "Your roles do"
        return ForbiddenError(
            f"{yours} not include {action}. Ask a lead of the project for a role that does."
        )
    if not identity.rights.any:
        return ForbiddenError(
            "You have no role yet. Ask a lead of your project, or an administrator, for one."
        )
    return ForbiddenError(
        f"Your roles do not include {action} for the whole organisation. Ask an administrator."
    )
