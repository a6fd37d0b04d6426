"""Reads what waits for a place, for the scheduler."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from podium.domain.lifecycle import (
    REPLICA_HOLDS,
    WORKLOAD_UNDER_WAY,
    ReplicaState,
    WorkloadState,
)
from podium.domain.node import NodeState
from podium.domain.policies import Policies
from podium.domain.policy import REPLICAS_MAX
from podium.domain.pool import sole_pool
from podium.domain.reason import Evidence, Refusal, WaitReason
from podium.domain.resources import Request
from podium.domain.workload import Kind, Recovery
from podium.scheduling.parts import Asking
from podium.scheduling.reasons.wording import listed
from podium.scheduling.snapshot import Demand, Expected, Part
from podium.spec.views.base import utc
from podium.spec.window import opens_at_ms, read_window
from podium.store import tables
from podium.store.budget_ledger import blocks_fetch
from podium.store.caps import CappedProjects
from podium.store.chunks import chunks
from podium.store.data_reach import DataBound, DataReach, unapproved
from podium.store.database import Transaction
from podium.store.groups import asking_fetch
from podium.store.learning import Learnt, attained, like_milli
from podium.store.pools import reach_fetch
from podium.store.shapes import REQUEST_COLUMNS, TOPOLOGY_COLUMNS, Shapes
from podium.store.standing import expectation

_HELD = sorted(each.value for each in REPLICA_HOLDS)
_RETURNING_MAX = 1000

_OWN = (
    "id",
    "project",
    "kind",
    "priority",
    "submitted_at_ms",
    "state",
    "replicas_min",
    "replicas_max",
    "replicas_resize",
    "is_array",
    "attempt",
    "dependencies_open",
    "max_runtime_seconds",
    "expected_runtime_seconds",
    "not_before_ms",
    "start_window",
    "owner",
    "name",
    "group_count",
    "groups_gpu_milli",
    "classification",
    "data_uses",
)
_REQUEST_END = len(REQUEST_COLUMNS)
_OWN_BEGIN = _REQUEST_END + len(TOPOLOGY_COLUMNS)
COLUMNS = (*REQUEST_COLUMNS, *TOPOLOGY_COLUMNS, *_OWN)


def demanding_ids(tx: Transaction, ids: Iterable[str], *, growing: bool = True) -> set[str]:
    """Those of `ids` that wait, or are under way and may have replicas left to place; without
    `growing` elastic gangs that run do not count. Their rows are found by their ids: the other
    way round SQLite would go through all that waits."""
    table = tables.workloads
    found: set[str] = set()
    for chunk in chunks(ids):
        rows = tx.execute(
            sa.select(
                table.c.id,
                table.c.state,
                table.c.is_array,
                table.c.replicas_resize,
                table.c.recovery,
            ).where(table.c.id.in_(chunk))
        )
        for key, state, is_array, resize, recovery in rows:
            under_way = is_array and state in WORKLOAD_UNDER_WAY
            joins = growing if resize else recovery == Recovery.REPLACE
            joined = joins and state == WorkloadState.RUNNING
            if state == WorkloadState.QUEUED or under_way or joined:
                found.add(key)
    return found


def demand_list(
    tx: Transaction,
    now_ms: int,
    policies: Policies,
    shapes: Shapes,
    *,
    only: Collection[str] | None = None,
    lock: bool = False,
    learnt: Learnt | None = None,
    apart: bool = False,
) -> tuple[Demand, ...]:
    """What waits, and what is under way and has replicas left, in the order of the queue; of all
    workloads or of some, whose rows may be locked. What was `learnt` of runtimes stands in where
    the work says nothing. Where nodes are `apart` in several clusters a gang is bound to one."""
    table = tables.workloads
    columns = [table.c[name] for name in COLUMNS]
    order = (table.c.priority.desc(), table.c.submitted_at_ms, table.c.id)
    runs = table.c.state == WorkloadState.RUNNING.value
    replaces = table.c.recovery == Recovery.REPLACE.value
    # Written out, so that SQLite uses the index over what is queued.
    queued = (
        sa.select(*columns)
        .where(table.c.state == sa.literal_column(f"'{WorkloadState.QUEUED}'"))
        .order_by(*order)
    )
    others = (
        sa.select(*columns)
        .where(
            table.c.state.in_(sorted(WORKLOAD_UNDER_WAY)),
            table.c.is_array | ((table.c.replicas_resize | replaces) & runs),
        )
        .order_by(*order)
    )
    if only is not None:
        ids = sorted(only)
        queued, others = (each.where(table.c.id.in_(ids)) for each in (queued, others))
    if lock:
        queued, others = (each.with_for_update() for each in (queued, others))
    reader = Reader(tx, now_ms, policies, shapes, learnt, apart=apart)
    waiting = list(reader.demands(tx.execute(queued).all()))
    growing = list(reader.demands(tx.execute(others).all()))
    if not growing:
        return tuple(waiting)
    return tuple(heapq.merge(waiting, growing, key=_place))


def _place(demand: Demand) -> tuple[int, int, str]:
    return -demand.priority, demand.queued_at_ms, demand.workload_id


class Reader:
    """Makes demands of rows that have `COLUMNS`, in their order."""

    def __init__(
        self,
        tx: Transaction,
        now_ms: int,
        policies: Policies,
        shapes: Shapes,
        learnt: Learnt | None,
        *,
        apart: bool,
    ) -> None:
        self._tx = tx
        self._apart = apart
        self._learnt = learnt
        self._now_ms = now_ms
        self._policies = policies
        self._shapes = shapes
        self._reach = reach_fetch(tx)
        self._data = DataReach(tx, self._reach)
        self._blocks = blocks_fetch(tx, now_ms)
        self._capped = CappedProjects(tx)
        self._kinds = {kind.value: kind for kind in Kind}
        self._openings: dict[str, int] = {}
        self._expected: dict[tuple[int, int | None], Expected] = {}

    def demands(self, rows: Sequence[sa.Row[Any]]) -> Iterator[Demand]:
        uneven = [row for row in rows if row.is_array or row.state != WorkloadState.QUEUED]
        again = [row for row in rows if row.attempt > 1 and not row.is_array] + uneven
        pending = self.pending([row.id for row in uneven])
        had = attained(self._tx, [row.id for row in again])
        gangs = [row.id for row in again if row.replicas_max > 1 and not row.is_array]
        stood = _stood(self._tx, gangs)
        policies: dict[tuple[str, str, str | None], tuple[Kind, bool, bool]] = {}
        shapes = self._shapes
        grouped = [row.id for row in rows if row.group_count]
        asking = self.asking(grouped)
        all_ranks = shapes.ranks
        for row in rows:
            (
                key,
                project,
                kind_name,
                priority,
                submitted_at_ms,
                state,
                least,
                most,
                elastic,
                is_array,
                _attempt,
                dependencies_open,
                limit_seconds,
                expected_seconds,
                not_before_ms,
                window,
                owner,
                name,
                group_count,
                groups_gpu_milli,
                classification,
                data_uses,
            ) = row[_OWN_BEGIN:]
            if is_array or state != WorkloadState.QUEUED:
                ranks = pending.get(key)
                if ranks is None:
                    continue
            else:
                # A gang waits as a whole: whatever ended of an earlier attempt waits again.
                ranks = all_ranks.get(most)
                if ranks is None:
                    ranks = all_ranks[most] = tuple(range(most))
            request = shapes.request(row[:_REQUEST_END])
            meets = most > 1 and not (is_array or kind_name == Kind.SERVICE)
            topology = shapes.topology(row[_REQUEST_END:_OWN_BEGIN], bound=self._apart and meets)
            pool = sole_pool(request.pools)
            policy = policies.get((kind_name, project, pool))
            if policy is None:
                kind = self._kinds[kind_name]
                found = self._policies.of(kind, project, pool)
                policy = policies[kind_name, project, pool] = (kind, found.spread, found.preempts)
            joins = state != WorkloadState.QUEUED and not is_array
            grows = joins and elastic
            # A gang that lost a part goes on, though the budget that it began with is spent.
            payer = None if joins and not elastic else owner
            data = self._data.bound(project, owner, classification, data_uses)
            parts: tuple[Part, ...] = ()
            if group_count:
                parts, closed = self._parts(asking[key], ranks, project, payer, data)
                reached = parts[0].request
            else:
                reached, closed = self._reached(request, project, payer, data)
            blocked = None
            if dependencies_open:
                blocked = _depends(dependencies_open)
            elif not joins and (not_before_ms is not None or window is not None):
                blocked = self._too_early(not_before_ms, window)
            expected = None
            if expected_seconds is not None:
                expected = self._expectation(expected_seconds, limit_seconds)
            elif self._learnt is not None:
                expected = self._learnt.expected(
                    project=project,
                    kind=kind_name,
                    gpu_milli=like_milli(
                        request.gpu_milli,
                        request.mig_count,
                        most,
                        is_array=is_array,
                        groups_gpu_milli=groups_gpu_milli,
                    ),
                    owner=owner,
                    name=name,
                    limit_seconds=limit_seconds,
                )
            yield Demand(
                workload_id=key,
                project=project,
                kind=policy[0],
                priority=priority,
                # Work that was queued again keeps the place that its age gives it.
                queued_at_ms=submitted_at_ms,
                request=reached,
                pending_ranks=ranks,
                minimum=1 if is_array or grows else len(ranks) if joins else min(least, len(ranks)),
                topology=topology,
                blocked=closed or blocked,
                limit_ms=None if limit_seconds is None else limit_seconds * 1000,
                expected=expected,
                spread=policy[1],
                attained_milli_ms=had.get(key, 0),
                # Nobody has to give way for more than what a gang needs to run; one that lost a
                # part needs it.
                preempts=policy[2] and not grows,
                elastic=elastic,
                # Where all ask for the same it is a gang like any other.
                parts=parts if len(parts) > 1 else (),
                stood=stood.get(key, ()),
                data=data.words,
                owner=self._capped.owner(project, owner),
            )

    def pending(self, ids: Sequence[str]) -> Mapping[str, tuple[int, ...]]:
        """As `_pending`."""
        return _pending(self._tx, ids)

    def asking(self, ids: Sequence[str]) -> Mapping[str, tuple[Asking, ...]]:
        """What the groups of these ask for."""
        return asking_fetch(self._tx, ids, REQUEST_COLUMNS, self._shapes.request)

    def _expectation(self, seconds: int, limit_seconds: int | None) -> Expected:
        found = self._expected.get((seconds, limit_seconds))
        if found is None:
            found = self._expected[seconds, limit_seconds] = expectation(seconds, limit_seconds)
        return found

    def _reached(
        self, request: Request, project: str, payer: str | None, data: DataBound
    ) -> tuple[Request, Refusal | None]:
        """The request on the nodes that the project may use, with what its budgets still allow,
        and what forbids all of them. Without a payer it spends nothing more."""
        if payer is not None:
            request, spent = self._blocks.afforded(project, payer, request)
            if spent is not None:
                return request, spent
        if data.refusal is not None:
            return request, data.refusal
        reach = self._reach.of(project)
        found = request if reach is None else self._shapes.reached(request, reach)
        if found is None:
            return request, self._closed(request.pools)
        if data.pools is None:
            return found, None
        bound = self._shapes.reached(found, data.pools)
        return (request, unapproved(request.pools, data)) if bound is None else (bound, None)

    def _parts(
        self,
        groups: Sequence[Asking],
        ranks: tuple[int, ...],
        project: str,
        payer: str | None,
        data: DataBound,
    ) -> tuple[tuple[Part, ...], Refusal | None]:
        """As `_reached`, of each group of a gang."""
        found = [self._reached(group.request, project, payer, data) for group in groups]
        mine = (
            group._replace(request=each) for group, (each, _) in zip(groups, found, strict=True)
        )
        closed = next((refusal for _, refusal in found if refusal is not None), None)
        return self._shapes.parts(tuple(mine), ranks), closed

    def _closed(self, names: tuple[str, ...]) -> Refusal:
        """The pools that it names were open to its project when it was submitted."""
        known = {pool.name for pool in self._reach.pools}
        words = listed(
            f"pool {name} is no longer open to its project"
            if name in known
            else f"there is no pool {name} any more"
            for name in names
        )
        return Refusal(
            WaitReason.POLICY,
            f"It may not start where it asks to: {words}.",
            "Submit it again with another pool or none, or ask an administrator to open one.",
            tuple(Evidence("pool", name) for name in names),
        )

    def _too_early(self, not_before_ms: int | None, window: str | None) -> Refusal | None:
        at_ms = max(self._now_ms, not_before_ms or 0)
        if window is not None:
            at_ms = self._opening(window, at_ms)
        if at_ms <= self._now_ms:
            return None
        when = f"{utc(at_ms):%Y-%m-%d %H:%M} UTC"
        wish = f"only {window}" if window is not None else "not before that"
        return Refusal(
            WaitReason.START_TIME,
            f"It may start at {when}, because it asked for a start {wish}.",
            "Nothing has to be done.",
            (Evidence("opens_at_ms", str(at_ms)),),
        )

    def _opening(self, window: str, at_ms: int) -> int:
        key = f"{window} {at_ms}"
        found = self._openings.get(key)
        if found is None:
            known = read_window(window)
            # A zone that this machine does not know any more must not keep the work for ever.
            found = self._openings[key] = at_ms if known is None else opens_at_ms(known, at_ms)
        return found


def _stood(tx: Transaction, ids: Sequence[str]) -> Mapping[str, tuple[tuple[int, str], ...]]:
    """Where the waiting ranks of the first 1,000 of these were the last time, in rank order;
    without those whose node is lost or gone."""
    held, replica, node = tables.allocations, tables.replicas, tables.nodes
    found: dict[str, list[tuple[int, str]]] = {}
    for chunk in chunks(ids[:_RETURNING_MAX]):
        rows = tx.execute(
            sa.select(replica.c.workload_id, replica.c.rank, held.c.node)
            .join(
                held,
                (held.c.workload_id == replica.c.workload_id)
                & (held.c.rank == replica.c.rank)
                & (held.c.attempt == replica.c.attempt - 1),
            )
            .join(node, node.c.name == held.c.node)
            .where(
                replica.c.workload_id.in_(chunk),
                replica.c.state == ReplicaState.WAITING.value,
                node.c.state != NodeState.LOST.value,
            )
            .order_by(replica.c.workload_id, replica.c.rank)
        )
        for workload_id, rank, name in rows:
            found.setdefault(workload_id, []).append((rank, name))
    return {workload_id: tuple(places) for workload_id, places in found.items()}


def _depends(count: int) -> Refusal:
    return Refusal(
        WaitReason.DEPENDENCY,
        f"Waits for {count} workload{'s' if count > 1 else ''} that it depends on.",
        "It is placed as soon as they have succeeded.",
        (Evidence("dependencies_open", str(count)),),
    )


def _pending(tx: Transaction, ids: Sequence[str]) -> Mapping[str, tuple[int, ...]]:
    """Waiting ranks of arrays and, above the rank where they meet, of gangs that may grow or lost
    some. A gang of which something has succeeded is about to end and gets none."""
    table, workload = tables.replicas, tables.workloads
    waiting: dict[str, list[int]] = {}
    least: dict[str, int] = {}
    for chunk in chunks(ids):
        mine = table.c.workload_id.in_(chunk)
        rows = tx.execute(
            sa.select(table.c.workload_id, table.c.rank)
            .where(mine, table.c.state == ReplicaState.WAITING.value)
            .order_by(table.c.workload_id, table.c.rank)
        )
        for workload_id, rank in rows:
            waiting.setdefault(workload_id, []).append(rank)
        meet = sa.func.min(sa.case((table.c.state.in_(_HELD), table.c.rank)))
        done = sa.func.count(sa.case((table.c.state == ReplicaState.SUCCEEDED.value, 1)))
        gangs = tx.execute(
            sa.select(table.c.workload_id, meet, done)
            .join(workload, workload.c.id == table.c.workload_id)
            .where(mine, workload.c.is_array.is_(False))
            .group_by(table.c.workload_id)
        )
        for workload_id, rank, succeeded in gangs:
            least[workload_id] = REPLICAS_MAX if succeeded or rank is None else rank
    found: dict[str, tuple[int, ...]] = {}
    for workload_id, ranks in waiting.items():
        after = least.get(workload_id, -1)
        chosen = tuple(rank for rank in ranks if rank > after)
        if chosen:
            found[workload_id] = chosen
    return found
