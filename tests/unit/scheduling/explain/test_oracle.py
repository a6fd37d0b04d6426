"""The smallest change does start it, and no smaller one of its kind does: by trying all of them on
small clusters, with nothing in common with the search but `decide`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from hypothesis import event, given, settings
from hypothesis import strategies as st

from podium.domain.resources import Topology, TopologyLevel
from podium.scheduling.decide import decide
from podium.scheduling.explain.changes import Effort
from podium.scheduling.explain.explanation import explanation
from podium.scheduling.explain.values import Axis, Change, QuotaKind
from podium.scheduling.order.queue import queue_order
from podium.scheduling.plan import Plan
from podium.scheduling.snapshot import Demand, Snapshot
from unit.scheduling.cases import NOW_MS
from unit.scheduling.explain.worlds import MINUTE_MS, worlds

ENDS = (3, 20, 30, 45, 60, 90, 120, 150)
MINUTES = sorted({end + near for end in ENDS for near in (-2, -1, 0, 1)}, reverse=True)
"""Between these nothing ends or begins in a world."""

THOROUGH = Effort(tries=2000, of_axis=1000, thorough=True)


def with_demand(at: Snapshot, changed: Demand) -> Snapshot:
    others = [each for each in at.demands if each.workload_id != changed.workload_id]
    return replace(at, demands=queue_order([*others, changed]))


def placed(plan: Plan, but: str) -> set[tuple[str, int]]:
    return {(each.workload_id, each.rank) for each in plan.placements if each.workload_id != but}


def plan_of(at: Snapshot) -> Plan:
    """Decided once."""
    found = at.indexes.get("plan of the oracle")
    if not isinstance(found, Plan):
        found = at.indexes["plan of the oracle"] = decide(at, NOW_MS, 0)
    return found


def starts(at: Snapshot, after: Snapshot, workload_id: str) -> bool:
    """It has a place now, everyone else who had one has one, and nobody else stops."""
    before, then = plan_of(at), decide(after, NOW_MS, 0)
    stopped = {(each.workload_id, each.ranks) for each in before.preemptions}
    return (
        any(each.workload_id == workload_id for each in then.placements)
        and placed(before, workload_id) <= placed(then, workload_id)
        and all((each.workload_id, each.ranks) in stopped for each in then.preemptions)
    )


def smaller(at: Snapshot, one: Demand) -> Iterator[tuple[Axis, list[tuple[object, Demand]]]]:
    """All changes of each kind, the smallest first, with what tells them apart."""
    wants = one.request
    yield (
        Axis.GPUS,
        [
            (count, replace(one, request=replace(wants, gpu_milli=count * 1000)))
            for count in range(wants.whole_gpus - 1, 0, -1)
        ],
    )
    yield (
        Axis.REPLICAS,
        [
            (
                count,
                replace(one, minimum=count)
                if one.minimum < len(one.pending_ranks)
                else replace(one, minimum=count, pending_ranks=one.pending_ranks[:count]),
            )
            for count in range(one.minimum - 1, 0, -1)
        ],
    )
    yield (
        Axis.CPUS,
        [
            (milli, replace(one, request=replace(wants, cpu_milli=milli)))
            for milli in range(wants.cpu_milli - 500, 0, -500)
        ],
    )
    levels = (TopologyLevel.NODE, TopologyLevel.RACK, TopologyLevel.BLOCK, None)
    within, prefer = one.topology.within, one.topology.prefer
    looser: Iterable[TopologyLevel | None] = ()
    if within not in (None, TopologyLevel.CLUSTER) and len(one.pending_ranks) > 1:
        nvlink = within is TopologyLevel.NVLINK  # which no node of a world names
        looser = levels[1 if nvlink else levels.index(within) + 1 :]
    yield (
        Axis.TOPOLOGY,
        [(level, replace(one, topology=Topology(level, prefer or within))) for level in looser],
    )
    yield (
        Axis.PRIORITY,
        [(priority, replace(one, priority=priority)) for priority in range(one.priority + 1, 101)],
    )
    # What is kept by a minute later still starts a minute after the question.
    yield (
        Axis.MAX_RUNTIME,
        [
            (minutes, replace(one, limit_ms=min((minutes + 1) * MINUTE_MS, one.limit_ms or 2**60)))
            for minutes in MINUTES
            if one.limit_ms is None or minutes * MINUTE_MS < one.limit_ms
        ],
    )


def told(change: Change) -> object:
    """What tells a change from the others of its axis."""
    changed = change.demand
    assert changed is not None
    return {
        Axis.GPUS: changed.request.whole_gpus,
        Axis.REPLICAS: changed.minimum,
        Axis.CPUS: changed.request.cpu_milli,
        Axis.TOPOLOGY: changed.topology.within,
        Axis.PRIORITY: changed.priority,
        Axis.MAX_RUNTIME: (changed.limit_ms or 0) // MINUTE_MS,
    }[change.axis]


@given(worlds(most_demands=8), st.data())
@settings(max_examples=70, deadline=None)
def test_the_smallest_change_starts_it_and_no_smaller_one_does(
    at: Snapshot, data: st.DataObject
) -> None:
    one = data.draw(st.sampled_from(at.demands))
    found = explanation(at, None, one.workload_id, NOW_MS, effort=THOROUGH)
    if found.starts_now:
        assert found.changes == ()
        return
    assert found.refusal is not None
    by_axis = {change.axis: change for change in found.changes}
    assert [change.axis for change in found.changes] == [axis for axis in Axis if axis in by_axis]
    for change in found.changes:
        event(f"changes {change.axis.value}")
        assert change.exact
        after = at if change.demand is None else with_demand(at, change.demand)
        if change.shares is not None:
            after = replace(after, shares=change.shares)
        assert starts(at, after, one.workload_id), change
    stands = any(hold.workload_id == one.workload_id for hold in at.holds)
    for axis, options in smaller(at, one):
        first = next(
            (
                key
                for key, changed in options
                if starts(at, with_demand(at, changed), one.workload_id)
            ),
            None,
        )
        event(f"{axis.value}: {'none' if first is None else 'some'}")
        assert not stands
        if first is None:
            assert axis not in by_axis or axis is Axis.MAX_RUNTIME, axis
        else:
            assert axis in by_axis, (axis, first)
            assert told(by_axis[axis]) == first


@given(worlds(most_demands=8), st.data())
@settings(max_examples=70, deadline=None)
def test_a_limit_is_raised_by_no_more_than_it_needs(at: Snapshot, data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(at.demands))
    found = explanation(at, None, one.workload_id, NOW_MS, effort=THOROUGH)
    for change in found.changes:
        for raised in change.quota if change.axis is Axis.QUOTA else ():
            if raised.kind is not QuotaKind.LIMIT:
                continue
            event("raised")
            assert change.shares is not None
            less = tuple(
                replace(
                    share,
                    limits=tuple(
                        (name, milli - (name == raised.gpu_type)) for name, milli in share.limits
                    ),
                )
                if share.name == raised.share
                else share
                for share in change.shares
            )
            assert not starts(at, replace(at, shares=less), one.workload_id)


@given(worlds(), st.data())
@settings(max_examples=100, deadline=None)
def test_few_tries_find_only_what_is_true(at: Snapshot, data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(at.demands))
    found = explanation(at, None, one.workload_id, NOW_MS)
    assert found.decides <= 9
    for change in found.changes:
        after = at if change.demand is None else with_demand(at, change.demand)
        if change.shares is not None:
            after = replace(after, shares=change.shares)
        assert starts(at, after, one.workload_id), change
    plan = decide(at, NOW_MS, 0)
    reasons = {name: each.refusal.reason for each in plan.refusals for name in each.workload_ids}
    told_reason = None if found.refusal is None else found.refusal.reason
    assert told_reason == reasons.get(one.workload_id)
    assert sum(group.count for group in found.groups) in (0, len(at.nodes))
    assert found.sentence.endswith(".")
