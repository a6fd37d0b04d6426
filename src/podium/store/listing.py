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
from podium.store.scoping import Sieve, among, sieve, unindexed
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
_INDEXED = frozenset(
    {
        WorkloadSort.SUBMITTED,
        WorkloadSort.NAME,
        WorkloadSort.PROJECT,
        WorkloadSort.OWNER,
        WorkloadSort.PRIORITY,
    }
)
_ROWS = 100_000
"""How many workloads a store is thought to have, where one or the other way to read it is taken."""
_FEW = 2000
"""So many ids are kept at hand, rather than found again."""
_SEARCHED = 8
"""Up to so many projects are searched one by one for the workloads of one person."""
_ID_BEGINS = "w-"
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


@dataclass(frozen=True, slots=True)
class WorkloadsFound:
    """A part of a list, and how many there are in all: more than 100,000 are told as 100,001."""

    workloads: list[Workload]
    total: int


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
) -> WorkloadsFound:
    """Up to `limit` workloads in that order, past `offset` of them.

    Equals stand in the order of their ids, and what has no value comes last either way. `after`
    is an id to continue behind, for the order of submission alone; the total is of all.
    """
    assert after is None or sort is WorkloadSort.SUBMITTED, "other orders are not those of ids"
    wanted = _Wanted(sieve(tx, scope, chosen.projects), chosen)
    known = _gathered(tx, wanted)
    total = _count(tx, wanted) if known is None else len(known)
    key: sa.ColumnElement[str] = _WORKLOAD.c.id
    page = sa.select(key)
    # Along an index in this order perhaps one row in `_ROWS / total` is a hit; the other way is to
    # sort all hits. Whichever reads fewer rows.
    walks = sort in _INDEXED and total * total > (offset + limit) * _ROWS
    if known is not None:
        page = page.where(among(key, known))
    else:
        page = page.where(*_conditions(wanted, in_order=walks))
    if after is not None:
        page = page.where(key < after if descending else key > after)
    value = _SORT_VALUES.get(sort)
    if sort in _INDEXED and not walks:
        # Apart, or else the index is taken because it saves the sorting.
        columns = [] if value is None else [value.label("value")]
        hits = page.add_columns(*columns).cte("hits").prefix_with("MATERIALIZED")
        key, page = hits.c.id, sa.select(hits.c.id)
        value = None if value is None else hits.c.value
    if value is not None:
        if sort in _MAY_BE_NULL:
            page = page.order_by(value.is_(None))
        page = page.order_by(value.desc() if descending else value)
    page = page.order_by(key.desc() if descending else key)
    reaches = offset < total or total > TOTAL_MAX
    ids = list(tx.scalars(page.limit(limit).offset(offset))) if reaches else []
    found = workload_fetch_many(tx, scope, ids)
    return WorkloadsFound([found[each] for each in ids], total)


def workload_ids_living(
    tx: Transaction, scope: Scope, chosen: WorkloadFilter, *, limit: int
) -> list[str]:
    """Ids of those that match and have not ended, oldest first."""
    wanted = _Wanted(sieve(tx, scope, chosen.projects), chosen)
    statement = (
        sa.select(_WORKLOAD.c.id)
        .where(*_conditions(wanted), _in(_WORKLOAD.c.state, _LIVING))
        .order_by(_WORKLOAD.c.id)
        .limit(limit)
    )
    return list(tx.scalars(statement))


_LIVING = tuple(state.value for state in WorkloadState if state not in WORKLOAD_ENDS)


@dataclass(frozen=True, slots=True)
class _Wanted:
    seen: Sieve
    chosen: WorkloadFilter


def _gathered(tx: Transaction, wanted: _Wanted) -> list[str] | None:
    """Ids of all hits of a text, when they are few. No index finds them, so that each further look
    at them, to count and to sort, would read every name again."""
    if not wanted.chosen.text:
        return None
    statement = sa.select(_WORKLOAD.c.id).where(*_conditions(wanted)).limit(_FEW + 1)
    found = list(tx.scalars(statement))
    return None if len(found) > _FEW else found


def _count(tx: Transaction, wanted: _Wanted) -> int:
    chosen, one = wanted.chosen, sa.select(sa.literal(1))
    if len(chosen.labels) == 1 and chosen == WorkloadFilter(
        projects=chosen.projects, labels=chosen.labels
    ):
        label = tables.workload_labels
        some = one.where(_labelled(*chosen.labels[0]), wanted.seen.admits(label.c.project))
    else:
        some = one.select_from(_WORKLOAD).where(*_conditions(wanted))
    bounded = some.limit(TOTAL_MAX + 1).subquery()
    return tx.scalar(sa.select(sa.func.count()).select_from(bounded)) or 0


def _labelled(key: str, value: str) -> sa.ColumnElement[bool]:
    label = tables.workload_labels
    return (label.c.key == key) & (label.c.value == value)


def _conditions(wanted: _Wanted, *, in_order: bool = False) -> list[sa.ColumnElement[bool]]:
    """`in_order`: rows are read along the index that has them in order, and each is looked at."""

    def plain(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return unindexed(column) if in_order else column

    table, chosen, seen = _WORKLOAD, wanted.chosen, wanted.seen
    # The workloads of one person are fewer than those of several projects.
    search = not in_order and (chosen.owner is None or len(seen.names) <= _SEARCHED)
    found = [seen.admits(table.c.project, search=search)]
    if chosen.states:
        found.append(_in(plain(table.c.state), [each.value for each in chosen.states]))
    if chosen.kinds:
        found.append(_in(table.c.kind, chosen.kinds))
    if chosen.owner:
        found.append(plain(table.c.owner) == chosen.owner)
    if chosen.name:
        found.append(plain(table.c.name) == chosen.name)
    if chosen.text:
        found.append(_has_text(chosen.text.lower()))
    for key, value in chosen.labels:
        label = tables.workload_labels
        mine = (label.c.workload_id == table.c.id) & _labelled(key, value)
        ids = sa.select(label.c.workload_id).where(_labelled(key, value))
        found.append(sa.exists().where(mine) if in_order else _own_id(seen).in_(ids))
    if chosen.node:
        found.append(_own_id(seen).in_(_placed_on(chosen.node)))
    if chosen.reasons:
        found.append(_waits_for(chosen.reasons))
    if chosen.ended_since_ms is not None:
        found.append(plain(table.c.ended_at_ms) >= chosen.ended_since_ms)
    return found


def _own_id(seen: Sieve) -> sa.ColumnElement[str]:
    """Where projects are few they come first; else the workloads of a short list of ids."""
    return unindexed(_WORKLOAD.c.id) if seen.few else _WORKLOAD.c.id


def _has_text(words: str) -> sa.ColumnElement[bool]:
    named = _WORKLOAD.c.name.contains(words, autoescape=True)
    if not _ID_BEGINS.startswith(words[: len(_ID_BEGINS)]):
        return named
    return named | _WORKLOAD.c.id.startswith(words, autoescape=True)


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
