"""Sign-in, sign-out, who am I, passwords and tokens."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from podium.api import cookies
from podium.api.answers import answer, decode_cursor, page
from podium.api.context import Ctx, OwnPage, SignedIn, Who, context_of
from podium.api.parameters import Cursor, Limit, TokenId
from podium.api.tenancy_render import token_view
from podium.domain.errors import NotFoundError
from podium.domain.tenancy import TokenKind
from podium.intake.sessions import Session
from podium.intake.tokens import check_whole, token_create, token_revoke
from podium.spec.views.base import Page, utc_or_none
from podium.spec.views.sign_in import EverywhereRequest, LogoutView
from podium.spec.views.tenancy import (
    IdentityView,
    LoginRequest,
    PasswordRequest,
    SessionView,
    SignedOutView,
    TicketRequest,
    TokenCreatedView,
    TokenRequest,
    TokenView,
)
from podium.store import tokens, users

open_router = APIRouter(prefix="/auth", tags=["sign-in"])
router = APIRouter(tags=["sign-in"])


@open_router.post("/login", response_model=SessionView)
async def login(body: LoginRequest, request: Request, _own: OwnPage) -> Response:
    """Sign in with a password. Also sets the console's cookie."""
    session = await context_of(request).sign_in.with_password(
        body.username,
        body.password.get_secret_value(),
        body.token_name,
        kind=TokenKind(body.kind),
        replaces=cookies.session_secret(request) or "",
    )
    return signed_in(request, session)


@open_router.post("/ticket", response_model=SessionView)
async def login_with_ticket(body: TicketRequest, request: Request, _own: OwnPage) -> Response:
    """Sign in with the ticket of a one-time sign-in link."""
    session = await context_of(request).sign_in.with_ticket(
        body.ticket.get_secret_value(), replaces=cookies.session_secret(request) or ""
    )
    return signed_in(request, session)


@router.post("/auth/logout", response_model=LogoutView)
async def logout(request: Request, context: Ctx, who: SignedIn) -> Response:
    """End this sign-in."""
    back_to = cookies.own_address(request, context.public_url) + "/"
    url = await context.single_sign_on.end_session_url(who, back_to=back_to)
    await context.sign_in.revoke_token(who, who.token_id)
    response = answer(LogoutView(end_session_url=url))
    cookies.session_clear(request, response)
    return response


@router.post("/auth/sign-out-everywhere", response_model=SignedOutView)
async def sign_out_everywhere(
    body: EverywhereRequest, request: Request, context: Ctx, who: SignedIn
) -> Response:
    """End all of your sign-ins, on every machine."""
    ended = await context.sign_in.sign_out_everywhere(
        who, keep_this=body.keep_this, tokens_too=body.tokens
    )
    response = answer(SignedOutView(ended=ended))
    if not body.keep_this:
        cookies.session_clear(request, response)
    return response


@router.get("/auth/me", response_model=IdentityView)
async def me(context: Ctx, who: SignedIn) -> Response:
    """Who is signed in."""
    found = await context.database.read(lambda tx: users.user_find(tx, who.username))
    if found is None:
        raise NotFoundError(f"There is no user {who.username}.")
    return answer(
        IdentityView(
            username=who.username,
            display_name=found[0].display_name,
            kind=found[0].kind,
            source=found[0].source,
            administrator=who.administrator,
            roles=dict(who.roles),
            everywhere=sorted(who.rights.everywhere),
            teams={name: sorted(held) for name, held in who.rights.teams.items()},
            projects={name: sorted(held) for name, held in who.rights.projects.items()},
            must_change_password=who.must_change_password,
        )
    )


@router.post("/auth/password", status_code=204)
async def change_password(body: PasswordRequest, context: Ctx, who: SignedIn) -> Response:
    """Set your own password. Every other sign-in of yours ends."""
    check_whole(who)
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
        lambda tx: tokens.token_list(tx, who.username, limit=limit + 1, after=after)
    )
    return answer(
        page(
            found,
            limit,
            lambda each: token_view(each, current=each.id == who.token_id),
            lambda each: each.id,
        )
    )


@router.post("/tokens", status_code=201, response_model=TokenCreatedView)
async def create_token(body: TokenRequest, context: Ctx, who: Who) -> Response:
    """A new token for scripts."""
    token, secret = await token_create(
        context.office,
        context.sign_in,
        who,
        name=body.name,
        expires_in_days=body.expires_in_days,
        actions=None if body.actions is None else frozenset(body.actions),
        projects=None if body.projects is None else frozenset(body.projects),
    )
    return answer(TokenCreatedView(**dict(token_view(token)), token=secret), status=201)


@router.delete("/tokens/{token_id}", status_code=204)
async def revoke_token(token_id: TokenId, context: Ctx, who: Who) -> Response:
    """End one of your tokens."""
    await token_revoke(context.sign_in, who, token_id)
    return Response(status_code=204)


def signed_in(request: Request, session: Session) -> Response:
    """The answer to a fresh sign-in; a browser keeps it as its cookie."""
    response = answer(session_view(session))
    response.headers["Cache-Control"] = "no-store"
    session_kept(request, response, session)
    return response


def session_view(session: Session) -> SessionView:
    return SessionView(
        token=session.secret,
        expires_at=utc_or_none(session.expires_at_ms),
        username=session.username,
        must_change_password=session.must_change_password,
    )


def session_kept(request: Request, response: Response, session: Session) -> None:
    """In the browser's cookie, as long as it can last at most."""
    now_ms = context_of(request).database.now_ms()
    seconds = ((session.expires_at_ms or now_ms) - now_ms) // 1000
    cookies.session_set(request, response, session.secret, seconds=seconds)
