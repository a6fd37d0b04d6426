"""Projects and their members."""

from __future__ import annotations

from podium.domain.errors import FieldFault, NotFoundError, UserError
from podium.domain.identity import name_fault, name_suggestion
from podium.domain.rights import Action, Level
from podium.domain.tenancy import Identity, Membership, Project
from podium.intake import archiving
from podium.intake.bindings import check_account, check_gives
from podium.intake.office import Office, audited, authorise, told
from podium.intake.sign_in import SignIn
from podium.store import projects
from podium.store.audit import AuditEntry
from podium.store.database import Transaction


async def project_create(
    office: Office,
    sign_in: SignIn,
    identity: Identity,
    *,
    name: str,
    team: str,
    cost_centre: str = "",
) -> Project:
    """Raises ConflictError when the name is taken."""
    authorise(identity, Action.PROJECT_CREATE, team=team)
    check_name("name", name)
    check_name("team", team)
    project = Project(
        name=name, team=team, created_at_ms=office.database.now_ms(), cost_centre=cost_centre
    )
    entry = _entry(identity, Action.PROJECT_CREATE, name, name, team=team, cost_centre=cost_centre)

    def insert(tx: Transaction) -> None:
        projects.project_insert(tx, project)

    await audited(office, entry, insert)
    sign_in.forget()
    return project


async def project_change(
    office: Office,
    sign_in: SignIn,
    identity: Identity,
    name: str,
    *,
    cost_centre: str | None = None,
    team: str | None = None,
) -> Project:
    """None leaves a value. Another `team` has the project, its quota and its work from then on;
    usage of the past stays where it was. Raises NotFoundError, ForbiddenError, ConflictError for an
    archived one, and what `archiving.moved` raises."""
    authorise(identity, Action.PROJECT_CHANGE, name)
    if team is not None:
        authorise(identity, Action.PROJECT_CREATE, team=team)
    now_ms = office.database.now_ms()
    changed: Project | None = None

    def write(tx: Transaction) -> AuditEntry:
        nonlocal changed
        project = projects.project_held(tx, identity.known, name, alone=True)
        before: dict[str, object] = {}
        after: dict[str, object] = {}
        if cost_centre is not None:
            projects.project_change(tx, name, cost_centre=cost_centre)
            before["cost_centre"], after["cost_centre"] = project.cost_centre, cost_centre
        if team is not None and team != project.team:
            along = archiving.moved(tx, identity, project, team, now_ms)
            before["team"], after["team"] = project.team, team
            after["work"] = along
        changed = projects.project_fetch(tx, identity.known, name)
        return _entry(identity, Action.PROJECT_CHANGE, name, name, before=before, after=after)

    await told(office, write)
    if team is not None:
        sign_in.forget()
        office.hints.wake("schedule")
    assert changed is not None
    return changed


async def member_set(
    office: Office, sign_in: SignIn, identity: Identity, *, project: str, username: str, role: str
) -> Membership:
    """Give someone a role in a project, in place of those that they had there by name."""
    authorise(identity, Action.BINDING_SET, project)
    member = Membership(project=project, username=username, role=role)
    binding_id = office.ids.new("b")

    def write(tx: Transaction) -> AuditEntry:
        now_ms = office.database.now_ms()
        projects.project_held(tx, identity.known, project)
        before = projects.member_roles(tx, project, username)
        for name in (role, *before):
            check_gives(tx, identity, name, Level.PROJECT, project)
        check_account(tx, identity, username, Level.PROJECT, project)
        projects.member_set(tx, member, binding_id, identity.username, now_ms)
        return _entry(identity, Action.BINDING_SET, username, project, before=before, after=[role])

    await told(office, write)
    sign_in.forget()
    return member


async def member_remove(
    office: Office, sign_in: SignIn, identity: Identity, *, project: str, username: str
) -> None:
    authorise(identity, Action.BINDING_SET, project)

    def write(tx: Transaction) -> AuditEntry:
        before = projects.member_roles(tx, project, username)
        for name in before:
            check_gives(tx, identity, name, Level.PROJECT, project)
        if not projects.member_remove(tx, project, username):
            raise NotFoundError(f"{username} is not a member of project {project}.")
        return _entry(identity, Action.BINDING_SET, username, project, before=before, after=[])

    await told(office, write)
    sign_in.forget()


def check_name(field: str, name: str) -> None:
    """Raises UserError, which names the field."""
    fault = name_fault(name)
    if fault is not None:
        raise UserError(FieldFault(field, fault, f"For example: {name_suggestion(name)}"))


def _entry(
    identity: Identity, action: Action, subject: str, project: str, **detail: object
) -> AuditEntry:
    return AuditEntry(
        actor=identity.username, action=action, subject=subject, project=project, detail=detail
    )
