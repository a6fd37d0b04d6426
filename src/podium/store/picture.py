"""The scheduler's picture, kept up to date: the first look reads everything, later ones what
changed since. `control/schedule` owns one.

What changed is what has events, and what waited for something that succeeded. Everything is read
anew now and then, and when nodes or policies changed; a commit checks on fresh rows in any case.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, replace

import sqlalchemy as sa

from podium.domain.lifecycle import WorkloadEvent
from podium.domain.policies import Override, Policies
from podium.domain.policy import Order
from podium.domain.reason import WaitReason
from podium.scheduling.evolution import evolved
from podium.scheduling.replay.trail import NOWHERE, Step
from podium.scheduling.snapshot import Demand, Hold, Snapshot
from podium.scheduling.space.topology import several_clusters
from podium.scheduling.view import view_of
from podium.store import tables
from podium.store.budgets import budgets_spent
from podium.store.caps import CappedProjects
from podium.store.chunks import chunks
from podium.store.database import Transaction
from podium.store.demands import demand_list
from podium.store.events import event_last_seq
from podium.store.learning import LEARN_MS, Learnt, learn
from podium.store.nodes import bound_instances
from podium.store.policies import override_list, policies_fetch
from podium.store.pools import pool_list
from podium.store.shapes import Shapes
from podium.store.shares import shares
from podium.store.snapshot import booked, snapshot
from podium.store.standing import hold_list

ANEW_MS = 60_000
"""How long a picture is kept up to date before everything is read again."""

_CHANGED_MAX = 5_000
_OVERLAP_MS = 30_000
_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class _Kept:
    """The last picture, and what has to be the same for it to be carried on."""

    snapshot: Snapshot
    policies: Policies
    overrides: list[Override]
    marks: tuple[object, ...]
    made_ms: int
    looked_ms: int
    timed: frozenset[str]
    apart: bool


class Picture:
    """Not for use by several threads at once."""

    def __init__(self) -> None:
        self._kept: _Kept | None = None
        self._shapes = Shapes()
        self._learnt: Learnt | None = None
        self._seen: deque[tuple[int, int]] = deque()  # times of looks, and the last event then
        self.reads_of_all = 0

    @property
    def learnt(self) -> Learnt | None:
        """What the last look knew of the past."""
        return self._learnt

    def forget(self) -> None:
        """Read everything the next time."""
        self._kept = None

    def look(self, tx: Transaction, now_ms: int) -> Snapshot:
        """Everything as it is now."""
        kept, seq = self._kept, event_last_seq(tx)
        # Whatever goes wrong on the way, the next look does not build on it.
        self._kept = None
        self.came = None
        marks, overrides = _marks(tx, now_ms), override_list(tx)
        changed: set[str] | None = None
        if (
            kept is not None
            and kept.marks == marks
            and kept.overrides == overrides
            and 0 <= now_ms - kept.made_ms < ANEW_MS
        ):
            changed = self._changed(tx, kept, now_ms)
        if kept is None or changed is None:
            found = self._all(tx, now_ms, marks, overrides)
        else:
            found, step = self._carried_on(tx, kept, changed, now_ms)
            self.came = (kept.snapshot, step)
        self._seen.append((now_ms, seq))
        self._kept = found
        return found.snapshot

    def _all(
        self, tx: Transaction, now_ms: int, marks: tuple[object, ...], overrides: list[Override]
    ) -> _Kept:
        self.reads_of_all += 1
        self._seen.clear()
        self._shapes = Shapes()
        learnt = self._learn(tx, now_ms)
        seen = snapshot(tx, now_ms, shapes=self._shapes, learnt=learnt)
        return _Kept(
            seen,
            policies_fetch(tx),
            overrides,
            marks,
            now_ms,
            now_ms,
            _timed(tx),
            apart=several_clusters(seen.nodes),
        )

    def _learn(self, tx: Transaction, now_ms: int) -> Learnt:
        learnt, order = self._learnt, policies_fetch(tx).scheduling.order
        fresh = learnt is not None and 0 <= now_ms - learnt.at_ms < LEARN_MS
        if learnt is None or not fresh or (learnt.past is None) == (order is Order.ATTAINED):
            learnt = self._learnt = learn(tx, now_ms, order)
        return learnt

    def _carried_on(
        self, tx: Transaction, kept: _Kept, changed: set[str], now_ms: int
    ) -> tuple[_Kept, Step]:
        before = view_of(kept.snapshot)
        policies, scheduling = kept.policies, kept.policies.scheduling
        demands: list[Demand] = []
        holds: list[Hold] = []
        timed: set[str] = set()
        for chunk in chunks(changed):
            demands += demand_list(
                tx,
                now_ms,
                policies,
                self._shapes,
                only=chunk,
                learnt=self._learnt,
                apart=kept.apart,
            )
            holds += hold_list(tx, policies, self._shapes, only=chunk, learnt=self._learnt)
            timed |= _timed(tx, chunk)
        held = {hold.allocation_id for hold in holds}
        waiting = {demand.workload_id for demand in demands}
        step, carried = NOWHERE, kept.snapshot
        if changed:
            step = Step(
                released=tuple(
                    each
                    for key in sorted(changed)
                    for each in before.held.get(key, ())
                    if each not in held
                ),
                held=tuple(hold for hold in holds if before.holds.get(hold.allocation_id) != hold),
                left=tuple(sorted(key for key in changed - waiting if key in before.demands)),
                waiting=tuple(
                    each for each in demands if before.demands.get(each.workload_id) != each
                ),
            )
            carried = evolved(
                kept.snapshot,
                released=step.released,
                held=step.held,
                left=step.left,
                waiting=step.waiting,
            )
        after = replace(
            carried,
            shares=shares(
                tx,
                now_ms,
                half_life_ms=scheduling.half_life_ms,
                nodes=carried.nodes,
                holds=carried.holds,
            ),
            bookings=booked(tx, now_ms),
        )
        after.indexes.update(carried.indexes)
        timed |= kept.timed - changed
        return replace(kept, snapshot=after, looked_ms=now_ms, timed=frozenset(timed)), step

    def _changed(self, tx: Transaction, kept: _Kept, now_ms: int) -> set[str] | None:
        """Workloads that may be different since the last look; None: too many, read all."""
        table = tables.events
        rows = tx.execute(
            sa.select(table.c.workload_id, table.c.kind)
            .where(table.c.seq > self._known_seq(tx, now_ms))
            .limit(_CHANGED_MAX + 1)
        ).all()
        if len(rows) > _CHANGED_MAX:
            return None
        found = {row[0] for row in rows}
        succeeded = {row[0] for row in rows if row[1] == WorkloadEvent.SUCCEEDED}
        need = tables.dependencies
        for chunk in chunks(succeeded):
            found.update(
                tx.scalars(sa.select(need.c.workload_id).where(need.c.needs_id.in_(chunk)))
            )
        if kept.timed and _may_have_opened(kept, now_ms):
            found |= kept.timed
        return found if len(found) <= _CHANGED_MAX else None

    def _known_seq(self, tx: Transaction, now_ms: int) -> int:
        """Up to which event everything is known. PostgreSQL shows events of transactions that took
        longer after later ones, so there it is what was the last one half a minute ago."""
        if tx.dialect.name == "sqlite":
            return self._seen[-1][1]
        while len(self._seen) > 1 and self._seen[1][0] <= now_ms - _OVERLAP_MS:
            self._seen.popleft()
        return self._seen[0][1]


def _may_have_opened(kept: _Kept, now_ms: int) -> bool:
    """Whether something may start now that could not, or the other way round: windows open and
    close at whole minutes."""
    if now_ms // _MINUTE_MS != kept.looked_ms // _MINUTE_MS:
        return True
    return any(
        demand.blocked is not None
        and demand.blocked.reason is WaitReason.START_TIME
        and int(demand.blocked.evidence[0].value) <= now_ms
        for demand in view_of(kept.snapshot).blocked.values()
    )


def _timed(tx: Transaction, only: Collection[str] | None = None) -> frozenset[str]:
    """What may start at some times only, while it waits."""
    table = tables.workloads
    statement = sa.select(table.c.id).where(
        table.c.state == sa.literal_column("'queued'"),
        table.c.not_before_ms.is_not(None) | table.c.start_window.is_not(None),
    )
    if only is not None:
        statement = statement.where(table.c.id.in_(only))
    return frozenset(tx.scalars(statement).all())


def _marks(tx: Transaction, now_ms: int) -> tuple[object, ...]:
    """What differs when a node, device or pool changed in any way that scheduling knows, when a
    budget was spent or is whole again, or a project came, went or moved: its team has policies and
    pools."""
    node, device = tables.nodes, tables.devices
    columns = ("name", "state", "cpu_milli", "memory_bytes", "labels", "rack", "block", "nvlink")
    nodes = tx.execute(sa.select(*(node.c[name] for name in columns)).order_by(node.c.name)).all()
    shape = (
        device.c.type,
        device.c.mig_profile,
        device.c.healthy,
        device.c.board,
        device.c.pinned,
        device.c.share_milli,
    )
    devices = tx.execute(
        sa.select(
            *shape,
            sa.func.count(),
            sa.func.sum(device.c.memory_bytes),
            sa.func.min(device.c.id),
            sa.func.max(device.c.id),
        )
        .group_by(*shape)
        .order_by(*shape)
    ).all()
    project = tables.projects
    projects = tuple(
        tx.execute(
            sa.select(
                sa.func.count(),
                sa.func.count(project.c.archived_at_ms),
                sa.func.max(project.c.moved_at_ms),
            )
        ).one()
    )
    shapes = tuple(tuple(map(str, row)) for row in devices)
    instances = tuple(map(tuple, bound_instances(tx)))
    spent = tuple(
        (each.budget, each.until_ms, each.updated_by) for each in budgets_spent(tx, now_ms)
    )
    capped = CappedProjects(tx).marks
    return tuple(map(tuple, nodes)), shapes, instances, projects, pool_list(tx), capped, spent
