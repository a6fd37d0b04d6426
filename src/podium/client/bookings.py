"""Nodes that are kept for a project or for maintenance. Reached as `client.bookings`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from podium.client.transport import Transport, path_of
from podium.spec.views.booking import (
    BookingDetailView,
    BookingRequest,
    BookingsView,
    BookingView,
)


class Bookings:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, past: bool = False) -> Iterator[BookingView]:
        """By their beginning; with `past` also those that are over."""
        yield from self._transport.fetch(BookingsView, "/bookings", params={"past": past}).items

    def get(self, name: str) -> BookingDetailView:
        """One booking, with what still stands on its nodes. Raises NotFoundError."""
        return self._transport.fetch(BookingDetailView, path_of("bookings", name))

    def create(
        self,
        nodes: Sequence[str],
        from_at: str | datetime,
        until_at: str | datetime,
        *,
        project: str | None = None,
        maintenance: bool = False,
        name: str | None = None,
        note: str = "",
    ) -> BookingView:
        """Keep nodes for `project`, or for maintenance. Times are times, or durations such as
        `8h`. For administrators. Raises UserError and ConflictError."""
        body = BookingRequest(
            name=name,
            nodes=[*nodes],
            from_at=_written(from_at),
            until_at=_written(until_at),
            project=project,
            maintenance=maintenance,
            note=note,
        )
        answer = self._transport.send("POST", "/bookings", body=body.model_dump(mode="json"))
        return self._transport.parse(BookingView, answer)

    def delete(self, name: str) -> None:
        """Give the nodes back to everyone. Raises NotFoundError."""
        self._transport.send("DELETE", path_of("bookings", name))


def _written(moment: str | datetime) -> str:
    return moment if isinstance(moment, str) else moment.isoformat()
