"""Budgets: how much may be spent in a period, and how they stand."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from podium.domain.budget import THRESHOLDS, THRESHOLDS_MAX, BudgetLevel, Period, WhenSpent
from podium.spec.views.base import View

_Name = Annotated[str, Field(max_length=63)]


class BudgetRequest(View):
    """The whole budget; what is left out has its default. Give `gpu_hours` or `money`."""

    level: BudgetLevel = Field(description="Whose spending counts.")
    target: str = Field(
        "", max_length=100, description="Whose name; empty for the organisation.", examples=["nlp"]
    )
    gpu_hours: Decimal | None = Field(
        None, gt=0, le=1_000_000_000, decimal_places=3, examples=["500"]
    )
    money: Decimal | None = Field(None, gt=0, le=1_000_000_000, decimal_places=6)
    currency: str | None = Field(
        None, max_length=3, description="Of `money`; left out: that of the prices."
    )
    period: Period = Field(
        Period.MONTH, description="When it is whole again, at midnight UTC; `total` never is."
    )
    gpu_types: list[_Name] = Field(
        default_factory=list, max_length=50, description="Only these count; empty: all."
    )
    thresholds: list[Annotated[int, Field(ge=1, le=100)]] = Field(
        default_factory=lambda: list(THRESHOLDS),
        max_length=THRESHOLDS_MAX,
        description="The percentages at which people are told.",
    )
    when_spent: WhenSpent = Field(
        WhenSpent.WARN,
        description="`warn` tells people; `block` lets nothing new start, too; `stop` also stops "
        "what may be preempted.",
    )
    note: str = Field("", max_length=200)


class BudgetView(View):
    """A budget and how it stands in its period. Amounts are in GPU-hours, or in `currency`."""

    name: str
    level: BudgetLevel
    target: str
    whose: str = Field(examples=["team nlp"])
    amount: Decimal
    currency: str | None = Field(description="Null: the amount is in GPU-hours.")
    period: Period
    gpu_types: list[str]
    thresholds: list[int]
    when_spent: WhenSpent
    note: str
    since: datetime = Field(description="When the period began.")
    until: datetime | None = Field(description="When the budget is whole again.")
    spent: Decimal | None = Field(description="Null where work that counts has no price.")
    percent: int = Field(description="Of the amount, rounded down.")
    left: Decimal = Field(description="Below zero where more was spent than there was.")
    per_hour: Decimal = Field(description="What runs now adds so much in an hour.")
    runs_out_at: datetime | None = Field(
        description="When it is spent if what runs goes on; null: not before the period ends."
    )
    state: Literal["good", "near", "spent"] = Field(
        description="`near`: a threshold is reached. `spent`: all of it is."
    )
    updated_at: datetime
    updated_by: str


class BudgetsView(View):
    """By name, those that you may see."""

    items: list[BudgetView]


class BudgetOutlook(View):
    """What work would do to a budget that it counts against."""

    name: str
    whose: str
    currency: str | None = Field(description="Null: amounts are in GPU-hours.")
    left: Decimal
    percent: int
    per_hour: Decimal = Field(description="What this work would add in an hour.")
    runs_out_at: datetime | None = Field(
        description="When the budget would be spent with this work running, too."
    )
    blocks: bool = Field(description="It is spent, and this work would have to wait.")
