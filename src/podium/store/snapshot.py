"""Reads the one consistent picture that the scheduler decides on. Called by `store/picture` and,
in the same transaction as the commit, by `store/plans.py`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import sqlalchemy as sa

from podium.domain.resources import Request
from podium.scheduling.snapshot import Booking, Snapshot
from podium.scheduling.space.topology import several_clusters
from podium.store import tables
from podium.store.bookings import booking_list
from podium.store.database import Transaction
from podium.store.demands import demand_list
from podium.store.learning import Learnt
from podium.store.nodes import node_list
from podium.store.policies import policies_fetch
from podium.store.pools import pool_list
from podium.store.shapes import REQUEST_COLUMNS, Shapes
from podium.store.shares import shares
from podium.store.standing import hold_list

MIX_MS = 7 * 24 * 3600 * 1000
MIX_WORKLOADS_MAX = 2000


def snapshot(
    tx: Transaction,
    now_ms: int,
    *,
    only: Collection[str] | None = None,
    shapes: Shapes | None = None,
    learnt: Learnt | None = None,
) -> Snapshot:
    """Everything as it is now. `only` narrows the demands to some workloads, for a commit that
    checks a plan for these alone; it leaves out the mix."""
    policies, shapes = policies_fetch(tx), shapes or Shapes()
    nodes, holds = node_list(tx), hold_list(tx, policies, shapes, learnt=learnt)
    half_life_ms = policies.scheduling.half_life_ms
    return Snapshot(
        nodes=nodes,
        holds=holds,
        shares=shares(tx, now_ms, half_life_ms=half_life_ms, nodes=nodes, holds=holds),
        demands=demand_list(
            tx,
            now_ms,
            policies,
            shapes,
            only=only,
            lock=only is not None,
            learnt=learnt,
            apart=several_clusters(nodes),
        ),
        bookings=booked(tx, now_ms),
        pools=pool_list(tx),
        mix=mix(tx, now_ms, shapes) if only is None else (),
        past=None if learnt is None else learnt.past,
        policy=policies.scheduling,
    )


def mix(tx: Transaction, now_ms: int, shapes: Shapes) -> tuple[tuple[Request, int], ...]:
    """How many replicas asked for each request in the last week, at most by the newest 2,000
    workloads; most frequent first."""
    table, group = tables.workloads, tables.replica_groups
    columns = [table.c[name] for name in REQUEST_COLUMNS]
    newest = (
        sa.select(*columns, table.c.replicas_max, table.c.group_count, table.c.id)
        .where(table.c.submitted_at_ms >= now_ms - MIX_MS)
        .order_by(table.c.id.desc())
        .limit(MIX_WORKLOADS_MAX)
        .subquery()
    )
    shape = [newest.c[name] for name in REQUEST_COLUMNS]
    alike = tx.execute(
        sa.select(*shape, sa.func.sum(newest.c.replicas_max))
        .where(newest.c.group_count == 0)
        .group_by(*shape)
    )
    own = [group.c[name] for name in REQUEST_COLUMNS]
    unlike = tx.execute(
        sa.select(*own, sa.func.sum(group.c.replicas))
        .join(newest, newest.c.id == group.c.workload_id)
        .where(newest.c.group_count > 0)
        .group_by(*own)
    )
    found: Counter[Request] = Counter()
    for row in (*alike, *unlike):
        found[shapes.request(tuple(row[:-1]))] += int(row[-1])
    return tuple(sorted(found.items(), key=lambda each: (-each[1], repr(each[0]))))


def booked(tx: Transaction, now_ms: int) -> tuple[Booking, ...]:
    return tuple(
        Booking(
            name=each.name,
            nodes=each.nodes,
            from_ms=each.from_ms,
            until_ms=each.until_ms,
            project=each.project,
        )
        for each in booking_list(tx, now_ms)
    )
