"""What work that is not submitted yet would do to the budgets that it counts against."""

from __future__ import annotations

from collections.abc import Sequence

from podium.api.budgets import in_units
from podium.domain.budget import Budget, Standing
from podium.domain.tariff import GpuTime, Tariff
from podium.domain.tenancy import Identity
from podium.intake.budgets import may_see
from podium.scheduling.explain.taken import Taken
from podium.spec.views.base import utc_or_none
from podium.spec.views.budget import BudgetOutlook
from podium.store.budget_ledger import blocks_of, standings
from podium.store.budgets import budget_list
from podium.store.database import Transaction


def budget_outlooks(
    tx: Transaction,
    who: Identity,
    project: str,
    taken: Sequence[Taken],
    tariff: Tariff,
    now_ms: int,
) -> list[BudgetOutlook]:
    """Those that `who` may see, by name. Of several types that would do, the dearest counts."""
    if not taken:
        return []
    kept = [
        each
        for each in budget_list(tx)
        if may_see(who, each.budget) and blocks_of(tx, [each]).of(project, who.username)
    ]
    found = []
    for standing in standings(tx, [each.budget for each in kept], now_ms):
        budget = standing.budget
        rate = _rate(budget, taken, tariff, now_ms)
        if rate is None:
            continue
        with_it = Standing(
            budget=budget,
            span=standing.span,
            at_ms=now_ms,
            exactly=standing.exactly,
            rate=standing.rate + rate,
        )
        alone = Standing(
            budget=budget, span=standing.span, at_ms=now_ms, exactly=standing.exactly, rate=rate
        )
        found.append(
            BudgetOutlook(
                name=budget.name,
                whose=budget.whose,
                currency=budget.currency,
                left=in_units(budget, standing.left),
                percent=standing.percent,
                per_hour=in_units(budget, alone.per_hour),
                runs_out_at=utc_or_none(with_it.runs_out_ms),
                blocks=standing.is_spent and budget.stops_new_work,
            )
        )
    return found


def _rate(budget: Budget, taken: Sequence[Taken], tariff: Tariff, now_ms: int) -> int | None:
    """What the work adds in a millisecond, in units of the budget; None where it cannot count."""
    wanted = {each.casefold() for each in budget.gpu_types}
    total = 0
    for types in taken:
        rates = []
        for gpu_type, milli in types:
            if wanted and gpu_type.casefold() not in wanted:
                continue
            time = GpuTime(gpu_type=gpu_type, rate_ms=now_ms, gpu_milli_ms=milli)
            cost = tariff.cost([time])
            if budget.currency is None:
                rates.append(milli)
            elif cost is not None and cost.currency == budget.currency:
                rates.append(cost.micro_milli_ms)
        total += max(rates, default=0)
    return total or None
