"""Pools of nodes: what is in them, and whose work may stand there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from podium.api.answers import answer
from podium.api.context import Context, Ctx, Who
from podium.domain.data import approved
from podium.domain.pool import Pool
from podium.domain.tenancy import Identity, Scope
from podium.intake.pools import pool_remove, pool_set
from podium.spec.views.pool import PoolGpusView, PoolRequest, PoolsView, PoolView
from podium.store import pools
from podium.store.database import Transaction
from podium.store.pool_stock import Stock, stocks

router = APIRouter(prefix="/pools", tags=["pools"])

PoolName = Annotated[str, Path(max_length=63, description="The pool's name.", examples=["a100"])]


@router.get("", response_model=PoolsView)
async def list_pools(context: Ctx, who: Who) -> Response:
    """The pools that are open to a project of yours, with their nodes and GPUs."""

    def read(tx: Transaction) -> PoolsView:
        seen = pools.teams_seen(tx, who.known)
        found = stocks(tx)
        items = [
            _view(each, found.get(each.name, Stock()), who.known, seen)
            for each in pools.pools_seen(tx, who.known)
        ]
        return PoolsView(items=items)

    return answer(await context.database.read(read))


@router.get("/{name}", response_model=PoolView)
async def show_pool(name: PoolName, context: Ctx, who: Who) -> Response:
    """One pool."""
    return answer(await _pool(context, who, name))


@router.put("/{name}", response_model=PoolView)
async def set_pool(name: PoolName, request: PoolRequest, context: Ctx, who: Who) -> Response:
    """Make a pool, or change what it is. What runs there goes on. For administrators."""
    await pool_set(context.office, who, name, request)
    return answer(await _pool(context, who, name))


@router.delete("/{name}", status_code=204)
async def delete_pool(name: PoolName, context: Ctx, who: Who) -> Response:
    """Its nodes are open to everyone again, unless another pool has them. For administrators."""
    await pool_remove(context.office, who, name)
    return Response(status_code=204)


async def _pool(context: Context, who: Identity, name: str) -> PoolView:
    def read(tx: Transaction) -> PoolView:
        pool = pools.pool_fetch(tx, who.known, name)
        stock = stocks(tx).get(name, Stock())
        return _view(pool, stock, who.known, pools.teams_seen(tx, who.known))

    return await context.database.read(read)


def _view(pool: Pool, stock: Stock, scope: Scope, seen: Mapping[str, str]) -> PoolView:
    """`seen` are the projects that the reader may see, each with its team."""
    mine = frozenset(seen.values())
    projects = [each for each in pool.projects if scope.admits(each)]
    teams = [each for each in pool.teams if scope.projects is None or each in mine]
    return PoolView(
        name=pool.name,
        labels=dict(pool.labels),
        projects=projects,
        teams=teams,
        restricted=pool.restricted,
        others=len(pool.projects) + len(pool.teams) - len(projects) - len(teams),
        note=pool.note,
        region=pool.region,
        approved_for=list(approved(pool)),
        nodes=stock.nodes,
        nodes_ready=stock.nodes_ready,
        gpus=[
            PoolGpusView(
                type=name,
                count=gpus.count,
                gpu_milli=gpus.gpu_milli,
                gpu_milli_used=gpus.gpu_milli_used,
            )
            for name, gpus in sorted(stock.gpus.items())
        ],
    )
