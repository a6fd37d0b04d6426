"""Prices of GPU-hours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from podium.api.answers import answer
from podium.api.context import Ctx, Who
from podium.domain.tariff import Price
from podium.intake.prices import price_list_set, price_set
from podium.spec.views.base import utc, utc_or_none
from podium.spec.views.price import PriceListRequest, PriceRequest, PricesView, PriceView
from podium.store import prices

router = APIRouter(prefix="/prices", tags=["prices"])


@router.get("", response_model=PricesView)
async def list_prices(
    context: Ctx,
    _who: Who,
    every: Annotated[
        bool, Query(alias="all", description="Also those of before, and those to come.")
    ] = False,
) -> Response:
    """What an hour of each GPU type costs now."""
    now_ms = context.database.now_ms()
    known = await context.database.read(prices.price_history)
    shown = _views(known)
    if not every:
        holding = await context.database.read(lambda tx: prices.price_list(tx, now_ms))
        at = {(each.gpu_type, utc(each.since_ms)) for each in holding}
        shown = [each for each in shown if (each.gpu_type, each.since) in at]
    return answer(PricesView(items=shown))


@router.put("", response_model=PricesView)
async def set_price_list(request: PriceListRequest, context: Ctx, who: Who) -> Response:
    """Set a whole price list, or nothing of it. Answers every price that is kept. For
    administrators."""
    known = await price_list_set(context.office, who, request, currency=context.about["currency"])
    return answer(PricesView(items=_views(known)))


@router.put("/{gpu_type}", response_model=PriceView)
async def set_price(
    gpu_type: Annotated[str, Path(max_length=63, examples=["H100"])],
    request: PriceRequest,
    context: Ctx,
    who: Who,
) -> Response:
    """Set what an hour costs from now or a later time on. For administrators."""
    currency = context.about["currency"]
    price = await price_set(context.office, who, gpu_type, request, currency=currency)
    return answer(_view(price, None))


def _views(known: Sequence[Price]) -> list[PriceView]:
    """By type, and of each in order of time."""
    found = []
    for name in sorted({each.gpu_type for each in known}):
        mine = [each for each in known if each.gpu_type == name]
        ends = [*(each.since_ms for each in mine[1:]), None]
        found += [_view(each, until_ms) for each, until_ms in zip(mine, ends, strict=True)]
    return found


def _view(price: Price, until_ms: int | None) -> PriceView:
    return PriceView(
        gpu_type=price.gpu_type,
        per_gpu_hour=price.per_gpu_hour,
        borrowed_per_gpu_hour=price.borrowed_per_gpu_hour,
        idle_per_gpu_hour=price.idle_per_gpu_hour,
        currency=price.currency,
        since=utc(price.since_ms),
        until=utc_or_none(until_ms),
        set_by=price.set_by,
    )
