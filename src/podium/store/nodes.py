"""Nodes and devices: what the engines reported last."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from podium.domain.errors import NotFoundError
from podium.domain.node import Device, Node, NodeState
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.codec import Row, pairs_from_text, pairs_to_text
from podium.store.database import Transaction

_DEVICE_FIELDS = tuple(field.name for field in fields(Device) if field.name != "id")


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
    rows = tx.execute(sa.select(tables.nodes).order_by(tables.nodes.c.name)).mappings()
    return _nodes(list(rows), _devices_of(tx, None))


def node_page(tx: Transaction, *, limit: int, after: str = "") -> tuple[Node, ...]:
    """As `node_list`, up to `limit` of them with names after that one."""
    table = tables.nodes
    statement = sa.select(table).where(table.c.name > after).order_by(table.c.name).limit(limit)
    rows = list(tx.execute(statement).mappings())
    return _nodes(rows, _devices_of(tx, [row["name"] for row in rows]))


def node_fetch(tx: Transaction, name: str) -> Node:
    """Raises NotFoundError."""
    rows = list(tx.execute(sa.select(tables.nodes).where(tables.nodes.c.name == name)).mappings())
    if not rows:
        raise NotFoundError(f"There is no node {name}.")
    return _nodes(rows, _devices_of(tx, [name]))[0]


def node_fetch_many(tx: Transaction, names: Collection[str]) -> dict[str, Node]:
    """Those of `names` that exist, with their devices in index order, by name."""
    rows: list[Row] = []
    for chunk in chunks(names):
        chosen = sa.select(tables.nodes).where(tables.nodes.c.name.in_(chunk))
        rows += tx.execute(chosen).mappings()
    found = _nodes(rows, _devices_of(tx, [row["name"] for row in rows]))
    return {node.name: node for node in found}


def node_count(tx: Transaction) -> int:
    return tx.scalar(sa.select(sa.func.count()).select_from(tables.nodes)) or 0


def gpus_virtual(tx: Transaction) -> bool:
    """Whether some GPUs here are virtual."""
    return bool(tx.scalar(sa.select(sa.exists().where(tables.devices.c.virtual.is_(True)))))


def node_marks(tx: Transaction) -> tuple[object, ...]:
    """What differs when a node, its state or its devices' health changed."""
    table, device = tables.nodes, tables.devices
    states = tx.execute(sa.select(table.c.name, table.c.state).order_by(table.c.name)).all()
    sums = tx.execute(
        sa.select(sa.func.sum(table.c.cpu_milli), sa.func.sum(table.c.memory_bytes))
    ).one()
    unhealthy = tx.scalars(
        sa.select(device.c.id).where(device.c.healthy.is_(False)).order_by(device.c.id)
    ).all()
    count = tx.scalar(sa.select(sa.func.count()).select_from(device))
    return tuple(map(tuple, states)), tuple(map(str, sums)), tuple(unhealthy), count


def device_by_id(tx: Transaction) -> dict[str, Device]:
    rows = tx.execute(sa.select(tables.devices)).mappings()
    return {row["id"]: _device(row) for row in rows}


def engine_by_node(tx: Transaction) -> dict[str, str]:
    """Which engine runs each node."""
    rows = tx.execute(sa.select(tables.nodes.c.name, tables.nodes.c.engine))
    return {row.name: row.engine for row in rows}


def _devices_of(tx: Transaction, names: Collection[str] | None) -> dict[str, list[Device]]:
    """In index order, by node; of every node, or of those."""
    table = tables.devices
    statement = sa.select(table).order_by(table.c.node, table.c.index, table.c.id)
    devices: dict[str, list[Device]] = {}
    for chunk in [None] if names is None else chunks(names):
        chosen = statement if chunk is None else statement.where(table.c.node.in_(chunk))
        for row in tx.execute(chosen).mappings():
            devices.setdefault(row["node"], []).append(_device(row))
    return devices


def _nodes(rows: Sequence[Row], devices: dict[str, list[Device]]) -> tuple[Node, ...]:
    return tuple(_node(row, tuple(devices.get(row["name"], ()))) for row in rows)


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
