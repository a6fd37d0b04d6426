"""What is in each pool, and how much of it is in use. The API shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from podium.domain.node import NodeState
from podium.domain.pool import pool_of
from podium.domain.quantity import GPU_MILLI
from podium.store import tables
from podium.store.codec import pairs_from_text
from podium.store.database import Transaction
from podium.store.pools import pool_list


@dataclass(slots=True)
class Gpus:
    """Of one type."""

    count: int = 0
    gpu_milli_used: int = 0

    @property
    def gpu_milli(self) -> int:
        return self.count * GPU_MILLI


@dataclass(slots=True)
class Stock:
    """Of one pool; GPUs by type, those of lost nodes among them."""

    nodes: int = 0
    nodes_ready: int = 0
    gpus: dict[str, Gpus] = field(default_factory=dict)


def stocks(tx: Transaction) -> dict[str, Stock]:
    """By the names of pools; those without a node have none."""
    pools = pool_list(tx)
    if not pools:
        return {}
    node = tables.nodes
    found: dict[str, Stock] = {}
    pool_of_labels: dict[str, str] = {}
    pool_of_node: dict[str, str] = {}
    for name, state, labels in tx.execute(sa.select(node.c.name, node.c.state, node.c.labels)):
        if labels not in pool_of_labels:
            pool_of_labels[labels] = pool_of(pairs_from_text(labels), pools)
        pool = pool_of_node[name] = pool_of_labels[labels]
        stock = found.setdefault(pool, Stock())
        stock.nodes += 1
        stock.nodes_ready += state == NodeState.READY
    for name, gpu_type, count in tx.execute(_devices()):
        _gpus(found[pool_of_node[name]], gpu_type).count += count
    for name, gpu_type, gpu_milli in tx.execute(_held()):
        _gpus(found[pool_of_node[name]], gpu_type).gpu_milli_used += int(gpu_milli)
    return found


def _gpus(stock: Stock, gpu_type: str) -> Gpus:
    return stock.gpus.setdefault(gpu_type, Gpus())


def _devices() -> sa.Select[Any]:
    device = tables.devices
    return sa.select(device.c.node, device.c.type, sa.func.count()).group_by(
        device.c.node, device.c.type
    )


def _held() -> sa.Select[Any]:
    """Milli-GPU by node and type."""
    device, part, held = tables.devices, tables.allocation_devices, tables.allocations
    return (
        sa.select(device.c.node, device.c.type, sa.func.sum(part.c.gpu_milli))
        .join(part, part.c.device_id == device.c.id)
        .join(held, held.c.id == part.c.allocation_id)
        .where(held.c.released_at_ms.is_(None))
        .group_by(device.c.node, device.c.type)
    )
