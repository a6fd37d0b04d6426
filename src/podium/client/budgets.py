"""How much may be spent, and how that stands. Reached as `client.budgets`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from podium.client.transport import Transport, path_of
from podium.domain.budget import THRESHOLDS, BudgetLevel, Period, WhenSpent
from podium.spec.views.budget import BudgetRequest, BudgetsView, BudgetView


class Budgets:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> Iterator[BudgetView]:
        """By name, those whose spending you may see."""
        yield from self._transport.fetch(BudgetsView, "/budgets").items

    def get(self, name: str) -> BudgetView:
        """Raises NotFoundError."""
        return self._transport.fetch(BudgetView, path_of("budgets", name))

    def set(
        self,
        name: str,
        level: BudgetLevel | str,
        target: str = "",
        *,
        gpu_hours: Decimal | int | str | None = None,
        money: Decimal | int | str | None = None,
        currency: str | None = None,
        period: Period | str = Period.MONTH,
        gpu_types: Sequence[str] = (),
        thresholds: Sequence[int] = THRESHOLDS,
        when_spent: WhenSpent | str = WhenSpent.WARN,
        note: str = "",
    ) -> BudgetView:
        """Make it, or put it in the place of what has this name. Give `gpu_hours` or `money`.
        Raises UserError, NotFoundError and ForbiddenError."""
        body = BudgetRequest(
            level=BudgetLevel(level),
            target=target,
            gpu_hours=None if gpu_hours is None else Decimal(gpu_hours),
            money=None if money is None else Decimal(money),
            currency=currency,
            period=Period(period),
            gpu_types=[*gpu_types],
            thresholds=[*thresholds],
            when_spent=WhenSpent(when_spent),
            note=note,
        )
        path = path_of("budgets", name)
        answer = self._transport.send("PUT", path, body=body.model_dump(mode="json"))
        return self._transport.parse(BudgetView, answer)

    def delete(self, name: str) -> None:
        """What it held back may start. Raises NotFoundError."""
        self._transport.send("DELETE", path_of("budgets", name))
