"""What every intake module works with, and the one place where rights are checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from podium.domain.errors import ForbiddenError, NotFoundError
from podium.domain.tenancy import Action, Identity
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


def authorise(identity: Identity, action: Action, project: str | None = None) -> None:
    """Raises ForbiddenError, or NotFoundError for a project that this person may not know of."""
    if identity.may(action, project):
        return
    if project is not None and not identity.scope.admits(project):
        raise NotFoundError(f"There is no project {project} that you can see.")
    role = identity.roles.get(project) if project is not None else None
    if project is not None:
        raise ForbiddenError(
            f"Your role in project {project} is {role}; it does not include {action}. "
            "Ask a lead of the project for a role that does."
        )
    raise ForbiddenError(f"Only administrators may do this ({action}).")
