"""What is held on nodes and their devices, and by whom. Sums are over everyone's work; names are
those of the reader's scope. `api/nodes` and the metrics read it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.lifecycle import ReplicaState
from podium.domain.tenancy import Scope
from podium.domain.workload import Kind
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.database import Transaction
from podium.store.nodes import node_fetch
from podium.store.scoping import within


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A replica that holds a device or a part of it."""

    device_id: str
    workload_id: str
    name: str
    project: str
    owner: str
    kind: Kind
    rank: int
    gpu_milli: int
    since_ms: int
    allocation_id: str = ""
    mig_profile: str = ""
    mig_start: int = 0


@dataclass(frozen=True, slots=True)
class Slot:
    """A MIG instance that somebody holds, made or about to be."""

    device_id: str
    mig_profile: str
    mig_start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLoad:
    """What is held on a node, by everyone. Holders are only those that the reader may see."""

    replicas: int = 0
    cpu_milli: int = 0
    memory_bytes: int = 0
    gpu_milli: tuple[tuple[str, int], ...] = ()  # by device id
    gpu_memory_bytes: tuple[tuple[str, int], ...] = ()
    holders: tuple[Holder, ...] = ()  # one for each instance, where several of a GPU are held
    slots: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeReplica:
    """A replica on a node, with the indexes of the devices that it holds there."""

    allocation_id: str
    workload_id: str
    name: str
    project: str
    owner: str
    kind: Kind
    rank: int
    state: ReplicaState
    cpu_milli: int
    memory_bytes: int
    devices: tuple[int, ...]
    since_ms: int


def node_loads(
    tx: Transaction, scope: Scope, names: Collection[str] | None = None
) -> dict[str, NodeLoad]:
    """What open allocations hold on each node, or on those of `names`: sums over everyone,
    holders within the scope."""
    found: dict[str, NodeLoad] = {}
    for chunk in [None] if names is None else chunks(names):
        found.update(_loads(tx, scope, chunk))
    return found


def node_replicas(
    tx: Transaction, scope: Scope, name: str, *, limit: int, after: str = ""
) -> list[NodeReplica]:
    """What is placed on the node, of the scope, oldest first. Raises NotFoundError."""
    node = node_fetch(tx, name)
    held, workload, part = tables.allocations, tables.workloads, tables.allocation_devices
    rows = tx.execute(
        sa.select(
            held.c.id,
            held.c.workload_id,
            held.c.project,
            held.c.rank,
            held.c.state,
            held.c.cpu_milli,
            held.c.memory_bytes,
            held.c.created_at_ms,
            workload.c.name,
            workload.c.owner,
            workload.c.kind,
        )
        .join(workload, workload.c.id == held.c.workload_id)
        .where(
            held.c.node == name,
            held.c.released_at_ms.is_(None),
            held.c.id > after,
            within(scope, held.c.project),
        )
        .order_by(held.c.id)
        .limit(limit)
    ).all()
    index_of = {device.id: device.index for device in node.devices}
    devices: dict[str, list[int]] = {}
    for chunk in chunks(row.id for row in rows):
        for share in tx.execute(
            sa.select(part.c.allocation_id, part.c.device_id)
            .where(part.c.allocation_id.in_(chunk))
            .distinct()
        ):
            devices.setdefault(share.allocation_id, []).append(index_of.get(share.device_id, -1))
    return [
        NodeReplica(
            allocation_id=row.id,
            workload_id=row.workload_id,
            name=row.name,
            project=row.project,
            owner=row.owner,
            kind=Kind(row.kind),
            rank=row.rank,
            state=ReplicaState(row.state),
            cpu_milli=row.cpu_milli,
            memory_bytes=row.memory_bytes,
            devices=tuple(sorted(devices.get(row.id, ()))),
            since_ms=row.created_at_ms,
        )
        for row in rows
    ]


def _loads(tx: Transaction, scope: Scope, names: list[str] | None) -> dict[str, NodeLoad]:
    held, part = tables.allocations, tables.allocation_devices
    chosen: sa.ColumnElement[bool] = held.c.released_at_ms.is_(None)
    if names is not None:
        chosen &= held.c.node.in_(names)
    sums = tx.execute(
        sa.select(
            held.c.node,
            sa.func.count(),
            sa.func.sum(held.c.cpu_milli),
            sa.func.sum(held.c.memory_bytes),
        )
        .where(chosen)
        .group_by(held.c.node)
    ).all()
    milli: dict[str, dict[str, int]] = {}
    memory: dict[str, dict[str, int]] = {}
    rows = tx.execute(
        sa.select(
            held.c.node,
            part.c.device_id,
            part.c.gpu_milli,
            part.c.memory_bytes,
            part.c.mig_profile,
            part.c.mig_start,
        )
        .join(part, part.c.allocation_id == held.c.id)
        .where(chosen)
    )
    slots: dict[str, list[Slot]] = {}
    for row in rows:
        if row.mig_profile:
            slot = Slot(row.device_id, row.mig_profile, row.mig_start)
            slots.setdefault(row.node, []).append(slot)
        of_node = milli.setdefault(row.node, {})
        of_node[row.device_id] = of_node.get(row.device_id, 0) + row.gpu_milli
        of_memory = memory.setdefault(row.node, {})
        of_memory[row.device_id] = of_memory.get(row.device_id, 0) + row.memory_bytes
    holders = _holders(tx, chosen & within(scope, held.c.project))
    return {
        node: NodeLoad(
            replicas=replicas,
            cpu_milli=int(cpu_milli),
            memory_bytes=int(memory_bytes),
            gpu_milli=tuple(milli.get(node, {}).items()),
            gpu_memory_bytes=tuple(memory.get(node, {}).items()),
            holders=tuple(holders.get(node, ())),
            slots=tuple(slots.get(node, ())),
        )
        for node, replicas, cpu_milli, memory_bytes in sums
    }


def _holders(tx: Transaction, chosen: sa.ColumnElement[bool]) -> dict[str, list[Holder]]:
    """By node, those that came first first."""
    held, part, workload = tables.allocations, tables.allocation_devices, tables.workloads
    rows = tx.execute(
        sa.select(
            held.c.node,
            held.c.workload_id,
            held.c.project,
            held.c.rank,
            held.c.created_at_ms,
            held.c.id,
            part.c.device_id,
            part.c.gpu_milli,
            part.c.mig_profile,
            part.c.mig_start,
            workload.c.name,
            workload.c.owner,
            workload.c.kind,
        )
        .join(part, part.c.allocation_id == held.c.id)
        .join(workload, workload.c.id == held.c.workload_id)
        .where(chosen)
        .order_by(held.c.id, part.c.device_id, part.c.mig_start)
    )
    found: dict[str, list[Holder]] = {}
    for row in rows:
        holder = Holder(
            device_id=row.device_id,
            workload_id=row.workload_id,
            name=row.name,
            project=row.project,
            owner=row.owner,
            kind=Kind(row.kind),
            rank=row.rank,
            gpu_milli=row.gpu_milli,
            since_ms=row.created_at_ms,
            allocation_id=row.id,
            mig_profile=row.mig_profile,
            mig_start=row.mig_start,
        )
        found.setdefault(row.node, []).append(holder)
    return found
