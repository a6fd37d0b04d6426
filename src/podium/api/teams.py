"""Teams, which own projects."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from podium.api.answers import answer, decode_cursor, page
from podium.api.context import Ctx, Who
from podium.api.parameters import Archived, Cursor, Limit, TeamName
from podium.api.tenancy_render import team_view
from podium.domain.errors import NotFoundError
from podium.intake import archiving
from podium.intake import teams as intake
from podium.spec.views.base import Page
from podium.spec.views.tenancy import CostCentreRequest, TeamRequest, TeamView
from podium.store import projects

router = APIRouter(prefix="/teams", tags=["projects"])


@router.get("", response_model=Page[TeamView])
async def list_teams(
    context: Ctx, who: Who, archived: Archived = False, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """Teams of which you may know a project, or in which you have a role, by name."""
    after = decode_cursor(cursor) or ""
    found = await context.database.read(
        lambda tx: projects.team_list(
            tx,
            who.known,
            limit=limit + 1,
            after=after,
            own=who.rights.teams,
            archived=archived,
        )
    )
    return answer(page(found, limit, team_view, lambda each: each.name))


@router.post("", status_code=201, response_model=TeamView)
async def create_team(body: TeamRequest, context: Ctx, who: Who) -> Response:
    """A new team without projects."""
    made = await intake.team_create(
        context.office, who, name=body.name, cost_centre=body.cost_centre
    )
    return answer(team_view(made), status=201)


@router.get("/{team}", response_model=TeamView)
async def show_team(team: TeamName, context: Ctx, who: Who) -> Response:
    """One team."""
    found = await context.database.read(
        lambda tx: projects.team_list(tx, who.known, limit=1, name=team, own=who.rights.teams)
    )
    if not found:
        raise NotFoundError(f"There is no team {team} that you can see.")
    return answer(team_view(found[0]))


@router.patch("/{team}", response_model=TeamView)
async def change_team(team: TeamName, body: CostCentreRequest, context: Ctx, who: Who) -> Response:
    """Change where the team is billed. Its projects follow, unless they have their own."""
    await intake.team_change(context.office, who, team, cost_centre=body.cost_centre)
    return await show_team(team, context, who)


@router.delete("/{team}", status_code=204)
async def archive_team(team: TeamName, context: Ctx, who: Who) -> Response:
    """Archive a team without projects. Usage and audit go on meaning it."""
    await archiving.team_archive(context.office, context.sign_in, who, team)
    return Response(status_code=204)


@router.post("/{team}/restore", response_model=TeamView)
async def restore_team(team: TeamName, context: Ctx, who: Who) -> Response:
    """Take an archived team back, without the roles and quota that it had."""
    await archiving.team_restore(context.office, context.sign_in, who, team)
    return await show_team(team, context, who)
