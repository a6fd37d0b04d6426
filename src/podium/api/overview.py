"""The overview: the cluster and the reader's work in figures."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import AwareDatetime

from podium.api.answers import answer
from podium.api.board import overview_read, zone_of
from podium.api.context import Ctx, Who
from podium.api.parameters import OneProject, TimeZone
from podium.domain.errors import FieldFault, UserError
from podium.spec.views.base import milliseconds, utc
from podium.spec.views.overview import CapacityPointView, CapacityView, OverviewView
from podium.store import capacity
from podium.store.capacity import CapacityPoint
from podium.store.curves import step_for

router = APIRouter(prefix="/overview", tags=["overview"])

_DAY_MS = 86_400_000


@router.get("", response_model=OverviewView)
async def show_overview(
    context: Ctx, who: Who, project: OneProject = None, time_zone: TimeZone = "UTC"
) -> Response:
    """GPUs, queue, nodes, failures and GPU time now. Days begin in `time_zone`."""
    zone = zone_of(time_zone)
    now_ms = context.database.now_ms()
    return answer(
        await context.database.read(lambda tx: overview_read(tx, who.scope, project, zone, now_ms))
    )


@router.get("/capacity", response_model=CapacityView)
async def show_capacity(
    context: Ctx,
    _who: Who,
    since: Annotated[AwareDatetime | None, Query(description="A day ago if none.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Now if none.")] = None,
    points: Annotated[int, Query(ge=2, le=1000)] = 288,
) -> Response:
    """How the cluster's GPUs were allocated and used over time."""
    now_ms = context.database.now_ms()
    until_ms = now_ms if until is None else milliseconds(until)
    since_ms = until_ms - _DAY_MS if since is None else milliseconds(since)
    if since_ms >= until_ms:
        raise UserError(FieldFault("since", "is not before `until`.", "Give an earlier time."))
    # What has not been yet, or was before all records, needs no points.
    first_ms, last_ms = max(0, since_ms), min(until_ms, now_ms)
    if first_ms >= last_ms:
        return answer(CapacityView(points=[]))
    step_ms = step_for(first_ms, last_ms, points, now_ms)
    found = await context.database.read(
        lambda tx: capacity.capacity_points(
            tx, since_ms=first_ms, until_ms=last_ms, step_ms=step_ms
        )
    )
    return answer(CapacityView(points=[_point(each) for each in found]))


def _point(point: CapacityPoint) -> CapacityPointView:
    return CapacityPointView(
        at=utc(point.at_ms),
        devices_milli=point.devices_milli,
        held_milli=point.held_milli,
        busy_milli=point.busy_milli,
        wanted_milli=point.wanted_milli,
    )
