"""People: made and changed by administrators; the first one at the first start.

Nobody changes a person who may do more than they themselves: who resets a password, or sets the
address that a directory knows somebody by, can become them.
"""

from __future__ import annotations

import secrets

from podium.domain.errors import ConflictError, ForbiddenError, NotFoundError
from podium.domain.event import SYSTEM_ACTOR
from podium.domain.rights import ADMINISTRATOR, Action, Binding, Level, SubjectKind
from podium.domain.tenancy import Identity, User, UserKind, UserSource
from podium.intake.bindings import check_above, check_administered
from podium.intake.office import Office, audited, authorise, told
from podium.intake.sessions import sign_ins_end
from podium.intake.sign_in import SignIn
from podium.store import roles, users
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
    display_name: str = "",
    email: str = "",
) -> tuple[User, str | None]:
    """A new user, and a one-time password when none was given. Raises ConflictError."""
    authorise(identity, Action.USER_ADMINISTER)
    if administrator and not identity.administrator:
        raise ForbiddenError("Only administrators make administrators.")
    return await _create(
        office,
        sign_in,
        identity.username,
        username,
        password,
        administrator=administrator,
        display_name=display_name,
        email=email,
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


async def user_change(
    office: Office,
    sign_in: SignIn,
    identity: Identity,
    username: str,
    *,
    display_name: str | None = None,
    email: str | None = None,
    disabled: bool | None = None,
) -> None:
    """None leaves a value. Disabling somebody ends their sign-ins and their tokens; their work goes
    on. Raises NotFoundError, ForbiddenError, and ConflictError for the last administrator and for
    what a directory keeps."""
    authorise(identity, Action.USER_ADMINISTER)
    now_ms = office.database.now_ms()

    def write(tx: Transaction) -> AuditEntry:
        user = person_fetch(tx, username)
        check_above(tx, identity, username)
        wanted: dict[str, object] = {
            name: value
            for name, value in (("display_name", display_name), ("email", email))
            if value is not None and value != getattr(user, name)
        }
        if wanted and user.source is not UserSource.LOCAL:
            raise ConflictError(
                f"The name and the address of {username} are kept by your directory "
                f"({user.source}). Change them there."
            )
        if disabled is not None and disabled != (user.disabled_at_ms is not None):
            wanted["disabled_at_ms"] = now_ms if disabled else None
        if wanted:
            users.user_change(tx, username, **wanted)
        if disabled:
            sign_ins_end(tx, username, tokens_too=True)
            check_administered(tx)
        before = {name: getattr(user, name) for name in wanted}
        return _entry(identity.username, username, before=before, after=wanted)

    await told(office, write)
    sign_in.forget()


async def password_reset(office: Office, sign_in: SignIn, identity: Identity, username: str) -> str:
    """A one-time password, in place of the one that they had; ends their sign-ins and tokens.
    Raises NotFoundError, ForbiddenError, and ConflictError for who signs in elsewhere."""
    authorise(identity, Action.USER_ADMINISTER)
    one_time = secrets.token_urlsafe(12)
    hashed = await sign_in.hash_password(one_time, username=username)

    def write(tx: Transaction) -> AuditEntry:
        user = person_fetch(tx, username)
        check_above(tx, identity, username)
        if user.source is not UserSource.LOCAL:
            raise ConflictError(
                f"{username} signs in through your directory ({user.source}), which keeps the "
                "password."
            )
        sign_ins_end(tx, username, tokens_too=True)
        users.password_set(tx, username, hashed, keep_token=None, must_change=True)
        return _entry(identity.username, username, password="reset")  # noqa: S106 - says what was done

    await told(office, write)
    sign_in.forget()
    return one_time


async def signed_out(
    office: Office, sign_in: SignIn, identity: Identity, username: str, *, with_tokens: bool
) -> int:
    """End all sign-ins of somebody, and their tokens too if asked; how many there were. Raises
    NotFoundError and ForbiddenError."""
    authorise(identity, Action.USER_ADMINISTER)
    count = 0

    def write(tx: Transaction) -> AuditEntry:
        nonlocal count
        person_fetch(tx, username)
        check_above(tx, identity, username)
        count = sign_ins_end(tx, username, tokens_too=with_tokens)
        return _entry(identity.username, username, signed_out=count, tokens=with_tokens)

    await told(office, write)
    sign_in.forget()
    return count


async def user_token_revoke(
    sign_in: SignIn, identity: Identity, username: str, token_id: str
) -> None:
    """End one token or sign-in of somebody. Raises NotFoundError and ForbiddenError."""
    authorise(identity, Action.USER_ADMINISTER)

    def check(tx: Transaction) -> None:
        person_fetch(tx, username)
        check_above(tx, identity, username)

    await sign_in.end_token(identity, username, token_id, check)


async def user_delete(office: Office, sign_in: SignIn, identity: Identity, username: str) -> None:
    """For somebody who never did anything. Raises NotFoundError, ForbiddenError, and ConflictError
    for everyone else: the audit trail must go on meaning the person that it names."""
    authorise(identity, Action.USER_ADMINISTER)

    def write(tx: Transaction) -> AuditEntry:
        user = person_fetch(tx, username)
        check_above(tx, identity, username)
        if user.source is not UserSource.LOCAL:
            raise ConflictError(
                f"{username} is kept by your directory ({user.source}). Remove them there."
            )
        check_never_acted(tx, username, f"podium user disable {username}")
        users.user_delete(tx, username)
        check_administered(tx)
        return _entry(identity.username, username, created=False)

    await told(office, write)
    sign_in.forget()


def check_never_acted(tx: Transaction, username: str, remedy: str) -> None:
    """Raises ConflictError where the trail or work names them, with what to do instead."""
    if users.user_has_acted(tx, username):
        raise ConflictError(
            f"{username} stays, because the audit trail or work names them, and the name must not "
            f"come to mean somebody else. Disable instead: {remedy}"
        )


def person_fetch(tx: Transaction, username: str) -> User:
    """Raises NotFoundError; service accounts are no people."""
    user = users.user_fetch(tx, username)
    if user.kind is not UserKind.PERSON:
        raise NotFoundError(f"There is no user {username}.")
    return user


async def _create(
    office: Office,
    sign_in: SignIn,
    actor: str,
    username: str,
    password: str | None,
    *,
    administrator: bool,
    display_name: str = "",
    email: str = "",
) -> tuple[User, str | None]:
    one_time = secrets.token_urlsafe(12) if password is None else None
    hashed = await sign_in.hash_password(password or one_time or "", username=username)
    user = User(
        username=username,
        created_at_ms=office.database.now_ms(),
        must_change_password=one_time is not None,
        display_name=display_name,
        email=email,
    )
    binding = Binding(
        id=office.ids.new("b"),
        subject_kind=SubjectKind.USER,
        subject=username,
        role=ADMINISTRATOR,
        level=Level.ORGANISATION,
        target="",
        created_at_ms=user.created_at_ms,
        created_by=actor,
    )
    entry = _entry(actor, username, created=True, administrator=administrator)

    def insert(tx: Transaction) -> None:
        users.user_insert(tx, user, hashed)
        if administrator:
            roles.binding_insert(tx, binding)

    await audited(office, entry, insert)
    return user, one_time


def _entry(actor: str, username: str, **detail: object) -> AuditEntry:
    return AuditEntry(actor=actor, action=Action.USER_ADMINISTER, subject=username, detail=detail)
