"""Who gets which role where. Nobody gives, or takes, more than they hold themselves, and the last
administrator stays. Whatever changes who may do what asks the checks that are here."""

from __future__ import annotations

from collections.abc import Collection

from podium.domain.errors import ConflictError, FieldFault, ForbiddenError, NotFoundError, UserError
from podium.domain.rights import GRANTED_WITH_ANY, Action, Binding, Level, Role, SubjectKind
from podium.domain.tenancy import Identity, User
from podium.domain.throttle import PEOPLE_SEARCHES
from podium.intake.attempts import counted, try_begun
from podium.intake.audit import sighted
from podium.intake.office import Office, authorise, told
from podium.intake.sign_in import SignIn
from podium.store import projects, roles, user_groups, users
from podium.store.audit import AuditEntry
from podium.store.database import Transaction

_LETTERS_MIN = 2
_PEOPLE_MAX = 20


async def binding_create(
    office: Office,
    sign_in: SignIn,
    identity: Identity,
    *,
    subject_kind: SubjectKind,
    subject: str,
    role: str,
    level: Level,
    target: str,
) -> Binding:
    """Give the role; the same once more changes nothing. Raises ForbiddenError, NotFoundError and
    UserError, which name the field."""
    _authorise_at(identity, Action.BINDING_SET, level, target)
    wanted = Binding(
        id=office.ids.new("b"),
        subject_kind=subject_kind,
        subject=subject,
        role=role,
        level=level,
        target=target,
        created_at_ms=office.database.now_ms(),
        created_by=identity.username,
    )
    made = wanted

    def write(tx: Transaction) -> AuditEntry:
        nonlocal made
        _check_place(tx, identity, level, target)
        check_gives(tx, identity, role, level, target)
        if subject_kind is SubjectKind.GROUP:
            user_groups.group_fetch(tx, subject)
        else:
            check_account(tx, identity, subject, level, target)
        made = roles.binding_insert(tx, wanted)
        return entry_of_binding(identity, made, before=None, after=role)

    await told(office, write)
    sign_in.forget()
    return made


async def binding_remove(
    office: Office, sign_in: SignIn, identity: Identity, binding_id: str
) -> None:
    """Take the role away. Raises NotFoundError, ForbiddenError, and ConflictError where nobody
    would be left to administer."""

    def write(tx: Transaction) -> AuditEntry:
        roles.access_lock(tx)  # before looking: what is taken twice at once is taken once
        binding = roles.binding_find(tx, binding_id)
        if binding is None or not identity.may_at(
            Action.BINDING_READ, binding.level, binding.target
        ):
            raise NotFoundError(f"There is no binding {binding_id} that you can see.")
        _authorise_at(identity, Action.BINDING_SET, binding.level, binding.target)
        check_gives(tx, identity, binding.role, binding.level, binding.target)
        roles.binding_delete(tx, binding_id)
        check_administered(tx)
        return entry_of_binding(identity, binding, before=binding.role, after=None)

    await told(office, write)
    sign_in.forget()


async def people_found(office: Office, identity: Identity, text: str) -> list[User]:
    """Whom one may want to let in: for who gives roles anywhere. Raises ForbiddenError, UserError
    for less than two letters, and TooOftenError. What is looked for stands in the audit trail."""
    if identity.places(Action.BINDING_SET) == []:
        authorise(identity, Action.BINDING_SET)
    wanted = text.strip().lower()
    if len(wanted) < _LETTERS_MIN or not wanted.isprintable():
        raise UserError(
            FieldFault("q", f"has less than {_LETTERS_MIN} letters.", "Write how the name begins.")
        )
    tried = [counted(PEOPLE_SEARCHES, identity.username)]
    await try_begun(office, tried, "Too many searches for people.")
    begins = f"people {wanted[:_LETTERS_MIN]}"
    await sighted(office, identity, Action.USER_READ, begins, None, text=wanted)
    return await office.database.read(lambda tx: users.people_named(tx, wanted, limit=_PEOPLE_MAX))


def check_gives(
    tx: Transaction, identity: Identity, role: str, level: Level, target: str
) -> Role | None:
    """Raises UserError for a role that does not exist, and ForbiddenError for one that includes
    more than the giver may do there. What is checked stays so until the transaction ends."""
    roles.access_lock(tx)
    known = roles.role_all(tx)
    if role not in known:
        raise UserError(
            FieldFault("role", f"'{role}' is not known.", f"Write one of {', '.join(known)}.")
        )
    more = (known[role].actions | GRANTED_WITH_ANY) - identity.rights.at(level, target)
    if more:
        raise ForbiddenError(
            f"The role {role} includes {_some(more)}, which you may not do "
            "yourself there. Ask somebody who may."
        )
    return known[role]


def check_gives_group(tx: Transaction, identity: Identity, group: str) -> None:
    """As `check_gives`, for all that the group's members get. Raises ForbiddenError."""
    roles.access_lock(tx)
    held = roles.held_by(tx, roles.bindings_of_group(tx, group))
    more = identity.rights.lacks(held.rights)
    if more:
        raise ForbiddenError(
            f"The group {group} gives {_some(more)}, which you may not do yourself everywhere "
            "that it does. Ask somebody who may."
        )


def check_above(tx: Transaction, identity: Identity, username: str) -> None:
    """Raises ForbiddenError where the person may do more than the one who would change them: who
    resets a password or changes an address can become that person."""
    roles.access_lock(tx)
    more = identity.rights.lacks(roles.rights_fetch(tx, username).rights)
    if more:
        raise ForbiddenError(
            f"{username} may do {_some(more)}, which you may not do yourself everywhere that they "
            "may. Ask somebody who may."
        )


def check_administered(tx: Transaction) -> None:
    """Raises ConflictError when nobody is left who may do everything."""
    roles.access_lock(tx)
    if not roles.administrators(tx):
        raise ConflictError(
            "Nobody would be left to administer Podium. Make somebody else an administrator first."
        )


def check_account(
    tx: Transaction, identity: Identity, username: str, level: Level, target: str
) -> None:
    """Raises NotFoundError for somebody who is not there, or is a service account of a project
    that the giver may not know of; and UserError for a project's service account that would get a
    role outside it."""
    user = users.user_fetch(tx, username)
    if user.project is None or (level, target) == (Level.PROJECT, user.project):
        return
    if not identity.known.admits(user.project):
        raise NotFoundError(f"There is no user {username}.")
    raise UserError(
        FieldFault(
            "subject",
            f"{username} is a service account of project {user.project}.",
            "Give it roles in that project only, or make one of the organisation.",
        )
    )


def entry_of_binding(
    identity: Identity, binding: Binding, *, before: str | None, after: str | None
) -> AuditEntry:
    return AuditEntry(
        actor=identity.username,
        action=Action.BINDING_SET,
        subject=binding.subject,
        project=binding.target if binding.level is Level.PROJECT else None,
        detail={
            "binding": binding.id,
            "subject_kind": binding.subject_kind.value,
            "level": binding.level.value,
            "target": binding.target,
            "before": before,
            "after": after,
        },
    )


def _authorise_at(identity: Identity, action: Action, level: Level, target: str) -> None:
    authorise(
        identity,
        action,
        target if level is Level.PROJECT else None,
        team=target if level is Level.TEAM else None,
    )


def _check_place(tx: Transaction, identity: Identity, level: Level, target: str) -> None:
    if level is Level.ORGANISATION:
        if target:
            raise UserError(FieldFault("target", "must be empty for the whole organisation."))
    elif level is Level.PROJECT:
        projects.project_held(tx, identity.known, target)
    else:
        projects.team_open(tx, target)


def _some(actions: Collection[Action]) -> str:
    return ", ".join(sorted(actions)[:3]) + (" and more" if len(actions) > 3 else "")
