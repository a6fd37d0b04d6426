"""What must hold in the store after every transaction, counted again from the rows themselves."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

import sqlalchemy as sa

from podium.domain.event import NOTED
from podium.domain.lifecycle import (
    REPLICA_HOLDS,
    REPLICA_TRANSITIONS,
    WORKLOAD_ENDS,
    WORKLOAD_TRANSITIONS,
    ReplicaEvent,
    ReplicaState,
    WorkloadEvent,
    WorkloadState,
)
from podium.domain.node import Device
from podium.domain.quantity import GPU_MILLI
from podium.store import tables
from podium.store.codec import Row
from podium.store.database import Transaction
from podium.store.nodes import node_list

# Moves of replicas that `replicas_move` makes in bulk and that the workload's own event tells of.
_UNTOLD = (ReplicaEvent.STOP_REQUESTED, ReplicaEvent.REQUEUED, ReplicaEvent.CANCELLED)


class Laws:
    """Keeps the versions seen last, so that it notices one that does not grow."""

    def __init__(self) -> None:
        self._versions: dict[str, tuple[int, tuple[object, ...]]] = {}

    def check(self, tx: Transaction) -> None:
        """Raises AssertionError that names the law and the rows."""
        workloads = {row["id"]: row for row in _all(tx, tables.workloads, "id")}
        replicas: dict[str, list[Row]] = defaultdict(list)
        for row in _all(tx, tables.replicas, "workload_id", "rank"):
            replicas[row["workload_id"]].append(row)
        allocations = _all(tx, tables.allocations, "id")
        events: dict[str, list[Row]] = defaultdict(list)
        for row in _all(tx, tables.events, "seq"):
            events[row["workload_id"]].append(row)
        capacity_holds(tx, allocations)
        holding_and_held_agree(replicas, allocations)
        billed_once(tx, allocations)
        for key, workload in workloads.items():
            states_agree(workload, replicas[key])
            workload_story_is_legal(workload, [e for e in events[key] if e["rank"] is None])
            for replica in replicas[key]:
                told = [e for e in events[key] if e["rank"] == replica["rank"]]
                if workload["replicas_max"] > 1:
                    replica_story_is_legal(key, replica, told)
        dependents_waited(tx, workloads, events)
        self._versions_grow(workloads.values())

    def _versions_grow(self, workloads: Iterable[Row]) -> None:
        for row in workloads:
            shown = tuple(value for name, value in sorted(row.items()) if name in _SHOWN)
            before = self._versions.get(row["id"])
            if before is not None and before[1] != shown:
                assert row["version"] > before[0], f"{row['id']} changed without a new version"
            self._versions[row["id"]] = (row["version"], shown)


_SHOWN = {
    "state", "cause", "message", "attempt", "refusal_reason", "refusal_message",
    "priority", "max_runtime_seconds", "deadline_ms",
}  # fmt: skip


def _all(tx: Transaction, table: sa.Table, *order: str) -> list[Row]:
    return list(
        tx.execute(sa.select(table).order_by(*(table.c[name] for name in order))).mappings()
    )


def capacity_holds(tx: Transaction, allocations: list[Row]) -> None:
    """No node, and no device of it, is given away twice, whatever the state of the node."""
    nodes = {node.name: node for node in node_list(tx)}
    devices: dict[str, Device] = {each.id: each for node in nodes.values() for each in node.devices}
    open_rows = {row["id"]: row for row in allocations if row["released_at_ms"] is None}
    cpu: Counter[str] = Counter()
    memory: Counter[str] = Counter()
    for row in open_rows.values():
        cpu[row["node"]] += row["cpu_milli"]
        memory[row["node"]] += row["memory_bytes"]
    for name, node in nodes.items():
        assert cpu[name] <= node.cpu_milli, f"{name}: CPU given away twice"
        assert memory[name] <= node.memory_bytes, f"{name}: memory given away twice"
    milli: Counter[str] = Counter()
    size: Counter[str] = Counter()
    granted: Counter[str] = Counter()
    for part in _all(tx, tables.allocation_devices, "allocation_id", "device_id"):
        granted[part["allocation_id"]] += part["gpu_milli"]
        if part["allocation_id"] in open_rows:
            milli[part["device_id"]] += part["gpu_milli"]
            size[part["device_id"]] += part["memory_bytes"]
            assert devices[part["device_id"]].node == open_rows[part["allocation_id"]]["node"]
    for device_id in milli:
        assert milli[device_id] <= GPU_MILLI, f"{device_id} is given away twice"
        assert size[device_id] <= devices[device_id].memory_bytes, f"{device_id}: its memory"
    for row in allocations:
        assert granted[row["id"]] == row["gpu_milli"], f"{row['id']}: sum of its devices"


def holding_and_held_agree(replicas: dict[str, list[Row]], allocations: list[Row]) -> None:
    holding = {
        (row["workload_id"], row["rank"], row["attempt"], row["state"])
        for rows in replicas.values()
        for row in rows
        if row["state"] in REPLICA_HOLDS
    }
    held = [
        (row["workload_id"], row["rank"], row["attempt"], row["state"])
        for row in allocations
        if row["released_at_ms"] is None
    ]
    assert len(set(held)) == len(held)
    assert holding == set(held), "open allocations and holding replicas"
    for row in allocations:
        ended = row["released_at_ms"] is not None
        assert ended == (row["state"] in ("succeeded", "failed", "cancelled")), dict(row)
        # A replica that is stopped for itself keeps why.
        alone = row["state"] == ReplicaState.STOPPING and row["cause"] is not None
        assert (ended or alone) == (row["cause"] is not None), dict(row)


def billed_once(tx: Transaction, allocations: list[Row]) -> None:
    lines = _all(tx, tables.bill_lines, "allocation_id", "gpu_type", "day_ms", "rate_ms")
    bills: Counter[str] = Counter()
    for row in lines:
        bills[row["allocation_id"]] += row["gpu_milli_ms"]
    released = {row["id"] for row in allocations if row["released_at_ms"] is not None}
    held = {row["id"] for row in allocations if row["released_at_ms"] is None}
    assert set(bills) >= released, "what is released has its bill; bills may outlive it"
    assert not set(bills) & held, "nothing is billed while it is held"
    for row in allocations:
        if row["id"] in released:
            assert bills[row["id"]] == row["gpu_milli"] * row["runtime_ms"], "to the millisecond"
    summed = sum(row["gpu_milli_ms"] for row in _all(tx, tables.usage_days, "day_ms"))
    assert summed == bills.total(), "days are the sums of the bills"


def states_agree(workload: Row, replicas: list[Row]) -> None:
    state = WorkloadState(workload["state"])
    counts = Counter(ReplicaState(row["state"]) for row in replicas)
    holding = sum(counts[each] for each in REPLICA_HOLDS)
    told = f"{workload['id']} {state}: {dict(counts)}"
    assert len(replicas) == workload["replicas_max"], told
    assert (workload["ended_at_ms"] is not None) == (state in WORKLOAD_ENDS), told
    if state in WORKLOAD_ENDS:
        assert not holding, told
        assert not counts[ReplicaState.WAITING], told
        assert workload["cause"], told
    elif state is WorkloadState.QUEUED:
        assert not holding, told
        assert counts[ReplicaState.WAITING], told
    elif workload["is_array"] and state is not WorkloadState.STOPPING:
        assert holding or counts[ReplicaState.WAITING], told
    else:
        assert holding, told
    if state is WorkloadState.STOPPING:
        assert holding == counts[ReplicaState.STOPPING], told
    if state is WorkloadState.SUCCEEDED:
        assert not counts[ReplicaState.FAILED], told
        assert counts[ReplicaState.SUCCEEDED], told
    if state is WorkloadState.RUNNING:
        assert workload["started_at_ms"] is not None, told
    if state is not WorkloadState.QUEUED:
        in_parts = workload["is_array"] or workload["recovery"] == "replace"
        assert workload["refusal_reason"] is None or in_parts, told


def workload_story_is_legal(workload: Row, told: list[Row]) -> None:
    """Each event leads from the state before it to the state it names, by the tables."""
    assert told, "a workload has a history"
    assert (told[0]["kind"], told[0]["state"]) == (WorkloadEvent.QUEUED, WorkloadState.QUEUED)
    state = WorkloadState.QUEUED
    at_ms = 0
    for event in told[1:]:
        if event["kind"] == NOTED:
            assert event["state"] == state, f"{workload['id']}: a note moves nothing"
            continue
        after = WORKLOAD_TRANSITIONS.get((state, WorkloadEvent(event["kind"])))
        assert after is not None, f"{workload['id']}: {event['kind']} while {state}"
        assert after == event["state"], dict(event)
        assert event["at_ms"] >= at_ms
        assert event["cause"], dict(event)
        state, at_ms = after, event["at_ms"]
    assert state == workload["state"], f"{workload['id']}: its last event says {state}"


def replica_story_is_legal(workload_id: str, replica: Row, told: list[Row]) -> None:
    """As for workloads, with moves between that are told of the workload as a whole."""
    possible = _with_untold({ReplicaState.WAITING})
    for event in told:
        kind = ReplicaEvent(event["kind"])
        after = {
            REPLICA_TRANSITIONS[state, kind]
            for state in possible
            if (state, kind) in REPLICA_TRANSITIONS
        }
        where = f"{workload_id} rank {replica['rank']}"
        assert ReplicaState(event["state"]) in after, f"{where}: {kind} while {possible}"
        possible = _with_untold({ReplicaState(event["state"])})
    assert ReplicaState(replica["state"]) in possible, dict(replica)


def _with_untold(states: set[ReplicaState]) -> set[ReplicaState]:
    found = set(states)
    while True:
        more = {
            REPLICA_TRANSITIONS[state, kind]
            for state in found
            for kind in _UNTOLD
            # The end of what was held is always told; a waiting replica is given up in bulk.
            if (state, kind) in REPLICA_TRANSITIONS
            and (kind is not ReplicaEvent.CANCELLED or state is ReplicaState.WAITING)
        }
        if more <= found:
            return found
        found |= more


def dependents_waited(
    tx: Transaction, workloads: dict[str, Row], events: dict[str, list[Row]]
) -> None:
    """Nothing was placed before all that it depends on had succeeded, and the count is right."""
    needs: dict[str, list[str]] = defaultdict(list)
    for row in _all(tx, tables.dependencies, "workload_id", "needs_id"):
        needs[row["workload_id"]].append(row["needs_id"])
    for key, wanted in needs.items():
        open_count = sum(workloads[each]["state"] != WorkloadState.SUCCEEDED for each in wanted)
        if workloads[key]["state"] == WorkloadState.QUEUED:
            assert workloads[key]["dependencies_open"] == open_count, key
            ended = [workloads[each]["state"] for each in wanted]
            assert "failed" not in ended, f"{key} waits for what has failed"
            assert "cancelled" not in ended, f"{key} waits for what was cancelled"
        placed = [e["seq"] for e in events[key] if e["kind"] == WorkloadEvent.SCHEDULED]
        if placed:
            for each in wanted:
                done = [e["seq"] for e in events[each] if e["kind"] == WorkloadEvent.SUCCEEDED]
                assert done, f"{key} was placed before {each} succeeded"
                assert done[0] < placed[0], f"{key} was placed before {each} succeeded"
