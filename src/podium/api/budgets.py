"""Budgets, and how they stand."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from podium.api.answers import answer
from podium.api.context import Context, Ctx, Who
from podium.domain.budget import Budget, Standing
from podium.domain.tariff import MICROS
from podium.domain.tenancy import Identity
from podium.intake.budgets import budget_remove, budget_set, may_see, visible_budget
from podium.spec.views.base import utc, utc_or_none
from podium.spec.views.budget import BudgetRequest, BudgetsView, BudgetView
from podium.store.budget_ledger import standings
from podium.store.budgets import Kept, budget_list
from podium.store.database import Transaction

router = APIRouter(prefix="/budgets", tags=["budgets"])

Name = Annotated[str, Path(max_length=63, description="The budget's name.", examples=["nlp-gpus"])]


@router.get("", response_model=BudgetsView)
async def list_budgets(context: Ctx, who: Who) -> Response:
    """The budgets whose spending you may see, and how they stand."""
    now_ms = context.database.now_ms()

    def read(tx: Transaction) -> BudgetsView:
        kept = [each for each in budget_list(tx) if may_see(who, each.budget)]
        return BudgetsView(items=_views(tx, kept, now_ms))

    return answer(await context.database.read(read))


@router.get("/{name}", response_model=BudgetView)
async def show_budget(name: Name, context: Ctx, who: Who) -> Response:
    """One budget, and how it stands."""
    return answer(await _view(context, who, name))


@router.put("/{name}", response_model=BudgetView)
async def set_budget(name: Name, request: BudgetRequest, context: Ctx, who: Who) -> Response:
    """Make a budget, or put it in the place of what has this name. That of a project is set by
    who may do so for its team, all others by administrators."""
    await budget_set(context.office, who, name, request)
    return answer(await _view(context, who, name))


@router.delete("/{name}", status_code=204)
async def delete_budget(name: Name, context: Ctx, who: Who) -> Response:
    """Remove a budget; what it held back may start."""
    await budget_remove(context.office, who, name)
    return Response(status_code=204)


async def _view(context: Context, who: Identity, name: str) -> BudgetView:
    now_ms = context.database.now_ms()

    def read(tx: Transaction) -> BudgetView:
        return _views(tx, [visible_budget(tx, who, name)], now_ms)[0]

    return await context.database.read(read)


def _views(tx: Transaction, kept: list[Kept], now_ms: int) -> list[BudgetView]:
    found = standings(tx, [each.budget for each in kept], now_ms)
    return [budget_view(each, standing) for each, standing in zip(kept, found, strict=True)]


def budget_view(kept: Kept, standing: Standing) -> BudgetView:
    budget, span, at_ms = kept.budget, standing.span, standing.runs_out_ms
    if standing.is_spent and kept.runs_out_ms is not None and kept.until_ms == span.until_ms:
        at_ms = min(kept.runs_out_ms, standing.at_ms)  # when it was, not now
    return BudgetView(
        name=budget.name,
        level=budget.level,
        target=budget.target,
        whose=budget.whose,
        amount=in_units(budget, budget.amount),
        currency=budget.currency,
        period=budget.period,
        gpu_types=[*budget.gpu_types],
        thresholds=[*budget.thresholds],
        when_spent=budget.when_spent,
        note=budget.note,
        since=utc(span.since_ms),
        until=utc_or_none(span.until_ms),
        spent=None if standing.spent is None else in_units(budget, standing.spent),
        percent=standing.percent,
        left=in_units(budget, standing.left),
        per_hour=in_units(budget, standing.per_hour),
        runs_out_at=utc_or_none(at_ms),
        state="spent" if standing.is_spent else "near" if standing.reached else "good",
        updated_at=utc(kept.updated_at_ms),
        updated_by=kept.updated_by,
    )


def in_units(budget: Budget, amount: int) -> Decimal:
    """GPU-hours with three decimals, or the currency with two."""
    if budget.currency is None:
        return Decimal(amount).scaleb(-3)
    return (Decimal(amount) / MICROS).quantize(Decimal("0.01"))
