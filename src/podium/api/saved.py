"""Saved views of one's own."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from podium.api.answers import answer
from podium.api.context import Ctx, Who
from podium.intake.saved import view_remove, view_save
from podium.spec.views.base import utc
from podium.spec.views.saved import SavedViewRequest, SavedViewsView, SavedViewView
from podium.store import saved
from podium.store.saved import SavedView

router = APIRouter(prefix="/views", tags=["views"])

_PAGE = r"^[a-z][a-z-]{0,30}$"
PageName = Annotated[str, Path(pattern=_PAGE, description="The console's page.")]
ViewName = Annotated[str, Path(min_length=1, max_length=60, description="Chosen by you.")]


@router.get("", response_model=SavedViewsView)
async def list_views(
    context: Ctx,
    who: Who,
    page: Annotated[str | None, Query(pattern=_PAGE, description="Only of this page.")] = None,
) -> Response:
    """Your saved views by page and name."""
    found = await context.database.read(lambda tx: saved.saved_list(tx, who.username, page))
    return answer(SavedViewsView(items=[_view(each) for each in found]))


@router.put("/{page}/{name}", response_model=SavedViewView)
async def save_view(
    page: PageName, name: ViewName, request: SavedViewRequest, context: Ctx, who: Who
) -> Response:
    """Keep a view under a name, in place of one of the same name. You may have 100."""
    view = await view_save(context.office, who, page=page, name=name, search=request.search)
    return answer(_view(view))


@router.delete("/{page}/{name}", status_code=204)
async def delete_view(page: PageName, name: ViewName, context: Ctx, who: Who) -> Response:
    """Forget a view."""
    await view_remove(context.office, who, page=page, name=name)
    return Response(status_code=204)


def _view(view: SavedView) -> SavedViewView:
    return SavedViewView(
        page=view.page, name=view.name, search=view.search, updated_at=utc(view.updated_at_ms)
    )
