"""Projects and members."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from podium.api.answers import answer, decode_cursor, page
from podium.api.context import Ctx, Who
from podium.api.parameters import Cursor, Limit, ProjectName, Username
from podium.api.tenancy_render import member_view, project_view
from podium.domain.tenancy import Membership
from podium.intake import projects as intake
from podium.spec.views.base import Page
from podium.spec.views.tenancy import (
    CostCentreRequest,
    MemberRequest,
    MemberView,
    ProjectRequest,
    ProjectView,
)
from podium.store import projects
from podium.store.database import Transaction

router = APIRouter(prefix="/projects", tags=["projects"])


@router.get("", response_model=Page[ProjectView])
async def list_projects(
    context: Ctx, who: Who, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """Projects that you can see, by name."""
    after = decode_cursor(cursor) or ""
    found = await context.database.read(
        lambda tx: projects.project_list(tx, who.known, limit=limit + 1, after=after)
    )
    return answer(page(found, limit, project_view, lambda each: each.name))


@router.post("", status_code=201, response_model=ProjectView)
async def create_project(body: ProjectRequest, context: Ctx, who: Who) -> Response:
    """A new project; its team is made when it is new. For administrators."""
    project = await intake.project_create(
        context.office,
        context.sign_in,
        who,
        name=body.name,
        team=body.team,
        cost_centre=body.cost_centre,
    )
    return answer(project_view(project), status=201)


@router.get("/{project}", response_model=ProjectView)
async def show_project(project: ProjectName, context: Ctx, who: Who) -> Response:
    """One project."""
    found = await context.database.read(lambda tx: projects.project_fetch(tx, who.known, project))
    return answer(project_view(found))


@router.patch("/{project}", response_model=ProjectView)
async def change_project(
    project: ProjectName, body: CostCentreRequest, context: Ctx, who: Who
) -> Response:
    """Change where the project is billed; empty means where its team is."""
    changed = await intake.project_change(
        context.office, who, project, cost_centre=body.cost_centre
    )
    return answer(project_view(changed))


@router.get("/{project}/members", response_model=Page[MemberView])
async def list_members(
    project: ProjectName, context: Ctx, who: Who, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """Who works in the project, and as what."""
    after = decode_cursor(cursor) or ""

    def read(tx: Transaction) -> list[Membership]:
        projects.project_fetch(tx, who.known, project)
        return projects.member_list(tx, project, limit=limit + 1, after=after)

    found = await context.database.read(read)
    return answer(page(found, limit, member_view, lambda each: each.username))


@router.put("/{project}/members/{username}", response_model=MemberView)
async def set_member(
    project: ProjectName, username: Username, body: MemberRequest, context: Ctx, who: Who
) -> Response:
    """Give someone a role in the project, in place of the one they had. For leads."""
    member = await intake.member_set(
        context.office, context.sign_in, who, project=project, username=username, role=body.role
    )
    return answer(member_view(member))


@router.delete("/{project}/members/{username}", status_code=204)
async def remove_member(
    project: ProjectName, username: Username, context: Ctx, who: Who
) -> Response:
    """Take someone's role in the project away. For leads."""
    await intake.member_remove(
        context.office, context.sign_in, who, project=project, username=username
    )
    return Response(status_code=204)
