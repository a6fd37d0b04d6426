"""A snapshot that was evolved from another decides like one that was made anew."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from podium.scheduling.decide import decide
from podium.scheduling.evolution import evolved
from podium.scheduling.order.queue import queue_order
from podium.scheduling.snapshot import Demand, Hold, Snapshot
from podium.scheduling.view import view_of
from unit.scheduling.cases import NOW_MS, demand_lists, hold, snapshots


@st.composite
def changes(draw: st.DrawFn) -> tuple[Snapshot, dict[str, object]]:
    """A snapshot and what happens to it: some of its plan starts, some work ends, some leaves the
    queue, some comes, and some of what is known is told again."""
    before = draw(snapshots())
    demands = {one.workload_id: one for one in before.demands}
    started = [each for each in decide(before, NOW_MS, 0).placements if draw(st.booleans())]
    held = [
        hold(
            each,
            demands[each.workload_id].project,
            kind=demands[each.workload_id].kind,
            ends_at_ms=draw(st.sampled_from([None, NOW_MS - 5, NOW_MS + 10**6])),
            preemptible=draw(st.booleans()),
            ending=draw(st.booleans()),
            started_at_ms=NOW_MS - 10**7,
        )
        for each in started
    ]
    ids = [each.allocation_id for each in (*before.holds, *held)]
    released = [each for each in ids if draw(st.booleans())] + ["nobody"]
    left = [each for each in demands if draw(st.booleans())] + ["nobody"]
    coming = draw(demand_lists(most=3, prefix="c"))
    coming += [
        replace(demands[each], priority=draw(st.sampled_from([25, 50, 99])))
        for each in left
        if each in demands and draw(st.booleans())
    ]
    return before, {"released": released, "held": held, "left": left, "waiting": coming}


def anew(
    before: Snapshot, released: list[str], held: list[Hold], left: list[str], waiting: list[Demand]
) -> Snapshot:
    holds = {each.allocation_id: each for each in (*before.holds, *held)}
    demands = {each.workload_id: each for each in before.demands if each.workload_id not in left}
    demands.update({each.workload_id: each for each in waiting})
    return replace(
        before,
        holds=tuple(each for each in holds.values() if each.allocation_id not in released),
        demands=queue_order(demands.values()),
    )


@settings(max_examples=150, deadline=None)
@given(changes())
def test_evolved_and_made_anew_decide_the_same(case: tuple[Snapshot, dict[str, object]]) -> None:
    before, change = case
    view_of(before)
    untouched = decide(before, NOW_MS, 0).digest()
    after = evolved(before, **change)  # type: ignore[arg-type]
    fresh = anew(before, **change)  # type: ignore[arg-type]
    assert after.demands == fresh.demands
    assert sorted(after.holds, key=lambda each: each.allocation_id) == sorted(
        fresh.holds, key=lambda each: each.allocation_id
    )
    assert decide(after, NOW_MS + 1, 0) == decide(fresh, NOW_MS + 1, 0)
    assert decide(before, NOW_MS, 0).digest() == untouched
