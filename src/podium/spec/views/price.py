"""What a GPU-hour costs."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from podium.spec.views.base import View

PERIODS_MAX = 1000


def _of_utc(moment: datetime) -> datetime:
    """A time without a zone, such as a plain date, is one of UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


Moment = Annotated[datetime, AfterValidator(_of_utc)]
_Amount = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=6)]


class PriceRequest(View):
    """Sets the price of a GPU type from now or a later time on."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    per_gpu_hour: _Amount = Field(examples=["2.50"])
    borrowed_per_gpu_hour: _Amount | None = Field(
        None, description="Of GPU time beyond what is guaranteed; null: the same."
    )
    idle_per_gpu_hour: _Amount = Field(
        Decimal(0), description="On top, for GPU time that is held and measured to be idle."
    )
    since: Moment | None = Field(
        None, alias="from", description="When it begins; now if left out. A date is its midnight."
    )


class PricePeriod(PriceRequest):
    """One period of a price list."""

    gpu_type: str = Field(max_length=63, examples=["H100"])
    until: Moment | None = Field(
        None, description="When it ends: where the next one of its type begins, if it is given."
    )


class PriceListRequest(View):
    """For each type that it names, all that holds from its first period on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    currency: str | None = Field(
        None, max_length=10, description="Checked to be the server's.", examples=["EUR"]
    )
    prices: list[PricePeriod] = Field(min_length=1, max_length=PERIODS_MAX)


class PriceView(View):
    gpu_type: str = Field(examples=["H100"])
    per_gpu_hour: Decimal
    borrowed_per_gpu_hour: Decimal = Field(description="Of GPU time beyond what is guaranteed.")
    idle_per_gpu_hour: Decimal = Field(description="On top, for GPU time that is held and idle.")
    currency: str = Field(examples=["EUR"])
    since: datetime
    until: datetime | None = Field(None, description="When another price follows; null: open.")
    set_by: str = ""


class PricesView(View):
    """By type, and of each in order of time."""

    items: list[PriceView]
