"""Reads lists page by page; every noun's `list` uses it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from podium.client.transport import Parameter, Transport
from podium.spec.views.base import Page

PAGE_SIZE = 500


def items_by_offset(
    transport: Transport,
    pages: type[Page[Any]],
    path: str,
    *,
    params: Mapping[str, Parameter] | None = None,
    limit: int | None = None,
) -> Iterator[Any]:
    """As `items`, for an order that has no cursor. What moves meanwhile comes once at most."""
    seen: set[str] = set()
    offset = 0
    while limit is None or len(seen) < limit:
        answer = transport.fetch(
            pages, path, {**(params or {}), "limit": PAGE_SIZE, "offset": offset}
        )
        for item in answer.items:
            if item.id in seen:
                continue
            seen.add(item.id)
            yield item
            if len(seen) == limit:
                return
        if len(answer.items) < PAGE_SIZE:
            return
        offset += len(answer.items)


def items(
    transport: Transport,
    pages: type[Page[Any]],
    path: str,
    *,
    params: Mapping[str, Parameter] | None = None,
    limit: int | None = None,
) -> Iterator[Any]:
    """Yields at most `limit` items (all, when None), fetching pages only as they are needed."""
    left = limit
    cursor: str | None = None
    while left is None or left > 0:
        size = PAGE_SIZE if left is None else min(PAGE_SIZE, left)
        answer = transport.fetch(pages, path, {**(params or {}), "limit": size, "cursor": cursor})
        yield from answer.items
        if left is not None:
            left -= len(answer.items)
        if answer.next_cursor is None or answer.next_cursor == cursor:
            return
        cursor = answer.next_cursor
