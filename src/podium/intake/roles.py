"""Roles that the organisation makes beside the built-in ones."""

from __future__ import annotations

from podium.domain.errors import ForbiddenError, NotFoundError
from podium.domain.rights import GRANTED_WITH_ANY, Action, Role
from podium.domain.tenancy import Identity
from podium.intake.office import Office, authorise, told
from podium.intake.projects import check_name
from podium.intake.sign_in import SignIn
from podium.store import roles
from podium.store.audit import AuditEntry
from podium.store.database import Transaction


async def role_put(
    office: Office,
    sign_in: SignIn,
    identity: Identity,
    *,
    name: str,
    description: str,
    actions: frozenset[Action],
) -> Role:
    """Make a role, or change one for everybody who has it. Raises ForbiddenError where it holds,
    or held, more than the maker may do in the whole organisation, and ConflictError for a role
    that is built in."""
    authorise(identity, Action.ROLE_SET)
    check_name("name", name)
    role = Role(name=name, description=description, actions=actions | GRANTED_WITH_ANY)

    def write(tx: Transaction) -> AuditEntry:
        roles.access_lock(tx)
        before = roles.role_all(tx).get(name)
        if before is not None and not before.built_in:
            _check_holds(identity, before)
        _check_holds(identity, role)
        roles.role_set(tx, role)
        return _entry(identity, name, before=before, after=role)

    await told(office, write)
    sign_in.forget()
    return role


async def role_remove(office: Office, sign_in: SignIn, identity: Identity, name: str) -> None:
    """Raises ForbiddenError, NotFoundError, and ConflictError while somebody has the role."""
    authorise(identity, Action.ROLE_SET)

    def write(tx: Transaction) -> AuditEntry:
        roles.access_lock(tx)
        before = roles.role_all(tx).get(name)
        if before is None:
            raise NotFoundError(f"There is no role {name}.")
        if not before.built_in:
            _check_holds(identity, before)
        roles.role_remove(tx, name)
        return _entry(identity, name, before=before, after=None)

    await told(office, write)
    sign_in.forget()


def _check_holds(identity: Identity, role: Role) -> None:
    more = role.actions - identity.rights.everywhere
    if more:
        raise ForbiddenError(
            f"The role {role.name} includes {', '.join(sorted(more)[:3])}, which you may not do "
            "yourself in the whole organisation. Ask somebody who may."
        )


def _entry(identity: Identity, name: str, *, before: Role | None, after: Role | None) -> AuditEntry:
    def told_of(role: Role | None) -> dict[str, object] | None:
        if role is None:
            return None
        return {"description": role.description, "actions": sorted(role.actions)}

    return AuditEntry(
        actor=identity.username,
        action=Action.ROLE_SET,
        subject=name,
        detail={"before": told_of(before), "after": told_of(after)},
    )
