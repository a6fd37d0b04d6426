"""Budgets: how much may be spent in a period, and what happens when it is. `store/budgets` keeps
them, `store/budget_ledger` says how they stand, and the scheduler holds work back by it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from podium.domain.tariff import HOUR_MS, MICROS

THRESHOLDS = (50, 80, 100)
"""In percent, where nobody says otherwise."""
THRESHOLDS_MAX = 10
FULL = 100


class BudgetLevel(StrEnum):
    """Whose spending counts. A cost centre is that of a project, or else of its team."""

    ORGANISATION = "organisation"
    TEAM = "team"
    PROJECT = "project"
    COST_CENTRE = "cost-centre"
    USER = "user"


class Period(StrEnum):
    """After which a budget is whole again, at midnight UTC; a week begins on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    TOTAL = "total"  # never: from its start on


class WhenSpent(StrEnum):
    """What happens once all of it is spent; each does what those before it do."""

    WARN = "warn"  # people are told
    BLOCK = "block"  # nothing new starts
    STOP = "stop"  # what may be preempted is stopped, and queued again


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """`amount` is in thousandths of a GPU-hour where `currency` is None, else in millionths of the
    currency. With `gpu_types` only those count. `since_ms` is when it was made, or, for a total,
    from when it counts. `thresholds`, ascending, are the percentages at which people are told."""

    name: str
    level: BudgetLevel
    target: str = ""
    amount: int
    currency: str | None = None
    period: Period = Period.MONTH
    gpu_types: tuple[str, ...] = ()
    thresholds: tuple[int, ...] = THRESHOLDS
    when_spent: WhenSpent = WhenSpent.WARN
    since_ms: int
    note: str = ""

    @property
    def whose(self) -> str:
        """For people: `team research`, `ada`."""
        if self.level is BudgetLevel.ORGANISATION:
            return "the organisation"
        if self.level is BudgetLevel.USER:
            return self.target
        words = "cost centre" if self.level is BudgetLevel.COST_CENTRE else self.level.value
        return f"{words} {self.target}"

    @property
    def decimal_amount(self) -> Decimal:
        """In GPU-hours, or in the currency."""
        return Decimal(self.amount) / (MICROS if self.currency else 1000)

    @property
    def unit(self) -> int:
        """So many of what is metered make one of the amount: milli-GPU x milliseconds, or
        `Cost.micro_milli_ms`."""
        return HOUR_MS * (1000 if self.currency else 1)

    @property
    def stops_new_work(self) -> bool:
        return self.when_spent is not WhenSpent.WARN


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A period that has a beginning; `until_ms` is None where it has no end."""

    since_ms: int
    until_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fastest:
    """What all devices together could spend at once: milli-GPU, and millionths of the currency an
    hour."""

    gpu_milli: int
    micros_per_hour: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a budget stands at a time. `exactly` is what was spent in `Budget.unit`s of its amount,
    None where work that counts has no price; what runs now adds `rate` of them a millisecond."""

    budget: Budget
    span: Span
    at_ms: int
    exactly: int | None
    rate: int = 0

    @property
    def spent(self) -> int | None:
        """As the budget's amount, rounded down."""
        return None if self.exactly is None else self.exactly // self.budget.unit

    @property
    def is_spent(self) -> bool:
        return self.exactly is not None and self.exactly >= self._whole

    @property
    def percent(self) -> int:
        """Whole percents spent, rounded down, so that 100 means all of it."""
        return (self.exactly or 0) * FULL // self._whole

    @property
    def reached(self) -> int:
        """The highest threshold that was reached, 0 for none."""
        return max((each for each in self.budget.thresholds if each <= self.percent), default=0)

    @property
    def left(self) -> int:
        """As the budget's amount; below zero where more was spent."""
        return self.budget.amount - (self.spent or 0)

    @property
    def per_hour(self) -> int:
        """What runs now adds in an hour, as the budget's amount."""
        return self.rate * HOUR_MS // self.budget.unit

    @property
    def runs_out_ms(self) -> int | None:
        """When it will be spent, if what runs goes on and nothing comes or ends; None if not
        before the period ends."""
        if self.is_spent:
            return self.at_ms
        if self.rate <= 0 or self.exactly is None:
            return None
        at_ms = self.at_ms - (self.exactly - self._whole) // self.rate
        return None if self.span.until_ms is not None and at_ms >= self.span.until_ms else at_ms

    def sure_until_ms(self, fastest: Fastest) -> int:
        """Until when it cannot be spent, whatever starts; where it cannot be told, now."""
        rate = fastest.gpu_milli if self.budget.currency is None else fastest.micros_per_hour * 1000
        if self.exactly is None or rate <= 0:
            return self.at_ms
        return self.at_ms + max(0, self._whole - self.exactly) // rate

    @property
    def _whole(self) -> int:
        return self.budget.amount * self.budget.unit
