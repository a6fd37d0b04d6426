"""Users: made by administrators; the first one at the first start."""

from __future__ import annotations

import secrets

from podium.domain.event import SYSTEM_ACTOR
from podium.domain.tenancy import Action, Identity, User
from podium.intake.office import Office, audited, authorise
from podium.intake.sign_in import SignIn
from podium.store import users
from podium.store.audit import AuditEntry
from podium.store.database import Transaction

FIRST_USERNAME = "admin"


async def user_create(
    office: Office,
    sign_in: SignIn,
    identity: Identity,
    *,
    username: str,
    password: str | None,
    administrator: bool,
) -> tuple[User, str | None]:
    """A new user, and a one-time password when none was given. Raises ConflictError."""
    authorise(identity, Action.USER_ADMINISTER)
    return await _create(
        office, sign_in, identity.username, username, password, administrator=administrator
    )


async def first_user_create(
    office: Office, sign_in: SignIn, password: str | None
) -> tuple[User, str | None] | None:
    """The administrator of a new store, or None when there are users already."""
    if await office.database.read(users.user_count):
        return None
    return await _create(
        office, sign_in, SYSTEM_ACTOR, FIRST_USERNAME, password, administrator=True
    )


async def _create(
    office: Office,
    sign_in: SignIn,
    actor: str,
    username: str,
    password: str | None,
    *,
    administrator: bool,
) -> tuple[User, str | None]:
    one_time = secrets.token_urlsafe(12) if password is None else None
    hashed = await sign_in.hash_password(password or one_time or "")
    user = User(
        username=username,
        administrator=administrator,
        created_at_ms=office.database.now_ms(),
        must_change_password=one_time is not None,
    )
    entry = AuditEntry(
        actor=actor,
        action=Action.USER_ADMINISTER,
        subject=username,
        detail={"created": True, "administrator": administrator},
    )

    def insert(tx: Transaction) -> None:
        users.user_insert(tx, user, hashed)

    await audited(office, entry, insert)
    return user, one_time
