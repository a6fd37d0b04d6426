"""A try that leaves lines out says the same as deciding on the whole queue."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import event, given, settings
from hypothesis import strategies as st

from podium.domain.policy import Preempt
from podium.scheduling.explain.rehearsal import Rehearsal
from podium.scheduling.snapshot import Demand, Share, Snapshot
from podium.simulation.speed.mixture import NOW_MS as SPEED_NOW_MS
from podium.simulation.speed.shapes import SHAPES
from unit.scheduling.cases import NOW_MS, request
from unit.scheduling.explain.worlds import worlds


@given(worlds(most_demands=25), st.data())
@settings(max_examples=150, deadline=None)
def test_what_is_left_out_changes_nothing(at: Snapshot, data: st.DataObject) -> None:
    if data.draw(st.integers(0, 3)):  # or the whole queue is played most of the time
        calm = replace(at.policy, preempt=Preempt.NEVER)
        holds = tuple(replace(hold, ending=False) for hold in at.holds)
        at = replace(at, policy=calm, holds=holds)
    if data.draw(st.booleans()):
        at = replace(at, mix=((request(1), 5), (request(3), 2)))
    one = data.draw(st.sampled_from(at.demands))
    changed = data.draw(st.sampled_from(changes(one)))
    shares: tuple[Share, ...] | None = None
    if at.shares and data.draw(st.booleans()):
        shares = tuple(replace(share, limits=(), guarantees=(("", 4000),)) for share in at.shares)
    rehearsal = Rehearsal(at, NOW_MS, 0, one.workload_id)
    whole = rehearsal.tried(changed, shares, whole=True)
    short = rehearsal.tried(changed, shares)
    waiting = len(short.plan.refusals) + len(short.plan.placements)
    left_out = waiting < len(whole.plan.refusals) + len(whole.plan.placements)
    event("some left out" if left_out else "all lines")
    assert short.placements == whole.placements
    assert short.loses == whole.loses
    assert short.delays == whole.delays
    assert short.starts == whole.starts


def changes(one: Demand) -> list[Demand]:
    return [
        one,
        replace(one, priority=min(100, one.priority + 26)),
        replace(one, request=request(1)),
        replace(one, pending_ranks=one.pending_ranks[:1], minimum=1),
        replace(one, limit_ms=60_000),
    ]


def test_nearly_all_of_a_deep_queue_is_left_out() -> None:
    at = SHAPES["deep-queue"].build(0.01)
    one = at.demands[len(at.demands) // 2]
    rehearsal = Rehearsal(at, SPEED_NOW_MS, 0, one.workload_id)
    short = rehearsal.short(at, replace(one, limit_ms=60_000))
    assert short is not None
    assert len(short.refusals) < len(rehearsal.plan.refusals) // 4
