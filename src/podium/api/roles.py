"""What can be done, and the roles that include it."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from podium.api.answers import answer
from podium.api.context import Ctx, Who
from podium.api.parameters import RoleName
from podium.api.tenancy_render import role_view
from podium.domain.errors import NotFoundError
from podium.domain.rights import GRANTED_WITH_ANY, SENTENCES, Action
from podium.domain.tenancy import Identity
from podium.intake.roles import role_put, role_remove
from podium.spec.views.access import ActionsView, KnownActionView, RoleRequest, RolesView, RoleView
from podium.store import roles
from podium.store.database import Transaction

router = APIRouter(tags=["access"])


@router.get("/actions", response_model=ActionsView)
async def list_actions() -> Response:
    """All that can be done, each in a sentence."""
    items = [
        KnownActionView(
            action=each,
            resource=each.partition(":")[0],
            about=SENTENCES[each],
            with_any_role=each in GRANTED_WITH_ANY,
        )
        for each in Action
    ]
    return answer(ActionsView(items=items))


@router.get("/roles", response_model=RolesView)
async def list_roles(context: Ctx, who: Who) -> Response:
    """Built-in roles, then those of the organisation by name."""
    items = await context.database.read(lambda tx: _roles(tx, who))
    return answer(RolesView(items=items))


@router.get("/roles/{role}", response_model=RoleView)
async def show_role(role: RoleName, context: Ctx, who: Who) -> Response:
    """One role."""
    for each in await context.database.read(lambda tx: _roles(tx, who)):
        if each.name == role:
            return answer(each)
    raise NotFoundError(f"There is no role {role}.")


@router.put("/roles/{role}", response_model=RoleView)
async def set_role(role: RoleName, body: RoleRequest, context: Ctx, who: Who) -> Response:
    """Make a role of the organisation's own, or change it for everybody who has it."""
    await role_put(
        context.office,
        context.sign_in,
        who,
        name=role,
        description=body.description,
        actions=frozenset(body.actions),
    )
    return await show_role(role, context, who)


@router.delete("/roles/{role}", status_code=204)
async def remove_role(role: RoleName, context: Ctx, who: Who) -> Response:
    """Remove a role that nobody has."""
    await role_remove(context.office, context.sign_in, who, role)
    return Response(status_code=204)


def _roles(tx: Transaction, who: Identity) -> list[RoleView]:
    counts = roles.role_counts(tx) if who.may(Action.BINDING_READ) else None
    return [
        role_view(each, None if counts is None else counts.get(each.name, 0))
        for each in roles.role_all(tx).values()
    ]
