"""Statements: what each cost centre, team, project or person pays for a month."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from podium.api.answers import answer
from podium.api.context import Ctx, Who
from podium.api.csv_answers import CSV_TOO, csv_answer, wants_csv
from podium.api.usage_parameters import Format, Month, Since, Until, asked, chosen, days_of
from podium.api.usage_render import (
    STATEMENT_COLUMNS,
    statement_rows,
    statement_view,
    unpriced_views,
)
from podium.domain.metering import Dimension
from podium.domain.rights import Action
from podium.domain.tenancy import Scope
from podium.domain.usage_report import Asked, Chosen, Per
from podium.spec.views.base import utc
from podium.spec.views.usage import StatementsView
from podium.store import reports, running
from podium.store.database import Transaction
from podium.store.reports import Amounts, Statement

router = APIRouter(prefix="/cost", tags=["usage"])


@router.get("", response_model=StatementsView, responses=CSV_TOO)
async def list_statements(
    context: Ctx,
    who: Who,
    request: Request,
    whose: Annotated[Chosen, Depends(chosen)],
    by: Dimension = Dimension.COST_CENTRE,
    by_label: Annotated[str | None, Query(max_length=63)] = None,
    since: Since = None,
    until: Until = None,
    month: Month = None,
    as_format: Annotated[Format, Query(alias="format")] = None,
) -> Response:
    """What each of them pays, by project, GPU type and price; of what you can see."""
    now_ms = context.database.now_ms()
    wish = asked(by, by_label, Per.TOTAL, days_of(since, until, month, now_ms), whose)
    scope = who.scope_of(Action.USAGE_READ)
    found, total, currency, final = await context.database.read(
        lambda tx: _found(tx, scope, wish, now_ms)
    )
    if wants_csv(request, as_format):
        name = f"cost-{utc(wish.since_ms).date()}-{by}.csv"
        return csv_answer(name, STATEMENT_COLUMNS, statement_rows(found, currency))
    return answer(
        StatementsView(
            by=by,
            since=utc(wish.since_ms),
            until=utc(wish.until_ms),
            final=final,
            currency=currency,
            items=[statement_view(each) for each in found],
            total=None if total.cost is None else total.cost.amount,
            unpriced=unpriced_views(total.unpriced),
        )
    )


def _found(
    tx: Transaction, scope: Scope, wish: Asked, now_ms: int
) -> tuple[list[Statement], Amounts, str | None, bool]:
    found, total, currency = reports.statements(tx, scope, wish, now_ms)
    final = wish.until_ms <= now_ms and not running.held_since_before(tx, scope, wish.until_ms)
    return found, total, currency, final
