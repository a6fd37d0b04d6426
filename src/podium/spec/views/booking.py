"""Bookings: nodes that are taken out of the common use for a time."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from podium.spec.views.base import View


class BookingRequest(View):
    """Keeps nodes for one project, or for maintenance."""

    name: str | None = Field(
        None, max_length=63, description="Chosen by you, or for you.", examples=["firmware"]
    )
    nodes: list[str] = Field(min_length=1, max_length=10_000, examples=[["node-1", "node-2"]])
    from_at: str = Field(
        max_length=60,
        description="A time with its zone, `now`, or a duration from now on.",
        examples=["2031-07-01T18:00:00Z"],
    )
    until_at: str = Field(
        max_length=60,
        description="A time with its zone, or a duration from its beginning on.",
        examples=["8h"],
    )
    project: str | None = Field(None, max_length=63, description="Who may use them meanwhile.")
    maintenance: bool = Field(False, description="Nobody may.")
    note: str = Field("", max_length=200)


class BookingView(View):
    """Of a booking for a project that you cannot see, only nodes and times are told."""

    name: str
    nodes: list[str]
    from_at: datetime
    until_at: datetime
    project: str | None
    maintenance: bool
    note: str
    created_at: datetime
    created_by: str


class BookedWorkView(View):
    """Work on booked nodes that does not belong to the booking. Of a project that the reader may
    not see, `id`, `name` and `project` are null."""

    id: str | None
    name: str | None
    project: str | None
    nodes: list[str]
    replicas: int = Field(description="So many of its replicas stand there.")
    stays: bool = Field(
        description="It may not be stopped for others. What may be gives way when the booking "
        "begins."
    )
    ending: bool = Field(description="It was asked to end.")
    until: datetime | None = Field(
        None, description="When it is stopped at the latest, by its max_runtime."
    )


class BookingDetailView(BookingView):
    """A booking, with what still stands on its nodes."""

    standing: list[BookedWorkView] = Field(description="At most 1,000.")


class BookingsView(View):
    """By their beginning."""

    items: list[BookingView]
