"""Small things that every route needs: bodies with a limit, JSON answers, pages, streams."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel

from podium.domain.errors import FieldFault, TooLargeError, UserError
from podium.spec.views.base import Page

View = TypeVar("View", bound=BaseModel)
Value = TypeVar("Value")


def answer(view: BaseModel, *, status: int = 200) -> Response:
    """Already a checked document: written once, not checked again."""
    return Response(view.model_dump_json(), status_code=status, media_type="application/json")


def page(
    values: Sequence[Value],
    limit: int,
    render: Callable[[Value], View],
    key: Callable[[Value], object],
) -> Page[View]:
    """The first `limit` of `values` (one more was asked for, to know whether there is a next)."""
    shown = values[:limit]
    more = len(values) > limit
    return Page[View](
        items=[render(each) for each in shown],
        next_cursor=encode_cursor(str(key(shown[-1]))) if more else None,
    )


def encode_cursor(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None) -> str | None:
    """Raises UserError when it is not one that an answer gave."""
    if not cursor:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise _bad_cursor() from None


def decode_number_cursor(cursor: str | None, default: int) -> int:
    key = decode_cursor(cursor)
    if key is None:
        return default
    if not key.lstrip("-").isdigit() or len(key) > 18:
        raise _bad_cursor()
    return int(key)


def _bad_cursor() -> UserError:
    return UserError(
        FieldFault("cursor", "is not one that Podium gave.", "Send next_cursor as it came.")
    )


async def body_of(request: Request, limit_bytes: int, what: str) -> bytes:
    """The whole body. Raises TooLargeError as soon as it is known to be above the limit."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit_bytes:
        raise _too_large(what, limit_bytes)
    parts: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit_bytes:
            raise _too_large(what, limit_bytes)
        parts.append(chunk)
    return b"".join(parts)


def _too_large(what: str, limit_bytes: int) -> TooLargeError:
    return TooLargeError(f"{what} is larger than {limit_bytes // 2**20} MiB, the limit.")
