"""Service accounts and their tokens."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from podium.api.answers import answer, decode_cursor, page
from podium.api.context import Ctx, Who
from podium.api.parameters import AccountName, Cursor, Limit, OneProject, TokenId, Words
from podium.api.tenancy_render import account_view, token_view
from podium.domain.errors import FieldFault, UserError
from podium.domain.tenancy import Scope, Token, TokenKind, User, UserKind
from podium.intake import accounts as intake
from podium.spec.views.base import Page
from podium.spec.views.tenancy import (
    AccountChangeRequest,
    AccountRequest,
    AccountTokenRequest,
    AccountView,
    TokenCreatedView,
    TokenView,
)
from podium.store import access, tokens, users
from podium.store.database import Transaction

router = APIRouter(prefix="/accounts", tags=["access"])


@router.get("", response_model=Page[AccountView])
async def list_accounts(
    context: Ctx,
    who: Who,
    project: OneProject = None,
    q: Words = "",
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Service accounts of the projects in which you may manage them, by name; all of them for who
    may see people."""
    after = decode_cursor(cursor) or ""
    seen = intake.accounts_seen(who)
    if project is not None:
        seen = Scope(frozenset({project} if seen.admits(project) else ()))

    def read(tx: Transaction) -> Page[AccountView]:
        found = users.user_list(
            tx, limit=limit + 1, after=after, kind=UserKind.SERVICE, words=q, scope=seen
        )
        return page(found, limit, lambda each: _view(tx, each), lambda each: each.username)

    return answer(await context.database.read(read))


@router.post("", status_code=201, response_model=AccountView)
async def create_account(body: AccountRequest, context: Ctx, who: Who) -> Response:
    """A new service account without roles; give it some by a binding."""
    made = await intake.account_create(
        context.office,
        who,
        name=body.name,
        project=body.project,
        display_name=body.display_name,
    )
    return answer(account_view(made, tokens=0, paths=()), status=201)


@router.get("/{account}", response_model=AccountView)
async def show_account(account: AccountName, context: Ctx, who: Who) -> Response:
    """One service account."""
    view = await context.database.read(lambda tx: _view(tx, intake.account_fetch(tx, who, account)))
    return answer(view)


@router.patch("/{account}", response_model=AccountView)
async def change_account(
    account: AccountName, body: AccountChangeRequest, context: Ctx, who: Who
) -> Response:
    """Change what it is called, disable it, or enable it again."""
    _check_something(body)
    await intake.account_change(
        context.office,
        context.sign_in,
        who,
        account,
        display_name=body.display_name,
        disabled=body.disabled,
    )
    return await show_account(account, context, who)


@router.delete("/{account}", status_code=204)
async def remove_account(account: AccountName, context: Ctx, who: Who) -> Response:
    """Remove one that never did anything; disable others."""
    await intake.account_delete(context.office, context.sign_in, who, account)
    return Response(status_code=204)


@router.get("/{account}/tokens", response_model=Page[TokenView])
async def list_account_tokens(
    account: AccountName, context: Ctx, who: Who, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """Its tokens; their secrets are never told again."""
    after = decode_cursor(cursor) or ""

    def read(tx: Transaction) -> list[Token]:
        intake.account_fetch(tx, who, account)
        return tokens.token_list(tx, account, limit=limit + 1, after=after)

    found = await context.database.read(read)
    return answer(page(found, limit, token_view, lambda each: each.id))


@router.post("/{account}/tokens", status_code=201, response_model=TokenCreatedView)
async def create_account_token(
    account: AccountName, body: AccountTokenRequest, context: Ctx, who: Who
) -> Response:
    """A token with which the account may do no more than you. Its secret is shown once."""
    token, secret = await intake.account_token_create(
        context.office,
        context.sign_in,
        who,
        account,
        name=body.name,
        expires_in_days=body.expires_in_days,
        actions=None if body.actions is None else frozenset(body.actions),
        projects=None if body.projects is None else frozenset(body.projects),
    )
    return answer(TokenCreatedView(**dict(token_view(token)), token=secret), status=201)


@router.delete("/{account}/tokens/{token_id}", status_code=204)
async def revoke_account_token(
    account: AccountName, token_id: TokenId, context: Ctx, who: Who
) -> Response:
    """End one of its tokens at once."""
    await intake.account_token_revoke(context.sign_in, who, account, token_id)
    return Response(status_code=204)


def _view(tx: Transaction, account: User) -> AccountView:
    name = account.username
    counts = tokens.token_counts(tx, [name])
    return account_view(
        account, tokens=counts.get((name, TokenKind.TOKEN), 0), paths=access.paths_of(tx, name)
    )


def _check_something(body: AccountChangeRequest) -> None:
    if body.display_name is None and body.disabled is None:
        raise UserError(FieldFault("", "Nothing to change is named."))
