"""What all documents share: closed shape, UTC times, and pages of a list."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Item = TypeVar("Item", bound=BaseModel)


class View(BaseModel):
    """Base of every document. Clients ignore fields that they do not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Page(View, Generic[Item]):
    """One page of a list. Send `next_cursor` as `cursor` to read on; null means the end."""

    items: list[Item] = Field(description="At most `limit` items, in the list's order.")
    next_cursor: str | None = Field(description="Continues the list; null at its end.")


def utc(milliseconds: int) -> datetime:
    """Milliseconds since 1970 → an aware UTC time."""
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)


def utc_or_none(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else utc(milliseconds)
