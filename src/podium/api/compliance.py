"""The compliance report: from the audit trail alone."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from podium.api.answers import answer
from podium.api.context import Ctx, Who
from podium.domain.compliance import Wanted
from podium.domain.data import Classification
from podium.domain.errors import BusyError, FieldFault, UserError
from podium.intake.compliance import report_allowed, report_made
from podium.spec.compliance import report_csv, report_view
from podium.spec.views.base import milliseconds
from podium.spec.views.compliance import ComplianceReportView

router = APIRouter(prefix="/compliance", tags=["compliance"])

_CSV = "text/csv; charset=utf-8"
_verifying = asyncio.Lock()
Moment = Annotated[datetime | None, Query(description="A time with its zone.")]


@router.get(
    "",
    response_model=ComplianceReportView,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def report_compliance(
    context: Ctx,
    who: Who,
    since: Moment = None,
    until: Moment = None,
    classification: Annotated[
        Classification | None, Query(alias="class", description="Only this class.")
    ] = None,
    project: Annotated[
        str | None, Query(max_length=63, description="Only work of this project.")
    ] = None,
    verify: Annotated[
        bool, Query(description="Verify the trail first; for those who audit the organisation.")
    ] = True,
    limit: Annotated[int, Query(ge=0, le=10_000, description="How many uses to list.")] = 1000,
    form: Annotated[str, Query(alias="format", pattern="^(json|csv)$")] = "json",
) -> Response:
    """Each use of data in the span: of what class, where, whether that place was approved for it
    then, and everything that should not have been."""
    report_allowed(who, project)
    wanted = Wanted(
        since_ms=_ms("since", since),
        until_ms=_ms("until", until),
        classification=None if classification is None else classification.value,
        project=project,
        items_max=limit,
    )
    ok, sentence = None, "The trail was not verified."
    if verify and context.notary is not None:
        if _verifying.locked():
            raise BusyError("A report is being made already. Try again.", retry_after_seconds=5)
        async with _verifying:
            verdict = await context.notary.verify()
        ok = verdict.ok
        sentence = (
            f"Verified: {verdict.entries:,} entries are as they were written."
            if ok
            else f"The trail was changed: {verdict.faults[0].sentence}"
        )
    report = await report_made(context.office, who, wanted)
    view = report_view(report, trail_ok=ok, trail_sentence=sentence)
    if form == "csv":
        return Response(
            report_csv(view),
            media_type=_CSV,
            headers={"Content-Disposition": 'attachment; filename="podium-compliance.csv"'},
        )
    return answer(view)


def _ms(field: str, moment: datetime | None) -> int | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise UserError(FieldFault(field, "has no zone.", "Write 2026-05-03T00:00:00Z."))
    return milliseconds(moment)
