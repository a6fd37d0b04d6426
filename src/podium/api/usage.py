"""Usage by project."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from podium.api.answers import answer, decode_cursor, page
from podium.api.context import Ctx, Who
from podium.api.parameters import Cursor, Limit, OneProject
from podium.api.render import usage_view
from podium.domain.rights import Action
from podium.spec.views.base import Page
from podium.spec.views.tenancy import ProjectUsageView
from podium.store import usage
from podium.store.usage import ProjectUsage

router = APIRouter(prefix="/usage", tags=["usage"])


@router.get("", response_model=Page[ProjectUsageView])
async def list_usage(
    context: Ctx,
    who: Who,
    project: OneProject = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """What each project that you can see has used, running work included."""
    now_ms = context.database.now_ms()
    after = decode_cursor(cursor) or ""
    everything = await context.database.read(
        lambda tx: usage.usage_by_project(tx, who.scope_of(Action.USAGE_READ), now_ms)
    )
    found = [
        each for each in everything if each.project > after and project in (None, each.project)
    ]
    return answer(page(found[: limit + 1], limit, _view, lambda each: each.project))


def _view(each: ProjectUsage) -> ProjectUsageView:
    return ProjectUsageView(
        project=each.project,
        team=each.team,
        workloads=each.workloads,
        usage=usage_view(each.bill),
    )
