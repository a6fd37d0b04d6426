"""Provisioning by SCIM, as administrators set it up. The endpoint itself is in `api/scim`."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from podium.api.answers import answer
from podium.api.context import Ctx, Who
from podium.api.tenancy_render import token_view
from podium.domain.rights import Action
from podium.intake.office import authorise
from podium.intake.scim_tokens import scim_token_create
from podium.spec.views.base import utc, utc_or_none
from podium.spec.views.directory import (
    DirectoryTokenCreatedView,
    DirectoryTokenRequest,
    DirectoryTokenView,
    DirectoryView,
)
from podium.store import directory

PATH = "/scim/v2"
router = APIRouter(prefix="/directory", tags=["provisioning"])


@router.get("", response_model=DirectoryView)
async def show_directory(context: Ctx, who: Who) -> Response:
    """How many people and groups a directory keeps here, and the tokens that it comes with."""
    authorise(who, Action.PROVIDER_SET)
    state = await context.database.read(directory.directory_state)
    view = DirectoryView(
        path=PATH,
        users=state.users,
        groups=state.groups,
        changed_at=utc_or_none(state.changed_at_ms),
        tokens=[
            DirectoryTokenView(
                id=each.id,
                account=each.username,
                created_at=utc(each.created_at_ms),
                expires_at=utc_or_none(each.expires_at_ms),
                last_used_at=utc_or_none(each.last_used_at_ms),
            )
            for each in state.tokens
        ],
    )
    return answer(view)


@router.post("/tokens", status_code=201, response_model=DirectoryTokenCreatedView)
async def create_directory_token(body: DirectoryTokenRequest, context: Ctx, who: Who) -> Response:
    """A token for a directory such as Entra ID or Okta, which can keep people and groups with it
    and do nothing else."""
    token, secret = await scim_token_create(
        context.office,
        context.sign_in,
        who,
        account=body.account,
        expires_in_days=body.expires_in_days,
    )
    view = DirectoryTokenCreatedView(
        **dict(token_view(token)), token=secret, account=token.username, path=PATH
    )
    return answer(view, status=201)
