"""Prices of GPU-hours."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from podium.api.answers import answer
from podium.api.context import Ctx, Who
from podium.domain.tariff import Price
from podium.intake.prices import price_set
from podium.spec.views.base import utc
from podium.spec.views.price import PriceRequest, PricesView, PriceView
from podium.store import prices

router = APIRouter(prefix="/prices", tags=["prices"])


@router.get("", response_model=PricesView)
async def list_prices(context: Ctx, _who: Who) -> Response:
    """What an hour of each GPU type costs now."""
    known = await context.database.read(prices.price_list)
    return answer(PricesView(items=[_view(each) for each in known]))


@router.put("/{gpu_type}", response_model=PriceView)
async def set_price(
    gpu_type: Annotated[str, Path(max_length=63, examples=["H100"])],
    request: PriceRequest,
    context: Ctx,
    who: Who,
) -> Response:
    """Set what an hour costs from now on. For administrators."""
    price = await price_set(
        context.office,
        who,
        gpu_type=gpu_type,
        per_gpu_hour=request.per_gpu_hour,
        currency=context.about["currency"],
    )
    return answer(_view(price))


def _view(price: Price) -> PriceView:
    return PriceView(
        gpu_type=price.gpu_type,
        per_gpu_hour=price.per_gpu_hour,
        currency=price.currency,
        since=utc(price.since_ms),
    )
