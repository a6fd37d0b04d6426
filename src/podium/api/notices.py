"""Notices about one's own work."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from podium.api.answers import answer, decode_number_cursor, page
from podium.api.context import Context, Ctx, Who
from podium.api.parameters import Cursor, Limit
from podium.api.render import notice_view
from podium.domain.tenancy import Identity
from podium.intake.notices import notices_read
from podium.spec.views.notice import NoticesReadRequest, NoticesView
from podium.store import notices
from podium.store.database import Transaction

router = APIRouter(prefix="/notices", tags=["notices"])

_PAGE = 50


@router.get("", response_model=NoticesView)
async def list_notices(
    context: Ctx, who: Who, limit: Limit = _PAGE, cursor: Cursor = None
) -> Response:
    """What happened to your own work, newest first. `unread` counts all pages, up to 1,000."""
    before = decode_number_cursor(cursor, 0) or None
    return answer(await _notices(context, who, limit, before))


@router.post("/read", response_model=NoticesView)
async def read_notices(request: NoticesReadRequest, context: Ctx, who: Who) -> Response:
    """Mark everything up to `through` as read. Answers the first page."""
    await notices_read(context.office, who, request.through)
    return answer(await _notices(context, who, _PAGE, None))


async def _notices(context: Context, who: Identity, limit: int, before: int | None) -> NoticesView:
    def read(tx: Transaction) -> NoticesView:
        found = notices.notice_page(tx, who.scope, who.username, limit=limit + 1, before=before)
        shown = page(found, limit, notice_view, lambda each: each.seq)
        unread = notices.notice_unread(tx, who.scope, who.username)
        return NoticesView(items=shown.items, next_cursor=shown.next_cursor, unread=unread)

    return await context.database.read(read)
