"""What the cluster's history teaches the scheduler: how long like work runs, and what finished work
has had. `store/picture` learns it now and then, `demands` and `standing` fill it in.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from podium.domain.lifecycle import WORKLOAD_ENDS, WorkloadState
from podium.domain.policy import Order
from podium.domain.quantity import GPU_MILLI
from podium.domain.reason import Cause
from podium.domain.workload import Kind
from podium.scheduling.forecast.runtimes import Like, Runtimes, stem
from podium.scheduling.order.service_order import census, ordered_from
from podium.scheduling.snapshot import Expected, Past
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.database import Transaction

LEARN_MS = 5 * 60_000
"""How long what was learnt is good for."""

HISTORY_MS = 90 * 24 * 3600 * 1000
HISTORY_MAX = 5_000

_BY_ITSELF = tuple(
    each.value
    for each in (
        Cause.COMPLETED,
        Cause.EXIT_CODE,
        Cause.SIGNAL,
        Cause.OUT_OF_MEMORY,
        Cause.OUT_OF_DISK,
        Cause.MAX_RUNTIME,
    )
)


@dataclass(frozen=True, slots=True)
class Learnt:
    """`past` only where work is served by what it has had."""

    runtimes: Runtimes
    past: Past | None
    at_ms: int
    _known: dict[tuple[str, str, int, str, str], Expected | None] = field(default_factory=dict)

    def expected(
        self,
        *,
        project: str,
        kind: str,
        gpu_milli: int,
        owner: str,
        name: str,
        limit_seconds: int | None,
    ) -> Expected | None:
        """Of work that says nothing of its own; never beyond its limit. `gpu_milli` is that of all
        replicas, or of one task of an array."""
        key = (project, kind, gpu_milli, owner, stem(name))
        if key not in self._known:
            like = Like(
                project=project, kind=Kind(kind), gpu_milli=gpu_milli, owner=owner, stem=key[4]
            )
            self._known[key] = self.runtimes.expected(like)
        found = self._known[key]
        if found is None or limit_seconds is None:
            return found
        limit_ms = limit_seconds * 1000
        return Expected(min(found.likely_ms, limit_ms), min(found.most_ms, limit_ms))


def learn(tx: Transaction, now_ms: int, order: Order) -> Learnt:
    """From the newest 5,000 attempts of the last 90 days that ended by themselves."""
    return Learnt(
        Runtimes(_history(tx, now_ms)),
        _past(tx, now_ms) if order is Order.ATTAINED else None,
        now_ms,
    )


def like_milli(
    gpu_milli: int, mig_count: int, replicas: int, *, is_array: bool, groups_gpu_milli: int
) -> int:
    """How much a workload takes at once, to compare it with others."""
    return groups_gpu_milli or (gpu_milli or mig_count * GPU_MILLI) * (1 if is_array else replicas)


def _history(tx: Transaction, now_ms: int) -> list[tuple[Like, int]]:
    held, workload = tables.allocations, tables.workloads
    rows = tx.execute(
        sa.select(
            held.c.runtime_ms,
            workload.c.project,
            workload.c.kind,
            workload.c.gpu_milli,
            workload.c.mig_count,
            workload.c.replicas_max,
            workload.c.is_array,
            workload.c.groups_gpu_milli,
            workload.c.owner,
            workload.c.name,
        )
        .join(workload, workload.c.id == held.c.workload_id)
        .where(
            held.c.released_at_ms >= now_ms - HISTORY_MS,
            held.c.started_at_ms.is_not(None),
            held.c.cause.in_(_BY_ITSELF),
            (held.c.rank == 0) | workload.c.is_array,
        )
        .order_by(held.c.released_at_ms.desc(), held.c.id)
        .limit(HISTORY_MAX)
    ).all()
    return [
        (
            Like(
                project=row.project,
                kind=Kind(row.kind),
                gpu_milli=like_milli(
                    row.gpu_milli,
                    row.mig_count,
                    row.replicas_max,
                    is_array=row.is_array,
                    groups_gpu_milli=row.groups_gpu_milli,
                ),
                owner=row.owner,
                stem=stem(row.name),
            ),
            row.runtime_ms,
        )
        for row in reversed(rows)
    ]


def _past(tx: Transaction, now_ms: int) -> Past:
    """What the newest 5,000 workloads had that ended; where small ends counts what goes on, too."""
    workload = tables.workloads
    ended = tx.scalars(
        sa.select(workload.c.id)
        .where(workload.c.ended_at_ms >= now_ms - HISTORY_MS, workload.c.started_at_ms.is_not(None))
        .order_by(workload.c.ended_at_ms.desc(), workload.c.id)
        .limit(HISTORY_MAX)
    ).all()
    over = sorted(each.value for each in (*WORKLOAD_ENDS, WorkloadState.QUEUED))
    living = tx.scalars(
        sa.select(workload.c.id)
        .where(workload.c.ended_at_ms.is_(None), workload.c.state.not_in(over))
        .order_by(workload.c.id)
        .limit(HISTORY_MAX)
    ).all()
    had = attained(tx, ended)
    finished = [had.get(each, 0) for each in ended]
    running = _running(tx, now_ms)
    before = attained(tx, living)
    active = [before.get(each, 0) + running.get(each, 0) for each in living]
    return Past(ordered_from(census([*finished, *active])), census(finished).counts)


def _running(tx: Transaction, now_ms: int) -> dict[str, int]:
    held = tables.allocations
    rows = tx.execute(
        sa.select(
            held.c.workload_id, sa.func.sum(held.c.gpu_milli * (now_ms - held.c.started_at_ms))
        )
        .where(held.c.released_at_ms.is_(None), held.c.started_at_ms.is_not(None))
        .group_by(held.c.workload_id)
    )
    return {row[0]: max(0, int(row[1])) for row in rows}


def attained(tx: Transaction, ids: Collection[str]) -> Mapping[str, int]:
    """GPU time of allocations of these that were released, in milli-GPU x milliseconds."""
    table = tables.bill_lines
    found: dict[str, int] = {}
    for chunk in chunks(ids):
        rows = tx.execute(
            sa.select(table.c.workload_id, sa.func.sum(table.c.gpu_milli_ms))
            .where(table.c.workload_id.in_(chunk))
            .group_by(table.c.workload_id)
        )
        found.update((row[0], int(row[1])) for row in rows)
    return found
