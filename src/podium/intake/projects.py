"""Projects, their members and their secrets."""

from __future__ import annotations

from podium.domain.errors import FieldFault, NotFoundError, UserError
from podium.domain.identity import name_fault, name_suggestion
from podium.domain.tenancy import Action, Identity, Membership, Project, Role
from podium.intake.office import Office, audited, authorise
from podium.intake.sign_in import SignIn
from podium.store import projects
from podium.store.audit import AuditEntry
from podium.store.database import Transaction
from podium.store.projects import SecretRecord

_SECRET_LENGTH_MAX = 65_536


async def project_create(
    office: Office, sign_in: SignIn, identity: Identity, *, name: str, team: str
) -> Project:
    """Raises ConflictError when the name is taken."""
    authorise(identity, Action.PROJECT_CREATE)
    _check_name("name", name)
    _check_name("team", team)
    project = Project(name=name, team=team, created_at_ms=office.database.now_ms())
    entry = _entry(identity, Action.PROJECT_CREATE, name, name, team=team)

    def insert(tx: Transaction) -> None:
        projects.project_insert(tx, project)

    await audited(office, entry, insert)
    sign_in.forget()
    return project


async def member_set(
    office: Office, sign_in: SignIn, identity: Identity, *, project: str, username: str, role: Role
) -> Membership:
    """Give someone a role in a project, in place of what they had."""
    authorise(identity, Action.PROJECT_MEMBERS, project)
    member = Membership(project=project, username=username, role=role)
    entry = _entry(identity, Action.PROJECT_MEMBERS, username, project, role=role.value)

    def write(tx: Transaction) -> None:
        projects.project_fetch(tx, identity.scope, project)
        projects.member_set(tx, member)

    await audited(office, entry, write)
    sign_in.forget()
    return member


async def member_remove(
    office: Office, sign_in: SignIn, identity: Identity, *, project: str, username: str
) -> None:
    authorise(identity, Action.PROJECT_MEMBERS, project)
    entry = _entry(identity, Action.PROJECT_MEMBERS, username, project, role=None)

    def write(tx: Transaction) -> None:
        if not projects.member_remove(tx, project, username):
            raise NotFoundError(f"{username} is not a member of project {project}.")

    await audited(office, entry, write)
    sign_in.forget()


async def secret_set(
    office: Office, identity: Identity, *, project: str, name: str, value: str
) -> SecretRecord:
    """Store a secret sealed. The work sees it as an environment variable of that name."""
    authorise(identity, Action.SECRET_WRITE, project)
    if not name.isidentifier() or not name.isascii():
        raise UserError(
            FieldFault(
                "name",
                f"'{name}' cannot be the name of an environment variable.",
                "Use letters, digits and underscores, such as HF_TOKEN.",
            )
        )
    if len(value) > _SECRET_LENGTH_MAX or "\0" in value:
        raise UserError(FieldFault("value", "is longer than 64 KiB or holds a NUL character."))
    record = SecretRecord(
        project=project,
        name=name,
        updated_at_ms=office.database.now_ms(),
        updated_by=identity.username,
    )
    sealed = office.sealer.seal(value)
    entry = _entry(identity, Action.SECRET_WRITE, name, project)

    def write(tx: Transaction) -> None:
        projects.project_fetch(tx, identity.scope, project)
        projects.secret_set(tx, record, sealed)

    await audited(office, entry, write)
    return record


async def secret_remove(office: Office, identity: Identity, *, project: str, name: str) -> None:
    authorise(identity, Action.SECRET_WRITE, project)
    entry = _entry(identity, Action.SECRET_WRITE, name, project, removed=True)

    def write(tx: Transaction) -> None:
        if not projects.secret_remove(tx, project, name):
            raise NotFoundError(f"Project {project} has no secret {name}.")

    await audited(office, entry, write)


def _check_name(field: str, name: str) -> None:
    fault = name_fault(name)
    if fault is not None:
        raise UserError(FieldFault(field, fault, f"For example: {name_suggestion(name)}"))


def _entry(
    identity: Identity, action: Action, subject: str, project: str, **detail: object
) -> AuditEntry:
    return AuditEntry(
        actor=identity.username, action=action, subject=subject, project=project, detail=detail
    )
