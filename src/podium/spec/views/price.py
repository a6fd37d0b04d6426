"""What a GPU-hour costs."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pydantic import Field

from podium.spec.views.base import View


class PriceRequest(View):
    """Sets the price of a GPU type from now on."""

    per_gpu_hour: Decimal = Field(ge=0, le=1_000_000, decimal_places=6, examples=["2.50"])


class PriceView(View):
    gpu_type: str = Field(examples=["H100"])
    per_gpu_hour: Decimal
    currency: str = Field(examples=["EUR"])
    since: datetime


class PricesView(View):
    """The prices that hold now."""

    items: list[PriceView]
