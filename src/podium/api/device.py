"""The way in of command lines: they ask with a code, and a person lets them in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from podium.api import cookies
from podium.api.answers import answer
from podium.api.auth import session_view
from podium.api.context import Ctx, OwnPage, Who, context_of
from podium.intake import devices
from podium.spec.views.base import utc
from podium.spec.views.sign_in import (
    DeviceCodeRequest,
    DeviceDecision,
    DeviceSignInView,
    DeviceStartView,
    DeviceTokenRequest,
)
from podium.spec.views.tenancy import SessionView

open_router = APIRouter(prefix="/auth/device", tags=["sign-in"])
router = APIRouter(prefix="/auth/device", tags=["sign-in"])

UserCode = Annotated[
    str, Path(max_length=20, description="As the command line shows it.", examples=["BCDF-GHJK"])
]


@open_router.post("", response_model=DeviceStartView)
async def ask_to_be_let_in(body: DeviceCodeRequest, request: Request, _own: OwnPage) -> Response:
    """For a command line: a code to show, and one to ask with (RFC 8628)."""
    context = context_of(request)
    begun = await devices.device_begin(context.office, body.client_name)
    page = f"{cookies.own_address(request, context.public_url)}/device"
    response = answer(
        DeviceStartView(
            device_code=begun.device_code,
            user_code=begun.user_code,
            verification_uri=page,
            verification_uri_complete=f"{page}?code={begun.user_code}",
            expires_in=begun.expires_in_seconds,
            interval=begun.interval_seconds,
        )
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@open_router.post("/token", response_model=SessionView)
async def be_let_in(body: DeviceTokenRequest, request: Request, _own: OwnPage) -> Response:
    """For a command line: the sign-in, once somebody let it in. Until then the answer is an error
    with a `code` of RFC 8628: authorization_pending, slow_down, access_denied or expired_token."""
    context = context_of(request)
    session = await devices.device_redeem(
        context.office, context.sign_in, body.device_code.get_secret_value()
    )
    response = answer(session_view(session))
    response.headers["Cache-Control"] = "no-store"
    return response


@router.get("/{user_code}", response_model=DeviceSignInView)
async def show_device(user_code: UserCode, context: Ctx, who: Who) -> Response:
    """Which command line asks with this code."""
    found = await devices.device_show(context.office, who, user_code)
    return answer(
        DeviceSignInView(
            client_name=found.client_name,
            source=found.source,
            user_agent=found.user_agent,
            asked_at=utc(found.created_at_ms),
            expires_at=utc(found.expires_at_ms),
        )
    )


@router.post("/{user_code}", status_code=204)
async def decide_device(
    user_code: UserCode, body: DeviceDecision, context: Ctx, who: Who
) -> Response:
    """Let the command line in as yourself, or turn it away."""
    await devices.device_decide(context.office, who, user_code, approve=body.approve)
    return Response(status_code=204)
