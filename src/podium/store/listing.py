"""Lists of workloads: which are meant, in what order, and how many there are.

`api/workloads` answers lists with it and `intake/actions` finds what an action is for. A page is
found by ids alone, which the indexes hold, and only its own rows are read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from podium.domain.lifecycle import WORKLOAD_ENDS, ReplicaState, WorkloadState
from podium.domain.reason import WaitReason
from podium.domain.tenancy import Scope
from podium.domain.workload import Recovery, Workload
from podium.spec.views.workload import TOTAL_MAX, WorkloadSort
from podium.store import tables
from podium.store.database import Transaction
from podium.store.scoping import MANY, unindexed, within
from podium.store.workloads import workload_fetch_many

_WORKLOAD = tables.workloads
_STATE_PLACES = {state.value: place for place, state in enumerate(WorkloadState)}
_SORT_VALUES: Mapping[WorkloadSort, sa.ColumnElement[Any]] = MappingProxyType(
    {
        WorkloadSort.NAME: _WORKLOAD.c.name,
        WorkloadSort.PROJECT: _WORKLOAD.c.project,
        WorkloadSort.OWNER: _WORKLOAD.c.owner,
        WorkloadSort.KIND: _WORKLOAD.c.kind,
        # In the order of a life, not of the alphabet.
        WorkloadSort.STATE: sa.case(_STATE_PLACES, value=_WORKLOAD.c.state),
        WorkloadSort.PRIORITY: _WORKLOAD.c.priority,
        WorkloadSort.STARTED: _WORKLOAD.c.started_at_ms,
        WorkloadSort.ENDED: _WORKLOAD.c.ended_at_ms,
        WorkloadSort.GPUS: sa.case(
            (_WORKLOAD.c.group_count > 0, _WORKLOAD.c.groups_gpu_milli),
            else_=_WORKLOAD.c.gpu_milli * _WORKLOAD.c.replicas_max,
        ),
    }
)
_MAY_BE_NULL = frozenset({WorkloadSort.STARTED, WorkloadSort.ENDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadFilter:
    """Which workloads a list shows; empty means all.

    `text` is part of a name or begins an id. `node` is where a replica is or, when it has ended,
    where its last attempt was. `ended_since_ms` leaves out what has not ended.
    """

    projects: tuple[str, ...] = ()
    states: tuple[WorkloadState, ...] = ()
    kinds: tuple[str, ...] = ()
    owner: str | None = None
    name: str | None = None
    text: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    node: str | None = None
    reasons: tuple[WaitReason, ...] = ()
    ended_since_ms: int | None = None


def workload_list(
    tx: Transaction,
    scope: Scope,
    chosen: WorkloadFilter,
    *,
    limit: int,
    sort: WorkloadSort = WorkloadSort.SUBMITTED,
    descending: bool = True,
    offset: int = 0,
    after: str | None = None,
) -> list[Workload]:
    """Up to `limit` workloads in that order, past `offset` of them.

    Equals stand in the order of their ids, and what has no value comes last either way. `after`
    is an id to continue behind, for the order of submission alone.
    """
    key = _WORKLOAD.c.id
    statement = sa.select(key).where(*_conditions(scope, chosen, in_order=True))
    if after is not None:
        assert sort is WorkloadSort.SUBMITTED, "other orders are not those of ids"
        statement = statement.where(key < after if descending else key > after)
    value = _SORT_VALUES.get(sort)
    if value is not None:
        if sort in _MAY_BE_NULL:
            statement = statement.order_by(value.is_(None))
        statement = statement.order_by(value.desc() if descending else value)
    statement = statement.order_by(key.desc() if descending else key)
    ids = list(tx.scalars(statement.limit(limit).offset(offset)))
    found = workload_fetch_many(tx, scope, ids)
    return [found[each] for each in ids]


def workload_count(tx: Transaction, scope: Scope, chosen: WorkloadFilter) -> int:
    """How many match, where more than 100,000 are told as 100,001 and not counted further."""
    some = sa.select(sa.literal(1)).select_from(_WORKLOAD).where(*_conditions(scope, chosen))
    bounded = some.limit(TOTAL_MAX + 1).subquery()
    return tx.scalar(sa.select(sa.func.count()).select_from(bounded)) or 0


def workload_ids_living(
    tx: Transaction, scope: Scope, chosen: WorkloadFilter, *, limit: int
) -> list[str]:
    """Ids of those that match and have not ended, oldest first."""
    statement = (
        sa.select(_WORKLOAD.c.id)
        .where(*_conditions(scope, chosen), _in(_WORKLOAD.c.state, _LIVING))
        .order_by(_WORKLOAD.c.id)
        .limit(limit)
    )
    return list(tx.scalars(statement))


_LIVING = tuple(state.value for state in WorkloadState if state not in WORKLOAD_ENDS)


def _conditions(
    scope: Scope, chosen: WorkloadFilter, *, in_order: bool = False
) -> list[sa.ColumnElement[bool]]:
    """`in_order`: rows are wanted in some order, not only counted."""
    table = _WORKLOAD
    many = scope.projects is not None and len(scope.projects) > MANY and not chosen.projects
    project = unindexed(table.c.project) if in_order and many else table.c.project
    # Who sees all is served from the short list of ids; of others the projects come first.
    own_id: sa.ColumnElement[str] = table.c.id if scope.projects is None else unindexed(table.c.id)
    found = [within(scope, project)]
    if chosen.projects:
        found.append(_in(table.c.project, chosen.projects))
    if chosen.states:
        found.append(_in(table.c.state, [each.value for each in chosen.states]))
    if chosen.kinds:
        found.append(_in(table.c.kind, chosen.kinds))
    if chosen.owner:
        found.append(table.c.owner == chosen.owner)
    if chosen.name:
        found.append(table.c.name == chosen.name)
    if chosen.text:
        words = chosen.text.lower()
        found.append(
            table.c.name.contains(words, autoescape=True)
            | table.c.id.startswith(words, autoescape=True)
        )
    for key, value in chosen.labels:
        label = tables.workload_labels
        labelled = sa.select(label.c.workload_id).where(label.c.key == key, label.c.value == value)
        found.append(own_id.in_(labelled))
    if chosen.node:
        found.append(own_id.in_(_placed_on(chosen.node)))
    if chosen.reasons:
        found.append(_waits_for(chosen.reasons))
    if chosen.ended_since_ms is not None:
        found.append(table.c.ended_at_ms >= chosen.ended_since_ms)
    return found


def _placed_on(node: str) -> sa.Select[tuple[str]]:
    held, replica = tables.allocations, tables.replicas
    same = (
        (replica.c.workload_id == held.c.workload_id)
        & (replica.c.rank == held.c.rank)
        & (replica.c.attempt == held.c.attempt)
    )
    return sa.select(held.c.workload_id).join(replica, same).where(held.c.node == node)


def _waits_for(reasons: Collection[WaitReason]) -> sa.ColumnElement[bool]:
    """As `api/render` tells it: of what is queued, of arrays that have tasks left, and of gangs
    that wait for a replica in the place of one that they lost."""
    table, replica = _WORKLOAD, tables.replicas
    tasks_left = sa.exists().where(
        replica.c.workload_id == table.c.id, replica.c.state == ReplicaState.WAITING.value
    )
    replaces = (table.c.recovery == Recovery.REPLACE.value) & ~table.c.replicas_resize
    runs = table.c.state == WorkloadState.RUNNING.value
    in_parts = table.c.is_array | (replaces & runs)
    waits = (table.c.state == WorkloadState.QUEUED.value) | (in_parts & tasks_left)
    told = _in(table.c.refusal_reason, [each.value for each in reasons])
    if WaitReason.NEW in reasons:
        told |= table.c.refusal_reason.is_(None)
    return _in(table.c.state, _LIVING) & waits & told


def _in(column: sa.ColumnElement[str], values: Collection[str]) -> sa.ColumnElement[bool]:
    return column.in_(sorted(set(values)))
