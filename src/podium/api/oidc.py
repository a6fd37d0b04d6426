"""Single sign-on: away to a provider and back, and the settings of providers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from podium.api import cookies
from podium.api.answers import answer
from podium.api.auth import session_kept
from podium.api.context import Context, Ctx, Who, context_of
from podium.api.refused import refusal_told
from podium.domain.errors import (
    FieldFault,
    NotFoundError,
    PodiumError,
    TemporaryError,
    UserError,
)
from podium.domain.provider import Provider
from podium.intake import providers as intake
from podium.intake.oidc import ProviderError
from podium.intake.single_sign_on import FLOW_MINUTES, safe_path
from podium.spec.views.base import Page, utc, utc_or_none
from podium.spec.views.sign_in import (
    ProviderCheckRequest,
    ProviderRequest,
    ProviderTrialView,
    ProviderView,
    SignInOptionsView,
    SignInOptionView,
)
from podium.store import providers

open_router = APIRouter(prefix="/auth", tags=["sign-in"])
router = APIRouter(prefix="/providers", tags=["sign-in"])

ProviderName = Annotated[str, Path(max_length=63, description="The provider's name.")]
_PATH = "/api/v1/auth/oidc"
_TOKEN_MAX = 100_000
_ANSWER_MAX = 8_000


@open_router.get("/providers", response_model=SignInOptionsView)
async def sign_in_options(request: Request) -> Response:
    """The providers that one can sign in with."""
    found = await context_of(request).database.read(providers.provider_list)
    return answer(
        SignInOptionsView(
            providers=[SignInOptionView(name=each.name, label=each.label) for each in found]
        )
    )


@open_router.get(
    "/oidc/{name}/start", status_code=303, response_class=Response, name="start_single_sign_on"
)
async def start(
    name: ProviderName,
    request: Request,
    next_path: Annotated[
        str, Query(alias="next", description="The page of the console to go on with.")
    ] = "/",
) -> Response:
    """Sends the browser to the provider."""
    context = context_of(request)
    try:
        begun = await context.single_sign_on.begin(
            name,
            redirect_uri=_redirect_uri(request, context, name),
            next_path=next_path,
            browser_secret=cookies.flow_secret(request),
        )
    except PodiumError as error:
        return await _back(request, error, safe_path(next_path))
    response = RedirectResponse(begun.url, 303)
    response.headers["Cache-Control"] = "no-store"
    cookies.flow_set(request, response, begun.browser_secret, seconds=FLOW_MINUTES * 60)
    return response


@open_router.get(
    "/oidc/{name}/callback", status_code=303, response_class=Response, name="end_single_sign_on"
)
async def callback(name: ProviderName, request: Request) -> Response:
    """The browser comes back from the provider, and is signed in or told why not."""
    context = context_of(request)
    try:
        if len(request.url.query) > _ANSWER_MAX:
            raise ProviderError("The provider's answer is too long.")
        finished = await context.single_sign_on.finish(
            name,
            dict(request.query_params),
            browser_secret=cookies.flow_secret(request),
            replaces=cookies.session_secret(request) or "",
        )
    except PodiumError as error:
        return await _back(request, error, "/")
    response = RedirectResponse(finished.next_path, 303)
    response.headers["Cache-Control"] = "no-store"
    session_kept(request, response, finished.session)
    return response


@open_router.post("/oidc/{name}/backchannel-logout", status_code=204)
async def backchannel_logout(
    name: ProviderName,
    request: Request,
    logout_token: Annotated[str, Form(max_length=_TOKEN_MAX)],
) -> Response:
    """A provider tells that somebody signed out there: their sign-ins through it end."""
    try:
        await context_of(request).single_sign_on.ended_there(name, logout_token)
    except ProviderError as error:
        if error.why == "unreachable":
            raise TemporaryError("The provider cannot be asked now.") from error
        raise UserError(FieldFault("logout_token", "is not a good one.")) from error
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


@router.get("", response_model=Page[ProviderView])
async def list_providers(request: Request, context: Ctx, who: Who) -> Response:
    """All sign-in providers with their settings."""
    found = await intake.provider_list(context.office, who)
    uses = await _uses(context)
    items = [_view(request, context, each, uses.get(each.name)) for each in found]
    return answer(Page[ProviderView](items=items, next_cursor=None))


@router.post("/check", response_model=ProviderTrialView)
async def check_provider(body: ProviderCheckRequest, context: Ctx, who: Who) -> Response:
    """Ask an issuer for what a sign-in needs, before it is made a provider. For administrators."""
    trial = await intake.issuer_try(who, context.single_sign_on.oidc, body.issuer)
    return answer(_trial_view(trial))


@router.get("/{name}", response_model=ProviderView)
async def show_provider(name: ProviderName, request: Request, context: Ctx, who: Who) -> Response:
    """One sign-in provider."""
    found = await intake.provider_show(context.office, who, name)
    uses = await _uses(context)
    return answer(_view(request, context, found, uses.get(name)))


@router.put("/{name}", response_model=ProviderView)
async def set_provider(
    name: ProviderName, body: ProviderRequest, request: Request, context: Ctx, who: Who
) -> Response:
    """Make a sign-in provider, or change it as a whole. For administrators."""
    secret = body.client_secret
    provider = await intake.provider_set(
        context.office,
        who,
        name=name,
        label=body.label,
        issuer=body.issuer,
        client_id=body.client_id,
        client_secret=None if secret is None else secret.get_secret_value(),
        keep_secret=body.keep_secret,
        scopes=body.scopes,
        groups_claim=body.groups_claim,
        groups_mode=body.groups,
        group_names=body.group_names,
        username_claim=body.username_claim,
        link=body.link,
    )
    uses = await _uses(context)
    return answer(_view(request, context, provider, uses.get(name)))


@router.post("/{name}/test", response_model=ProviderTrialView)
async def test_provider(name: ProviderName, context: Ctx, who: Who) -> Response:
    """Ask the provider for what a sign-in needs, without signing anybody in."""
    trial = await intake.provider_try(context.office, who, context.single_sign_on.oidc, name)
    return answer(_trial_view(trial))


@router.delete("/{name}", status_code=204)
async def remove_provider(name: ProviderName, context: Ctx, who: Who) -> Response:
    """Take a sign-in provider away; sign-ins that came through it end. For administrators."""
    await intake.provider_remove(context.office, who, name)
    context.sign_in.forget()
    return Response(status_code=204)


async def _back(request: Request, error: PodiumError, next_path: str) -> Response:
    """To the console, which has words for what one word tells; the audit trail has the rest."""
    error.refused_action = "user:sign-in"
    await refusal_told(request, error)
    response = RedirectResponse(f"{next_path}#sign-in-failed={_why(error)}", 303)
    response.headers["Cache-Control"] = "no-store"
    return response


def _why(error: PodiumError) -> str:
    if isinstance(error, ProviderError):
        return error.why
    if isinstance(error, NotFoundError):
        return "unknown"
    if isinstance(error, TemporaryError):
        return "limited"
    return "refused"


def _redirect_uri(request: Request, context: Context, name: str) -> str:
    return f"{cookies.own_address(request, context.public_url)}{_PATH}/{name}/callback"


async def _uses(context: Context) -> dict[str, providers.ProviderUse]:
    database = context.database
    return await database.read(lambda tx: providers.provider_uses(tx, database.now_ms()))


def _trial_view(trial: intake.Trial) -> ProviderTrialView:
    return ProviderTrialView(
        ok=not trial.fault,
        fault=trial.fault,
        authorization_endpoint=trial.authorization_endpoint,
        end_session_endpoint=trial.end_session_endpoint,
        keys=trial.keys,
    )


def _view(
    request: Request, context: Context, provider: Provider, use: providers.ProviderUse | None
) -> ProviderView:
    use = use or providers.ProviderUse()
    own = cookies.own_address(request, context.public_url)
    return ProviderView(
        name=provider.name,
        label=provider.label,
        issuer=provider.issuer,
        client_id=provider.client_id,
        has_secret=provider.has_secret,
        scopes=list(provider.scopes),
        groups_claim=provider.groups_claim,
        groups=provider.groups_mode,
        group_names=dict(provider.group_names),
        username_claim=provider.username_claim,
        link=provider.link,
        redirect_uri=_redirect_uri(request, context, provider.name),
        backchannel_logout_uri=f"{own}{_PATH}/{provider.name}/backchannel-logout",
        updated_at=utc(provider.updated_at_ms),
        updated_by=provider.updated_by,
        people=use.people,
        sign_ins=use.sign_ins,
        last_sign_in_at=utc_or_none(use.newest_at_ms),
    )
