"""Secrets of projects, which are sealed before they are stored."""

from __future__ import annotations

from podium.domain.errors import FieldFault, NotFoundError, UserError
from podium.domain.rights import Action
from podium.domain.secret import REGISTRIES
from podium.domain.tenancy import Identity
from podium.intake.office import Office, authorise, told
from podium.spec.registries import read_registries
from podium.store import projects, secrets
from podium.store.audit import AuditEntry
from podium.store.database import Transaction
from podium.store.secrets import SecretRecord

HINTS = ("tenancy",)
"""Clusters are told of what opens the registries of images."""
_LENGTH_MAX = 65_536


async def secret_set(
    office: Office, identity: Identity, *, project: str, name: str, value: str
) -> SecretRecord:
    """Store a secret sealed. Raises KeysError when this server has not the key for it."""
    authorise(identity, Action.SECRET_WRITE, project)
    if not name.isidentifier() or not name.isascii():
        raise UserError(
            FieldFault(
                "name",
                f"'{name}' cannot be the name of an environment variable.",
                "Use letters, digits and underscores, such as HF_TOKEN.",
            )
        )
    if len(value) > _LENGTH_MAX or "\0" in value:
        raise UserError(
            FieldFault(
                "value",
                "is longer than 64 KiB or holds a NUL character.",
                "Encode what is binary in base64, and keep what is larger in a file.",
            )
        )
    if name == REGISTRIES:
        read_registries(value)
    record = SecretRecord(
        project=project,
        name=name,
        updated_at_ms=office.database.now_ms(),
        updated_by=identity.username,
    )

    def write(tx: Transaction) -> AuditEntry:
        projects.project_held(tx, identity.known, project)
        before = secrets.secret_set(tx, record, value, office.sealer)
        return _entry(identity, name, project, before=_facts(before), after=_facts(record))

    await told(office, write)
    office.hints.wake(*HINTS)
    return record


async def secret_remove(office: Office, identity: Identity, *, project: str, name: str) -> None:
    authorise(identity, Action.SECRET_WRITE, project)

    def write(tx: Transaction) -> AuditEntry:
        before = secrets.secret_remove(tx, project, name)
        if before is None:
            raise NotFoundError(f"Project {project} has no secret {name}.")
        return _entry(identity, name, project, before=_facts(before), after=None)

    await told(office, write)
    office.hints.wake(*HINTS)


def _facts(secret: SecretRecord | None) -> dict[str, object] | None:
    """What the audit trail tells of a secret: who set it and when, and nothing of its value."""
    if secret is None:
        return None
    return {"updated_at_ms": secret.updated_at_ms, "updated_by": secret.updated_by}


def _entry(identity: Identity, name: str, project: str, **detail: object) -> AuditEntry:
    return AuditEntry(
        actor=identity.username,
        action=Action.SECRET_WRITE,
        subject=name,
        project=project,
        detail=detail,
    )
