"""What was measured, written by `control/measure`: latest figures, and the capacity over time.

`store/curves` reads samples over time, and `store/thinning` merges old ones.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from podium.domain.lifecycle import WORKLOAD_ENDS, ReplicaState, WorkloadState
from podium.domain.node import NodeState
from podium.domain.quantity import GPU_MILLI
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.database import Transaction
from podium.store.groups import of_group
from podium.store.metering import busy_add

LATEST_MS = 60_000  # what was measured longer ago says nothing of now
_ROWS_MAX = 1000  # of one statement

_NOT_WAITING = (*sorted(WORKLOAD_ENDS), WorkloadState.STOPPING)

Values = Mapping[str, Any]
"""A row of a table of samples, without its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLoad:
    """What a device did when it was last measured; None where it cannot be measured.

    `busy_milli` is in thousandths of the device.
    """

    busy_milli: int | None
    memory_bytes: int | None
    power_milliwatts: int | None
    temperature_celsius: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The whole cluster's GPUs at one time, in thousandths of a device: those that take work,
    what is held, what is busy of those that take work, and what the queue asks for."""

    devices_milli: int
    held_milli: int
    busy_milli: int | None
    wanted_milli: int


def samples_insert(
    tx: Transaction,
    at_ms: int,
    *,
    nodes: Collection[str],
    allocations: Sequence[Values],
    devices: Sequence[Values],
) -> None:
    """Store one round of an engine whose machines are `nodes`. What was released or removed
    meanwhile is passed over, and so is what has a sample of this time."""
    held, device = tables.allocations, tables.devices
    names = sorted(nodes)
    if allocations:
        open_ids = set(
            tx.scalars(
                sa.select(held.c.id).where(held.c.released_at_ms.is_(None), held.c.node.in_(names))
            )
        )
        known = [each for each in allocations if each["allocation_id"] in open_ids]
        insert_new(tx, tables.allocation_samples, at_ms, known)
        busy_add(tx, known)
    if devices:
        device_ids = set(tx.scalars(sa.select(device.c.id).where(device.c.node.in_(names))))
        known = [each for each in devices if each["device_id"] in device_ids]
        insert_new(tx, tables.device_samples, at_ms, known)


def device_latest(
    tx: Transaction, now_ms: int, ids: Collection[str] | None = None
) -> dict[str, DeviceLoad]:
    """By device id, of devices (or those of `ids`) that were measured in the last minute."""
    found: dict[str, DeviceLoad] = {}
    for chunk in [None] if ids is None else chunks(ids):
        found.update(_device_latest(tx, now_ms, chunk))
    return found


def _device_latest(tx: Transaction, now_ms: int, ids: list[str] | None) -> dict[str, DeviceLoad]:
    table = tables.device_samples
    recent = table.c.at_ms >= now_ms - LATEST_MS
    if ids is not None:
        recent &= table.c.device_id.in_(ids)
    newest = (
        sa.select(table.c.device_id, sa.func.max(table.c.at_ms).label("at_ms"))
        .where(recent)
        .group_by(table.c.device_id)
        .subquery()
    )
    rows = tx.execute(
        sa.select(table).join(
            newest, (newest.c.device_id == table.c.device_id) & (newest.c.at_ms == table.c.at_ms)
        )
    )
    return {
        row.device_id: DeviceLoad(
            busy_milli=row.busy_milli,
            memory_bytes=row.memory_bytes,
            power_milliwatts=row.power_milliwatts,
            temperature_celsius=row.temperature_celsius,
        )
        for row in rows
    }


def capacity_now(tx: Transaction, now_ms: int) -> Capacity:
    device, node = tables.devices, tables.nodes
    held, part = tables.allocations, tables.allocation_devices
    healthy = {
        row.id: row.memory_bytes
        for row in tx.execute(
            sa.select(device.c.id, device.c.memory_bytes)
            .join(node, node.c.name == device.c.node)
            .where(device.c.healthy.is_(True), node.c.state == NodeState.READY.value)
        )
    }
    held_milli = tx.scalar(
        sa.select(sa.func.sum(part.c.gpu_milli))
        .join(held, held.c.id == part.c.allocation_id)
        .where(held.c.released_at_ms.is_(None))
    )
    loads = device_latest(tx, now_ms)
    busy = [
        load.busy_milli
        for key, load in loads.items()
        if key in healthy and load.busy_milli is not None
    ]
    return Capacity(
        devices_milli=len(healthy) * GPU_MILLI,
        held_milli=int(held_milli or 0),
        busy_milli=sum(busy) if busy else None,
        wanted_milli=_wanted_milli(tx, sum(healthy.values()) // max(1, len(healthy))),
    )


def capacity_insert(tx: Transaction, at_ms: int, span_ms: int, capacity: Capacity) -> None:
    values = {"span_ms": span_ms, **asdict(capacity)}
    insert_new(tx, tables.capacity_samples, at_ms, [values])


def _wanted_milli(tx: Transaction, device_bytes: int) -> int:
    """What waiting replicas ask for, those apart that wait for other work. A share by memory
    counts as its part of a device of average size."""
    table, replica, group = tables.workloads, tables.replicas, tables.replica_groups
    living = table.c.state.not_in([each.value for each in _NOT_WAITING]) & (
        table.c.dependencies_open == 0
    )
    waits = replica.c.state == ReplicaState.WAITING.value
    names = ("gpu_milli", "mig_count", "gpu_share_bytes")
    asked = [table.c[name] for name in names]
    alike = tx.execute(
        sa.select(*asked, sa.func.count().label("waiting"))
        .join(replica, replica.c.workload_id == table.c.id)
        .where(waits, living, table.c.group_count == 0)
        .group_by(*asked)
    )
    mine = sa.select(sa.func.count()).where(of_group(), waits).correlate(group).scalar_subquery()
    unlike = tx.execute(
        sa.select(*(group.c[name] for name in names), mine.label("waiting"))
        .join(table, table.c.id == group.c.workload_id)
        .where(living, table.c.group_count > sa.literal_column("0"))
    )
    return sum(
        row.waiting
        * (
            row.gpu_milli
            + row.mig_count * GPU_MILLI
            + (
                min(GPU_MILLI, row.gpu_share_bytes * GPU_MILLI // device_bytes)
                if device_bytes
                else 0
            )
        )
        for row in (*alike, *unlike)
    )


def insert_new(tx: Transaction, table: sa.Table, at_ms: int, values: Sequence[Values]) -> None:
    """Rows whose key is there stay as they are: a clock that was set back tells times twice.
    `store/fragmentation` inserts its samples with it, too."""
    insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).on_conflict_do_nothing()
    for start in range(0, len(values), _ROWS_MAX):
        rows = [{**each, "at_ms": at_ms} for each in values[start : start + _ROWS_MAX]]
        tx.execute(statement, rows)
