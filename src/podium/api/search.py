"""Search over everything that the reader may see."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from podium.api.answers import answer
from podium.api.context import Ctx, Who
from podium.domain.rights import Action
from podium.spec.views.search import FindingsView, FoundView
from podium.store.search import Finding, find

router = APIRouter(prefix="/search", tags=["search"])


@router.get("", response_model=FindingsView)
async def search(
    context: Ctx,
    who: Who,
    q: Annotated[str, Query(min_length=1, max_length=100, description="Part of a name or id.")],
    limit: Annotated[int, Query(ge=1, le=50)] = 20,
) -> Response:
    """Workloads, projects, nodes and (for administrators) people by part of a name or an id.

    Best first: exact ids and names, then beginnings, then parts; newer workloads before older
    ones. Parts inside a name are looked for among the newest workloads only.
    """
    found = await context.database.read(
        lambda tx: find(tx, who.scope, q, limit=limit, people=who.may(Action.USER_READ))
    )
    return answer(FindingsView(items=[_found(each) for each in found]))


def _found(finding: Finding) -> FoundView:
    return FoundView(
        kind=finding.kind,
        id=finding.id,
        title=finding.title,
        detail=finding.detail,
        state=finding.state,
    )
