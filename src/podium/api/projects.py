"""Projects and members."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from podium.api.answers import answer, decode_cursor, page
from podium.api.context import Ctx, Who
from podium.api.parameters import Archived, Cursor, Limit, ProjectName, Username
from podium.api.tenancy_render import member_view, project_view
from podium.domain.errors import FieldFault, UserError
from podium.domain.tenancy import Membership
from podium.intake import archiving
from podium.intake import projects as intake
from podium.spec.views.base import Page
from podium.spec.views.tenancy import (
    MemberRequest,
    MemberView,
    ProjectArchivedView,
    ProjectChangeRequest,
    ProjectRequest,
    ProjectView,
)
from podium.store import projects
from podium.store.database import Transaction

router = APIRouter(prefix="/projects", tags=["projects"])


@router.get("", response_model=Page[ProjectView])
async def list_projects(
    context: Ctx, who: Who, archived: Archived = False, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """Projects that you can see, by name."""
    after = decode_cursor(cursor) or ""
    found = await context.database.read(
        lambda tx: projects.project_list(
            tx, who.known, limit=limit + 1, after=after, archived=archived
        )
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
    project: ProjectName, body: ProjectChangeRequest, context: Ctx, who: Who
) -> Response:
    """Change where the project is billed, or move it to another team.

    Usage of the past stays with the team that it was of. Who moves it makes projects in the other
    team, and holds all that roles for either team give.
    """
    if body.cost_centre is None and body.team is None:
        raise UserError(FieldFault("", "Nothing to change is named."))
    changed = await intake.project_change(
        context.office,
        context.sign_in,
        who,
        project,
        cost_centre=body.cost_centre,
        team=body.team,
    )
    return answer(project_view(changed))


@router.delete("/{project}", response_model=ProjectArchivedView)
async def archive_project(
    project: ProjectName,
    context: Ctx,
    who: Who,
    force: Annotated[
        bool,
        Query(description="Cancel its work, and remove its secrets and bookings to come."),
    ] = False,
) -> Response:
    """Archive a project: it leaves the lists and takes no work; its roles and tokens end.

    Its name, work, usage and audit trail stay. With work that has not ended, secrets or bookings to
    come it is refused (409) unless forced.
    """
    living, ended = await archiving.project_archive(
        context.office, context.sign_in, who, project, force=force
    )
    view = ProjectArchivedView(
        project=project,
        cancelled=len(living.work),
        secrets=list(living.secrets),
        bookings=list(living.bookings),
        roles=len(ended.bindings),
        accounts=list(ended.accounts),
        tokens=ended.tokens,
    )
    return answer(view)


@router.post("/{project}/restore", response_model=ProjectView)
async def restore_project(project: ProjectName, context: Ctx, who: Who) -> Response:
    """Take an archived project back, without the roles, tokens and quota that it had."""
    found = await archiving.project_restore(context.office, context.sign_in, who, project)
    return answer(project_view(found))


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
