"""Groups of people. Those that a directory keeps are changed there, not here."""

from __future__ import annotations

from podium.domain.errors import ConflictError, FieldFault, NotFoundError, UserError
from podium.domain.rights import Action
from podium.domain.tenancy import Group, Identity, UserSource
from podium.intake.bindings import check_administered, check_gives_group
from podium.intake.office import Office, audited, authorise, told
from podium.intake.projects import check_name
from podium.intake.sign_in import SignIn
from podium.store import user_groups, users
from podium.store.audit import AuditEntry
from podium.store.database import Transaction


async def group_create(office: Office, identity: Identity, name: str) -> Group:
    """Raises ConflictError when the name is taken."""
    authorise(identity, Action.USER_ADMINISTER)
    check_name("name", name)
    group = Group(name=name, source=UserSource.LOCAL, created_at_ms=office.database.now_ms())
    entry = _entry(identity, name, created=True)
    await audited(office, entry, lambda tx: user_groups.group_insert(tx, group))
    return group


async def group_delete(office: Office, sign_in: SignIn, identity: Identity, name: str) -> None:
    """With the roles that it was given. Raises NotFoundError, ForbiddenError where it gives more
    than one holds, and ConflictError where nobody would be left to administer."""
    authorise(identity, Action.USER_ADMINISTER)

    def write(tx: Transaction) -> AuditEntry:
        user_groups.group_fetch(tx, name)
        check_gives_group(tx, identity, name)
        user_groups.group_delete(tx, name)
        check_administered(tx)
        return _entry(identity, name, created=False)

    await told(office, write)
    sign_in.forget()


async def group_member_add(
    office: Office, sign_in: SignIn, identity: Identity, group: str, username: str
) -> UserSource:
    """Who put them in; once more changes nothing. Raises NotFoundError, ForbiddenError,
    ConflictError and UserError."""
    authorise(identity, Action.USER_ADMINISTER)

    def write(tx: Transaction) -> AuditEntry:
        _check_local(user_groups.group_fetch(tx, group))
        check_gives_group(tx, identity, group)
        user = users.user_fetch(tx, username)
        if user.project is not None:
            raise UserError(
                FieldFault(
                    "username",
                    f"{username} is a service account of project {user.project}.",
                    "Groups are for people, and for service accounts of the organisation.",
                )
            )
        before = _source_of(tx, group, username)
        user_groups.member_add(tx, group, username, UserSource.LOCAL)
        return _entry(identity, group, member=username, before=before, after=UserSource.LOCAL)

    await told(office, write)
    sign_in.forget()
    return UserSource.LOCAL


async def group_member_remove(
    office: Office, sign_in: SignIn, identity: Identity, group: str, username: str
) -> None:
    """Raises NotFoundError, ForbiddenError, and ConflictError for somebody whom a directory put
    in, and where nobody would be left to administer."""
    authorise(identity, Action.USER_ADMINISTER)

    def write(tx: Transaction) -> AuditEntry:
        _check_local(user_groups.group_fetch(tx, group))
        check_gives_group(tx, identity, group)
        source = _source_of(tx, group, username)
        if source is None:
            raise NotFoundError(f"{username} is not in the group {group}.")
        if source != UserSource.LOCAL:
            raise ConflictError(
                f"{username} is in the group {group} because your directory ({source}) says so. "
                "Take them out there."
            )
        user_groups.member_drop(tx, group, username)
        check_administered(tx)
        return _entry(identity, group, member=username, before=source, after=None)

    await told(office, write)
    sign_in.forget()


def _source_of(tx: Transaction, group: str, username: str) -> UserSource | None:
    return user_groups.groups_of(tx, username).get(group)


def _check_local(group: Group) -> None:
    if group.source is not UserSource.LOCAL:
        raise ConflictError(
            f"The group {group.name} is kept by your directory ({group.source}). Change it there."
        )


def _entry(identity: Identity, group: str, **detail: object) -> AuditEntry:
    return AuditEntry(
        actor=identity.username,
        action=Action.USER_ADMINISTER,
        subject=group,
        detail={"group": True, **detail},
    )
