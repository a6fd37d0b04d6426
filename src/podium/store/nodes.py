"""Nodes and devices: what the engines reported last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from podium.domain.errors import NotFoundError
from podium.domain.node import Device, Node, NodeState
from podium.domain.tenancy import Scope
from podium.store import tables
from podium.store.codec import Row, pairs_from_text, pairs_to_text
from podium.store.database import Transaction

_DEVICE_FIELDS = tuple(field.name for field in fields(Device) if field.name != "id")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLoad:
    """What is held on a node. Holders are only those that the reader may see."""

    cpu_milli: int = 0
    memory_bytes: int = 0
    gpu_milli: tuple[tuple[str, int], ...] = ()  # by device id
    gpu_memory_bytes: tuple[tuple[str, int], ...] = ()
    holders: tuple[tuple[str, str], ...] = ()  # device id, workload id


def node_report(tx: Transaction, engine: str, nodes: Sequence[Node], now_ms: int) -> bool:
    """Store what an engine sees; nodes of it that are gone become lost. Returns whether anything
    that scheduling depends on changed."""
    known = {row["name"]: row for row in tx.execute(sa.select(tables.nodes)).mappings()}
    changed = False
    for node in nodes:
        before = known.get(node.name)
        values = _node_values(node, engine, before, now_ms)
        if before is None:
            tx.execute(sa.insert(tables.nodes).values(name=node.name, **values))
            changed = True
        else:
            changed |= any(before[key] != values[key] for key in values if key != "seen_at_ms")
            tx.execute(
                sa.update(tables.nodes).where(tables.nodes.c.name == node.name).values(values)
            )
        changed |= _devices_replace(tx, node)
    reported = {node.name for node in nodes}
    for name, row in known.items():
        if row["engine"] == engine and name not in reported and row["state"] != NodeState.LOST:
            tx.execute(
                sa.update(tables.nodes)
                .where(tables.nodes.c.name == name)
                .values(state=NodeState.LOST.value)
            )
            changed = True
    return changed


def node_quiet(tx: Transaction, before_ms: int) -> list[str]:
    """Names of nodes that count as present but were last seen before `before_ms`."""
    table = tables.nodes
    return list(
        tx.scalars(
            sa.select(table.c.name)
            .where(table.c.seen_at_ms < before_ms, table.c.state != NodeState.LOST.value)
            .order_by(table.c.name)
        )
    )


def node_lose(tx: Transaction, before_ms: int) -> list[str]:
    """Count the quiet ones as lost until they are reported again. Returns their names."""
    names = node_quiet(tx, before_ms)
    if names:
        table = tables.nodes
        tx.execute(
            sa.update(table).where(table.c.name.in_(names)).values(state=NodeState.LOST.value)
        )
    return names


def node_cordon(tx: Transaction, name: str, *, cordoned: bool) -> None:
    """Keep new work off a node, or let it on again. Raises NotFoundError."""
    row = tx.execute(sa.select(tables.nodes).where(tables.nodes.c.name == name)).mappings().first()
    if row is None:
        raise NotFoundError(f"There is no node {name}.")
    state = row["state"]
    if state != NodeState.LOST:
        state = NodeState.CORDONED.value if cordoned else NodeState.READY.value
    tx.execute(
        sa.update(tables.nodes)
        .where(tables.nodes.c.name == name)
        .values(cordoned=cordoned, state=state)
    )


def node_list(tx: Transaction) -> tuple[Node, ...]:
    """Every node in name order, with its devices in index order."""
    devices: dict[str, list[Device]] = {}
    rows = tx.execute(
        sa.select(tables.devices).order_by(
            tables.devices.c.node, tables.devices.c.index, tables.devices.c.id
        )
    ).mappings()
    for row in rows:
        devices.setdefault(row["node"], []).append(_device(row))
    found = tx.execute(sa.select(tables.nodes).order_by(tables.nodes.c.name)).mappings()
    return tuple(_node(row, tuple(devices.get(row["name"], ()))) for row in found)


def device_by_id(tx: Transaction) -> dict[str, Device]:
    rows = tx.execute(sa.select(tables.devices)).mappings()
    return {row["id"]: _device(row) for row in rows}


def engine_by_node(tx: Transaction) -> dict[str, str]:
    """Which engine runs each node."""
    rows = tx.execute(sa.select(tables.nodes.c.name, tables.nodes.c.engine))
    return {row.name: row.engine for row in rows}


def node_loads(tx: Transaction, scope: Scope) -> dict[str, NodeLoad]:
    """What open allocations hold on each node: sums over everyone, names within the scope."""
    held = tables.allocations
    part = tables.allocation_devices
    loads: dict[str, NodeLoad] = {}
    sums = tx.execute(
        sa.select(held.c.node, sa.func.sum(held.c.cpu_milli), sa.func.sum(held.c.memory_bytes))
        .where(held.c.released_at_ms.is_(None))
        .group_by(held.c.node)
    )
    for node, cpu_milli, memory_bytes in sums:
        loads[node] = NodeLoad(cpu_milli=int(cpu_milli), memory_bytes=int(memory_bytes))
    milli: dict[str, dict[str, int]] = {}
    memory: dict[str, dict[str, int]] = {}
    holders: dict[str, list[tuple[str, str]]] = {}
    rows = tx.execute(
        sa.select(
            held.c.node,
            held.c.project,
            held.c.workload_id,
            part.c.device_id,
            part.c.gpu_milli,
            part.c.memory_bytes,
        )
        .join(part, part.c.allocation_id == held.c.id)
        .where(held.c.released_at_ms.is_(None))
        .order_by(held.c.id, part.c.device_id)
    )
    for row in rows:
        of_node = milli.setdefault(row.node, {})
        of_node[row.device_id] = of_node.get(row.device_id, 0) + row.gpu_milli
        of_memory = memory.setdefault(row.node, {})
        of_memory[row.device_id] = of_memory.get(row.device_id, 0) + row.memory_bytes
        if scope.admits(row.project):
            holders.setdefault(row.node, []).append((row.device_id, row.workload_id))
    return {
        node: NodeLoad(
            cpu_milli=load.cpu_milli,
            memory_bytes=load.memory_bytes,
            gpu_milli=tuple(milli.get(node, {}).items()),
            gpu_memory_bytes=tuple(memory.get(node, {}).items()),
            holders=tuple(dict.fromkeys(holders.get(node, ()))),
        )
        for node, load in loads.items()
    }


def _node_values(node: Node, engine: str, before: Row | None, now_ms: int) -> dict[str, Any]:
    cordoned = bool(before["cordoned"]) if before is not None else False
    state = node.state
    if state is NodeState.READY and cordoned:
        state = NodeState.CORDONED
    return {
        "engine": engine,
        "state": state.value,
        "cordoned": cordoned,
        "address": node.address,
        "cpu_milli": node.cpu_milli,
        "memory_bytes": node.memory_bytes,
        "labels": pairs_to_text(node.labels),
        "rack": node.rack,
        "block": node.block,
        "seen_at_ms": now_ms,
    }


def _devices_replace(tx: Transaction, node: Node) -> bool:
    table = tables.devices
    rows = tx.execute(sa.select(table).where(table.c.node == node.name)).mappings()
    before = {row["id"]: _device(row) for row in rows}
    after = {device.id: device for device in node.devices}
    if before == after:
        return False
    # Those that are gone, and those that another node had before: a machine may get a new name.
    moved = sorted(set(before) ^ set(after))
    if moved:
        tx.execute(sa.delete(table).where(table.c.id.in_(moved)))
    for device in node.devices:
        if before.get(device.id) == device:
            continue
        values = _device_values(device)
        if device.id in before:
            tx.execute(sa.update(table).where(table.c.id == device.id).values(values))
        else:
            tx.execute(sa.insert(table).values(id=device.id, **values))
    return True


def _device_values(device: Device) -> dict[str, Any]:
    return {name: getattr(device, name) for name in _DEVICE_FIELDS}


def _device(row: Row) -> Device:
    return Device(id=row["id"], **{name: row[name] for name in _DEVICE_FIELDS})


def _node(row: Row, devices: tuple[Device, ...]) -> Node:
    return Node(
        name=row["name"],
        engine=row["engine"],
        state=NodeState(row["state"]),
        address=row["address"],
        cpu_milli=row["cpu_milli"],
        memory_bytes=row["memory_bytes"],
        labels=pairs_from_text(row["labels"]),
        rack=row["rack"],
        block=row["block"],
        seen_at_ms=row["seen_at_ms"],
        devices=devices,
    )
