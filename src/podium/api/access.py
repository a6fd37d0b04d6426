"""Who can do this, and through what: the question of everyone who is responsible for data."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from podium.api.answers import answer, decode_cursor, page
from podium.api.context import Ctx, Who
from podium.api.parameters import Cursor, Limit, Username
from podium.api.tenancy_render import holder_view, path_view
from podium.domain.errors import FieldFault, NotFoundError, UserError
from podium.domain.rights import Action, Rights
from podium.domain.tenancy import Identity
from podium.intake.bindings import people_found
from podium.intake.office import authorise
from podium.spec.views.access import (
    AccessHolderView,
    FoundPeopleView,
    FoundPersonView,
    UserAccessView,
)
from podium.spec.views.base import Page
from podium.store import access, projects, roles, users
from podium.store.access import Holder, Path
from podium.store.database import Transaction

router = APIRouter(tags=["access"])


@router.get("/access", response_model=Page[AccessHolderView])
async def who_can(
    action: Action,
    context: Ctx,
    who: Who,
    project: Annotated[
        str | None, Query(max_length=63, description="There; else in the whole organisation.")
    ] = None,
    team: Annotated[
        str | None, Query(max_length=63, description="In all projects of this team.")
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Everybody who can do it there, service accounts too, with every role by which they can.

    Who is disabled is left out. The answer needs `binding:read` at that place.
    """
    if project is not None and team is not None:
        raise UserError(FieldFault("team", "cannot be asked for together with a project."))
    authorise(who, Action.BINDING_READ, project, team=team)
    after = decode_cursor(cursor) or ""

    def read(tx: Transaction) -> list[Holder]:
        if project is not None:
            projects.project_fetch(tx, who.known, project)
        if team is not None and projects.team_find(tx, team) is None:
            raise NotFoundError(f"There is no team {team} that you can see.")
        return access.holders(tx, action, project=project, team=team, limit=limit + 1, after=after)

    found = await context.database.read(read)
    return answer(page(found, limit, holder_view, lambda each: each.user.username))


@router.get("/access/people", response_model=FoundPeopleView)
async def find_people(
    context: Ctx,
    who: Who,
    q: Annotated[
        str,
        Query(min_length=2, max_length=63, description="How the name begins, or a word of it."),
    ],
) -> Response:
    """People to give a role to, the first 20: for who gives roles in some project or team.

    What is looked for stands in the audit trail, and how often is limited.
    """
    found = await people_found(context.office, who, q)
    people = [FoundPersonView(username=e.username, display_name=e.display_name) for e in found]
    return answer(FoundPeopleView(items=people))


@router.get("/users/{username}/access", response_model=UserAccessView)
async def user_access(username: Username, context: Ctx, who: Who) -> Response:
    """What somebody may do where, and by which roles; of a service account, too.

    You see all about yourself, and about others what holds in the places whose roles you may see.
    """
    return answer(await context.database.read(lambda tx: _of(tx, who, username)))


def _of(tx: Transaction, who: Identity, username: str) -> UserAccessView:
    """Raises NotFoundError for who is not there, and who has nothing to do with the reader."""
    everything = who.may(Action.USER_READ) or username == who.username
    paths = [each for each in access.paths_of(tx, username) if everything or _may_see(who, each)]
    if not paths and not (everything and users.user_find(tx, username)):
        raise NotFoundError(f"There is no user {username} that you can see.")
    rights = roles.held_by(tx, [each.binding for each in paths]).rights
    if not everything:
        rights = _in_sight(who, rights)
    return UserAccessView(
        username=username,
        paths=[path_view(each) for each in paths],
        everywhere=sorted(rights.everywhere),
        teams={name: sorted(held) for name, held in rights.teams.items()},
        projects={name: sorted(held) for name, held in rights.projects.items()},
    )


def _may_see(who: Identity, path: Path) -> bool:
    return who.may_at(Action.BINDING_READ, path.binding.level, path.binding.target)


def _in_sight(who: Identity, rights: Rights) -> Rights:
    """Without projects of a team that the reader does not know."""
    return Rights(
        everywhere=rights.everywhere,
        teams=rights.teams,
        projects={name: held for name, held in rights.projects.items() if who.known.admits(name)},
    )
