"""Groups of people, for who may see people."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from podium.api.answers import answer, decode_cursor, page
from podium.api.context import Ctx, Who
from podium.api.parameters import Cursor, GroupName, Limit, Username
from podium.api.tenancy_render import group_member_view, group_view
from podium.domain.rights import Action
from podium.intake import groups as intake
from podium.intake.office import authorise
from podium.spec.views.access import GroupMemberView, UserGroupRequest, UserGroupView
from podium.spec.views.base import Page
from podium.store import user_groups
from podium.store.database import Transaction
from podium.store.user_groups import GroupMember

router = APIRouter(prefix="/groups", tags=["access"])


@router.get("", response_model=Page[UserGroupView])
async def list_groups(
    context: Ctx, who: Who, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """By name, with how many are in each."""
    authorise(who, Action.USER_READ)
    after = decode_cursor(cursor) or ""

    def read(tx: Transaction) -> Page[UserGroupView]:
        found = user_groups.group_list(tx, limit=limit + 1, after=after)
        sizes = user_groups.group_sizes(tx, [each.name for each in found])
        return page(
            found,
            limit,
            lambda each: group_view(each, sizes.get(each.name, 0)),
            lambda each: each.name,
        )

    return answer(await context.database.read(read))


@router.post("", status_code=201, response_model=UserGroupView)
async def create_group(body: UserGroupRequest, context: Ctx, who: Who) -> Response:
    """A new group without members or roles."""
    made = await intake.group_create(context.office, who, body.name)
    return answer(group_view(made, 0), status=201)


@router.get("/{group}", response_model=UserGroupView)
async def show_group(group: GroupName, context: Ctx, who: Who) -> Response:
    """One group."""
    authorise(who, Action.USER_READ)

    def read(tx: Transaction) -> UserGroupView:
        found = user_groups.group_fetch(tx, group)
        return group_view(found, user_groups.group_sizes(tx, [group]).get(group, 0))

    return answer(await context.database.read(read))


@router.delete("/{group}", status_code=204)
async def remove_group(group: GroupName, context: Ctx, who: Who) -> Response:
    """Remove a group, and with it the roles that it gives."""
    await intake.group_delete(context.office, context.sign_in, who, group)
    return Response(status_code=204)


@router.get("/{group}/members", response_model=Page[GroupMemberView])
async def list_group_members(
    group: GroupName, context: Ctx, who: Who, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """Who is in the group, by name."""
    authorise(who, Action.USER_READ)
    after = decode_cursor(cursor) or ""

    def read(tx: Transaction) -> list[GroupMember]:
        user_groups.group_fetch(tx, group)
        return user_groups.group_members(tx, group, limit=limit + 1, after=after)

    found = await context.database.read(read)
    return answer(page(found, limit, group_member_view, lambda each: each.username))


@router.put("/{group}/members/{username}", status_code=204)
async def add_group_member(
    group: GroupName, username: Username, context: Ctx, who: Who
) -> Response:
    """Put somebody into a group that Podium keeps."""
    await intake.group_member_add(context.office, context.sign_in, who, group, username)
    return Response(status_code=204)


@router.delete("/{group}/members/{username}", status_code=204)
async def remove_group_member(
    group: GroupName, username: Username, context: Ctx, who: Who
) -> Response:
    """Take somebody out of a group that Podium keeps."""
    await intake.group_member_remove(context.office, context.sign_in, who, group, username)
    return Response(status_code=204)
