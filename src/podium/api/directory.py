"""Provisioning by SCIM, as administrators set it up. The endpoint itself is in `api/scim`."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response

from podium.api import cookies
from podium.api.answers import answer
from podium.api.context import Ctx, Who
from podium.api.tenancy_render import token_view
from podium.domain.rights import Action
from podium.intake.office import authorise
from podium.intake.scim_tokens import scim_token_create
from podium.spec.views.base import utc, utc_or_none
from podium.spec.views.directory import (
    DirectoryChangeView,
    DirectoryTokenCreatedView,
    DirectoryTokenRequest,
    DirectoryTokenView,
    DirectoryView,
)
from podium.store.directory_state import DirectoryChange, directory_state

PATH = "/scim/v2"
router = APIRouter(prefix="/directory", tags=["provisioning"])


@router.get("", response_model=DirectoryView)
async def show_directory(request: Request, context: Ctx, who: Who) -> Response:
    """What a directory keeps here, what it changed last, and the tokens that it comes with."""
    authorise(who, Action.PROVIDER_SET)
    state = await context.database.read(directory_state)
    view = DirectoryView(
        path=PATH,
        address=cookies.own_address(request, context.public_url) + PATH,
        users=state.users,
        groups=state.groups,
        changed_at=utc_or_none(state.changed_at_ms),
        tokens=[
            DirectoryTokenView(
                id=each.id,
                account=each.username,
                created_at=utc(each.created_at_ms),
                created_by=each.created_by,
                expires_at=utc_or_none(each.expires_at_ms),
                last_used_at=utc_or_none(each.last_used_at_ms),
            )
            for each in state.tokens
        ],
        newest=[_change_view(each) for each in state.newest],
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


def _change_view(change: DirectoryChange) -> DirectoryChangeView:
    state: Literal["active", "disabled", "deleted"] = "active"
    if change.deleted or change.disabled:
        state = "deleted" if change.deleted else "disabled"
    return DirectoryChangeView(
        kind="group" if change.group else "person",
        name=change.group or change.username,
        told_name=change.told_name,
        state=state,
        changed_at=utc(change.changed_at_ms),
    )
