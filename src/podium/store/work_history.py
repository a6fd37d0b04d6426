"""Work of a time in the past, with how long it waited and ran; capacity planning replays it."""

from __future__ import annotations

import sqlalchemy as sa

from podium.domain.past_work import PastWork
from podium.domain.resources import ReplicaCount
from podium.domain.workload import Kind
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.database import Transaction
from podium.store.groups import asking_fetch
from podium.store.shapes import REQUEST_COLUMNS, TOPOLOGY_COLUMNS, Shapes


def work_history(
    tx: Transaction, since_ms: int, until_ms: int, *, most: int
) -> tuple[PastWork, ...]:
    """What was submitted between, or was under way at `since_ms`, in the order of submission; at
    most the newest `most`. What ended without having started is left out."""
    table, shapes = tables.workloads, Shapes()
    columns = [table.c[name] for name in (*REQUEST_COLUMNS, *TOPOLOGY_COLUMNS)]
    rows = tx.execute(
        sa.select(table, *columns)
        .where(
            table.c.submitted_at_ms < until_ms,
            table.c.ended_at_ms.is_(None) | (table.c.ended_at_ms > since_ms),
        )
        .order_by(table.c.submitted_at_ms.desc(), table.c.id.desc())
        .limit(most)
    ).mappings()
    chosen = list(rows)
    times = _times(tx, [row["id"] for row in chosen], until_ms)
    groups = asking_fetch(
        tx,
        [row["id"] for row in chosen if row["group_count"]],
        REQUEST_COLUMNS,
        shapes.request,
    )
    depends = set(tx.scalars(sa.select(tables.dependencies.c.workload_id).distinct()))
    found = []
    for row in reversed(chosen):
        started_ms, rank_ms, all_ms, ranks = times.get(row["id"], (None, 0, 0, 1))
        if started_ms is None and row["ended_at_ms"] is not None:
            continue
        timed = row["not_before_ms"] is not None or row["start_window"] is not None
        found.append(
            PastWork(
                workload_id=row["id"],
                project=row["project"],
                team=row["team"],
                owner=row["owner"],
                kind=Kind(row["kind"]),
                priority=row["priority"],
                request=shapes.request(tuple(row[name] for name in REQUEST_COLUMNS)),
                topology=shapes.topology(tuple(row[name] for name in TOPOLOGY_COLUMNS)),
                replicas=ReplicaCount(
                    row["replicas_min"],
                    row["replicas_max"],
                    array=row["is_array"],
                    resize=row["replicas_resize"],
                ),
                preemptible=row["preemptible"],
                limit_ms=None
                if row["max_runtime_seconds"] is None
                else row["max_runtime_seconds"] * 1000,
                submitted_at_ms=row["submitted_at_ms"],
                started_at_ms=started_ms,
                runtime_ms=all_ms // max(1, ranks) if row["is_array"] else rank_ms,
                known=row["ended_at_ms"] is not None,
                waited=not timed and row["id"] not in depends,
                groups=tuple(
                    (each.request, each.first_rank, each.replicas)
                    for each in groups.get(row["id"], ())
                ),
            )
        )
    return tuple(found)


def _times(tx: Transaction, ids: list[str], until_ms: int) -> dict[str, tuple[int, int, int, int]]:
    """By workload: its first start, for how long its first rank and all ranks held a place, and
    how many ranks did."""
    held = tables.allocations
    span = sa.func.coalesce(held.c.released_at_ms, until_ms) - held.c.created_at_ms
    found = {}
    for chunk in chunks(ids):
        rows = tx.execute(
            sa.select(
                held.c.workload_id,
                sa.func.min(held.c.created_at_ms),
                sa.func.sum(sa.case((held.c.rank == 0, span), else_=0)),
                sa.func.sum(span),
                sa.func.count(held.c.rank.distinct()),
            )
            .where(held.c.workload_id.in_(chunk))
            .group_by(held.c.workload_id)
        )
        for key, started_ms, rank_ms, all_ms, ranks in rows:
            found[key] = (int(started_ms), int(rank_ms), int(all_ms), int(ranks))
    return found
