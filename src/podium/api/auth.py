"""Sign-in, sign-out, who am I, passwords and tokens."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from podium.api.answers import answer, decode_cursor, page
from podium.api.context import COOKIE, Ctx, Who, context_of
from podium.api.parameters import Cursor, Limit, TokenId
from podium.api.render import token_view
from podium.domain.errors import NotFoundError
from podium.intake.sign_in import SESSION_DAYS, Session
from podium.spec.views.base import Page, utc_or_none
from podium.spec.views.tenancy import (
    IdentityView,
    LoginRequest,
    PasswordRequest,
    SessionView,
    TicketRequest,
    TokenCreatedView,
    TokenRequest,
    TokenView,
)
from podium.store import users

open_router = APIRouter(prefix="/auth", tags=["sign-in"])
router = APIRouter(tags=["sign-in"])


@open_router.post("/login", response_model=SessionView)
async def login(body: LoginRequest, request: Request) -> Response:
    """Sign in with a password. Also sets the console's cookie."""
    context = context_of(request)
    session = await context.sign_in.with_password(
        body.username, body.password.get_secret_value(), body.token_name
    )
    return _signed_in(request, session)


@open_router.post("/ticket", response_model=SessionView)
async def login_with_ticket(body: TicketRequest, request: Request) -> Response:
    """Sign in with the ticket of a one-time sign-in link."""
    session = await context_of(request).sign_in.with_ticket(body.ticket.get_secret_value())
    return _signed_in(request, session)


@router.post("/auth/logout", status_code=204)
async def logout(context: Ctx, who: Who) -> Response:
    """End this sign-in."""
    await context.sign_in.revoke_token(who, who.token_id)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE)
    return response


@router.get("/auth/me", response_model=IdentityView)
async def me(context: Ctx, who: Who) -> Response:
    """Who is signed in."""
    found = await context.database.read(lambda tx: users.user_find(tx, who.username))
    if found is None:
        raise NotFoundError(f"There is no user {who.username}.")
    return answer(
        IdentityView(
            username=who.username,
            administrator=who.administrator,
            roles=dict(who.roles),
            must_change_password=found[0].must_change_password,
        )
    )


@router.post("/auth/password", status_code=204)
async def change_password(body: PasswordRequest, context: Ctx, who: Who) -> Response:
    """Set your own password. Every other sign-in of yours ends."""
    current = body.current.get_secret_value() if body.current is not None else None
    await context.sign_in.change_password(who, current, body.new.get_secret_value())
    return Response(status_code=204)


@router.get("/tokens", response_model=Page[TokenView])
async def list_tokens(
    context: Ctx, who: Who, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """Your own tokens; their secrets are never told again."""
    after = decode_cursor(cursor) or ""
    found = await context.database.read(
        lambda tx: users.token_list(tx, who.username, limit=limit + 1, after=after)
    )
    return answer(page(found, limit, token_view, lambda each: each.id))


@router.post("/tokens", status_code=201, response_model=TokenCreatedView)
async def create_token(body: TokenRequest, context: Ctx, who: Who) -> Response:
    """A new token for scripts."""
    token, secret = await context.sign_in.make_token(who, body.name, body.expires_in_days)
    return answer(TokenCreatedView(**dict(token_view(token)), token=secret), status=201)


@router.delete("/tokens/{token_id}", status_code=204)
async def revoke_token(token_id: TokenId, context: Ctx, who: Who) -> Response:
    """End one of your tokens."""
    await context.sign_in.revoke_token(who, token_id)
    return Response(status_code=204)


def _signed_in(request: Request, session: Session) -> Response:
    response = answer(
        SessionView(
            token=session.secret,
            expires_at=utc_or_none(session.expires_at_ms),
            username=session.username,
            must_change_password=session.must_change_password,
        )
    )
    response.headers["Cache-Control"] = "no-store"
    response.set_cookie(
        COOKIE,
        session.secret,
        max_age=SESSION_DAYS * 86_400,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response
