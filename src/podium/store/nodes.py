"""Nodes and devices: what the engines reported last."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import sqlalchemy as sa

from podium.domain.cluster import engine_of
from podium.domain.errors import NotFoundError
from podium.domain.node import Device, MigInstance, Node, NodeState
from podium.domain.pool import Pool, pool_of
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.clusters import engine_wanted
from podium.store.codec import Row, pairs_from_text, pairs_to_text
from podium.store.database import Transaction
from podium.store.device_spans import spans_update
from podium.store.lost_nodes import given_up_counts
from podium.store.pools import pool_list

_DEVICE_FIELDS = tuple(
    field.name for field in fields(Device) if field.name not in ("id", "instances")
)


def node_report(tx: Transaction, engine: str, nodes: Sequence[Node], now_ms: int) -> bool:
    """Store what an engine sees; nodes of it that are gone become lost. Nothing is stored for a
    cluster that was removed. Returns whether anything that scheduling depends on changed."""
    if not engine_wanted(tx, engine):
        return False
    table, reported = tables.nodes, {node.name for node in nodes}
    mine = sa.select(table.c.name).where(table.c.name.in_(sorted(reported)))
    tx.execute(mine.order_by(table.c.name).with_for_update())  # nobody gives them up meanwhile
    known = {row["name"]: row for row in tx.execute(sa.select(table)).mappings()}
    given_up = given_up_counts(tx, reported)
    devices = _devices_of(tx, reported)
    changed = False
    same = []
    for node in nodes:
        before = known.get(node.name)
        values = _node_values(node, engine, before, now_ms)
        if node.name in given_up:
            values["state"] = _takes_nothing(values["state"])
        if before is None:
            tx.execute(sa.insert(tables.nodes).values(name=node.name, **values))
            changed = True
        elif any(before[key] != values[key] for key in values if key != "seen_at_ms"):
            tx.execute(
                sa.update(tables.nodes).where(tables.nodes.c.name == node.name).values(values)
            )
            changed = True
        else:
            same.append(node.name)
        changed |= _devices_replace(tx, node, devices.get(node.name, ()))
    for chunk in chunks(same):  # nearly all of them, every few seconds
        tx.execute(sa.update(table).where(table.c.name.in_(chunk)).values(seen_at_ms=now_ms))
    for name, row in known.items():
        if row["engine"] == engine and name not in reported and row["state"] != NodeState.LOST:
            tx.execute(
                sa.update(tables.nodes)
                .where(tables.nodes.c.name == name)
                .values(state=NodeState.LOST.value, lost_at_ms=now_ms)
            )
            changed = True
    spans_update(tx, now_ms)
    return changed


def node_cordon(tx: Transaction, name: str, *, cordoned: bool) -> None:
    """Keep new work off a node, or let it on again. Raises NotFoundError."""
    row = tx.execute(sa.select(tables.nodes).where(tables.nodes.c.name == name)).mappings().first()
    if row is None:
        raise NotFoundError(f"There is no node {name}.")
    state = row["state"]
    if state != NodeState.LOST:
        state = NodeState.CORDONED.value if cordoned else NodeState.READY.value
    if given_up_counts(tx, [name]):
        state = _takes_nothing(state)
    tx.execute(
        sa.update(tables.nodes)
        .where(tables.nodes.c.name == name)
        .values(cordoned=cordoned, state=state)
    )


def node_list(tx: Transaction) -> tuple[Node, ...]:
    """Every node in name order, with its devices in index order, and of these only the MIG
    instances that bind the scheduler (`bound_instances`)."""
    rows = tx.execute(sa.select(tables.nodes).order_by(tables.nodes.c.name)).mappings()
    return _nodes(tx, list(rows), _devices_of(tx, None, bound=True))


def bound_instances(tx: Transaction) -> Sequence[sa.Row[Any]]:
    """Rows of MIG instances that the scheduler has to know: those of pinned GPUs, without what
    their layout does not want, and those that somebody uses who did not get them from Podium. All
    others are made and ended as needed, so they must not cost it anything."""
    table, device = tables.mig_instances, tables.devices
    layout, wanted = tables.mig_layouts, tables.mig_layout_instances
    same = (wanted.c.device_id == table.c.device_id) & (wanted.c.start == table.c.start)
    pinned = (
        sa.select(table)
        .join(device, device.c.id == table.c.device_id)
        .outerjoin(layout, layout.c.device_id == table.c.device_id)
        .outerjoin(wanted, same & (wanted.c.profile == table.c.profile))
        .where(device.c.pinned, layout.c.device_id.is_(None) | wanted.c.device_id.is_not(None))
    )
    both = sa.union(pinned, sa.select(table).where(table.c.busy)).subquery()
    return tx.execute(sa.select(both).order_by(both.c.device_id, both.c.start)).all()


def node_page(
    tx: Transaction, *, limit: int, after: str = "", cluster: str | None = None
) -> tuple[Node, ...]:
    """As `node_list`, up to `limit` of them with names after that one, with all MIG instances; only
    those of a cluster, or of none with LOCAL."""
    table = tables.nodes
    statement = sa.select(table).where(table.c.name > after).order_by(table.c.name).limit(limit)
    if cluster is not None:
        anywhere = table.c.engine.startswith(engine_of(""), autoescape=True)
        statement = statement.where(table.c.engine == engine_of(cluster) if cluster else ~anywhere)
    rows = list(tx.execute(statement).mappings())
    return _nodes(tx, rows, _devices_of(tx, [row["name"] for row in rows]))


def node_fetch(tx: Transaction, name: str) -> Node:
    """With all MIG instances. Raises NotFoundError."""
    rows = list(tx.execute(sa.select(tables.nodes).where(tables.nodes.c.name == name)).mappings())
    if not rows:
        raise NotFoundError(f"There is no node {name}.")
    return _nodes(tx, rows, _devices_of(tx, [name]))[0]


def node_fetch_many(tx: Transaction, names: Collection[str]) -> dict[str, Node]:
    """Those of `names` that exist, with their devices in index order, by name."""
    rows: list[Row] = []
    for chunk in chunks(names):
        chosen = sa.select(tables.nodes).where(tables.nodes.c.name.in_(chunk))
        rows += tx.execute(chosen).mappings()
    found = _nodes(tx, rows, _devices_of(tx, [row["name"] for row in rows]))
    return {node.name: node for node in found}


def node_count(tx: Transaction) -> int:
    return tx.scalar(sa.select(sa.func.count()).select_from(tables.nodes)) or 0


def gpus_virtual(tx: Transaction) -> bool:
    """Whether some GPUs here are virtual."""
    return bool(tx.scalar(sa.select(sa.exists().where(tables.devices.c.virtual.is_(True)))))


def node_marks(tx: Transaction) -> tuple[object, ...]:
    """What differs when a node, its state, its pool, its devices' health or how they are cut
    changed."""
    table, device = tables.nodes, tables.devices
    states = tx.execute(sa.select(table.c.name, table.c.state).order_by(table.c.name)).all()
    sums = tx.execute(
        sa.select(sa.func.sum(table.c.cpu_milli), sa.func.sum(table.c.memory_bytes))
    ).one()
    unhealthy = tx.scalars(
        sa.select(device.c.id).where(device.c.healthy.is_(False)).order_by(device.c.id)
    ).all()
    count = tx.scalar(sa.select(sa.func.count()).select_from(device))
    pinned = tx.scalars(sa.select(device.c.id).where(device.c.pinned).order_by(device.c.id)).all()
    instance = tables.mig_instances
    instances = tx.execute(
        sa.select(
            instance.c.profile, instance.c.busy, sa.func.count(), sa.func.sum(instance.c.start)
        )
        .group_by(instance.c.profile, instance.c.busy)
        .order_by(instance.c.profile, instance.c.busy)
    ).all()
    sights = tuple(map(tuple, states)), tuple(map(str, sums)), tuple(unhealthy), count
    slices = tuple(pinned), tuple(tuple(map(str, row)) for row in instances)
    return *sights, *slices, pool_list(tx)


def device_by_id(tx: Transaction) -> dict[str, Device]:
    """Every device, without its MIG instances."""
    rows = tx.execute(sa.select(tables.devices)).mappings()
    return {row["id"]: _device(row) for row in rows}


def engine_by_node(tx: Transaction) -> dict[str, str]:
    """Which engine runs each node."""
    rows = tx.execute(sa.select(tables.nodes.c.name, tables.nodes.c.engine))
    return {row.name: row.engine for row in rows}


def _devices_of(
    tx: Transaction, names: Collection[str] | None, *, bound: bool = False
) -> dict[str, list[Device]]:
    """In index order, by node; of every node, or of those. With all MIG instances, or with those
    that are `bound`."""
    table = tables.devices
    statement = sa.select(table).order_by(table.c.node, table.c.index, table.c.id)
    devices: dict[str, list[Device]] = {}
    for chunk in [None] if names is None else chunks(names):
        chosen = statement if chunk is None else statement.where(table.c.node.in_(chunk))
        instances = _by_device(bound_instances(tx) if bound else _instance_rows(tx, chunk))
        for row in tx.execute(chosen).mappings():
            device = _device(row, instances.get(row["id"], ()))
            devices.setdefault(row["node"], []).append(device)
    return devices


def _instance_rows(tx: Transaction, nodes: Collection[str] | None) -> Sequence[sa.Row[Any]]:
    """Of all nodes, or of those; by device, in the order of their starts."""
    table, device = tables.mig_instances, tables.devices
    statement = sa.select(table).order_by(table.c.device_id, table.c.start)
    if nodes is not None:
        mine = sa.select(device.c.id).where(device.c.node.in_(nodes))
        statement = statement.where(table.c.device_id.in_(mine))
    return tx.execute(statement).all()


def _by_device(rows: Sequence[sa.Row[Any]]) -> dict[str, tuple[MigInstance, ...]]:
    found: dict[str, list[MigInstance]] = {}
    for row in rows:
        instance = MigInstance(row.profile, row.start, row.uuid, row.busy)
        found.setdefault(row.device_id, []).append(instance)
    return {key: tuple(instances) for key, instances in found.items()}


def _nodes(
    tx: Transaction, rows: Sequence[Row], devices: dict[str, list[Device]]
) -> tuple[Node, ...]:
    pools = pool_list(tx) if rows else ()
    return tuple(_node(row, tuple(devices.get(row["name"], ())), pools) for row in rows)


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
        "nvlink": node.nvlink,
        "seen_at_ms": now_ms,
        "lost_at_ms": None,
    }


def _takes_nothing(state: str) -> str:
    """While what was given up there may still run, and so use what others would be placed on."""
    return NodeState.CORDONED.value if state == NodeState.READY else state


def _devices_replace(tx: Transaction, node: Node, standing: Iterable[Device]) -> bool:
    """Whether anything changed that scheduling depends on. Pins are the operator's and stay; an
    engine pins what it cannot cut as work asks."""
    table = tables.devices
    before = {device.id: device for device in standing}
    after = {
        device.id: replace(
            device,
            pinned=device.pinned or (device.id in before and before[device.id].pinned),
        )
        for device in node.devices
    }
    if before == after:
        return False
    if gone := sorted(set(before) - set(after)):  # unless another node told of them just now
        tx.execute(sa.delete(table).where(table.c.id.in_(gone), table.c.node == node.name))
    if come := sorted(set(after) - set(before)):  # that another node had: a machine got a new name
        tx.execute(sa.delete(table).where(table.c.id.in_(come)))
    for device in after.values():
        known = before.get(device.id)
        if known == device:
            continue
        values = _device_values(device)
        if known is None:
            tx.execute(sa.insert(table).values(id=device.id, **values))
        elif replace(known, instances=device.instances) != device:
            tx.execute(sa.update(table).where(table.c.id == device.id).values(values))
        if known is None or known.instances != device.instances:
            _instances_replace(tx, device)
    return _bound(before) != _bound(after)


def _instances_replace(tx: Transaction, device: Device) -> None:
    table = tables.mig_instances
    tx.execute(sa.delete(table).where(table.c.device_id == device.id))
    rows = [
        {
            "device_id": device.id,
            "start": instance.start,
            "profile": instance.profile,
            "uuid": instance.uuid,
            "busy": instance.busy,
        }
        for instance in device.instances
    ]
    if rows:
        tx.execute(sa.insert(table), rows)


def _bound(devices: Mapping[str, Device]) -> dict[str, Device]:
    """The same with those MIG instances only that bind the scheduler."""
    return {
        key: replace(
            device, instances=tuple(each for each in device.instances if device.pinned or each.busy)
        )
        for key, device in devices.items()
    }


def _device_values(device: Device) -> dict[str, Any]:
    return {name: getattr(device, name) for name in _DEVICE_FIELDS}


def _device(row: Row, instances: tuple[MigInstance, ...] = ()) -> Device:
    return Device(id=row["id"], instances=instances, **{name: row[name] for name in _DEVICE_FIELDS})


def _node(row: Row, devices: tuple[Device, ...], pools: Sequence[Pool]) -> Node:
    labels = pairs_from_text(row["labels"])
    return Node(
        name=row["name"],
        engine=row["engine"],
        state=NodeState(row["state"]),
        address=row["address"],
        cpu_milli=row["cpu_milli"],
        memory_bytes=row["memory_bytes"],
        labels=labels,
        rack=row["rack"],
        block=row["block"],
        nvlink=row["nvlink"],
        pool=pool_of(labels, pools),
        seen_at_ms=row["seen_at_ms"],
        lost_at_ms=row["lost_at_ms"],
        devices=devices,
    )
