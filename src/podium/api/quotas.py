"""Quotas of the organisation, of teams and of projects."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from podium.api.answers import answer
from podium.api.context import Ctx, Who
from podium.domain.errors import NotFoundError
from podium.domain.quota import Quota, QuotaLevel
from podium.intake.quotas import ALL, quota_remove, quota_set
from podium.scheduling.order.entitlements import Entitlement
from podium.spec.views.quota import (
    QuotaCapacityView,
    QuotaGpuView,
    QuotaRequest,
    QuotasView,
    QuotaView,
)
from podium.store import shares
from podium.store.database import Transaction
from podium.store.past_use import half_life
from podium.store.shares import Standing

router = APIRouter(prefix="/quotas", tags=["quotas"])

Level = Annotated[QuotaLevel, Path(description="Whose quota it is.")]
Name = Annotated[
    str,
    Path(
        max_length=63,
        description="The team's or project's name; for the organisation `organisation` again.",
        examples=["research"],
    ),
]


@router.get("", response_model=QuotasView)
async def list_quotas(context: Ctx, who: Who) -> Response:
    """How the organisation, teams and projects stand against what they may count on."""
    now_ms = context.database.now_ms()

    def read(tx: Transaction) -> QuotasView:
        return QuotasView(
            items=[_view(each) for each in shares.standing(tx, who.known, now_ms)],
            capacity=[
                QuotaCapacityView(gpu_type=name, gpu_milli=milli)
                for name, milli in shares.capacity(tx).items()
            ],
            half_life_seconds=half_life(tx) // 1000,
        )

    return answer(await context.database.read(read))


@router.put("/{level}/{name}", response_model=QuotaView)
async def set_quota(
    level: Level, name: Name, request: QuotaRequest, context: Ctx, who: Who
) -> Response:
    """Set what it may count on, in place of what was set before. For administrators."""
    quota = Quota(
        level=level,
        name=_stored(level, name),
        weight=request.weight,
        guarantees=tuple(
            ("" if key.casefold() == ALL else key, each.guarantee_milli)
            for key, each in request.gpus.items()
            if each.guarantee_milli
        ),
        limits=tuple(
            ("" if key.casefold() == ALL else key, each.limit_milli)
            for key, each in request.gpus.items()
            if each.limit_milli is not None
        ),
    )
    await quota_set(context.office, who, quota)
    now_ms = context.database.now_ms()
    found = await context.database.read(lambda tx: shares.standing(tx, who.known, now_ms))
    for each in found:
        if (each.level, each.name) == (level, quota.name):
            return answer(_view(each))
    raise NotFoundError(f"There is no {level} {name}.")


@router.delete("/{level}/{name}", status_code=204)
async def remove_quota(level: Level, name: Name, context: Ctx, who: Who) -> Response:
    """Guarantee and limit nothing any more; the weight is 1 again. For administrators."""
    await quota_remove(context.office, who, level, _stored(level, name))
    return Response(status_code=204)


def _stored(level: QuotaLevel, name: str) -> str:
    return "" if level is QuotaLevel.ORGANISATION and name == level.value else name


def _view(each: Standing) -> QuotaView:
    whole = each.level is QuotaLevel.ORGANISATION
    return QuotaView(
        level=each.level,
        name=each.name or QuotaLevel.ORGANISATION.value,
        team=each.team,
        weight=each.weight,
        share=each.share,
        gpus=[
            _gpu(due, each.recent_milli.get(due.gpu_type, 0))
            for due in each.gpus
            if whole or not due.gpu_type or _matters(due, each)
        ],
    )


def _matters(due: Entitlement, each: Standing) -> bool:
    amounts = (due.guarantee_milli, due.used_milli, due.waiting_milli)
    return any(amounts) or due.limit_milli is not None or due.gpu_type in each.recent_milli


def _gpu(due: Entitlement, recent_milli: int) -> QuotaGpuView:
    return QuotaGpuView(
        gpu_type=due.gpu_type or ALL,
        guarantee_milli=due.guarantee_milli,
        set_guarantee_milli=due.set_guarantee_milli,
        limit_milli=due.limit_milli,
        used_milli=due.used_milli,
        borrowed_milli=due.borrowed_milli,
        waiting_milli=due.waiting_milli,
        fair_milli=due.fair_milli,
        recent_milli=recent_milli,
    )
