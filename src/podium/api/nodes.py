"""Nodes, their devices, and what is placed on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from podium.api.answers import answer, decode_cursor, encode_cursor, page
from podium.api.context import Context, Ctx, Who
from podium.api.parameters import Cursor, Limit, NodeName
from podium.api.render import node_replica_view, node_view
from podium.domain.node import Node
from podium.domain.tenancy import Identity
from podium.intake.nodes import node_cordon, node_release
from podium.spec.views.base import Page
from podium.spec.views.node import NodeReleaseView, NodeReplicaView, NodeView
from podium.store import holdings, lost_nodes, nodes, pools, samples
from podium.store.database import Transaction
from podium.store.holdings import NodeLoad

router = APIRouter(prefix="/nodes", tags=["nodes"])


@router.get("", response_model=Page[NodeView])
async def list_nodes(
    context: Ctx,
    who: Who,
    limit: Limit = 100,
    cursor: Cursor = None,
    cluster: Annotated[
        str | None,
        Query(
            max_length=63,
            description="Only nodes of this cluster; of no cluster with an empty name.",
        ),
    ] = None,
) -> Response:
    """Every node by name, with what is held on it. Holders are those that you may see."""
    after = decode_cursor(cursor) or ""

    def read(tx: Transaction) -> Page[NodeView]:
        found = nodes.node_page(tx, limit=limit + 1, after=after, cluster=cluster)
        more = encode_cursor(found[limit - 1].name) if len(found) > limit else None
        return Page[NodeView](items=node_views(tx, context, who, found[:limit]), next_cursor=more)

    return answer(await context.database.read(read))


@router.get("/{name}", response_model=NodeView)
async def show_node(name: NodeName, context: Ctx, who: Who) -> Response:
    """One node."""
    return answer(await _node(context, who, name))


@router.get("/{name}/replicas", response_model=Page[NodeReplicaView])
async def list_node_replicas(
    name: NodeName, context: Ctx, who: Who, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """What is placed on the node, as far as you may see it."""
    after = decode_cursor(cursor) or ""
    found = await context.database.read(
        lambda tx: holdings.node_replicas(tx, who.scope, name, limit=limit + 1, after=after)
    )
    return answer(page(found, limit, node_replica_view, lambda each: each.allocation_id))


@router.post("/{name}/cordon", response_model=NodeView)
async def cordon(name: NodeName, context: Ctx, who: Who) -> Response:
    """Keep new work off the node; what runs goes on. For administrators."""
    await node_cordon(context.office, who, name, cordoned=True)
    return answer(await _node(context, who, name))


@router.post("/{name}/uncordon", response_model=NodeView)
async def uncordon(name: NodeName, context: Ctx, who: Who) -> Response:
    """Let new work on the node again. For administrators."""
    await node_cordon(context.office, who, name, cordoned=False)
    return answer(await _node(context, who, name))


@router.post("/{name}/release", response_model=NodeReleaseView)
async def release(name: NodeName, context: Ctx, who: Who) -> Response:
    """Give up the work on a lost node, so that it goes on elsewhere without using up a retry. For
    administrators.

    Only when the machine is really off: work that still runs there would run twice until it is
    back. What is found running then is stopped."""
    released = await node_release(context.office, who, name)
    view = NodeReleaseView(
        name=name,
        replicas=released.replicas,
        workloads=released.workloads,
        reports_again=released.reports_again,
    )
    return answer(view)


async def _node(context: Context, who: Identity, name: str) -> NodeView:
    return await context.database.read(
        lambda tx: node_views(tx, context, who, [nodes.node_fetch(tx, name)])[0]
    )


def node_views(
    tx: Transaction, context: Context, who: Identity, found: Sequence[Node]
) -> list[NodeView]:
    loads = holdings.node_loads(tx, who.scope, [each.name for each in found])
    ids = [device.id for each in found for device in each.devices]
    measured = samples.device_latest(tx, context.database.now_ms(), ids)
    seen = {pool.name for pool in pools.pools_seen(tx, who.scope)}
    given_up = lost_nodes.given_up_counts(tx, [each.name for each in found])
    return [
        node_view(
            each, loads.get(each.name, NodeLoad()), measured, seen, given_up.get(each.name, 0)
        )
        for each in found
    ]
