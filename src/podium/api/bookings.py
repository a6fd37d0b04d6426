"""Bookings of nodes: for a project, or for maintenance."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from podium.api.answers import answer
from podium.api.context import Ctx, Who
from podium.domain.booking import Reserved
from podium.intake.bookings import booking_create, booking_remove
from podium.spec.views.base import utc, utc_or_none
from podium.spec.views.booking import (
    BookedWorkView,
    BookingDetailView,
    BookingRequest,
    BookingsView,
    BookingView,
)
from podium.store import booked_work, bookings
from podium.store.booked_work import BookedWork
from podium.store.database import Transaction

router = APIRouter(prefix="/bookings", tags=["bookings"])

Name = Annotated[str, Path(max_length=63, description="The booking's name.")]


@router.get("", response_model=BookingsView)
async def list_bookings(
    context: Ctx,
    who: Who,
    past: Annotated[bool, Query(description="Those that are over, too.")] = False,
) -> Response:
    """Which nodes are kept for whom, and when."""
    now_ms = context.database.now_ms()
    found = await context.database.read(
        lambda tx: bookings.booking_list(tx, now_ms, past=past, scope=who.known)
    )
    return answer(BookingsView(items=[_view(each) for each in found]))


@router.post("", response_model=BookingView, status_code=201)
async def create_booking(request: BookingRequest, context: Ctx, who: Who) -> Response:
    """Keep nodes for one project, or for maintenance. For administrators."""
    return answer(_view(await booking_create(context.office, who, request)), status=201)


@router.get("/{name}", response_model=BookingDetailView)
async def show_booking(name: Name, context: Ctx, who: Who) -> Response:
    """One booking, with what still stands on its nodes."""

    def read(tx: Transaction) -> BookingDetailView:
        found = bookings.booking_fetch(tx, who.known, name)
        standing: list[BookedWork] = []
        if found.until_ms > context.database.now_ms():
            standing = booked_work.booked_work(tx, who.scope, found)
        return BookingDetailView(
            **dict(_view(found)), standing=[_work_view(each) for each in standing]
        )

    return answer(await context.database.read(read))


@router.delete("/{name}", status_code=204)
async def delete_booking(name: Name, context: Ctx, who: Who) -> Response:
    """Give the nodes back to everyone. For administrators."""
    await booking_remove(context.office, who, name)
    return Response(status_code=204)


def _view(booking: Reserved) -> BookingView:
    return BookingView(
        name=booking.name,
        nodes=list(booking.nodes),
        from_at=utc(booking.from_ms),
        until_at=utc(booking.until_ms),
        project=booking.project,
        maintenance=booking.project is None,
        note=booking.note,
        created_at=utc(booking.created_at_ms),
        created_by=booking.created_by,
    )


def _work_view(work: BookedWork) -> BookedWorkView:
    return BookedWorkView(
        id=work.workload_id,
        name=work.name,
        project=work.project,
        nodes=list(work.nodes),
        replicas=work.replicas,
        stays=work.stays,
        ending=work.ending,
        until=utc_or_none(work.until_ms),
    )
