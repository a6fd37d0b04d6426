"""The scheduler's cycles: what is recorded of them, and how good they were. For administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from podium import __version__
from podium.api.answers import answer, decode_number_cursor, encode_cursor, page
from podium.api.context import Context, Ctx, Who
from podium.api.curves import Points, Since, Until, span_of
from podium.api.cycle_render import (
    calibration_view,
    cycle_detail_view,
    cycle_view,
    gave_way_view,
    minute_view,
)
from podium.api.parameters import Cursor, Limit
from podium.domain.rights import Action
from podium.domain.tenancy import WHOLE
from podium.intake.audit import sighted
from podium.intake.cycles import cycle_export
from podium.intake.office import authorise
from podium.scheduling.forecast.calibration import calibrated
from podium.scheduling.plan import Plan
from podium.scheduling.replay.record import unpacked_value
from podium.spec.views.base import Page, utc, utc_or_none
from podium.spec.views.scheduler import (
    CalibrationView,
    CycleDetailView,
    CyclesKeptView,
    CyclesView,
    GaveWayView,
    ReplayView,
    SchedulerMinutesView,
)
from podium.store import cycles, etas, preemptions, scheduler_minutes, workloads
from podium.store.cycles import CycleRow, Kept
from podium.store.database import Transaction
from podium.store.retention import Retention
from podium.store.scheduler_minutes import MINUTE_MS

router = APIRouter(prefix="/scheduler", tags=["scheduler"])

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_NEWEST = 2**62
_RECORD = "application/vnd.podium.cycle"

CycleId = Annotated[int, Path(ge=1, le=2**53, description="The cycle's id.")]
Hours = Annotated[int, Query(ge=1, le=720, description="How far back.")]


@router.get("/cycles", response_model=CyclesView)
async def list_cycles(context: Ctx, who: Who, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Cycles that changed something and can be decided again, newest first."""
    authorise(who, Action.SCHEDULER_READ)
    before = decode_number_cursor(cursor, _NEWEST)

    def read(tx: Transaction) -> tuple[list[CycleRow], Kept]:
        return cycles.cycle_list(tx, limit=limit + 1, before=before), cycles.cycles_kept(tx)

    rows, kept = await context.database.read(read)
    found = page(rows, limit, cycle_view, lambda row: row.id)
    view = CyclesView(
        items=found.items, next_cursor=found.next_cursor, kept=_kept_view(context, kept)
    )
    return answer(view)


@router.get("/cycles/{cycle_id}", response_model=CycleDetailView)
async def show_cycle(cycle_id: CycleId, context: Ctx, who: Who) -> Response:
    """One cycle, with the first of what it decided."""
    authorise(who, Action.SCHEDULER_READ)

    def read(tx: Transaction) -> CycleDetailView:
        row = cycles.cycle_fetch(tx, cycle_id)
        plan = unpacked_value(Plan, cycles.cycle_plan(tx, cycle_id))
        return cycle_detail_view(row, plan)

    view = await context.database.read(read)
    await sighted(context.office, who, Action.SCHEDULER_READ, f"cycle {cycle_id}", None)
    return answer(view)


@router.get(
    "/cycles/{cycle_id}/record",
    response_class=Response,
    responses={200: {"description": "A file for `podium replay`.", "content": {_RECORD: {}}}},
)
async def download_cycle(
    cycle_id: CycleId,
    context: Ctx,
    who: Who,
    anonymise: Annotated[
        bool, Query(description="Without names of people, projects, work and machines.")
    ] = False,
) -> Response:
    """Everything that the cycle saw, as a file that can be decided again anywhere."""
    kept = await cycle_export(context.office, who, cycle_id, anonymise=anonymise)
    data = await context.replaying.record(kept, anonymise=anonymise)
    ending = "-anonymous" if anonymise else ""
    disposition = f'attachment; filename="cycle-{cycle_id}{ending}.podium"'
    return Response(data, media_type=_RECORD, headers={"Content-Disposition": disposition})


@router.post("/cycles/{cycle_id}/replay", response_model=ReplayView)
async def replay_cycle(cycle_id: CycleId, context: Ctx, who: Who) -> Response:
    """Decide it again, here and now, and compare. Nothing is changed."""
    authorise(who, Action.SCHEDULER_READ)
    kept = await context.database.read(lambda tx: cycles.cycle_record(tx, cycle_id))
    again = await context.replaying.replay(kept)
    return answer(
        ReplayView(
            id=cycle_id,
            same=again.same,
            digest=again.digest,
            recorded_digest=kept.cycle.digest,
            difference=again.difference,
            version=kept.cycle.version,
            replayed_with=__version__,
            took_ms=round(again.took_ms, 3),
        )
    )


@router.get("/minutes", response_model=SchedulerMinutesView)
async def show_minutes(
    context: Ctx, who: Who, since: Since = None, until: Until = None, points: Points = 300
) -> Response:
    """How many cycles there were, how long they took, what they did, and who was refused why;
    of the last day if not said otherwise."""
    authorise(who, Action.SCHEDULER_READ)
    now_ms = context.database.now_ms()
    since_ms, until_ms = span_of(since, until, now_ms - _DAY_MS, now_ms)
    minutes = -(-(until_ms - since_ms) // MINUTE_MS)
    step_ms = MINUTE_MS * max(1, -(-minutes // points))
    found = await context.database.read(
        lambda tx: scheduler_minutes.minutes_between(tx, since_ms, until_ms)
    )
    return answer(
        SchedulerMinutesView(
            since=utc(since_ms),
            until=utc(until_ms),
            step_seconds=step_ms // 1000,
            items=[minute_view(each) for each in scheduler_minutes.minutes_merged(found, step_ms)],
        )
    )


@router.get("/preemptions", response_model=Page[GaveWayView])
async def list_preemptions(
    context: Ctx, who: Who, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Who gave way to whom, why, and what it cost; newest first."""
    authorise(who, Action.SCHEDULER_READ)
    before = decode_number_cursor(cursor, _NEWEST)

    def read(tx: Transaction) -> Page[GaveWayView]:
        rows = preemptions.preemption_list(tx, WHOLE, limit=limit + 1, before=before)
        shown = rows[:limit]
        ids = {key for each in shown for key in (each.workload_id, each.in_favour_of)}
        known = workloads.workload_fetch_many(tx, WHOLE, {key for key in ids if key is not None})
        return Page[GaveWayView](
            items=[gave_way_view(each, known) for each in shown],
            next_cursor=encode_cursor(str(shown[-1].seq)) if len(rows) > limit else None,
        )

    return answer(await context.database.read(read))


@router.get("/calibration", response_model=CalibrationView)
async def show_calibration(context: Ctx, who: Who, hours: Hours = 24) -> Response:
    """How many started inside the range that they were told."""
    authorise(who, Action.SCHEDULER_READ)
    now_ms = context.database.now_ms()
    since_ms = now_ms - hours * _HOUR_MS
    told = await context.database.read(lambda tx: etas.etas_told(tx, since_ms))
    return answer(calibration_view(calibrated(told, now_ms), since_ms))


def _kept_view(context: Context, kept: Kept) -> CyclesKeptView:
    keep, recording = Retention(), context.recording
    note = ""
    if recording.too_large:
        note = (
            f"Nothing is recorded now: {recording.too_large:,} waiting and running replicas are "
            "more than can be recorded without slowing the server."
        )
    elif recording.skipped:
        note = f"{recording.skipped:,} cycles came too fast to be recorded since the server began."
    return CyclesKeptView(
        cycles=kept.cycles,
        bytes=kept.bytes,
        since=utc_or_none(kept.since_ms),
        cycles_max=keep.cycles_max,
        bytes_max=keep.cycles_bytes,
        hours=keep.cycles_hours,
        note=note,
    )
