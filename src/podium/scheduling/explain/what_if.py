"""What changes of the cluster would do: two plans and two forecasts, compared as people read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from podium.domain.reason import Refusal, WaitReason
from podium.scheduling.decide import decide
from podium.scheduling.explain.edits import Edit, edited
from podium.scheduling.explain.values import Difference, Moved, Stopped
from podium.scheduling.forecast.eta import forecast
from podium.scheduling.plan import Plan, Preemption
from podium.scheduling.snapshot import Snapshot
from podium.scheduling.view import view_of

ETAS = 200
LISTED_MAX = 500

_NEAR_MS = 60_000
_NEAR_PART = 10
"""A start that moves by less than this, or than such a part of how far ahead it is, is as good as
the same: forecasts are not better than that."""

_STUCK = (
    WaitReason.IMPOSSIBLE_TYPE,
    WaitReason.IMPOSSIBLE_SIZE,
    WaitReason.NO_NODES,
    WaitReason.UNHEALTHY_NODES,
    WaitReason.POLICY,
)
"""What no waiting helps against."""


@dataclass(frozen=True, slots=True)
class _Future:
    """One of the two: when those start of whom it is known, and why the others wait."""

    plan: Plan
    starts_ms: Mapping[str, int]
    refusals: Mapping[str, Refusal]
    projects: Mapping[str, str]

    def stuck(self, workload_id: str) -> bool:
        refusal = self.refusals.get(workload_id)
        return refusal is not None and refusal.reason in _STUCK


def what_if(
    snapshot: Snapshot,
    edits: Iterable[Edit],
    now_ms: int,
    seed: int = 0,
    *,
    etas: int = ETAS,
) -> Difference:
    """`etas`: of so many of the first turns the forecasts are compared too, 0 for none; each of
    the two costs as much as several cycles. Each list ends after `LISTED_MAX`. UnknownNameError
    when an edit names what is not there."""
    after_snapshot, stops = edited(snapshot, edits, now_ms)
    before = _future(snapshot, now_ms, seed, etas)
    after = _future(after_snapshot, now_ms, seed, etas)
    earlier: list[Moved] = []
    later: list[Moved] = []
    never: list[Moved] = []
    possible: list[Moved] = []
    fresh: list[Moved] = []
    looked_at = 0
    for demand in after_snapshot.demands:
        name = demand.workload_id
        moved = _moved(name, before, after)
        if name not in before.projects:
            fresh.append(moved)
            continue
        looked_at += moved.before_ms is not None or moved.after_ms is not None
        if after.stuck(name) != before.stuck(name):
            (never if after.stuck(name) else possible).append(moved)
        elif (side := _side(moved, now_ms)) < 0:
            earlier.append(moved)
        elif side > 0:
            later.append(moved)
    return Difference(
        earlier=tuple(earlier[:LISTED_MAX]),
        later=tuple(later[:LISTED_MAX]),
        never=tuple(never[:LISTED_MAX]),
        possible=tuple(possible[:LISTED_MAX]),
        fresh=tuple(fresh[:LISTED_MAX]),
        stopped=(*stops, *_stopped(after_snapshot, after.plan, before.plan)),
        spared=_stopped(snapshot, before.plan, after.plan),
        reasons=_reasons(before, after),
        looked_at=looked_at,
        waiting=len(snapshot.demands),
    )


def with_owners(snapshot: Snapshot, owners: Mapping[str, str]) -> Snapshot:
    """The snapshot with the owners of work, by workload, which it has only where a cap for each
    person is set already."""
    return replace(
        snapshot,
        demands=tuple(
            replace(each, owner=owners.get(each.workload_id, "")) for each in snapshot.demands
        ),
        holds=tuple(
            replace(each, owner=owners.get(each.workload_id, "")) for each in snapshot.holds
        ),
    )


def _future(snapshot: Snapshot, now_ms: int, seed: int, etas: int) -> _Future:
    plan = decide(snapshot, now_ms, seed)
    found = forecast(snapshot, now_ms, most=etas) if etas else {}
    starts = {name: eta.likely_ms for name, eta in found.items()}
    for placement in plan.placements:
        starts[placement.workload_id] = now_ms
    return _Future(
        plan,
        starts,
        {name: each.refusal for each in plan.refusals for name in each.workload_ids},
        {demand.workload_id: demand.project for demand in snapshot.demands},
    )


def _moved(workload_id: str, before: _Future, after: _Future) -> Moved:
    refusal = after.refusals.get(workload_id)
    starts = workload_id in after.starts_ms
    return Moved(
        workload_id=workload_id,
        project=after.projects[workload_id],
        before_ms=before.starts_ms.get(workload_id),
        after_ms=after.starts_ms.get(workload_id),
        why="" if refusal is None or (starts and refusal.reason not in _STUCK) else refusal.message,
    )


def _side(moved: Moved, now_ms: int) -> int:
    """-1 when it starts clearly earlier, 1 when clearly later. Who has no time in one of the two
    may only be beyond those that were looked at, except if it would have started now."""
    before, after = moved.before_ms, moved.after_ms
    if before is None or after is None:
        if before is None and after == now_ms:
            return -1
        return int(after is None and before == now_ms)
    gap = abs(after - before)
    near = max(_NEAR_MS, (max(before, after) - now_ms) // _NEAR_PART)
    if now_ms not in (before, after) and gap <= near:
        return 0
    return (after > before) - (after < before)


def _stopped(snapshot: Snapshot, plan: Plan, other: Plan) -> tuple[Stopped, ...]:
    """Who gives way in one plan and not in the other."""
    known = {_key(each) for each in other.preemptions}
    view = view_of(snapshot)
    found: dict[str, Stopped] = {}
    for each in plan.preemptions:
        if _key(each) not in known:
            ids = view.held[each.workload_id]
            project = view.holds[ids[0]].project
            found.setdefault(
                each.workload_id,
                Stopped(workload_id=each.workload_id, project=project, why=each.justification),
            )
    return tuple(found.values())


def _key(preemption: Preemption) -> tuple[str, tuple[int, ...]]:
    return preemption.workload_id, preemption.ranks


def _reasons(before: _Future, after: _Future) -> tuple[tuple[str, int, int], ...]:
    one = Counter(refusal.reason.value for refusal in before.refusals.values())
    two = Counter(refusal.reason.value for refusal in after.refusals.values())
    return tuple((name, one[name], two[name]) for name in sorted({*one, *two}))
