"""Workloads: insert, find, and what belongs to one (documents, replicas, dependencies)."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from podium.domain.errors import NotFoundError
from podium.domain.lifecycle import (
    ReplicaState,
    WorkloadEvent,
    WorkloadState,
)
from podium.domain.reason import Cause
from podium.domain.tenancy import Scope
from podium.domain.workload import Program, UploadSource, Wish, Workload
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.codec import (
    Row,
    pairs_to_text,
    program_from_text,
    program_to_text,
    request_to_columns,
    workload_from_row,
)
from podium.store.data_uses import data_uses_insert, uses_to_text
from podium.store.database import Transaction
from podium.store.groups import groups_fetch_many, groups_insert
from podium.store.lifecycle import event_insert
from podium.store.scoping import within, within_found
from podium.store.secrets import uses_insert


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWorkload:
    """A wish with its identity, ready to be stored."""

    id: str
    wish: Wish
    team: str
    owner: str
    needs: tuple[str, ...]
    needs_open: int
    submitted: dict[str, object]
    resolved: dict[str, object]


@dataclass(frozen=True, slots=True)
class Documents:
    """A workload's spec as it was sent and as it was understood."""

    submitted: dict[str, object]
    resolved: dict[str, object]


def workload_insert(tx: Transaction, new: Sequence[NewWorkload], now_ms: int) -> None:
    """Store new workloads, queued, with their replicas and first event."""
    tx.execute(sa.insert(tables.workloads), [columns_of(each, now_ms) for each in new])
    tx.execute(
        sa.insert(tables.documents),
        [
            {
                "workload_id": each.id,
                "program": program_to_text(each.wish.program),
                "submitted": json.dumps(each.submitted, separators=(",", ":")),
                "resolved": json.dumps(each.resolved, separators=(",", ":")),
            }
            for each in new
        ],
    )
    tx.execute(
        sa.insert(tables.replicas),
        [
            {
                "workload_id": each.id,
                "rank": rank,
                "state": ReplicaState.WAITING.value,
                "attempt": 1,
                "failures": 0,
            }
            for each in new
            for rank in range(each.wish.replicas.maximum)
        ],
    )
    groups_insert(tx, {each.id: each.wish.groups for each in new})
    labels = [
        {"workload_id": each.id, "key": key, "value": value, "project": each.wish.project}
        for each in new
        for key, value in each.wish.labels
    ]
    if labels:
        tx.execute(sa.insert(tables.workload_labels), labels)
    needs = [{"workload_id": each.id, "needs_id": need} for each in new for need in each.needs]
    if needs:
        tx.execute(sa.insert(tables.dependencies), needs)
    uses_insert(
        tx,
        {
            each.id: (each.wish.project, {use.name for use in each.wish.program.secrets})
            for each in new
        },
    )
    data_uses_insert(tx, {each.id: each.wish.program.data for each in new})
    event_insert(
        tx,
        [
            {
                "at_ms": now_ms,
                "project": each.wish.project,
                "workload_id": each.id,
                "rank": None,
                "kind": WorkloadEvent.QUEUED.value,
                "state": WorkloadState.QUEUED.value,
                "cause": Cause.SUBMITTED.value,
                "message": "",
                "actor": each.owner,
            }
            for each in new
        ],
    )


def workload_fetch(tx: Transaction, scope: Scope, workload_id: str) -> Workload:
    """One workload. Raises NotFoundError when there is none that this reader may see."""
    row = (
        tx.execute(
            sa.select(tables.workloads).where(
                tables.workloads.c.id == workload_id, within(scope, tables.workloads.c.project)
            )
        )
        .mappings()
        .first()
    )
    if row is None:
        raise NotFoundError(f"There is no workload {workload_id} that you can see.")
    return _workloads(tx, [row])[0]


def workload_find(tx: Transaction, scope: Scope, project: str, name: str) -> Workload:
    """The newest workload of that name. Raises NotFoundError."""
    row = (
        tx.execute(
            sa.select(tables.workloads)
            .where(
                tables.workloads.c.project == project,
                tables.workloads.c.name == name,
                within(scope, tables.workloads.c.project),
            )
            .order_by(tables.workloads.c.id.desc())
            .limit(1)
        )
        .mappings()
        .first()
    )
    if row is None:
        raise NotFoundError(f"Project {project} has no workload named {name} that you can see.")
    return _workloads(tx, [row])[0]


def workload_fetch_many(tx: Transaction, scope: Scope, ids: Collection[str]) -> dict[str, Workload]:
    """Those of `ids` that exist and may be seen, by id."""
    found: dict[str, Workload] = {}
    for chunk in chunks(ids):
        statement = sa.select(tables.workloads).where(
            tables.workloads.c.id.in_(chunk),
            within_found(scope, tables.workloads.c.project),
        )
        for workload in _workloads(tx, tx.execute(statement).mappings().all()):
            found[workload.id] = workload
    return found


def _workloads(tx: Transaction, rows: Sequence[Row]) -> list[Workload]:
    grouped = groups_fetch_many(tx, [row["id"] for row in rows if row["group_count"]])
    return [workload_from_row(row, grouped.get(row["id"], ())) for row in rows]


def workload_id_by_name(
    tx: Transaction, project: str, names: Collection[str]
) -> dict[str, tuple[str, WorkloadState]]:
    """For each name or id, the id and state of its newest workload in the project. The states
    stay so until the transaction ends."""
    found: dict[str, tuple[str, WorkloadState]] = {}
    for chunk in chunks(names):
        table = tables.workloads
        newest = (
            sa.select(sa.func.max(table.c.id))
            .where(table.c.project == project, table.c.name.in_(chunk))
            .group_by(table.c.name)
        )
        statement = (
            sa.select(table.c.id, table.c.name, table.c.state)
            .where(table.c.project == project, table.c.id.in_(newest) | table.c.id.in_(chunk))
            .order_by(table.c.id)
            # Whoever is about to depend on one must not miss that it ends meanwhile.
            .with_for_update(read=True)
        )
        for row in tx.execute(statement):
            found[row.name] = found[row.id] = (row.id, WorkloadState(row.state))
    return found


def replica_counts_many(
    tx: Transaction, ids: Collection[str]
) -> dict[str, dict[ReplicaState, int]]:
    """How many replicas of each workload are in each state."""
    counts: dict[str, dict[ReplicaState, int]] = {each: {} for each in ids}
    for chunk in chunks(counts):
        table = tables.replicas
        statement = (
            sa.select(table.c.workload_id, table.c.state, sa.func.count().label("count"))
            .where(table.c.workload_id.in_(chunk))
            .group_by(table.c.workload_id, table.c.state)
        )
        for row in tx.execute(statement):
            counts[row[0]][ReplicaState(row[1])] = row[2]
    return counts


def documents_fetch(tx: Transaction, scope: Scope, workload_id: str) -> Documents:
    workload_fetch(tx, scope, workload_id)
    row = tx.execute(
        sa.select(tables.documents).where(tables.documents.c.workload_id == workload_id)
    ).one()
    return Documents(json.loads(row.submitted), json.loads(row.resolved))


def resolved_revise(
    tx: Transaction,
    workload_id: str,
    revise: Callable[[Mapping[str, object]], Mapping[str, object]],
) -> None:
    """Rewrite the spec as it is understood; the one that was sent stays."""
    table = tables.documents
    mine = table.c.workload_id == workload_id
    revised = revise(json.loads(tx.execute(sa.select(table.c.resolved).where(mine)).scalar_one()))
    text = json.dumps(revised, separators=(",", ":"))
    tx.execute(sa.update(table).where(mine).values(resolved=text))


def program_fetch_many(tx: Transaction, ids: Iterable[str]) -> dict[str, Program]:
    """What to run, for the launch loop."""
    rows = tx.execute(
        sa.select(tables.documents.c.workload_id, tables.documents.c.program).where(
            tables.documents.c.workload_id.in_(sorted(set(ids)))
        )
    )
    return {row.workload_id: program_from_text(row.program) for row in rows}


def dependency_ids(tx: Transaction, scope: Scope, workload_id: str) -> list[str]:
    workload_fetch(tx, scope, workload_id)
    needs = tables.dependencies
    return list(
        tx.scalars(
            sa.select(needs.c.needs_id)
            .where(needs.c.workload_id == workload_id)
            .order_by(needs.c.needs_id)
        )
    )


def columns_of(new: NewWorkload, now_ms: int) -> dict[str, Any]:
    """The row of a workload that is to come."""
    wish = new.wish
    return {
        "id": new.id,
        "name": wish.name,
        "project": wish.project,
        "team": new.team,
        "owner": new.owner,
        "kind": wish.kind.value,
        "state": WorkloadState.QUEUED.value,
        "cause": Cause.SUBMITTED.value,
        "message": "",
        "priority": wish.priority,
        **request_to_columns(wish.request),
        "topology_within": wish.topology.within,
        "topology_prefer": wish.topology.prefer,
        "replicas_min": wish.replicas.minimum,
        "replicas_max": wish.replicas.maximum,
        "replicas_resize": wish.replicas.resize,
        "recovery": wish.recovery.value,
        "is_array": wish.replicas.array,
        "group_count": len(wish.groups),
        "groups_gpu_milli": sum(each.count * each.request.gpu_milli for each in wish.groups),
        "preemptible": wish.preemptible,
        "submitted_at_ms": now_ms,
        "queued_at_ms": now_ms,
        "deadline_ms": wish.deadline_ms,
        "max_runtime_seconds": wish.max_runtime_seconds,
        "expected_runtime_seconds": wish.expected_runtime_seconds,
        "not_before_ms": wish.not_before_ms,
        "start_window": None if wish.start_window is None else str(wish.start_window),
        "grace_seconds": wish.grace_seconds,
        "retries": wish.retries,
        "attempt": 1,
        "failures": 0,
        "dependencies_open": new.needs_open,
        "labels": pairs_to_text(wish.labels),
        "upload_sha256": wish.program.source.sha256
        if isinstance(wish.program.source, UploadSource)
        else None,
        "classification": wish.classification or "",
        "data_uses": uses_to_text(wish.program.data),
        "version": 1,
    }
