"""Nodes that are lost: marked so while their engine is quiet, and given up by a person or a policy.

`intake/nodes` and `control/node_watch` release what such a node holds. Its work is *given up*: not
seen to end, so `control/left_behind` ends what it finds of it once the node is back.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.errors import ConflictError, NotFoundError
from podium.domain.node import NodeState
from podium.domain.quantity import format_duration
from podium.domain.reason import Cause
from podium.domain.rights import Action
from podium.store import tables
from podium.store.audit import AuditEntry, audit_append
from podium.store.chunks import chunks
from podium.store.database import Transaction
from podium.store.device_spans import spans_update
from podium.store.lifecycle import workload_note, workload_rows
from podium.store.replicas import End, replicas_ended

_WORKLOADS_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What was given up in one transaction; with `more`, the node holds more."""

    replicas: int
    workloads: frozenset[str]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftBehind:
    """An allocation that was released without having been seen to end. `marked`: as given up."""

    allocation_id: str
    workload_id: str
    node: str
    grace_seconds: int
    marked: bool


def node_quiet(tx: Transaction, before_ms: int) -> list[str]:
    """Names of nodes that count as present but were last seen before `before_ms`, and of lost
    ones of which nobody wrote down since when."""
    table = tables.nodes
    return list(tx.scalars(sa.select(table.c.name).where(_quiet(before_ms)).order_by(table.c.name)))


def node_lose(tx: Transaction, before_ms: int, now_ms: int) -> list[str]:
    """Count the quiet ones as lost until they are reported again. Returns their names."""
    names = node_quiet(tx, before_ms)
    if names:
        table = tables.nodes
        tx.execute(
            sa.update(table)
            # Looked at again: one may have reported in this moment.
            .where(table.c.name.in_(names), _quiet(before_ms))
            .values(state=NodeState.LOST.value, lost_at_ms=now_ms)
        )
        spans_update(tx, now_ms)
    return names


def node_lost_holding(tx: Transaction, before_ms: int) -> list[str]:
    """Names of nodes that were marked lost up to `before_ms` and hold something."""
    table, held = tables.nodes, tables.allocations
    holds = sa.exists().where(held.c.node == table.c.name, held.c.released_at_ms.is_(None))
    return list(
        tx.scalars(
            sa.select(table.c.name)
            .where(table.c.state == NodeState.LOST.value, table.c.lost_at_ms <= before_ms, holds)
            .order_by(table.c.name)
        )
    )


def node_release(tx: Transaction, name: str, now_ms: int, *, actor: str) -> Release:
    """Give up what some workloads hold on a lost node: call it again while there is more. Time is
    billed until the node was last seen. Raises NotFoundError, and ConflictError for a node that
    is not lost."""
    table, held = tables.nodes, tables.allocations
    # Whoever reports the node waits for this, and this for them.
    row = tx.execute(
        sa.select(table.c.state, table.c.seen_at_ms).where(table.c.name == name).with_for_update()
    ).first()
    if row is None:
        raise NotFoundError(f"There is no node {name}.")
    if row.state != NodeState.LOST:
        ago = format_duration(max(0, now_ms - row.seen_at_ms))
        raise ConflictError(
            f"Node {name} is not lost: it reported {ago} ago. Cancel what runs there, or cordon it."
        )
    mine = held.c.released_at_ms.is_(None) & (held.c.node == name)
    owners = tx.scalars(
        sa.select(held.c.workload_id)
        .where(mine)
        .distinct()
        .order_by(held.c.workload_id)
        .limit(_WORKLOADS_MAX + 1)
    ).all()
    # All that a gang has there at once, so that it is known what is left of it.
    chosen = owners[:_WORKLOADS_MAX]
    workload_rows(tx, chosen)  # locked, so that nothing of them ends meanwhile
    found = tx.execute(
        sa.select(held.c.id, held.c.started_at_ms).where(mine, held.c.workload_id.in_(chosen))
    ).all()
    ends = [_end(each.id, each.started_at_ms, name, row.seen_at_ms, now_ms) for each in found]
    replicas_ended(tx, ends, now_ms)
    for chunk in chunks(end.allocation_id for end in ends):
        given_up_mark(tx, chunk)
    entry = AuditEntry(
        actor=actor,
        action=Action.NODE_RELEASE,
        subject=name,
        detail={"replicas": len(ends), "workloads": len(chosen)},
    )
    audit_append(tx, [entry], now_ms)
    return Release(
        replicas=len(ends), workloads=frozenset(chosen), more=len(owners) > _WORKLOADS_MAX
    )


def given_up_counts(tx: Transaction, names: Collection[str]) -> dict[str, int]:
    """How many allocations were given up on each of these nodes and may still run; without
    zeros."""
    table = tables.allocations
    found: dict[str, int] = {}
    for chunk in chunks(names):
        rows = tx.execute(
            sa.select(table.c.node, sa.func.count())
            .where(table.c.given_up, table.c.node.in_(chunk))
            .group_by(table.c.node)
        )
        found.update((node, count) for node, count in rows)
    return found


def left_behind(
    tx: Transaction, nodes: Collection[str], running: Collection[str]
) -> list[LeftBehind]:
    """What was given up on these nodes, and what of `running` is released all the same."""
    table, workload = tables.allocations, tables.workloads
    columns = (table.c.id, table.c.workload_id, table.c.node, table.c.given_up)
    statement = (
        sa.select(*columns, workload.c.grace_seconds)
        .join(workload, workload.c.id == table.c.workload_id)
        .order_by(table.c.id)
    )
    wanted = [table.c.given_up & table.c.node.in_(sorted(nodes))]
    wanted += [
        table.c.id.in_(chunk) & table.c.released_at_ms.is_not(None) & ~table.c.given_up
        for chunk in chunks(running)
    ]
    return [
        LeftBehind(
            allocation_id=row.id,
            workload_id=row.workload_id,
            node=row.node,
            grace_seconds=row.grace_seconds,
            marked=row.given_up,
        )
        for where in wanted
        for row in tx.execute(statement.where(where))
    ]


def given_up_mark(tx: Transaction, ids: Collection[str]) -> None:
    """Their node takes nothing new until each of them is said to be over."""
    table = tables.allocations
    tx.execute(sa.update(table).where(table.c.id.in_(ids)).values(given_up=True))


def given_up_over(
    tx: Transaction, ended: Collection[str], gone: Collection[str], now_ms: int
) -> None:
    """No process of these is left. Those that were seen to end are told of, each once."""
    table = tables.allocations
    columns = (table.c.id, table.c.workload_id, table.c.rank, table.c.attempt, table.c.node)
    rows = [
        row
        for chunk in chunks(ended)
        for row in tx.execute(
            sa.select(*columns).where(table.c.id.in_(chunk), table.c.given_up).order_by(table.c.id)
        )
    ]
    workloads = workload_rows(tx, {row.workload_id for row in rows})
    for row in rows:
        workload = workloads[row.workload_id]
        word = "task" if workload["is_array"] else "replica"
        whose = f" of {word} {row.rank}" if workload["replicas_max"] > 1 else ""
        message = (
            f"Attempt {row.attempt}{whose} ended on {row.node} after it had been given up there."
        )
        workload_note(tx, workload, Cause.NODE_LOST, now_ms, message=message)
    for chunk in chunks([*ended, *gone]):
        tx.execute(sa.update(table).where(table.c.id.in_(chunk)).values(given_up=False))


def _quiet(before_ms: int) -> sa.ColumnElement[bool]:
    table = tables.nodes
    lost = table.c.state == NodeState.LOST.value
    return (~lost & (table.c.seen_at_ms < before_ms)) | (lost & table.c.lost_at_ms.is_(None))


def _end(
    allocation_id: str, started_at_ms: int | None, node: str, seen_at_ms: int, now_ms: int
) -> End:
    message = f"Node {node} was lost, and its work was given up."
    if started_at_ms is None:
        return End(allocation_id=allocation_id, cause=Cause.NODE_LOST, message=message)
    ended_at_ms = min(now_ms, max(started_at_ms, seen_at_ms))
    return End(
        allocation_id=allocation_id,
        cause=Cause.NODE_LOST,
        message=message,
        runtime_ms=ended_at_ms - started_at_ms,
        ended_at_ms=ended_at_ms,
    )
