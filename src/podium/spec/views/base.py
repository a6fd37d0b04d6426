"""What all documents share: closed shape, UTC times, and pages of a list."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Item = TypeVar("Item", bound=BaseModel)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class View(BaseModel):
    """Base of every document. Clients ignore fields that they do not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Page(View, Generic[Item]):
    """One page of a list. Send `next_cursor` as `cursor` to read on; null means the end."""

    items: list[Item] = Field(description="At most `limit` items, in the list's order.")
    next_cursor: str | None = Field(description="Continues the list; null at its end.")


def utc(at_ms: int) -> datetime:
    """Milliseconds since 1970 → an aware UTC time."""
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC)


def utc_or_none(at_ms: int | None) -> datetime | None:
    return None if at_ms is None else utc(at_ms)


def milliseconds(moment: datetime) -> int:
    """An aware time of any zone → whole milliseconds since 1970."""
    return (moment - _EPOCH) // _MILLISECOND
