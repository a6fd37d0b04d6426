"""Curves over time of workloads and nodes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from podium.api.answers import answer
from podium.api.context import Ctx, Who
from podium.api.parameters import NodeName, WorkloadId
from podium.domain.errors import FieldFault, UserError
from podium.spec.views.base import milliseconds, utc
from podium.spec.views.series import CurvesView, LineView, PointView, Quantity, SeriesView
from podium.store import curves, nodes, workloads
from podium.store.curves import Curves, Line, Series
from podium.store.database import Transaction

router = APIRouter(tags=["curves"])

_DAY_MS = 86_400_000
_SPAN_DAYS_MAX = 400
_ROUND_MS = 10_000
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 30, tzinfo=UTC)
_QUANTITIES: dict[str, tuple[Quantity, int]] = {
    # Of each column the quantity, and how many of its unit make one of the document's.
    "cpu_milli": ("cpu", 1000),
    "gpu_busy_milli": ("gpu_busy", 1000),
    "gpu_memory_bytes": ("gpu_memory", 1),
    "busy_milli": ("gpu_busy", 1000),
    "power_milliwatts": ("power", 1000),
    "temperature_celsius": ("temperature", 1),
}

Since = Annotated[datetime | None, Query(description="Begins here.")]
Until = Annotated[datetime | None, Query(description="Ends here; now if none.")]
Points = Annotated[int, Query(ge=2, le=1000, description="How many points a curve has at most.")]


@router.get("/workloads/{workload_id}/curves", response_model=CurvesView)
async def workload_curves(
    workload_id: WorkloadId,
    context: Ctx,
    who: Who,
    since: Since = None,
    until: Until = None,
    points: Points = 300,
    each: Annotated[
        bool, Query(description="A curve for each rank (at most 16) instead of one for all.")
    ] = False,
) -> Response:
    """What it used over time. `since` is its start, and `until` its end or now, if not given."""
    now_ms = context.database.now_ms()

    def read(tx: Transaction) -> CurvesView:
        workload = workloads.workload_fetch(tx, who.scope, workload_id)
        start_ms = workload.started_at_ms or workload.submitted_at_ms
        # The last sample may come a moment before or after the end.
        end_ms = (workload.ended_at_ms or now_ms) + _ROUND_MS
        since_ms, until_ms = span_of(since, until, start_ms, min(now_ms, end_ms))
        found = curves.workload_curves(
            tx,
            who.scope,
            workload_id,
            since_ms=since_ms,
            until_ms=until_ms,
            step_ms=curves.step_for(since_ms, until_ms, points, now_ms),
            each=each,
        )
        return _view(found, memory="memory")

    return answer(await context.database.read(read))


@router.get("/nodes/{name}/curves", response_model=CurvesView)
async def node_curves(
    name: NodeName,
    context: Ctx,
    _who: Who,
    since: Since = None,
    until: Until = None,
    points: Points = 300,
) -> Response:
    """What each of its GPUs did over time; `since` is a day ago if not given."""
    now_ms = context.database.now_ms()

    def read(tx: Transaction) -> CurvesView:
        nodes.node_fetch(tx, name)  # Raises NotFoundError.
        until_ms = now_ms if until is None else moment_ms("until", until)
        since_ms, until_ms = span_of(since, until, until_ms - _DAY_MS, now_ms)
        found = curves.node_curves(
            tx, name, since_ms=since_ms, until_ms=until_ms, points=points, now_ms=now_ms
        )
        return _view(found, memory="gpu_memory", node=name)

    return answer(await context.database.read(read))


def span_of(
    since: datetime | None, until: datetime | None, since_ms: int, until_ms: int
) -> tuple[int, int]:
    """What was given, else the defaults. Raises UserError."""
    if since is not None:
        since_ms = moment_ms("since", since)
    if until is not None:
        until_ms = moment_ms("until", until)
    if since is None and until is None:
        since_ms = min(since_ms, until_ms - 1)
    if since_ms >= until_ms:
        field = "until" if since is None else "since"
        raise UserError(
            FieldFault(
                field,
                f"leaves nothing between {utc(since_ms)} and {utc(until_ms)}.",
                "since must come before until.",
            )
        )
    if until_ms - since_ms > _SPAN_DAYS_MAX * _DAY_MS:
        if since is None and until is None:
            return until_ms - _SPAN_DAYS_MAX * _DAY_MS, until_ms
        raise UserError(
            FieldFault(
                "until" if since is None else "since",
                f"asks for more than {_SPAN_DAYS_MAX} days.",
                "Ask for a shorter time.",
            )
        )
    return since_ms, until_ms


def moment_ms(field: str, moment: datetime) -> int:
    """A time without a zone is UTC. Raises UserError for one that no machine has had."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    if not _FIRST <= aware <= _LAST:
        raise UserError(
            FieldFault(field, f"is {moment.isoformat()}.", "Give a time from 1970 to 9999.")
        )
    return milliseconds(aware)


def _view(found: Curves, *, memory: Quantity, node: str = "") -> CurvesView:
    return CurvesView(
        since=utc(found.since_ms),
        until=utc(found.until_ms),
        step_seconds=found.step_ms / 1000,
        series=[_series_view(each, memory, node) for each in found.series],
    )


def _series_view(series: Series, memory: Quantity, node: str) -> SeriesView:
    quantity, unit = _QUANTITIES.get(series.column, (memory, 1))
    return SeriesView(
        quantity=quantity,
        limit=None if series.limit is None else series.limit / unit,
        lines=[_line_view(each, unit, node) for each in series.lines],
    )


def _line_view(line: Line, unit: int, node: str) -> LineView:
    return LineView(
        rank=line.rank,
        device=None if line.index is None else f"{node}/{line.index}",
        points=[
            PointView(
                at=utc(point.at_ms),
                mean=point.mean / unit,
                low=point.low / unit,
                high=point.high / unit,
            )
            for point in line.points
        ],
    )
