"""MIG instances as `decide` places them: on GPUs that can be cut, never weaker than asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from podium.domain.reason import WaitReason
from podium.domain.resources import Isolation
from podium.scheduling.decide import decide
from podium.scheduling.snapshot import Share, Snapshot
from podium.scheduling.verify import verify
from unit.scheduling.cases import (
    GIB,
    NOW_MS,
    demand,
    gpus,
    hold,
    node,
    request,
    sliced,
    snapshot,
)


def slots(found: Snapshot) -> dict[str, list[tuple[str, str, int]]]:
    """By workload: device, profile and start."""
    plan = decide(found, NOW_MS, 0)
    assert not verify(found, plan).rejected
    return {
        one.workload_id: [
            (each.device_id, each.mig_profile, each.mig_start) for each in one.devices
        ]
        for one in plan.placements
    }


def profiled(name: str, count: int = 1) -> object:
    return request(0, mig_profile=name, mig_count=count)


def test_small_instances_leave_room_for_large_ones() -> None:
    """A 4g fits at the first half only, and seven slices of eight are all that compute has."""
    at = snapshot([node("n", sliced("n", 1))], [demand("small", profiled("1g.10gb"))])
    ((_, _, start),) = slots(at)["small"]
    assert start == 6
    both = snapshot(
        [node("n", sliced("n", 1))],
        [demand("a", profiled("3g.40gb")), demand("b", profiled("4g.40gb"))],
    )
    assert sorted(start for ((_, _, start),) in slots(both).values()) == [0, 4]


def test_a_gpu_is_filled_before_another_is_begun() -> None:
    asks = [demand(f"w{i}", profiled("1g.10gb")) for i in range(8)]
    found = slots(snapshot([node("n", sliced("n", 2))], asks))
    used = [device for ((device, _, _),) in found.values()]
    assert sorted(used.count(device) for device in set(used)) == [1, 7]


def test_several_instances_for_one_replica() -> None:
    found = slots(snapshot([node("n", sliced("n", 1))], [demand("w", profiled("2g.20gb", 3))]))
    assert sorted(start for _, _, start in found["w"]) == [0, 2, 4]


@pytest.mark.parametrize(
    ("wants", "profile"),
    [
        (request(0, gpu_milli=100), "1g.10gb"),
        (request(0, gpu_milli=250), "2g.20gb"),
        (request(0, gpu_milli=430), "4g.40gb"),  # 3 of 7 compute slices would be too little
        (request(0, gpu_milli=600), "7g.80gb"),
        (request(0, gpu_share_bytes=9 * GIB), "1g.10gb"),
        (request(0, gpu_share_bytes=19 * GIB), "1g.20gb"),
        (request(0, gpu_share_bytes=20 * GIB), "3g.40gb"),
    ],
)
def test_a_share_gets_an_instance_that_is_no_less(wants: object, profile: str) -> None:
    isolated = replace(wants, isolation=Isolation.MIG)  # type: ignore[type-var]
    at = snapshot([node("n", sliced("n", 1))], [demand("w", isolated)])
    ((_, found, _),) = slots(at)["w"]
    assert found == profile


def test_isolation_is_never_weaker() -> None:
    """Without GPUs that can be cut a share with MIG isolation waits; one without goes there."""
    wants = request(0, gpu_milli=250, isolation=Isolation.MIG)
    plan = decide(snapshot([node("n", 2)], [demand("w", wants)]), NOW_MS, 0)
    assert plan.placements == ()
    assert plan.refusals[0].refusal.reason is WaitReason.IMPOSSIBLE_TYPE
    plain = request(0, gpu_milli=250)
    assert slots(snapshot([node("n", sliced("n", 2))], [demand("w", plain)])) == {}
    whole = snapshot([node("n", [*gpus("n", 1, "H100"), *sliced("n", 1, first=1)])], [demand()])
    assert slots(whole)["w"] == [("n-H100-0", "", 0)]


def test_a_pinned_layout_is_kept() -> None:
    layout = (("3g.40gb", 0), ("1g.10gb", 4))
    nodes = [node("n", sliced("n", 1, pinned=layout))]
    asks = [demand(f"w{i}", profiled("1g.10gb")) for i in range(2)]
    found = slots(snapshot(nodes, asks))
    assert list(found.values()) == [[("n-cut-0", "1g.10gb", 4)]]
    assert slots(snapshot(nodes, [demand("w", profiled("2g.20gb"))])) == {}


def test_what_others_use_is_not_touched() -> None:
    nodes = [node("n", sliced("n", 1, busy=(("4g.40gb", 0),)))]
    asks = [demand(f"w{i}", profiled("3g.40gb")) for i in range(2)]
    assert list(slots(snapshot(nodes, asks)).values()) == [[("n-cut-0", "3g.40gb", 4)]]


def test_held_slices_are_taken_and_come_back() -> None:
    nodes = [node("n", sliced("n", 1))]
    first = snapshot(nodes, [demand("a", profiled("4g.40gb"))])
    (placement,) = decide(first, NOW_MS, 0).placements
    asks = [demand("b", profiled("4g.40gb"))]
    assert slots(snapshot(nodes, asks, [hold(placement)])) == {}
    refused = decide(snapshot(nodes, asks, [hold(placement)]), NOW_MS, 0).refusals[0].refusal
    assert refused.reason in (WaitReason.CAPACITY, WaitReason.FRAGMENTATION)
    assert slots(snapshot(nodes, asks)) != {}


def test_quotas_count_slices() -> None:
    tree = (
        Share(name="all"),
        Share(name="p", parent="all", project="p", limits=(("H100", 500),)),
    )
    asks = [demand(f"w{i}", profiled("2g.20gb")) for i in range(3)]
    at = replace(snapshot([node("n", sliced("n", 2))], asks), shares=tree)
    assert len(slots(at)) == 2, "two eighths each"


def test_instances_inside_a_guarantee_go_first() -> None:
    tree = (
        Share(name="all"),
        Share(name="p", parent="all", project="p"),
        Share(name="q", parent="all", project="q", guarantees=(("H100", 1000),)),
    )
    asks = [
        demand("low", profiled("7g.80gb"), project="q", priority=10),
        demand("high", profiled("7g.80gb"), project="p", priority=90),
    ]
    at = replace(snapshot([node("n", sliced("n", 1))], asks), shares=tree)
    assert list(slots(at)) == ["low"]
