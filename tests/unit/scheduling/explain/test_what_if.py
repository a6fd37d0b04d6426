"""What a change of the cluster would do to those who wait and run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.domain.node import NodeState
from podium.domain.reason import WaitReason
from podium.domain.resources import DeviceShare
from podium.scheduling.decide import decide
from podium.scheduling.explain.edits import (
    BookingAdded,
    Edit,
    LayoutChanged,
    NodeCordoned,
    NodeDrained,
    NodeLost,
    NodesAdded,
    PriorityChanged,
    QuotaEdited,
    UnknownNameError,
    WorkloadAdded,
    WorkloadRemoved,
    edited,
)
from podium.scheduling.explain.values import Difference, Moved
from podium.scheduling.explain.what_if import what_if
from podium.scheduling.order.queue import queue_order
from podium.scheduling.snapshot import Booking, Hold, Share, Snapshot
from podium.scheduling.verify import verify
from unit.scheduling.cases import (
    GIB,
    NOW_MS,
    demand,
    holding,
    node,
    request,
    sliced,
    snapshot,
)
from unit.scheduling.explain.test_explanation import FOUR, HOUR_MS, N1, N2, running, waiting_behind
from unit.scheduling.explain.worlds import worlds


def names(moved: tuple[Moved, ...]) -> list[str]:
    return [each.workload_id for each in moved]


def ask(*edits: Edit, at: Snapshot | None = None) -> Difference:
    return what_if(at or waiting_behind(), edits, NOW_MS)


def test_more_nodes_start_what_waits() -> None:
    found = ask(NodesAdded((N2,)))
    assert names(found.earlier) == ["big", "w"]
    assert all(each.after_ms == NOW_MS for each in found.earlier)
    assert all((each.before_ms or 0) > NOW_MS for each in found.earlier)
    assert found.reasons == (("capacity", 1, 0), ("priority", 1, 0))
    assert (found.later, found.never, found.stopped) == ((), (), ())


@pytest.mark.parametrize("edit", [NodeLost("n1"), NodeDrained("n1")])
def test_a_node_that_goes(edit: Edit) -> None:
    found = ask(edit)
    assert names(found.never) == ["big", "w"]
    assert found.never[0].why.startswith("The only node takes no new work")
    assert names(found.fresh) == ["four"]
    assert [(each.workload_id, each.project) for each in found.stopped] == [("four", "blue")]
    assert found.stopped[0].why.startswith("node n1 is ")


def test_a_cordoned_node_keeps_its_work() -> None:
    found = ask(NodeCordoned("n1"))
    assert found.stopped == ()
    assert names(found.never) == ["big", "w"]


def test_another_order() -> None:
    found = ask(PriorityChanged("w", 95))
    assert names(found.earlier) == ["w"]
    assert names(found.later) == ["big"]
    found = ask(WorkloadRemoved("big"))
    assert names(found.earlier) == ["w"]
    found = ask(WorkloadAdded(demand("x", request(4), priority=99)))
    assert names(found.fresh) == ["x"]
    assert found.fresh[0].after_ms == NOW_MS
    assert names(found.later) == ["big", "w"]


def test_quotas_and_bookings() -> None:
    shares = (Share(name="p", project="p", limits=(("", 1000),)), Share(name="z", project="z"))
    limited = replace(snapshot([N1], [demand("w", request(2))], [FOUR]), shares=shares)
    found = ask(QuotaEdited(share="p", limits=(("", 2000),)), at=limited)
    assert names(found.earlier) == ["w"]
    booking = Booking(name="b", nodes=("n1",), from_ms=NOW_MS, until_ms=NOW_MS + HOUR_MS)
    free = snapshot([N1], [demand("w", request(2))], [FOUR])
    found = ask(BookingAdded(booking), at=free)
    assert names(found.later) == ["w"]
    assert found.later[0].before_ms == NOW_MS


def test_who_is_stopped_by_it() -> None:
    old = running(N1, list(range(8)), "old", preemptible=True, project="q")
    shares = (Share(name="p", project="p"), Share(name="q", project="q"))
    at = replace(snapshot([N1], [demand("w", request(8))], [old]), shares=shares)
    found = ask(QuotaEdited(share="p", guarantees=(("", 8000),)), at=at)
    assert [(each.workload_id, each.project) for each in found.stopped] == [("old", "q")]
    assert "guaranteed" in found.stopped[0].why
    back = replace(at, shares=(replace(shares[0], guarantees=(("", 8000),)), shares[1]))
    found = ask(QuotaEdited(share="p", guarantees=()), at=back)
    assert [each.workload_id for each in found.spared] == ["old"]


CUT = node("cut", sliced("cut", 1))
"""One H100 that can be cut."""


def inside(profile: str, start: int, name: str, **changes: object) -> Hold:
    share = DeviceShare("cut-cut-0", 1000 * int(profile[0]) // 8, 10 * GIB, profile, start)
    plain = replace(holding(CUT, [], name), devices=(share,), started_at_ms=NOW_MS - HOUR_MS)
    return replace(plain, **changes)  # type: ignore[arg-type]


def cut(*instances: tuple[str, int], moves: bool = False) -> LayoutChanged:
    return LayoutChanged(node="cut", gpu=0, board="H100-80GB", instances=instances, moves=moves)


def test_a_layout_gives_out_only_what_is_wanted() -> None:
    """An instance that is in use stays, and what it blocks is there when it has ended."""
    small = request(0, mig_profile="1g.10gb", mig_count=1)
    large = request(0, mig_profile="3g.40gb", mig_count=1)
    stands = inside("1g.10gb", 0, "stands", ends_at_ms=NOW_MS + HOUR_MS)
    at = snapshot([CUT], [demand("s", small, priority=60), demand("l", large)], [stands])
    assert {one.workload_id for one in decide(at, NOW_MS, 0).placements} == {"s", "l"}
    found = ask(cut(("3g.40gb", 4)), at=at)
    assert names(found.never) == ["s"]
    assert (found.later, found.stopped) == ((), ())
    found = ask(cut(("3g.40gb", 0)), at=at)
    assert names(found.later) == ["l"]
    assert NOW_MS < (found.later[0].after_ms or 0) <= NOW_MS + HOUR_MS
    found = ask(cut(("3g.40gb", 4), ("1g.10gb", 0)), at=at)
    assert names(found.later) == ["s"], "the only small one is in use"


def test_saved_work_in_the_way_of_a_layout_moves() -> None:
    saved = {
        "preemptible": True,
        "saved_at_ms": NOW_MS,
        "request": request(0, mig_profile="1g.10gb", mig_count=1),
    }
    holds = [inside("1g.10gb", 0, "saved", **saved), inside("1g.10gb", 1, "stays")]
    at = snapshot([CUT], [demand("l", request(0, mig_profile="4g.40gb", mig_count=1))], holds)
    after, stopped = edited(at, [cut(("4g.40gb", 0), ("1g.10gb", 4), moves=True)], NOW_MS)
    assert [each.workload_id for each in stopped] == ["saved"]
    assert stopped[0].why == "GPU 0 of node cut is cut anew, and it starts again elsewhere"
    assert {each.workload_id for each in after.demands} == {"l", "saved"}
    assert [each.workload_id for each in after.holds] == ["stays"]
    (back,) = decide(after, NOW_MS, 0).placements
    assert (back.workload_id, back.devices[0].mig_start) == ("saved", 4)


def test_what_is_not_there_is_named() -> None:
    for edit, noun in (
        (replace(cut(), node="n1", gpu=9), "gpu"),
        (NodeLost("nowhere"), "node"),
        (PriorityChanged("nobody", 3), "workload"),
        (QuotaEdited(share="none"), "share"),
    ):
        with pytest.raises(UnknownNameError) as raised:
            ask(edit)
        assert raised.value.noun == noun


@given(worlds(), st.data())
@settings(max_examples=80, deadline=None)
def test_a_lost_node_leaves_a_sound_snapshot(at: Snapshot, data: st.DataObject) -> None:
    lost = data.draw(st.sampled_from(at.nodes)).name
    after, stopped = edited(at, [NodeLost(lost)], NOW_MS)
    assert all(hold.node != lost for hold in after.holds)
    assert next(node for node in after.nodes if node.name == lost).state is NodeState.LOST
    assert after.demands == queue_order(after.demands)
    gone = {hold.workload_id for hold in at.holds} - {hold.workload_id for hold in after.holds}
    waiting = {each.workload_id for each in after.demands}
    assert gone <= waiting
    assert gone <= {each.workload_id for each in stopped}
    plan = decide(after, NOW_MS, 0)
    assert not verify(after, plan).rejected
    found = what_if(at, [NodeLost(lost)], NOW_MS, etas=10)
    reasons = {name for name, _, _ in found.reasons}
    assert reasons <= {each.value for each in WaitReason}
    every = [*found.earlier, *found.later, *found.never, *found.possible]
    assert len(set(names(tuple(every)))) == len(every)


def test_what_a_drain_stops_comes_back_as_the_groups_that_it_was() -> None:
    """A learner with two GPUs and two actors without are queued as that."""
    learner, actors = running(N1, [0, 1], "g"), [running(N1, [], "g") for _ in range(2)]
    ranked = [
        replace(each, allocation_id=f"g/{rank}", rank=rank, minimum=3)
        for rank, each in enumerate([learner, *actors])
    ]
    after = edited(snapshot([N1, N2], [], ranked), (NodeDrained("n1"),), NOW_MS)[0]
    (back,) = after.demands
    assert back.minimum == 3
    assert [(part.request.gpu_milli, part.ranks) for part in back.parts] == [
        (2000, (0,)),
        (0, (1, 2)),
    ]
