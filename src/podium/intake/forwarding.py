"""Where the audit trail is forwarded to. Who sends it is `control/forwarding`."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

from podium.domain.errors import ConflictError, FieldFault, UserError
from podium.domain.forwarding import Forward, ForwardKind, check_address
from podium.domain.identity import name_fault, name_suggestion
from podium.domain.outbound import Outbound, check_host, is_address, refused
from podium.domain.rights import Action
from podium.domain.tenancy import Identity
from podium.intake.office import Office, authorise, told
from podium.outbound.http import trust
from podium.store import audit_trail, forwards
from podium.store.audit import AuditEntry
from podium.store.database import Transaction

FORWARDS_MAX = 10
SECRET_CHARACTERS_MIN = 16
SECRET_CHARACTERS_MAX = 1000
CA_CHARACTERS_MAX = 200_000


async def forward_set(
    office: Office,
    outbound: Outbound,
    identity: Identity,
    *,
    name: str,
    address: str,
    secret: str | None,
    ca: str | None,
    from_start: bool,
) -> Forward:
    """Make a receiver, or change one, which goes on where it was; `secret` and `ca` None leave what
    is there, and the empty text removes it. A new one begins with what comes from now on, or
    `from_start` of the trail. Raises UserError, which names the field, and ConflictError."""
    authorise(identity, Action.AUDIT_ADMINISTER)
    fault = name_fault(name)
    if fault is not None:
        raise UserError(FieldFault("name", f"{fault}.", f"Try '{name_suggestion(name)}'."))
    check_address(address)
    _check_reach(outbound, address)
    if ca:
        _check_ca(ca)
    now_ms = office.database.now_ms()
    made: Forward | None = None

    def write(tx: Transaction) -> AuditEntry:
        nonlocal made
        before = forwards.forward_find(tx, name)
        if before is None and len(forwards.forward_list(tx)) >= FORWARDS_MAX:
            raise ConflictError(f"There are {FORWARDS_MAX} forwards, the limit. Remove one first.")
        start = 0 if from_start else audit_trail.head(tx).seq
        forward = Forward(
            name=name,
            address=address,
            ca=(before.ca if before else "") if ca is None else ca,
            created_at_ms=now_ms,
            created_by=identity.username,
            # Couriers tell by it that something changed.
            updated_at_ms=max(now_ms, before.updated_at_ms + 1 if before else 0),
            sent_seq=start,
        )
        if secret is not None:
            _check_secret(forward, secret)
            if secret:
                forwards.secret_set(tx, name, secret, office.sealer, now_ms)
            else:
                forwards.secret_remove(tx, name)
        forwards.forward_set(tx, forward)
        made = forwards.forward_fetch(tx, name)
        return _entry(identity, name, before, made, secret_set=bool(secret))

    await told(office, write)
    assert made is not None
    return made


async def forward_remove(office: Office, identity: Identity, name: str) -> None:
    """Raises NotFoundError."""
    authorise(identity, Action.AUDIT_ADMINISTER)

    def write(tx: Transaction) -> AuditEntry:
        before = forwards.forward_fetch(tx, name)
        forwards.forward_remove(tx, name)
        return _entry(identity, name, before, None)

    await told(office, write)


async def forward_tried(office: Office, identity: Identity, name: str, fault: str) -> None:
    """Say that somebody tried a receiver out, and what came of it."""
    entry = AuditEntry(
        actor=identity.username,
        action="audit:test",
        subject=name,
        detail={"ok": not fault, "fault": fault},
    )
    await told(office, lambda _: entry)


def _check_reach(outbound: Outbound, address: str) -> None:
    """What can be seen without asking for the name; the rest shows when it is connected to."""
    host = check_host(urlsplit(address).hostname or "")
    why = outbound.refusal(host)
    if why is not None and is_address(host):
        raise refused(host, why)


def _check_ca(ca: str) -> None:
    try:
        if len(ca) > CA_CHARACTERS_MAX:
            raise ValueError
        trust(ca)
    except (ssl.SSLError, ValueError):
        raise UserError(
            FieldFault("ca", "holds no certificates.", "Give them as PEM: -----BEGIN CERTIFICATE…")
        ) from None


def _check_secret(forward: Forward, secret: str) -> None:
    if not secret:
        return
    if forward.kind is not ForwardKind.WEBHOOK:
        raise UserError(FieldFault("secret", "goes with webhooks only.", "Leave it out."))
    if not SECRET_CHARACTERS_MIN <= len(secret) <= SECRET_CHARACTERS_MAX:
        raise UserError(
            FieldFault(
                "secret",
                f"has {len(secret)} characters.",
                f"Use {SECRET_CHARACTERS_MIN} to {SECRET_CHARACTERS_MAX}.",
            )
        )


def _entry(
    identity: Identity,
    name: str,
    before: Forward | None,
    after: Forward | None,
    **detail: object,
) -> AuditEntry:
    return AuditEntry(
        actor=identity.username,
        action=Action.AUDIT_ADMINISTER,
        subject=name,
        detail={"before": _told(before), "after": _told(after), **detail},
    )


def _told(forward: Forward | None) -> dict[str, object] | None:
    if forward is None:
        return None
    return {
        "address": forward.address,
        "own_ca": bool(forward.ca),
        "signed": forward.has_secret,
        "sent_seq": forward.sent_seq,
    }
