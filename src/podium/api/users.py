"""Users, for administrators."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from podium.api.answers import answer, decode_cursor, page
from podium.api.context import Ctx, Who
from podium.api.parameters import Cursor, Limit
from podium.api.render import user_view
from podium.domain.tenancy import Action
from podium.intake.office import authorise
from podium.intake.users import user_create
from podium.spec.views.base import Page
from podium.spec.views.tenancy import UserCreatedView, UserRequest, UserView
from podium.store import users

router = APIRouter(prefix="/users", tags=["users"])


@router.get("", response_model=Page[UserView])
async def list_users(context: Ctx, who: Who, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """Everyone who can sign in, by name."""
    authorise(who, Action.USER_ADMINISTER)
    after = decode_cursor(cursor) or ""
    found = await context.database.read(
        lambda tx: users.user_list(tx, limit=limit + 1, after=after)
    )
    return answer(page(found, limit, user_view, lambda each: each.username))


@router.post("", status_code=201, response_model=UserCreatedView)
async def create_user(body: UserRequest, context: Ctx, who: Who) -> Response:
    """A new user. Without a password, a one-time one is made and answered, once."""
    password = body.password.get_secret_value() if body.password is not None else None
    user, one_time = await user_create(
        context.office,
        context.sign_in,
        who,
        username=body.username,
        password=password,
        administrator=body.administrator,
    )
    view = UserCreatedView(**dict(user_view(user)), one_time_password=one_time)
    return answer(view, status=201)
