"""Quotas of the organisation, of teams and of projects."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from podium.api.answers import answer, decode_cursor, page
from podium.api.context import Ctx, Who
from podium.api.parameters import Cursor, Limit
from podium.api.what_if import compared, owners_of, told
from podium.control.schedule import Sight
from podium.domain.errors import FieldFault, NotFoundError, UserError
from podium.domain.quota import ORGANISATION, SCHEDULED, Quota, QuotaLevel
from podium.domain.tenancy import Scope
from podium.intake.quotas import ALL, quota_preview, quota_remove, quota_set
from podium.scheduling.explain.edits import QuotaEdited
from podium.scheduling.explain.values import Difference
from podium.scheduling.explain.what_if import with_owners
from podium.scheduling.order.entitlements import Entitlement
from podium.spec.views.base import Page, utc
from podium.spec.views.explain import WhatIfView
from podium.spec.views.quota import (
    QuotaCapacityView,
    QuotaChangeView,
    QuotaCountedView,
    QuotaGpuView,
    QuotaRequest,
    QuotasView,
    QuotaView,
)
from podium.store import projects, quota_history, shares
from podium.store.database import Transaction
from podium.store.past_use import half_life
from podium.store.quota_history import QuotaChanged
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
    quota = _quota(level, name, request)
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


@router.post("/{level}/{name}/preview", response_model=WhatIfView)
async def preview_quota(
    level: Level, name: Name, request: QuotaRequest, context: Ctx, who: Who
) -> Response:
    """Who would start earlier or later, and who would have to give way, if the quota were set so.
    Nothing is set. For administrators."""
    quota = await quota_preview(context.office, who, _quota(level, name, request))
    sight = await context.foresight.look()
    whose = await owners_of(context, sight) if quota.per_user else {}
    share = await context.database.read(lambda tx: _share(tx, who.known, quota))
    at_ms, found = await context.foresight.ask_long(
        lambda sight: (sight.now_ms, _tried(sight, share, quota, whose))
    )
    return answer(await context.database.read(lambda tx: told(tx, who.scope, (), found, at_ms)))


@router.get("/history", response_model=Page[QuotaChangeView])
async def list_quota_history(
    context: Ctx,
    who: Who,
    level: Annotated[
        QuotaLevel | None, Query(description="Only of one; give its name, too.")
    ] = None,
    name: Annotated[str, Query(max_length=63, description="Empty for the organisation.")] = "",
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Who changed which quota, when, from what to what, newest first."""
    before = decode_cursor(cursor)
    if before is not None and not before.isdecimal():
        raise UserError(FieldFault("cursor", "is none that a page had."))
    stored = "" if level is None else _stored(level, name)
    found = await context.database.read(
        lambda tx: quota_history.history_list(
            tx,
            who.known,
            level=level,
            name=stored,
            limit=limit + 1,
            before_id=None if before is None else int(before),
        )
    )
    return answer(page(found, limit, _change, lambda each: each.id))


def _quota(level: QuotaLevel, name: str, request: QuotaRequest) -> Quota:
    def given(amounts: str) -> tuple[tuple[str, int], ...]:
        return tuple(
            ("" if key.casefold() == ALL else key, milli)
            for key, each in request.gpus.items()
            if (milli := getattr(each, amounts)) is not None
        )

    return Quota(
        level=level,
        name=_stored(level, name),
        weight=request.weight,
        guarantees=tuple(pair for pair in given("guarantee_milli") if pair[1]),
        limits=given("limit_milli"),
        per_user=given("per_user_milli"),
        ceilings=tuple(sorted(request.ceilings.items())),
    )


def _share(tx: Transaction, scope: Scope, quota: Quota) -> str:
    """As `store/shares` names it."""
    if quota.level is QuotaLevel.PROJECT:
        return f"{projects.project_fetch(tx, scope, quota.name).team}/{quota.name}"
    return quota.name or ORGANISATION


def _tried(sight: Sight, share: str, quota: Quota, whose: dict[str, str]) -> Difference:
    edit = QuotaEdited(
        share=share,
        guarantees=quota.guarantees,
        limits=quota.limits,
        weight=quota.weight,
        per_user=quota.per_user,
        ceilings=tuple((what.value, most) for what, most in quota.ceilings if what in SCHEDULED),
    )
    snapshot = with_owners(sight.snapshot, whose) if whose else sight.snapshot
    return compared(snapshot, [edit], sight.now_ms)


def _change(each: QuotaChanged) -> QuotaChangeView:
    return QuotaChangeView(
        id=each.id,
        level=each.level,
        name=each.name or QuotaLevel.ORGANISATION.value,
        at=utc(each.at_ms),
        username=each.username,
        before=None if each.before is None else dict(each.before),
        after=None if each.after is None else dict(each.after),
    )


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
            _gpu(due, each) for due in each.gpus if whole or not due.gpu_type or _matters(due, each)
        ],
        counted=[
            QuotaCountedView(counted=what, limit=limit, used=used)
            for what, limit, used in each.counted
        ],
    )


def _matters(due: Entitlement, each: Standing) -> bool:
    amounts = (due.guarantee_milli, due.used_milli, due.waiting_milli)
    named = due.gpu_type in each.recent_milli or due.gpu_type in each.per_user_milli
    return any(amounts) or due.limit_milli is not None or named


def _gpu(due: Entitlement, each: Standing) -> QuotaGpuView:
    return QuotaGpuView(
        gpu_type=due.gpu_type or ALL,
        guarantee_milli=due.guarantee_milli,
        set_guarantee_milli=due.set_guarantee_milli,
        limit_milli=due.limit_milli,
        per_user_milli=each.per_user_milli.get(due.gpu_type),
        used_milli=due.used_milli,
        borrowed_milli=due.borrowed_milli,
        waiting_milli=due.waiting_milli,
        fair_milli=due.fair_milli,
        recent_milli=each.recent_milli.get(due.gpu_type, 0),
    )
