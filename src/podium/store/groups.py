"""Gangs of unlike replicas: what each group asks for and runs. `store/workloads` writes and reads
them with the workload that they belong to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from podium.domain.lifecycle import ReplicaState
from podium.domain.resources import Request
from podium.domain.workload import Program, ReplicaGroup
from podium.scheduling.parts import Asking
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.codec import (
    program_from_text,
    program_to_text,
    request_from_row,
    request_to_columns,
)
from podium.store.database import Transaction


def groups_insert(tx: Transaction, groups: Mapping[str, Sequence[ReplicaGroup]]) -> None:
    """Those of new workloads, by id."""
    rows = []
    for workload_id, mine in groups.items():
        first_rank = 0
        for position, group in enumerate(mine):
            program = Program(command=group.command, script=group.script, env=group.env)
            rows.append(
                {
                    "workload_id": workload_id,
                    "position": position,
                    "name": group.name,
                    "first_rank": first_rank,
                    "replicas": group.count,
                    **request_to_columns(group.request),
                    "program": program_to_text(program),
                }
            )
            first_rank += group.count
    if rows:
        tx.execute(sa.insert(tables.replica_groups), rows)


def groups_fetch_many(tx: Transaction, ids: Collection[str]) -> dict[str, tuple[ReplicaGroup, ...]]:
    """By workload, in their order."""
    table = tables.replica_groups
    found: dict[str, list[ReplicaGroup]] = {}
    for chunk in chunks(ids):
        rows = tx.execute(
            sa.select(table)
            .where(table.c.workload_id.in_(chunk))
            .order_by(table.c.workload_id, table.c.position)
        ).mappings()
        for row in rows:
            program = program_from_text(row["program"])
            group = ReplicaGroup(
                name=row["name"],
                count=row["replicas"],
                request=request_from_row(row),
                command=program.command,
                script=program.script,
                env=program.env,
            )
            found.setdefault(row["workload_id"], []).append(group)
    return {workload_id: tuple(groups) for workload_id, groups in found.items()}


def asking_fetch(
    tx: Transaction,
    ids: Collection[str],
    columns: Sequence[str],
    request: Callable[[tuple[Any, ...]], Request],
) -> dict[str, tuple[Asking, ...]]:
    """What the groups ask for alone, as `groups_fetch_many`. `request` makes one of the values of
    `columns`."""
    table = tables.replica_groups
    found: dict[str, list[Asking]] = {}
    for chunk in chunks(ids):
        rows = tx.execute(
            sa.select(
                table.c.workload_id,
                table.c.first_rank,
                table.c.replicas,
                *(table.c[name] for name in columns),
            )
            .where(table.c.workload_id.in_(chunk))
            .order_by(table.c.workload_id, table.c.position)
        )
        for key, first_rank, replicas, *shape in rows:
            asking = Asking(request(tuple(shape)), first_rank, replicas)
            found.setdefault(key, []).append(asking)
    return {key: tuple(groups) for key, groups in found.items()}


def group_counts(tx: Transaction, workload_id: str) -> dict[str, dict[ReplicaState, int]]:
    """How many replicas of each group are in each state, by its name."""
    group, replica = tables.replica_groups, tables.replicas
    rows = tx.execute(
        sa.select(group.c.name, replica.c.state, sa.func.count())
        .join(replica, of_group())
        .where(group.c.workload_id == workload_id)
        .group_by(group.c.name, replica.c.state)
    )
    found: dict[str, dict[ReplicaState, int]] = {}
    for name, state, count in rows:
        found.setdefault(name, {})[ReplicaState(state)] = count
    return found


def of_group() -> sa.ColumnElement[bool]:
    """Joins groups with the replicas that belong to them."""
    group, replica = tables.replica_groups, tables.replicas
    return (replica.c.workload_id == group.c.workload_id) & replica.c.rank.between(
        group.c.first_rank, group.c.first_rank + group.c.replicas - 1
    )
