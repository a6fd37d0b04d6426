"""What `verify` refuses, and in which words; that it agrees with `decide` is tested apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from podium.domain.node import NodeState
from podium.domain.reason import Refusal, WaitReason
from podium.domain.resources import DeviceShare, Topology, TopologyLevel
from podium.scheduling.decide import decide
from podium.scheduling.plan import Placement, Plan
from podium.scheduling.snapshot import Demand, Part, Snapshot
from podium.scheduling.verify import verify
from unit.scheduling.cases import GIB, NOW_MS, demand, holding, mig, node, request, snapshot

AT = node("n1", 4)
BASE = snapshot([AT], [demand("w", request(2), 2)])
PLAN = decide(BASE, NOW_MS, 0)


def changed(**changes: object) -> Snapshot:
    return replace(BASE, demands=(replace(BASE.demands[0], **changes),))  # type: ignore[arg-type]


def at(**changes: object) -> Snapshot:
    return replace(BASE, nodes=(replace(AT, **changes),))  # type: ignore[arg-type]


STALE = [
    (replace(BASE, demands=()), "it does not wait for a place any more"),
    (changed(blocked=Refusal(WaitReason.DEPENDENCY, "Waits for a.")),
     "it may not start now: Waits for a."),
    (changed(pending_ranks=(0, 5)), "rank 1 does not wait for a place any more"),
    (changed(pending_ranks=(0, 1, 2), minimum=3), "2 replicas are placed, but it needs 3 at once"),
    (changed(request=request(2, cpus=2)), "its request has changed"),
    (changed(request=request(1)), "its request has changed"),
    (changed(request=request(2, gpu_types=("H100",))), "GPU 0 of n1 is not what it asks for"),
    (changed(request=request(2, node_labels=(("a", "b"),))),
     "n1 lacks a label that it asks for"),
    (replace(BASE, nodes=()), "n1 is gone"),
    (at(state=NodeState.CORDONED), "n1 is cordoned"),
    (at(devices=AT.devices[2:]), "a GPU of n1 is gone"),
    (at(devices=tuple(replace(one, healthy=one.index != 1) for one in AT.devices)),
     "GPU 1 of n1 is not healthy"),
    (at(cpu_milli=1999), "n1 has too few CPUs free"),
    (at(memory_bytes=GIB), "n1 has too little memory free"),
    (replace(BASE, holds=(holding(AT, [3], "x"),)), "GPU 3 of n1 is taken"),
    (replace(BASE, holds=(holding(AT, [3], "x", milli=1),)), "GPU 3 of n1 is taken"),
]  # fmt: skip


@pytest.mark.parametrize(("fresh", "reason"), STALE, ids=[reason for _, reason in STALE])
def test_a_stale_plan_is_refused_whole_with_its_reason(fresh: Snapshot, reason: str) -> None:
    assert len(PLAN.placements) == 2
    verdict = verify(fresh, PLAN)
    assert verdict.accepted == ()
    assert verdict.rejected == (("w", reason),)


def test_a_rejected_gang_leaves_its_room_to_those_after_it() -> None:
    base = snapshot([AT], [demand("a", request(2), 2, priority=60), demand("b", request(2))])
    shares = [tuple(DeviceShare(d.id, 1000, d.memory_bytes) for d in AT.devices[i : i + 2])
              for i in (0, 2)]  # fmt: skip
    plan = Plan(
        placements=(
            Placement("a", 0, "n1", 1000, GIB, shares[0]),
            Placement("a", 1, "n1", 1000, GIB, shares[0]),
            Placement("b", 0, "n1", 1000, GIB, shares[0]),
        )
    )
    verdict = verify(base, plan)
    assert verdict.accepted == plan.placements[2:]
    assert verdict.rejected == (("a", "GPU 0 of n1 is taken"),)


def test_a_rank_twice_a_device_twice_and_a_split_topology() -> None:
    share = DeviceShare(AT.devices[0].id, 1000, AT.devices[0].memory_bytes)
    both = Plan(placements=(Placement("w", 0, "n1", 1000, GIB, (share, share)),) * 2)
    assert verify(BASE, both).rejected == (("w", "a rank is placed twice"),)
    twice = Plan(placements=(*both.placements[:1], replace(both.placements[0], rank=1)))
    assert verify(BASE, twice).rejected == (("w", "its request has changed"),)

    within = Topology(within=TopologyLevel.NODE)
    two: Demand = demand("w", request(0), 2, topology=within)
    apart = Plan(placements=tuple(Placement("w", i, f"n{i}", 1000, GIB, ()) for i in range(2)))
    fresh = snapshot([node("n0"), node("n1")], [two])
    assert verify(fresh, apart).rejected == (("w", "its replicas would not stand in one node"),)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda share: replace(share, gpu_milli=share.gpu_milli - 1),
        lambda share: replace(share, gpu_milli=share.gpu_milli + 1),
        lambda share: replace(share, memory_bytes=share.memory_bytes - 1),
    ],
)
@pytest.mark.parametrize("wants", [request(0, gpu_milli=500), request(0, gpu_share_bytes=7 * GIB)])
def test_a_share_of_the_wrong_size_is_refused(
    wrong: Callable[[DeviceShare], DeviceShare], wants: object
) -> None:
    base = snapshot([AT], [demand("w", wants)])  # type: ignore[arg-type]
    (placement,) = decide(base, NOW_MS, 0).placements
    bad = replace(placement, devices=(wrong(placement.devices[0]),))
    assert verify(base, Plan(placements=(bad,))).rejected == (("w", "its request has changed"),)


def test_a_mig_instance_never_serves_a_whole_gpu() -> None:
    split = node("n1", mig("n1", 1))
    share = DeviceShare(split.devices[0].id, 1000, split.devices[0].memory_bytes)
    plan = Plan(placements=(Placement("w", 0, "n1", 1000, GIB, (share,)),))
    assert verify(snapshot([split], [demand("w", request(1))]), plan).rejected == (
        ("w", "GPU 0 of n1 is not what it asks for"),
    )


def test_each_rank_is_held_to_what_its_group_asks_for() -> None:
    learner, actor = Part(request(2), (2,)), Part(request(0, cpus=3), (0, 1))
    gang = demand("w", request(2), 3, parts=(learner, actor))
    pair = tuple(DeviceShare(each.id, 1000, each.memory_bytes) for each in AT.devices[:2])
    right = (
        Placement("w", 0, "n1", 3000, GIB, ()),
        Placement("w", 1, "n1", 3000, GIB, ()),
        Placement("w", 2, "n1", 1000, GIB, pair),
    )
    base = snapshot([AT], [gang])
    assert verify(base, Plan(placements=right)).accepted == right
    swapped = (replace(right[0], rank=2), right[1], replace(right[2], rank=0))
    for wrong, objection in (
        (swapped, "its request has changed"),
        (right[1:], "2 replicas are placed, but it needs 3 at once"),
        ((right[0], replace(right[1], devices=pair[:1]), right[2]), "its request has changed"),
    ):
        verdict = verify(base, Plan(placements=wrong))
        assert verdict.accepted == ()
        assert verdict.rejected == (("w", objection),)
