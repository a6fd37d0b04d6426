"""Clusters as administrators set them, with their sealed kubeconfigs, and what is known of their
nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from podium.domain.cluster import Cluster, cluster_of, engine_of
from podium.domain.errors import ConflictError, NotFoundError
from podium.domain.node import NodeState
from podium.domain.quantity import GPU_MILLI
from podium.store import sealed_values, tables
from podium.store.chunks import chunks
from podium.store.codec import Row, pairs_from_text, pairs_to_text
from podium.store.database import Transaction
from podium.store.device_spans import spans_update
from podium.store.lost_nodes import node_release
from podium.store.sealing import Sealer

_KUBECONFIG = "cluster/"
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterStock:
    """What the store knows of a cluster's nodes: GPUs in whole devices, `seen_at_ms` the newest
    report of any."""

    nodes: int = 0
    nodes_ready: int = 0
    gpus: int = 0
    gpu_milli_used: int = 0
    seen_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedCluster:
    """A cluster with its kubeconfig, still sealed; None where it needs none."""

    cluster: Cluster
    kubeconfig: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What went with a cluster."""

    nodes: int
    replicas: int = 0
    workloads: int = 0


def secret_name(name: str) -> str:
    """Of a cluster's kubeconfig, among the sealed values."""
    return f"{_KUBECONFIG}{name}"


def cluster_list(tx: Transaction) -> list[Cluster]:
    """By name; there are few."""
    table = tables.clusters
    rows = tx.execute(sa.select(table).order_by(table.c.name)).mappings()
    return [_cluster(row) for row in rows]


def cluster_list_sealed(tx: Transaction) -> list[SealedCluster]:
    """By name, with their kubeconfigs."""
    table, value = tables.clusters, tables.sealed_values
    mine = value.c.name == sa.literal(_KUBECONFIG) + table.c.name
    statement = sa.select(table, value.c.sealed).outerjoin(value, mine).order_by(table.c.name)
    return [
        SealedCluster(cluster=_cluster(row), kubeconfig=row["sealed"])
        for row in tx.execute(statement).mappings()
    ]


def cluster_find(tx: Transaction, name: str) -> Cluster | None:
    table = tables.clusters
    row = tx.execute(sa.select(table).where(table.c.name == name)).mappings().first()
    return None if row is None else _cluster(row)


def cluster_fetch(tx: Transaction, name: str) -> Cluster:
    """Raises NotFoundError."""
    found = cluster_find(tx, name)
    if found is None:
        raise NotFoundError(f"There is no cluster {name}.")
    return found


def cluster_put(
    tx: Transaction, cluster: Cluster, kubeconfig: str | None, sealer: Sealer, now_ms: int
) -> None:
    """Make it, or put it in the place of the one of that name. A kubeconfig of None stays as it is;
    of one that is inside its cluster there is none. Raises KeysError when it cannot be sealed."""
    table = tables.clusters
    values = {
        "region": cluster.region,
        "labels": pairs_to_text(cluster.labels),
        "image": cluster.image,
        "context": cluster.context,
        "server": cluster.server,
        "in_cluster": cluster.in_cluster,
        "groups_prefix": cluster.groups_prefix,
        "updated_at_ms": cluster.updated_at_ms,
    }
    same = table.c.name == cluster.name
    if tx.execute(sa.update(table).where(same).values(values)).rowcount == 0:
        made = {"added_at_ms": cluster.added_at_ms, "added_by": cluster.added_by}
        tx.execute(sa.insert(table).values(name=cluster.name, **made, **values))
    if cluster.in_cluster:
        sealed_values.value_remove(tx, secret_name(cluster.name))
    elif kubeconfig is not None:
        sealed_values.value_set(tx, secret_name(cluster.name), kubeconfig, sealer, now_ms)


def kubeconfig_find(tx: Transaction, name: str) -> bytes | None:
    """Still sealed."""
    return sealed_values.value_find(tx, secret_name(name))


def kubeconfig_opened(sealed: bytes, name: str, sealer: Sealer) -> str:
    """Raises KeysError."""
    return sealed_values.value_opened(sealed, secret_name(name), sealer)


def engine_wanted(tx: Transaction, engine: str) -> bool:
    """Whether what an engine reports is to be written: not that of a cluster that was removed. Who
    removes one waits until the transaction is over."""
    name = cluster_of(engine)
    if not name:
        return True
    table = tables.clusters
    held = sa.select(table.c.name).where(table.c.name == name).with_for_update(read=True)
    return tx.scalar(held) is not None


def cluster_stocks(tx: Transaction) -> dict[str, ClusterStock]:
    """By cluster, of those that have nodes."""
    node, device = tables.nodes, tables.devices
    held, part = tables.allocations, tables.allocation_devices
    ready = sa.case((node.c.state == NodeState.READY.value, 1), else_=0)
    counts = tx.execute(
        sa.select(
            node.c.engine,
            sa.func.count(),
            sa.func.sum(ready),
            sa.func.max(node.c.seen_at_ms),
        ).group_by(node.c.engine)
    )
    gpus = {
        engine: int(count)
        for engine, count in tx.execute(
            sa.select(node.c.engine, sa.func.count())
            .join(device, device.c.node == node.c.name)
            .group_by(node.c.engine)
        )
    }
    used = {
        engine: int(milli)
        for engine, milli in tx.execute(
            sa.select(node.c.engine, sa.func.sum(part.c.gpu_milli))
            .join(held, held.c.node == node.c.name)
            .join(part, part.c.allocation_id == held.c.id)
            .where(held.c.released_at_ms.is_(None))
            .group_by(node.c.engine)
        )
    }
    return {
        name: ClusterStock(
            nodes=count,
            nodes_ready=int(ready_count),
            gpus=gpus.get(engine, 0),
            gpu_milli_used=min(used.get(engine, 0), gpus.get(engine, 0) * GPU_MILLI),
            seen_at_ms=seen_at_ms,
        )
        for engine, count, ready_count, seen_at_ms in counts
        if (name := cluster_of(engine))
    }


def node_names(tx: Transaction, engine: str) -> tuple[str, ...]:
    """Every node that an engine ever reported and that is not forgotten, in name order."""
    table = tables.nodes
    mine = sa.select(table.c.name).where(table.c.engine == engine).order_by(table.c.name)
    return tuple(tx.scalars(mine))


def cluster_delete(
    tx: Transaction, name: str, now_ms: int, *, force: bool, actor: str
) -> Forgotten:
    """With its kubeconfig and its nodes. Raises NotFoundError, and ConflictError while something
    holds its nodes, unless that is given up by `force`."""
    table, node = tables.clusters, tables.nodes
    # What loops decide is written before this or after it: none places work on a node that goes.
    tx.execute(sa.select(tables.leases.c.name).order_by(tables.leases.c.name).with_for_update())
    row = tx.execute(sa.select(table.c.name).where(table.c.name == name).with_for_update()).first()
    if row is None:
        raise NotFoundError(f"There is no cluster {name}.")
    names = node_names(tx, engine_of(name))
    holding = _holding(tx, names)
    if holding and not force:
        raise ConflictError(_held_words(name, holding))
    replicas = workloads = 0
    for each in holding:
        lost = {"state": NodeState.LOST.value, "lost_at_ms": now_ms}
        tx.execute(sa.update(node).where(node.c.name == each).values(lost))
        more = True
        while more:
            part = node_release(tx, each, now_ms, actor=actor)
            replicas, workloads, more = (
                replicas + part.replicas,
                workloads + len(part.workloads),
                part.more,
            )
    _nodes_forget(tx, names, now_ms)
    sealed_values.value_remove(tx, secret_name(name))
    tx.execute(sa.delete(table).where(table.c.name == name))
    return Forgotten(nodes=len(names), replicas=replicas, workloads=workloads)


def _holding(tx: Transaction, names: Sequence[str]) -> dict[str, int]:
    """How many replicas hold something of each node; without zeros, in name order."""
    held = tables.allocations
    found: dict[str, int] = {}
    for chunk in chunks(names):
        rows = tx.execute(
            sa.select(held.c.node, sa.func.count())
            .where(held.c.released_at_ms.is_(None), held.c.node.in_(chunk))
            .group_by(held.c.node)
            .order_by(held.c.node)
        )
        found.update((node, count) for node, count in rows)
    return found


def _held_words(name: str, holding: dict[str, int]) -> str:
    count = sum(holding.values())
    shown = ", ".join(list(holding)[:_SHOWN])
    others = f" and {len(holding) - _SHOWN} more" if len(holding) > _SHOWN else ""
    replicas = "1 replica is" if count == 1 else f"{count:,} replicas are"
    return (
        f"{replicas} still placed in cluster {name}, on {shown}{others}. Cordon its nodes and "
        "wait, cancel that work, or remove the cluster with force: its work is then given up, "
        "goes on elsewhere, and what runs there now is stopped by nobody."
    )


def _nodes_forget(tx: Transaction, names: Sequence[str], now_ms: int) -> None:
    for chunk in chunks(names):
        held = tables.allocations
        # Nobody is left who could remove their logs, and history must not wait for that.
        tx.execute(sa.update(held).where(held.c.node.in_(chunk)).values(removed=True))
        for table in (tables.mig_layouts, tables.mig_modes):
            tx.execute(sa.delete(table).where(table.c.node.in_(chunk)))
        tx.execute(sa.delete(tables.nodes).where(tables.nodes.c.name.in_(chunk)))
    spans_update(tx, now_ms)


def _cluster(row: Row) -> Cluster:
    return Cluster(
        name=row["name"],
        region=row["region"],
        labels=pairs_from_text(row["labels"]),
        image=row["image"],
        context=row["context"],
        server=row["server"],
        in_cluster=bool(row["in_cluster"]),
        groups_prefix=row["groups_prefix"],
        added_at_ms=row["added_at_ms"],
        added_by=row["added_by"],
        updated_at_ms=row["updated_at_ms"],
    )
