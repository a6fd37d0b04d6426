"""Nodes and their devices."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from podium.api.answers import answer, decode_cursor, page
from podium.api.context import Context, Ctx, Who
from podium.api.parameters import Cursor, Limit, NodeName
from podium.api.render import node_view
from podium.domain.errors import NotFoundError
from podium.domain.tenancy import Identity
from podium.intake.nodes import node_cordon
from podium.spec.views.base import Page
from podium.spec.views.node import NodeView
from podium.store import nodes
from podium.store.database import Transaction
from podium.store.nodes import NodeLoad

router = APIRouter(prefix="/nodes", tags=["nodes"])


@router.get("", response_model=Page[NodeView])
async def list_nodes(context: Ctx, who: Who, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """Every node by name, with what is held on it. Holders are those that you may see."""
    after = decode_cursor(cursor) or ""
    found = [each for each in await _nodes(context, who) if each.name > after]
    return answer(page(found[: limit + 1], limit, lambda each: each, lambda each: each.name))


@router.get("/{name}", response_model=NodeView)
async def show_node(name: NodeName, context: Ctx, who: Who) -> Response:
    """One node."""
    return answer(await _node(context, who, name))


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


async def _node(context: Context, who: Identity, name: str) -> NodeView:
    for view in await _nodes(context, who):
        if view.name == name:
            return view
    raise NotFoundError(f"There is no node {name}.")


async def _nodes(context: Context, who: Identity) -> list[NodeView]:
    def read(tx: Transaction) -> list[NodeView]:
        loads = nodes.node_loads(tx, who.scope)
        return [node_view(node, loads.get(node.name, NodeLoad())) for node in nodes.node_list(tx)]

    return await context.database.read(read)
