"""Usage: of projects since ever, in reports by day and month, and what devices did."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from podium.api.answers import answer, decode_cursor, decode_number_cursor, encode_cursor, page
from podium.api.context import Ctx, Who
from podium.api.csv_answers import CSV_TOO, csv_answer, wants_csv
from podium.api.parameters import Cursor, Limit, OneProject
from podium.api.render import usage_view
from podium.api.usage_parameters import Format, Month, Since, Until, asked, chosen, days_of
from podium.api.usage_render import (
    DEVICE_COLUMNS,
    amounts_view,
    device_rows,
    report_columns,
    report_rows,
    row_view,
)
from podium.domain.metering import Dimension
from podium.domain.rights import Action
from podium.domain.usage_report import Chosen, Per
from podium.intake.office import authorise
from podium.spec.views.base import Page, utc
from podium.spec.views.tenancy import ProjectUsageView
from podium.spec.views.usage import DeviceTimesView, DeviceTimeView, UsageReportView
from podium.store import device_time, reports, usage
from podium.store.device_time import DeviceTime
from podium.store.usage import ProjectUsage

router = APIRouter(prefix="/usage", tags=["usage"])

ROWS_MAX = 5000
ByLabel = Annotated[
    str | None, Query(max_length=63, description="With by=label, the key of the labels.")
]


@router.get("", response_model=Page[ProjectUsageView])
async def list_usage(
    context: Ctx,
    who: Who,
    project: OneProject = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """What each project that you can see has used, running work included."""
    now_ms = context.database.now_ms()
    after = decode_cursor(cursor) or ""
    everything = await context.database.read(
        lambda tx: usage.usage_by_project(tx, who.scope_of(Action.USAGE_READ), now_ms)
    )
    found = [
        each for each in everything if each.project > after and project in (None, each.project)
    ]
    return answer(page(found[: limit + 1], limit, _view, lambda each: each.project))


@router.get("/report", response_model=UsageReportView, responses=CSV_TOO)
async def report_usage(
    context: Ctx,
    who: Who,
    request: Request,
    whose: Annotated[Chosen, Depends(chosen)],
    by: Dimension = Dimension.PROJECT,
    by_label: ByLabel = None,
    per: Per = Per.TOTAL,
    since: Since = None,
    until: Until = None,
    month: Month = None,
    limit: Annotated[int, Query(ge=1, le=ROWS_MAX)] = 1000,
    cursor: Cursor = None,
    as_format: Annotated[Format, Query(alias="format")] = None,
) -> Response:
    """GPU time and its cost by anything, per day, month or in all, of what you can see. As CSV it
    has all rows at once."""
    now_ms = context.database.now_ms()
    wish = asked(by, by_label, per, days_of(since, until, month, now_ms), whose)
    found = await context.database.read(
        lambda tx: reports.report(tx, who.scope_of(Action.USAGE_READ), wish, now_ms)
    )
    if wants_csv(request, as_format):
        name = f"usage-{utc(wish.since_ms).date()}-{by}.csv"
        return csv_answer(name, report_columns(wish), report_rows(found, wish))
    first = decode_number_cursor(cursor, 0)
    shown = found.rows[max(0, first) : max(0, first) + limit]
    more = len(found.rows) > first + limit
    return answer(
        UsageReportView(
            by=by,
            label=by_label,
            per=per,
            since=utc(wish.since_ms),
            until=utc(wish.until_ms),
            currency=found.currency,
            items=[row_view(each) for each in shown],
            total=amounts_view(found.total),
            next_cursor=encode_cursor(str(first + limit)) if more else None,
        )
    )


@router.get("/devices", response_model=DeviceTimesView, responses=CSV_TOO)
async def report_devices(
    context: Ctx,
    who: Who,
    request: Request,
    since: Since = None,
    until: Until = None,
    month: Month = None,
    as_format: Annotated[Format, Query(alias="format")] = None,
) -> Response:
    """What devices of each type did each day. For those who may see the usage of everyone."""
    authorise(who, Action.USAGE_READ)
    now_ms = context.database.now_ms()
    since_ms, until_ms = days_of(since, until, month, now_ms)
    found = await context.database.read(
        lambda tx: device_time.device_time(tx, since_ms=since_ms, until_ms=until_ms, now_ms=now_ms)
    )
    if wants_csv(request, as_format):
        name = f"devices-{utc(since_ms).date()}.csv"
        return csv_answer(name, DEVICE_COLUMNS, device_rows(found))
    return answer(
        DeviceTimesView(
            since=utc(since_ms), until=utc(until_ms), items=[_device(each) for each in found]
        )
    )


def _device(each: DeviceTime) -> DeviceTimeView:
    return DeviceTimeView(
        day=utc(each.day_ms),
        gpu_type=each.gpu_type,
        there_milli_ms=each.there_milli_ms,
        billed_milli_ms=each.billed_milli_ms,
        unbilled_milli_ms=each.unbilled_milli_ms,
        free_milli_ms=each.free_milli_ms,
        out_milli_ms=each.out_milli_ms,
    )


def _view(each: ProjectUsage) -> ProjectUsageView:
    return ProjectUsageView(
        project=each.project,
        team=each.team,
        workloads=each.workloads,
        usage=usage_view(each.bill),
    )
