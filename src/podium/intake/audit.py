"""What the audit trail is told beside commands: who looked at what, who was refused, and what was
done with the trail itself. The API calls it."""

from __future__ import annotations

import contextlib

from podium.domain.errors import FieldFault, TemporaryError, UserError
from podium.domain.rights import Action
from podium.domain.tenancy import Identity
from podium.intake.office import Office, audited, authorise
from podium.store.audit import AuditEntry

_NOTE_MAX = 500


async def sighted(
    office: Office,
    identity: Identity,
    action: Action,
    subject: str,
    project: str | None,
    **detail: object,
) -> None:
    """Somebody is about to see data: one entry for each person and subject in five minutes. Raises
    TemporaryError when it cannot be written, so that nobody looks unseen."""
    now_ms = office.database.now_ms()
    if not office.sightings.is_first(identity.username, action, subject, now_ms):
        return
    entry = AuditEntry(
        actor=identity.username, action=action, subject=subject, project=project, detail=detail
    )
    try:
        await audited(office, entry, lambda _: None)
    except TemporaryError:
        office.sightings.forget(identity.username, action, subject)
        raise


async def refusal_noted(office: Office, entry: AuditEntry) -> None:
    """A store that cannot be written to is no reason to answer a refusal with another error."""
    with contextlib.suppress(TemporaryError):
        await office.refusals.note(entry)


async def trail_exported(
    office: Office, identity: Identity, project: str | None, **detail: object
) -> None:
    """Say that somebody takes the trail with them. Raises ForbiddenError."""
    authorise(identity, Action.AUDIT_EXPORT, project)
    entry = AuditEntry(
        actor=identity.username,
        action=Action.AUDIT_EXPORT,
        subject="audit",
        project=project,
        detail=detail,
    )
    await audited(office, entry, lambda _: None)


async def trail_verified(office: Office, identity: Identity, *, ok: bool, entries: int) -> None:
    """Say that somebody had the trail verified, and what came of it."""
    entry = AuditEntry(
        actor=identity.username,
        action="audit:verify",
        subject="audit",
        detail={"ok": ok, "entries": entries},
    )
    await audited(office, entry, lambda _: None)


def break_allowed(identity: Identity, reason: str) -> str:
    """The reason as it will stand. Raises ForbiddenError, or UserError for an empty reason."""
    authorise(identity, Action.AUDIT_ADMINISTER)
    reason = reason.strip()
    if not reason or len(reason) > _NOTE_MAX:
        raise UserError(
            FieldFault(
                "reason",
                "is empty." if not reason else f"is longer than {_NOTE_MAX} characters.",
                "Say in a sentence what happened, such as: restored the backup of 3 May.",
            )
        )
    return reason


async def break_declared(
    office: Office, identity: Identity, reason: str, first_seq: int, last_seq: int
) -> None:
    """Say that the trail goes on in spite of what was found in those entries."""
    entry = AuditEntry(
        actor=identity.username,
        action="audit:break",
        subject="audit",
        detail={"reason": reason, "first": first_seq, "last": last_seq},
    )
    await audited(office, entry, lambda _: None)
