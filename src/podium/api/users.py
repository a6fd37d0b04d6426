"""People, for who may see or administer them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from podium.api.answers import answer, decode_cursor, page
from podium.api.context import Ctx, Who
from podium.api.parameters import Cursor, Limit, TokenId, Username, Words
from podium.api.tenancy_render import token_view, user_detail_view, user_view
from podium.domain.rights import Action
from podium.domain.tenancy import Token
from podium.intake import users as intake
from podium.intake.office import authorise
from podium.spec.views.base import Page
from podium.spec.views.tenancy import (
    OneTimePasswordView,
    SignedOutView,
    SignOutRequest,
    TokenView,
    UserChangeRequest,
    UserCreatedView,
    UserDetailView,
    UserRequest,
    UserView,
)
from podium.store import access, roles, tokens, user_groups, users
from podium.store.database import Transaction

router = APIRouter(prefix="/users", tags=["users"])


@router.get("", response_model=Page[UserView])
async def list_users(
    context: Ctx,
    who: Who,
    q: Words = "",
    disabled: Annotated[
        bool | None, Query(description="Only those who are, or are not; both if left out.")
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """People, by name."""
    authorise(who, Action.USER_READ)
    after = decode_cursor(cursor) or ""
    found, administrators = await context.database.read(
        lambda tx: (
            users.user_list(tx, limit=limit + 1, after=after, words=q, disabled=disabled),
            roles.administrators(tx),
        )
    )
    return answer(
        page(
            found,
            limit,
            lambda each: user_view(each, administrator=each.username in administrators),
            lambda each: each.username,
        )
    )


@router.post("", status_code=201, response_model=UserCreatedView)
async def create_user(body: UserRequest, context: Ctx, who: Who) -> Response:
    """A new user. Without a password, a one-time one is made and answered, once."""
    password = body.password.get_secret_value() if body.password is not None else None
    user, one_time = await intake.user_create(
        context.office,
        context.sign_in,
        who,
        username=body.username,
        password=password,
        administrator=body.administrator,
        display_name=body.display_name,
        email=body.email,
    )
    shown = user_view(user, administrator=body.administrator)
    view = UserCreatedView(**dict(shown), one_time_password=one_time)
    return answer(view, status=201)


@router.get("/{username}", response_model=UserDetailView)
async def show_user(username: Username, context: Ctx, who: Who) -> Response:
    """One person: groups, roles by name and through groups, sign-ins and tokens."""
    authorise(who, Action.USER_READ)
    return answer(await context.database.read(lambda tx: _detail(tx, username)))


@router.patch("/{username}", response_model=UserDetailView)
async def change_user(
    username: Username, body: UserChangeRequest, context: Ctx, who: Who
) -> Response:
    """Change a name or an address, disable somebody, or enable them again.

    Nobody changes a person who may do more than they themselves.
    """
    await intake.user_change(
        context.office,
        context.sign_in,
        who,
        username,
        display_name=body.display_name,
        email=body.email,
        disabled=body.disabled,
    )
    return answer(await context.database.read(lambda tx: _detail(tx, username)))


@router.delete("/{username}", status_code=204)
async def remove_user(username: Username, context: Ctx, who: Who) -> Response:
    """Remove a person who never did anything; disable others, as the audit trail names them."""
    await intake.user_delete(context.office, context.sign_in, who, username)
    return Response(status_code=204)


@router.post("/{username}/password", response_model=OneTimePasswordView)
async def reset_password(username: Username, context: Ctx, who: Who) -> Response:
    """A one-time password in place of theirs, told once; ends their sign-ins and tokens."""
    made = await intake.password_reset(context.office, context.sign_in, who, username)
    return answer(OneTimePasswordView(username=username, one_time_password=made))


@router.post("/{username}/sign-out", response_model=SignedOutView)
async def sign_out_user(
    username: Username, body: SignOutRequest, context: Ctx, who: Who
) -> Response:
    """End all sign-ins of somebody and, if asked, their tokens."""
    ended = await intake.signed_out(
        context.office, context.sign_in, who, username, with_tokens=body.tokens
    )
    return answer(SignedOutView(ended=ended))


@router.get("/{username}/tokens", response_model=Page[TokenView])
async def list_user_tokens(
    username: Username, context: Ctx, who: Who, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """Somebody's tokens and sign-ins, for who administers people."""
    authorise(who, Action.USER_ADMINISTER)
    after = decode_cursor(cursor) or ""

    def read(tx: Transaction) -> list[Token]:
        intake.person_fetch(tx, username)
        return tokens.token_list(tx, username, limit=limit + 1, after=after)

    found = await context.database.read(read)
    return answer(
        page(
            found,
            limit,
            lambda each: token_view(each, current=each.id == who.token_id),
            lambda each: each.id,
        )
    )


@router.delete("/{username}/tokens/{token_id}", status_code=204)
async def revoke_user_token(
    username: Username, token_id: TokenId, context: Ctx, who: Who
) -> Response:
    """End one token or sign-in of somebody, with what was made with it. Nobody ends those of a
    person who may do more than they themselves."""
    await intake.user_token_revoke(context.sign_in, who, username, token_id)
    return Response(status_code=204)


def _detail(tx: Transaction, username: str) -> UserDetailView:
    return user_detail_view(
        intake.person_fetch(tx, username),
        administrator=username in roles.administrators(tx),
        groups=user_groups.groups_of(tx, username),
        paths=access.paths_of(tx, username),
        counts=tokens.token_counts(tx, [username]),
    )
