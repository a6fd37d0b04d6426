"""Gangs of unlike groups, gangs that come back, and work that moves so that a gang fits."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from podium.domain.policy import SchedulingPolicy
from podium.domain.reason import WaitReason
from podium.domain.resources import Topology, TopologyLevel
from podium.scheduling.decide import decide
from podium.scheduling.snapshot import Demand, Expected, Part, Share, Snapshot
from podium.scheduling.verify import verify
from unit.scheduling.cases import GIB, NOW_MS, demand, holding, node, request, snapshot

LONG_AGO_MS = NOW_MS - 3_600_000


def gang(name: str, *groups: tuple[int, int], **changes: object) -> Demand:
    """Of (replicas, GPUs each), the most GPUs first."""
    parts, first = [], 0
    for replicas, gpus in groups:
        parts.append(Part(request(gpus), tuple(range(first, first + replicas))))
        first += replicas
    return demand(name, parts[0].request, first, parts=tuple(parts), **changes)


def where(found: Snapshot) -> dict[tuple[str, int], str]:
    plan = decide(found, NOW_MS, 0)
    assert not verify(found, plan).rejected
    return {(one.workload_id, one.rank): one.node for one in plan.placements}


def test_all_groups_are_placed_or_none() -> None:
    wants = gang("g", (2, 4), (3, 0))
    assert len(where(snapshot([node("a", 4), node("b", 4)], [wants]))) == 5
    short = snapshot([node("a", 4), node("b", 4, cpu_milli=1000)], [gang("g", (2, 4), (70, 0))])
    plan = decide(short, NOW_MS, 0)
    assert plan.placements == ()
    (refused,) = plan.refusals
    assert refused.refusal.reason is WaitReason.IMPOSSIBLE_SIZE


def test_groups_that_never_fit_together_are_told_so() -> None:
    plan = decide(snapshot([node("a", 4)], [gang("g", (1, 4), (1, 1))]), NOW_MS, 0)
    assert plan.refusals[0].refusal.reason is WaitReason.IMPOSSIBLE_SIZE
    assert "all of them at once" in plan.refusals[0].refusal.message


def test_groups_stand_in_one_rack() -> None:
    nodes = [
        node("a1", 4, rack="ra"),
        node("a2", 1, rack="ra"),
        node("b1", 4, rack="rb"),
        node("b2", 4, rack="rb"),
    ]
    wants = gang("g", (1, 4), (3, 1), topology=Topology(within=TopologyLevel.RACK))
    assert {at[0] for at in where(snapshot(nodes, [wants])).values()} == {"b"}
    preferred = replace(wants, topology=Topology(prefer=TopologyLevel.RACK))
    assert {at[0] for at in where(snapshot(nodes, [preferred])).values()} == {"b"}
    nowhere = gang("g", (1, 4), (7, 1), topology=Topology(within=TopologyLevel.RACK))
    assert where(snapshot(nodes, [nowhere])) == {}


def test_a_limit_counts_all_groups() -> None:
    wants = gang("g", (1, 2), (2, 1))
    tree = (Share(name="all"), Share(name="p", parent="all", project="p", limits=(("A100", 3000),)))
    found = replace(snapshot([node("a", 8)], [wants]), shares=tree)
    plan = decide(found, NOW_MS, 0)
    assert plan.placements == ()
    assert plan.refusals[0].refusal.reason is WaitReason.QUOTA
    more = replace(tree[1], limits=(("A100", 4000),))
    assert len(where(replace(found, shares=(tree[0], more)))) == 3


def test_others_give_way_to_all_groups_or_to_none() -> None:
    nodes = [node("a", 4), node("b", 4)]
    tree = (
        Share(name="all"),
        Share(name="p", parent="all", project="p", guarantees=(("A100", 8000),)),
        Share(name="q", parent="all", project="q"),
    )
    running = [
        replace(
            holding(at, [index], f"q-{at.name}{index}"),
            project="q",
            preemptible=True,
            safe_until_ms=0,
            started_at_ms=LONG_AGO_MS,
        )
        for at in nodes
        for index in range(4)
    ]
    wants = gang("g", (1, 4), (3, 1))
    found = replace(snapshot(nodes, [wants], running), shares=tree)
    plan = decide(found, NOW_MS, 0)
    assert len(plan.preemptions) == 7
    assert plan.placements == ()
    too_many = replace(found, demands=(gang("g", (1, 4), (5, 1)),))
    assert decide(too_many, NOW_MS, 0).preemptions == ()
    # What stops is waited for, and nobody else gets it.
    stopped = {one.workload_id for one in plan.preemptions}
    ending = [replace(one, ending=one.workload_id in stopped) for one in running]
    later = replace(found, holds=tuple(ending), demands=(wants, demand("z", project="q")))
    again = decide(later, NOW_MS, 0)
    assert again.preemptions == ()
    assert again.placements == ()
    gone = [one for one in ending if not one.ending]
    assert len(where(replace(found, holds=tuple(gone)))) == 4


def test_room_is_kept_for_groups_until_work_ends() -> None:
    nodes = [node("a", 4), node("b", 4)]
    running = [
        replace(
            holding(at, [0, 1, 2, 3], f"h-{at.name}"),
            started_at_ms=NOW_MS - 1000,
            ends_at_ms=NOW_MS + ends_ms,
        )
        for at, ends_ms in zip(nodes, (60_000, 120_000), strict=True)
    ]
    wants = gang("g", (1, 4), (2, 1), queued_at_ms=LONG_AGO_MS)
    (kept,) = decide(snapshot(nodes, [wants], running), NOW_MS, 0).reservations
    assert kept.from_ms == NOW_MS + 120_000
    assert kept.nodes == ("a", "b")
    assert sum(kept.replicas) == 3


def test_ranks_return_to_their_nodes_and_only_the_lost_move() -> None:
    nodes = [node(f"n{index}", 4, rack=f"r{index // 4}") for index in range(8)]
    lost = [replace(each, state="lost") if each.name == "n1" else each for each in nodes]
    for topology in (Topology(), Topology(prefer=TopologyLevel.RACK)):
        back = demand(
            "g",
            request(4),
            3,
            topology=topology,
            stood=((0, "n2"), (1, "n1"), (2, "n0")),
        )
        found = where(snapshot(lost, [back]))
        assert (found["g", 0], found["g", 2]) == ("n2", "n0")
        assert found["g", 1] not in {"n0", "n1", "n2"}
    assert found["g", 1] == "n3", "in the rack where the others stand"


def test_a_lost_replica_is_replaced_inside_its_rack_also_by_others_who_give_way() -> None:
    nodes = [node(f"{rack}{index}", 4, rack=rack) for rack in "ab" for index in range(2)]
    stands = holding(nodes[0], [0, 1, 2, 3], "g")
    young = [
        replace(
            holding(at, [0, 1, 2, 3], f"low-{at.name}"),
            priority=10,
            preemptible=True,
            safe_until_ms=0,
            started_at_ms=NOW_MS - age_ms,
        )
        for at, age_ms in ((nodes[1], 60_000), (nodes[2], 1_000), (nodes[3], 1_000))
    ]
    lost = demand(
        "g",
        request(4),
        1,
        pending_ranks=(1,),
        topology=Topology(within=TopologyLevel.RACK),
    )
    (stop,) = decide(snapshot(nodes, [lost], [stands, *young]), NOW_MS, 0).preemptions
    assert stop.workload_id == "low-a1", "not the cheaper ones of the other rack"
    anywhere = replace(lost, topology=Topology())
    (stop,) = decide(snapshot(nodes, [anywhere], [stands, *young]), NOW_MS, 0).preemptions
    assert stop.workload_id in {"low-b0", "low-b1"}


def test_a_gang_that_cannot_return_goes_elsewhere_as_a_whole() -> None:
    nodes = [node("a1", 4, rack="ra"), node("b1", 4, rack="rb"), node("b2", 4, rack="rb")]
    back = demand(
        "g",
        request(4),
        2,
        topology=Topology(within=TopologyLevel.RACK),
        stood=((0, "a1"), (1, "gone")),
    )
    assert set(where(snapshot(nodes, [back])).values()) == {"b1", "b2"}


def _scattered(**changes: object) -> Snapshot:
    """Four nodes of four GPUs, on each a job on one of them; a gang of two whole nodes waits."""
    nodes = [node(f"n{index}", 4) for index in range(4)]
    running = []
    for at in nodes:
        one = replace(
            holding(at, [0], f"job-{at.name}"),
            preemptible=True,
            safe_until_ms=0,
            started_at_ms=LONG_AGO_MS,
            expected=Expected(7_200_000, 14_400_000),
            request=request(1),
            saved_at_ms=NOW_MS - 60_000,
        )
        running.append(replace(one, **changes))  # type: ignore[arg-type]
    return snapshot(nodes, [demand("g", request(4), 2, queued_at_ms=LONG_AGO_MS)], running)


def test_work_that_saved_moves_so_that_a_gang_fits() -> None:
    found = _scattered()
    plan = decide(found, NOW_MS, 0)
    assert len(plan.preemptions) == 2
    assert all("starts again on another node" in one.justification for one in plan.preemptions)
    moved = {one.workload_id for one in plan.preemptions}
    # When it has stopped, the gang and all that moved have a place.
    holds = [one for one in found.holds if one.workload_id not in moved]
    back = [demand(name, queued_at_ms=LONG_AGO_MS - 1) for name in sorted(moved)]
    assert len(where(snapshot(list(found.nodes), [*found.demands, *back], holds))) == 4


def test_nothing_moves_without_gain_or_beyond_the_budget() -> None:
    for held_back in (
        _scattered(saved_at_ms=None),  # never saved: all would be lost
        _scattered(saved_at_ms=LONG_AGO_MS),  # two hours of work for one of waiting
        _scattered(request=None),
        _scattered(safe_until_ms=NOW_MS + 1),
        _scattered(preemptible=False),
        replace(_scattered(), policy=SchedulingPolicy(moves_max=1)),
        replace(_scattered(), policy=SchedulingPolicy(moves_max=0)),
    ):
        assert decide(held_back, NOW_MS, 0).preemptions == ()


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3)), max_size=8),
    st.integers(1, 3),
    st.integers(1, 4),
)
@settings(max_examples=200, deadline=None)
def test_moves_leave_a_place_for_all(jobs: list[tuple[int, int]], replicas: int, gpus: int) -> None:
    """The gang and all that moved fit at once, whoever comes first; nothing moves for nothing."""
    nodes = [node(f"n{index}", 4, cpu_milli=16_000, memory_bytes=64 * GIB) for index in range(4)]
    running, used = [], dict.fromkeys(range(4), 0)
    for index, (at, count) in enumerate(jobs):
        if used[at] + count <= 4:
            one = holding(nodes[at], list(range(used[at], used[at] + count)), f"job{index}")
            used[at] += count
            running.append(
                replace(
                    one,
                    preemptible=True,
                    safe_until_ms=0,
                    started_at_ms=LONG_AGO_MS,
                    request=request(count),
                    saved_at_ms=NOW_MS,
                )
            )
    wants = demand("g", request(gpus), replicas, queued_at_ms=LONG_AGO_MS)
    found = snapshot(nodes, [wants], running)
    plan = decide(found, NOW_MS, 0)
    moved = {one.workload_id: one for one in plan.preemptions}
    if not moved:
        return
    assert plan.placements == ()
    holds = [one for one in running if one.workload_id not in moved]
    assert len(where(snapshot(nodes, [wants], holds))) == replicas
    for age_ms in (LONG_AGO_MS - 1, NOW_MS):
        back = [
            demand(one.workload_id, one.request, queued_at_ms=age_ms)
            for one in running
            if one.workload_id in moved
        ]
        assert len(where(snapshot(nodes, [wants, *back], holds))) == replicas + len(back)


def test_places_that_do_not_nest_keep_a_gang_inside_the_one_it_must_be_in() -> None:
    """An NVLink domain may reach over two racks; the gang has to stay in one of them."""
    nodes = [
        node("a1", 2, rack="ra", nvlink="d1"),
        node("b1", 2, rack="rb", nvlink="d1"),
        node("b2", 2, rack="rb", nvlink="d2"),
    ]
    topology = Topology(within=TopologyLevel.RACK, prefer=TopologyLevel.NVLINK)
    plain = demand("w", request(2), 2, topology=topology)
    mixed = gang("g", (1, 2), (2, 1), topology=topology)
    for wants in (plain, mixed):
        assert set(where(snapshot(nodes, [wants])).values()) == {"b1", "b2"}
