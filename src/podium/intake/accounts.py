"""Service accounts: who programs are. One belongs to a project, where it gets all its roles, or to
the organisation. They have tokens and no password.

What is not the reader's to know of is told as if it were not there.
"""

from __future__ import annotations

from podium.domain.errors import ConflictError, ForbiddenError, NotFoundError
from podium.domain.rights import Action
from podium.domain.tenancy import Identity, Scope, Token, User, UserKind
from podium.intake.bindings import check_above
from podium.intake.office import Office, authorise, told
from podium.intake.projects import check_name
from podium.intake.sign_in import SignIn
from podium.intake.tokens import token_create
from podium.intake.users import check_never_acted
from podium.store import projects, roles, users
from podium.store.audit import AuditEntry
from podium.store.database import Transaction


def accounts_seen(identity: Identity) -> Scope:
    """The projects whose service accounts one may see. Those of the organisation are seen by who
    sees all."""
    if identity.may(Action.USER_READ):
        return Scope(None)
    return identity.scope_of(Action.ACCOUNT_MANAGE)


def account_fetch(tx: Transaction, identity: Identity, name: str) -> User:
    """Raises NotFoundError when there is none that one may see."""
    found = users.user_find(tx, name)
    seen = accounts_seen(identity)
    if (
        found is None
        or found[0].kind is not UserKind.SERVICE
        or not (seen.projects is None or found[0].project in seen.projects)
    ):
        raise NotFoundError(f"There is no service account {name} that you can see.")
    return found[0]


async def account_create(
    office: Office,
    identity: Identity,
    *,
    name: str,
    project: str | None,
    display_name: str = "",
) -> User:
    """Without any role. Raises NotFoundError, ForbiddenError, and ConflictError when the name is
    taken, by a person or another account."""
    authorise(identity, Action.ACCOUNT_MANAGE, project)
    check_name("name", name)
    account = User(
        username=name,
        created_at_ms=office.database.now_ms(),
        kind=UserKind.SERVICE,
        project=project,
        display_name=display_name,
    )

    def write(tx: Transaction) -> AuditEntry:
        if project is not None:
            projects.project_open(tx, identity.known, project)
        if users.user_find(tx, name) is not None:
            raise ConflictError(f"The name {name} is taken. Choose another one.")
        users.user_insert(tx, account, "")
        return _entry(identity, account, created=True)

    await told(office, write)
    return account


async def account_change(
    office: Office,
    sign_in: SignIn,
    identity: Identity,
    name: str,
    *,
    display_name: str | None = None,
    disabled: bool | None = None,
) -> None:
    """None leaves a value. The tokens of a disabled account do nothing until it is enabled. Raises
    NotFoundError and ForbiddenError."""
    now_ms = office.database.now_ms()

    def write(tx: Transaction) -> AuditEntry:
        account = _managed(tx, identity, name)
        wanted: dict[str, object] = {}
        if display_name is not None and display_name != account.display_name:
            wanted["display_name"] = display_name
        if disabled is not None and disabled != (account.disabled_at_ms is not None):
            if not disabled:
                check_above(tx, identity, name)
                if account.project is not None:
                    projects.project_open(tx, identity.known, account.project)
            wanted["disabled_at_ms"] = now_ms if disabled else None
        if wanted:
            users.user_change(tx, name, **wanted)
        before = {each: getattr(account, each) for each in wanted}
        return _entry(identity, account, before=before, after=wanted)

    await told(office, write)
    sign_in.forget()


async def account_delete(office: Office, sign_in: SignIn, identity: Identity, name: str) -> None:
    """With its tokens and roles. Raises NotFoundError, ForbiddenError, and ConflictError for one
    that has done something."""

    def write(tx: Transaction) -> AuditEntry:
        account = _managed(tx, identity, name)
        check_never_acted(tx, name, f"podium account disable {name}")
        users.user_delete(tx, name)
        return _entry(identity, account, created=False)

    await told(office, write)
    sign_in.forget()


async def account_token_create(
    office: Office,
    sign_in: SignIn,
    identity: Identity,
    account: str,
    *,
    name: str,
    expires_in_days: int,
    actions: frozenset[Action] | None = None,
    projects: frozenset[str] | None = None,
) -> tuple[Token, str]:
    """A token of the account, which may do no more with it than the maker. Raises NotFoundError,
    ForbiddenError, UserError, and ConflictError for an account that is disabled."""

    def check(tx: Transaction) -> None:
        found = _managed(tx, identity, account)
        if found.disabled_at_ms is not None:
            raise ConflictError(f"{account} is disabled. Enable it first.")
        rights = roles.rights_fetch(tx, account).rights.limited(actions, projects)
        more = identity.rights.lacks(rights)
        if more:
            raise ForbiddenError(
                f"With this token {account} may do {', '.join(sorted(more)[:3])}, which you may "
                "not do yourself there. Name the actions that the token is for."
            )

    await office.database.read(check)
    return await token_create(
        office,
        sign_in,
        identity,
        name=name,
        expires_in_days=expires_in_days,
        actions=actions,
        projects=projects,
        owner=account,
    )


async def account_token_revoke(
    sign_in: SignIn, identity: Identity, account: str, token_id: str
) -> None:
    """Raises NotFoundError and ForbiddenError."""
    await sign_in.end_token(identity, account, token_id, lambda tx: _managed(tx, identity, account))


def _managed(tx: Transaction, identity: Identity, name: str) -> User:
    """Raises NotFoundError, and ForbiddenError for who may only see it."""
    account = account_fetch(tx, identity, name)
    authorise(identity, Action.ACCOUNT_MANAGE, account.project)
    return account


def _entry(identity: Identity, account: User, **detail: object) -> AuditEntry:
    return AuditEntry(
        actor=identity.username,
        action=Action.ACCOUNT_MANAGE,
        subject=account.username,
        project=account.project,
        detail=detail,
    )
