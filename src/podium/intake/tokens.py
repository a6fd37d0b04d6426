"""Tokens for programs: one's own, and those of service accounts.

A token that was made for less than its owner may do passes its limits on to every token that is
made with it, and cannot touch the owner's other tokens or password. What was made with a token ends
with it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

from podium.domain.errors import FieldFault, ForbiddenError, UserError
from podium.domain.rights import Action
from podium.domain.tenancy import Identity, Token, TokenKind
from podium.intake.office import Office
from podium.intake.sign_in import SignIn
from podium.store import projects as project_store
from podium.store import tokens

Name = TypeVar("Name", bound=str)

_DAY_MS = 86_400_000
_TOLD_MAX = 3


async def token_create(
    office: Office,
    sign_in: SignIn,
    identity: Identity,
    *,
    name: str,
    expires_in_days: int | None,
    actions: frozenset[Action] | None = None,
    projects: frozenset[str] | None = None,
    owner: str | None = None,
) -> tuple[Token, str]:
    """A token of one's own, or of the service account `owner`, for which the caller has checked the
    rights; the secret is told once. Raises UserError, which names the field, for projects that one
    cannot see and for more than the token that one came with."""
    there, mother = await office.database.read(
        lambda tx: (
            project_store.projects_there(tx, identity.known, projects or ()),
            tokens.token_find(tx, identity.token_id),
        )
    )
    missing = (projects or frozenset()) - set(there)
    if missing:
        raise UserError(
            FieldFault("projects", f"{_some(missing)}: there is no such project that you can see.")
        )
    if mother is not None:
        actions = _within("actions", actions, mother.actions)
        projects = _within("projects", projects, mother.projects)
        _check_end(mother, expires_in_days, office.database.now_ms())
    return await sign_in.make_token(
        identity,
        name,
        expires_in_days,
        actions=actions,
        projects=projects,
        owner=owner,
        # What was made while signed in outlives the sign-in.
        mother=mother.id if mother is not None and mother.kind is TokenKind.TOKEN else None,
    )


def check_whole(identity: Identity) -> None:
    """For what is about one's own account. Raises ForbiddenError for a narrowed token, with which
    nobody gets hold of more than it allows."""
    if identity.narrowed:
        raise ForbiddenError(
            "This token was made for less than you may do, so it cannot change your password, or "
            "tokens and sign-ins other than itself. Sign in for that."
        )


async def token_revoke(sign_in: SignIn, identity: Identity, token_id: str) -> None:
    """End one of one's own. Raises NotFoundError, and ForbiddenError for a narrowed token that is
    not the one to end."""
    if token_id != identity.token_id:
        check_whole(identity)
    await sign_in.revoke_token(identity, token_id)


def _within(
    field: str, asked: frozenset[Name] | None, limit: frozenset[Name] | None
) -> frozenset[Name] | None:
    if limit is None:
        return asked
    if asked is None:
        return limit
    if asked - limit:
        raise UserError(
            FieldFault(
                field,
                f"{_some(asked - limit)}: the token that you use does not reach so far.",
                "Sign in to make a token that does.",
            )
        )
    return asked


def _check_end(mother: Token, days: int | None, now_ms: int) -> None:
    """A token outlives its own end by no other; sign-ins are there to make tokens that last."""
    end_ms = mother.expires_at_ms
    if mother.kind is not TokenKind.TOKEN or end_ms is None:
        return
    if days is None or now_ms + days * _DAY_MS > end_ms:
        left = (end_ms - now_ms) // _DAY_MS
        raise UserError(
            FieldFault(
                "expires_in_days",
                "is longer than the token that you use is good for.",
                f"Ask for {left} at most, or sign in." if left else "Sign in for it.",
            )
        )


def _some(names: Collection[str]) -> str:
    return ", ".join(sorted(names)[:_TOLD_MAX]) + (" …" if len(names) > _TOLD_MAX else "")
