"""The account and the token that a directory comes with. `api/directory` calls it."""

from __future__ import annotations

from podium.domain.errors import ConflictError
from podium.domain.rights import PROVISIONER, Action, Level, SubjectKind
from podium.domain.tenancy import Identity, Token, UserKind
from podium.intake.accounts import account_create, account_token_create
from podium.intake.bindings import binding_create
from podium.intake.office import Office, authorise
from podium.intake.sign_in import SignIn
from podium.store import users

ACCOUNT = "scim"


async def scim_token_create(
    office: Office, sign_in: SignIn, identity: Identity, *, account: str, expires_in_days: int
) -> tuple[Token, str]:
    """A token with which a directory keeps people and groups, and nothing else. The service account
    is made and given its role where it is not there yet. Raises ForbiddenError, and ConflictError
    where the name is a person's or a project's account."""
    authorise(identity, Action.PROVIDER_SET)
    found = await office.database.read(lambda tx: users.user_find(tx, account))
    if found is None:
        await account_create(
            office, identity, name=account, project=None, display_name="Directory (SCIM)"
        )
    elif found[0].kind is not UserKind.SERVICE or found[0].project is not None:
        raise ConflictError(
            f"{account} is not a service account of the organisation. Name another one."
        )
    await binding_create(
        office,
        sign_in,
        identity,
        subject_kind=SubjectKind.USER,
        subject=account,
        role=PROVISIONER,
        level=Level.ORGANISATION,
        target="",
    )
    return await account_token_create(
        office,
        sign_in,
        identity,
        account,
        name="SCIM",
        expires_in_days=expires_in_days,
        actions=frozenset({Action.DIRECTORY_WRITE}),
    )
