"""How much of the free GPU capacity was stranded over time."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from podium.api.answers import answer
from podium.api.context import Ctx, Who
from podium.api.curves import Points, Since, Until, moment_ms, span_of
from podium.spec.views.base import utc
from podium.spec.views.fragmentation import FragmentationView, StockView, StrandedPointView
from podium.store import pools
from podium.store.curves import step_for
from podium.store.database import Transaction
from podium.store.fragmentation import Kind, StrandedPoint, fragmentation_points

router = APIRouter(tags=["curves"])

_DAY_MS = 86_400_000


@router.get("/fragmentation", response_model=FragmentationView)
async def show_fragmentation(
    context: Ctx,
    who: Who,
    since: Since = None,
    until: Until = None,
    points: Points = 300,
    gpu_type: Annotated[
        str | None, Query(max_length=200, description="Only GPUs of this type.")
    ] = None,
    pool: Annotated[
        str | None, Query(max_length=200, description="Only GPUs of this pool.")
    ] = None,
) -> Response:
    """How much GPU capacity was free, and how much of it was of no use to a typical request;
    `since` is a day ago if not given."""
    now_ms = context.database.now_ms()
    end_ms = now_ms if until is None else moment_ms("until", until)
    since_ms, until_ms = span_of(since, until, end_ms - _DAY_MS, now_ms)
    step_ms = step_for(since_ms, until_ms, points, now_ms)

    def read(tx: Transaction) -> FragmentationView:
        seen = {each.name for each in pools.pools_seen(tx, who.scope)}
        whole, by_kind = fragmentation_points(
            tx,
            since_ms=since_ms,
            until_ms=until_ms,
            step_ms=step_ms,
            kind_of=lambda kind: told_as(kind, seen, gpu_type, pool),
        )
        return FragmentationView(
            since=utc(since_ms),
            until=utc(until_ms),
            step_seconds=step_ms / 1000,
            points=_points(whole),
            stocks=[
                StockView(gpu_type=kind[1], pool=kind[0], points=_points(found))
                for kind, found in by_kind.items()
            ],
        )

    return answer(await context.database.read(read))


def told_as(
    kind: Kind, seen: Collection[str], gpu_type: str | None, pool: str | None
) -> Kind | None:
    """Without the name of a pool that the reader does not see; None for what was not asked for."""
    name = kind[0] if kind[0] in seen else ""
    return (name, kind[1]) if pool in (None, name) and gpu_type in (None, kind[1]) else None


def _points(found: Iterable[StrandedPoint]) -> list[StrandedPointView]:
    return [
        StrandedPointView(
            at=utc(each.at_ms),
            free_milli=each.free_milli,
            stranded_milli=each.stranded_milli,
            split_milli=each.split_milli,
        )
        for each in found
    ]
