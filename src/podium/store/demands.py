"""Reads what waits for a place, for the scheduler.

Rows are many and shapes are few: equal requests, topologies and rank lists are one object each,
which spares reading them again and lets the scheduler compare them by identity.
"""

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
from podium.domain.policies import Policies
from podium.domain.policy import REPLICAS_MAX
from podium.domain.reason import Evidence, Refusal, WaitReason
from podium.domain.resources import Request, Topology
from podium.domain.workload import Kind
from podium.scheduling.snapshot import Demand, Expected
from podium.spec.views.base import utc
from podium.spec.window import opens_at_ms, read_window
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.codec import request_from_row, topology_from_row
from podium.store.database import Transaction
from podium.store.learning import Learnt, attained, like_milli
from podium.store.standing import expectation

_HELD = sorted(each.value for each in REPLICA_HOLDS)

REQUEST_COLUMNS = (
    "cpu_milli",
    "memory_bytes",
    "gpu_milli",
    "gpu_share_bytes",
    "gpu_types",
    "gpu_memory_min_bytes",
    "gpu_memory_max_bytes",
    "mig_profile",
    "mig_count",
    "node_labels",
)
_TOPOLOGY = ("topology_within", "topology_prefer")
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
)
_REQUEST_END = len(REQUEST_COLUMNS)
_OWN_BEGIN = _REQUEST_END + len(_TOPOLOGY)
_COLUMNS = (*REQUEST_COLUMNS, *_TOPOLOGY, *_OWN)


def demanding_ids(tx: Transaction, ids: Iterable[str], *, growing: bool = True) -> set[str]:
    """Those of `ids` that wait, or are under way with replicas left to place; without `growing`
    elastic gangs that run do not count. Their rows are found by their ids: the other way round
    SQLite would go through all that waits."""
    table = tables.workloads
    found: set[str] = set()
    for chunk in chunks(ids):
        rows = tx.execute(
            sa.select(table.c.id, table.c.state, table.c.is_array, table.c.replicas_resize).where(
                table.c.id.in_(chunk)
            )
        )
        for key, state, is_array, resize in rows:
            under_way = is_array and state in WORKLOAD_UNDER_WAY
            grows = growing and resize and state == WorkloadState.RUNNING
            if state == WorkloadState.QUEUED or under_way or grows:
                found.add(key)
    return found


class Shapes:
    """What rows have in common, each once. May be kept from one reading to the next."""

    def __init__(self) -> None:
        self.requests: dict[tuple[Any, ...], Request] = {}
        self.topologies: dict[tuple[Any, ...], Topology] = {}
        self.ranks: dict[int, tuple[int, ...]] = {}

    def request(self, shape: tuple[Any, ...]) -> Request:
        """Of the values of REQUEST_COLUMNS."""
        found = self.requests.get(shape)
        if found is None:
            found = request_from_row(dict(zip(REQUEST_COLUMNS, shape, strict=True)))
            self.requests[shape] = found
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
) -> tuple[Demand, ...]:
    """What waits, and what is under way and has replicas left, in the order of the queue; of all
    workloads or of some, whose rows may be locked. What was `learnt` of runtimes stands in where
    the work says nothing."""
    table = tables.workloads
    columns = [table.c[name] for name in _COLUMNS]
    order = (table.c.priority.desc(), table.c.submitted_at_ms, table.c.id)
    runs = table.c.state == WorkloadState.RUNNING.value
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
            table.c.is_array | (table.c.replicas_resize & runs),
        )
        .order_by(*order)
    )
    if only is not None:
        ids = sorted(only)
        queued, others = (each.where(table.c.id.in_(ids)) for each in (queued, others))
    if lock:
        queued, others = (each.with_for_update() for each in (queued, others))
    reader = _Reader(tx, now_ms, policies, shapes, learnt)
    waiting = list(reader.demands(tx.execute(queued).all()))
    growing = list(reader.demands(tx.execute(others).all()))
    if not growing:
        return tuple(waiting)
    return tuple(heapq.merge(waiting, growing, key=_place))


def _place(demand: Demand) -> tuple[int, int, str]:
    return -demand.priority, demand.queued_at_ms, demand.workload_id


class _Reader:
    """Makes demands of rows that have `_COLUMNS`, in their order."""

    def __init__(
        self,
        tx: Transaction,
        now_ms: int,
        policies: Policies,
        shapes: Shapes,
        learnt: Learnt | None,
    ) -> None:
        self._tx = tx
        self._learnt = learnt
        self._now_ms = now_ms
        self._policies = policies
        self._shapes = shapes
        self._kinds = {kind.value: kind for kind in Kind}
        self._openings: dict[str, int] = {}
        self._expected: dict[tuple[int, int | None], Expected] = {}

    def demands(self, rows: Sequence[sa.Row[Any]]) -> Iterator[Demand]:
        uneven = [row.id for row in rows if row.is_array or row.state != WorkloadState.QUEUED]
        pending = _pending(self._tx, uneven)
        had = attained(
            self._tx, [row.id for row in rows if row.attempt > 1 and not row.is_array] + uneven
        )
        policies: dict[tuple[str, str], tuple[Kind, bool, bool]] = {}
        shapes = self._shapes
        requests, topologies, all_ranks = shapes.requests, shapes.topologies, shapes.ranks
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
            shape = row[:_REQUEST_END]
            request = requests.get(shape)
            if request is None:
                request = shapes.request(shape)
            place = row[_REQUEST_END:_OWN_BEGIN]
            topology = topologies.get(place)
            if topology is None:
                topology = topologies[place] = topology_from_row(
                    dict(zip(_TOPOLOGY, place, strict=True))
                )
            policy = policies.get((kind_name, project))
            if policy is None:
                kind = self._kinds[kind_name]
                found = self._policies.of(kind, project)
                policy = policies[kind_name, project] = (kind, found.spread, found.preempts)
            grows = state != WorkloadState.QUEUED and not is_array
            blocked = None
            if dependencies_open:
                blocked = _depends(dependencies_open)
            elif not grows and (not_before_ms is not None or window is not None):
                blocked = self._too_early(not_before_ms, window)
            expected = None
            if expected_seconds is not None:
                expected = self._expectation(expected_seconds, limit_seconds)
            elif self._learnt is not None:
                expected = self._learnt.expected(
                    project=project,
                    kind=kind_name,
                    gpu_milli=like_milli(
                        request.gpu_milli, request.mig_count, most, is_array=is_array
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
                request=request,
                pending_ranks=ranks,
                minimum=1 if is_array or grows else min(least, len(ranks)),
                topology=topology,
                blocked=blocked,
                limit_ms=None if limit_seconds is None else limit_seconds * 1000,
                expected=expected,
                spread=policy[1],
                attained_milli_ms=had.get(key, 0),
                # Nobody has to give way for more than what a gang needs to run.
                preempts=policy[2] and not grows,
                elastic=elastic,
            )

    def _expectation(self, seconds: int, limit_seconds: int | None) -> Expected:
        found = self._expected.get((seconds, limit_seconds))
        if found is None:
            found = self._expected[seconds, limit_seconds] = expectation(seconds, limit_seconds)
        return found

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


def _depends(count: int) -> Refusal:
    return Refusal(
        WaitReason.DEPENDENCY,
        f"Waits for {count} workload{'s' if count > 1 else ''} that it depends on.",
        "It is placed as soon as they have succeeded.",
        (Evidence("dependencies_open", str(count)),),
    )


def _pending(tx: Transaction, ids: Sequence[str]) -> Mapping[str, tuple[int, ...]]:
    """Waiting ranks of arrays and, above the rank where they meet, of gangs that may grow. A gang
    of which something has succeeded is about to end and does not grow."""
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
