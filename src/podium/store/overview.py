"""What the overview counts: GPUs, nodes, workloads by state, what failed and what ends soon.

All of it is sums that indexes answer; `api/board.py` puts them together. The cluster is the same
for every reader, workloads are those of the reader's scope.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.lifecycle import WorkloadState
from podium.domain.node import NodeState
from podium.domain.tenancy import Scope
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.database import Transaction
from podium.store.queue import in_state
from podium.store.samples import DeviceLoad, device_latest
from podium.store.scoping import within_project

Key = tuple[str, bool]
"""A type of GPU, and whether such devices are virtual."""

_HALF_MILLI = 500
_IDLE_PERCENT = 5
_TIME_MS_MAX = 253_402_300_799_000  # the end of the year 9999, the last that documents can say
_RUNTIME_SECONDS_MAX = 10**12


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuTypeLoad:
    """All devices of one type. `busy_milli` is None where none of them is measured."""

    type: str
    virtual: bool
    devices: int
    unhealthy: int
    held_milli: int
    busy_milli: int | None
    idle_devices: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeHealth:
    ready: int
    cordoned: int
    lost: int
    unhealthy_devices: int


@dataclass(frozen=True, slots=True)
class Finishing:
    """A workload and the time at which it ends at the latest."""

    workload_id: str
    by_ms: int


def gpu_type_loads(tx: Transaction, now_ms: int) -> list[GpuTypeLoad]:
    """Every type of GPU, virtual ones apart, in the order of names."""
    on_node = _devices_by_node(tx)
    devices: Counter[Key] = Counter()
    unhealthy: Counter[Key] = Counter()
    for counts in on_node.values():
        for key, (count, bad) in counts.items():
            devices[key] += count
            unhealthy[key] += bad
    held = _held_by_type(tx, on_node)
    busy, idle = _measured_by_type(tx, device_latest(tx, now_ms))
    return [
        GpuTypeLoad(
            type=key[0],
            virtual=key[1],
            devices=devices[key],
            unhealthy=unhealthy[key],
            held_milli=held[key],
            busy_milli=busy.get(key),
            idle_devices=idle[key],
        )
        for key in sorted(devices)
    ]


def node_health(tx: Transaction) -> NodeHealth:
    node, device = tables.nodes, tables.devices
    states: dict[str, int] = {
        row[0]: row[1]
        for row in tx.execute(sa.select(node.c.state, sa.func.count()).group_by(node.c.state))
    }
    unhealthy = tx.scalar(sa.select(sa.func.count()).select_from(device).where(_takes_none()))
    return NodeHealth(
        ready=states.get(NodeState.READY, 0),
        cordoned=states.get(NodeState.CORDONED, 0),
        lost=states.get(NodeState.LOST, 0),
        unhealthy_devices=unhealthy or 0,
    )


def workload_counts(
    tx: Transaction, scope: Scope, project: str | None = None
) -> dict[WorkloadState, int]:
    """How many workloads are in each state; states without any are left out."""
    table = tables.workloads
    counts: Counter[WorkloadState] = Counter()
    # By project too: that is the order of the index, so nothing is sorted.
    rows = tx.execute(
        sa.select(table.c.project, table.c.state, sa.func.count())
        .where(within_project(scope, project, table.c.project))
        .group_by(table.c.project, table.c.state)
    )
    for _, state, count in rows:
        counts[WorkloadState(state)] += count
    return {state: counts[state] for state in WorkloadState if counts[state]}


def failed_since(
    tx: Transaction, scope: Scope, project: str | None, since_ms: int, *, latest: int
) -> tuple[int, list[str]]:
    """How many workloads failed since then, and the ids of the `latest` ones, newest first."""
    table = tables.workloads
    chosen = (table.c.ended_at_ms >= since_ms) & within_project(scope, project, table.c.project)
    count = tx.scalar(in_state("failed", sa.func.count()).where(chosen))
    ids = tx.scalars(
        in_state("failed", table.c.id)
        .where(chosen)
        .order_by(table.c.ended_at_ms.desc(), table.c.id.desc())
        .limit(latest)
    )
    return count or 0, list(ids)


def finishing_soonest(
    tx: Transaction, scope: Scope, project: str | None, *, limit: int
) -> list[Finishing]:
    """Running workloads whose time is limited, soonest first. The `max_runtime` of an array is
    that of each task, so only a deadline ends the whole of it."""
    table = tables.workloads
    # Work that was queued again began after that; when exactly is looked up below.
    begun = sa.case(
        (table.c.queued_at_ms > table.c.started_at_ms, table.c.queued_at_ms),
        else_=table.c.started_at_ms,
    )
    limited = table.c.is_array.is_(False) & (table.c.max_runtime_seconds < _RUNTIME_SECONDS_MAX)
    runs_out = sa.case((limited, begun + table.c.max_runtime_seconds * 1000))
    by = sa.case(
        (runs_out.is_(None), table.c.deadline_ms),
        (table.c.deadline_ms < runs_out, table.c.deadline_ms),
        else_=runs_out,
    )
    rows = tx.execute(
        in_state("running", table.c.id, begun, runs_out, table.c.deadline_ms)
        .where(within_project(scope, project, table.c.project), by <= _TIME_MS_MAX)
        .order_by(by, table.c.id)
        .limit(limit)
    ).all()
    begun_ms = _begun(tx, [row[0] for row in rows])
    found = []
    for workload_id, guess_ms, out_ms, deadline_ms in rows:
        late_ms = max(0, begun_ms.get(workload_id, guess_ms) - guess_ms)
        ends = [deadline_ms, None if out_ms is None else out_ms + late_ms]
        found.append(Finishing(workload_id, min(int(each) for each in ends if each is not None)))
    return sorted(found, key=lambda each: (each.by_ms, each.workload_id))


def _begun(tx: Transaction, ids: list[str]) -> dict[str, int]:
    """When the first process of each one's attempt began."""
    held, table = tables.allocations, tables.workloads
    rows = tx.execute(
        sa.select(held.c.workload_id, sa.func.min(held.c.started_at_ms))
        .join(table, (table.c.id == held.c.workload_id) & (table.c.attempt == held.c.attempt))
        .where(held.c.workload_id.in_(ids), held.c.started_at_ms.is_not(None))
        .group_by(held.c.workload_id)
    )
    return {row[0]: int(row[1]) for row in rows}


def _takes_none() -> sa.ColumnElement[bool]:
    """True for a device that takes no work: it is unhealthy, or its node is lost."""
    node, device = tables.nodes, tables.devices
    lost = sa.select(node.c.name).where(node.c.state == NodeState.LOST.value)
    return device.c.healthy.is_(False) | device.c.node.in_(lost)


def _devices_by_node(tx: Transaction) -> dict[str, dict[Key, tuple[int, int]]]:
    """How many devices of each type a node has, and how many of them take no work."""
    device = tables.devices
    key = (device.c.node, device.c.type, device.c.virtual)
    rows = tx.execute(
        sa.select(*key, sa.func.count(), sa.func.count(sa.case((_takes_none(), 1)))).group_by(*key)
    )
    found: dict[str, dict[Key, tuple[int, int]]] = {}
    for node, kind, virtual, count, bad in rows:
        found.setdefault(node, {})[kind, virtual] = (count, bad)
    return found


def _held_by_type(tx: Transaction, on_node: Mapping[str, Collection[Key]]) -> Counter[Key]:
    """Nearly every node has devices of one type, so what is held on it is held of that type. Only
    on the others each device is looked at."""
    held, part, device = tables.allocations, tables.allocation_devices, tables.devices
    found: Counter[Key] = Counter()
    rows = tx.execute(
        sa.select(held.c.node, sa.func.sum(held.c.gpu_milli))
        .where(held.c.released_at_ms.is_(None))
        .group_by(held.c.node)
    )
    mixed = []
    for node, milli in rows:
        keys = on_node.get(node, ())
        if len(keys) == 1:
            found.update(dict.fromkeys(keys, int(milli)))
        elif keys:
            mixed.append(node)
    for chunk in chunks(mixed):
        found.update(
            {
                (kind, virtual): int(milli)
                for kind, virtual, milli in tx.execute(
                    sa.select(device.c.type, device.c.virtual, sa.func.sum(part.c.gpu_milli))
                    .select_from(held)
                    .join(part, part.c.allocation_id == held.c.id)
                    .join(device, device.c.id == part.c.device_id)
                    .where(held.c.released_at_ms.is_(None), held.c.node.in_(chunk))
                    .group_by(device.c.type, device.c.virtual)
                )
            }
        )
    return found


def _measured_by_type(
    tx: Transaction, loads: dict[str, DeviceLoad]
) -> tuple[dict[Key, int], Counter[Key]]:
    """How busy the measured devices of each type are, and how many of them idle while held."""
    measured = {key: load.busy_milli for key, load in loads.items() if load.busy_milli is not None}
    busy: dict[Key, int] = {}
    idle: Counter[Key] = Counter()
    held, part, device = tables.allocations, tables.allocation_devices, tables.devices
    if not measured:
        return busy, idle
    holds: dict[str, int] = {
        row[0]: int(row[1])
        for row in tx.execute(
            sa.select(part.c.device_id, sa.func.sum(part.c.gpu_milli))
            .join(held, held.c.id == part.c.allocation_id)
            .where(held.c.released_at_ms.is_(None))
            .group_by(part.c.device_id)
        )
    }
    for chunk in chunks(measured):
        for row in tx.execute(
            sa.select(device.c.id, device.c.type, device.c.virtual).where(device.c.id.in_(chunk))
        ):
            key = (row.type, row.virtual)
            did, holding = measured[row.id], holds.get(row.id, 0)
            busy[key] = busy.get(key, 0) + did
            idle[key] += holding >= _HALF_MILLI and did * 100 < holding * _IDLE_PERCENT
    return busy, idle
