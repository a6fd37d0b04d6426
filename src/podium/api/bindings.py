"""Who has which role where."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from podium.api.answers import answer, decode_cursor, page
from podium.api.context import Ctx, Who
from podium.api.parameters import Cursor, Limit
from podium.api.tenancy_render import binding_view
from podium.domain.rights import Action, Level, SubjectKind
from podium.intake.bindings import binding_create, binding_remove
from podium.spec.views.access import BindingRequest, BindingView
from podium.spec.views.base import Page
from podium.store import roles

router = APIRouter(prefix="/bindings", tags=["access"])

BindingId = Annotated[str, Path(max_length=200, description="The binding's id.")]


@router.get("", response_model=Page[BindingView])
async def list_bindings(
    context: Ctx,
    who: Who,
    subject_kind: SubjectKind | None = None,
    subject: Annotated[str | None, Query(max_length=63, description="Only theirs.")] = None,
    role: Annotated[str | None, Query(max_length=63, description="Only this role.")] = None,
    level: Level | None = None,
    target: Annotated[
        str | None, Query(max_length=63, description="Only in this team or project.")
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Those of the places where you may see them, oldest first."""
    after = decode_cursor(cursor) or ""
    found = await context.database.read(
        lambda tx: roles.binding_list(
            tx,
            limit=limit + 1,
            after=after,
            level=level,
            target=target,
            subject_kind=subject_kind,
            subject=subject,
            role=role,
            places=who.places(Action.BINDING_READ),
        )
    )
    return answer(page(found, limit, binding_view, lambda each: each.id))


@router.post("", status_code=201, response_model=BindingView)
async def create_binding(body: BindingRequest, context: Ctx, who: Who) -> Response:
    """Give somebody a role, up to what you may do there yourself. Once more changes nothing."""
    made = await binding_create(
        context.office,
        context.sign_in,
        who,
        subject_kind=body.subject_kind,
        subject=body.subject,
        role=body.role,
        level=body.level,
        target=body.target,
    )
    return answer(binding_view(made), status=201)


@router.delete("/{binding_id}", status_code=204)
async def remove_binding(binding_id: BindingId, context: Ctx, who: Who) -> Response:
    """Take the role away."""
    await binding_remove(context.office, context.sign_in, who, binding_id)
    return Response(status_code=204)
