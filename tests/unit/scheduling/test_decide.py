"""Choices that `decide` promises: order, best fit, sharing, MIG, gangs, topology, patience."""

from __future__ import annotations

from dataclasses import replace

from podium.domain.node import Node
from podium.domain.policy import DEFAULT_SCHEDULING
from podium.domain.reason import WaitReason
from podium.domain.resources import DeviceShare, Topology, TopologyLevel
from podium.domain.workload import Kind
from podium.scheduling.decide import decide
from podium.scheduling.order.queue import queue_position
from podium.scheduling.plan import Placement, Plan, Reservation
from podium.scheduling.snapshot import Demand, Hold
from unit.scheduling.cases import (
    GIB,
    NOW_MS,
    demand,
    gpus,
    hold,
    holding,
    mig,
    node,
    request,
    snapshot,
)


def plan_of(nodes: list[Node], demands: list[Demand], holds: list[Hold] | None = None) -> Plan:
    return decide(snapshot(nodes, demands, holds), NOW_MS, 0)


def where(plan: Plan) -> list[tuple[str, int, str]]:
    return [(one.workload_id, one.rank, one.node) for one in plan.placements]


def test_priority_then_age_then_id() -> None:
    late = demand("a", priority=50, queued_at_ms=2)
    early = demand("b", priority=50, queued_at_ms=1)
    urgent = demand("c", priority=60, queued_at_ms=3)
    twin = demand("d", priority=50, queued_at_ms=1)
    queue = [late, early, urgent, twin]
    plan = plan_of([node("n1", 2)], queue)
    assert where(plan) == [("c", 0, "n1"), ("b", 0, "n1")]
    assert [one.workload_ids for one in plan.refusals] == [("d",), ("a",)]
    assert [queue_position(queue, name) for name in "abcdx"] == [4, 2, 1, 3, None]


def test_best_fit_leaves_whole_nodes_free() -> None:
    a, b = node("a", 4), node("b", 4)
    plan = plan_of([a, b], [demand("w", request(2))], [holding(b, [0, 1])])
    assert where(plan) == [("w", 0, "b")]


def test_cpu_work_keeps_off_gpu_nodes() -> None:
    plan = plan_of([node("a", 4), node("b")], [demand("w", request(0))])
    assert where(plan) == [("w", 0, "b")]


def test_ties_go_to_the_first_name_and_the_first_devices() -> None:
    plan = plan_of([node("b", 4), node("a", 4)], [demand("w", request(2))])
    (placement,) = plan.placements
    assert placement.node == "a"
    assert [share.device_id for share in placement.devices] == ["a-A100-0", "a-A100-1"]
    assert placement.devices[0] == DeviceShare("a-A100-0", 1000, 80 * GIB)


def test_shares_go_to_the_fullest_device_that_fits() -> None:
    a, b = node("a", 2), node("b", 2)
    holds = [holding(a, [0], "x", 300), holding(b, [1], "y", 600)]
    half = request(0, gpu_milli=400)
    plan = plan_of([a, b], [demand("w", half), demand("x2", half), demand("x3", half)], holds)
    devices = [one.devices[0].device_id for one in plan.placements]
    assert devices == ["b-A100-1", "a-A100-0", "b-A100-0"]


def test_a_share_by_memory_takes_its_part_of_compute() -> None:
    at = node("a", gpus("a", 1, "L4", 24 * GIB))
    plan = plan_of([at], [demand("w", request(0, gpu_share_bytes=7 * GIB), replicas=3)])
    assert [one.devices[0] for one in plan.placements] == [DeviceShare("a-L4-0", 292, 7 * GIB)] * 3
    assert plan_of([at], [demand("w", request(0, gpu_share_bytes=7 * GIB), 4)]).placements == ()


def test_mig_instances_and_whole_gpus_keep_apart() -> None:
    at = node("a", [*gpus("a", 1), *mig("a", 2, first=1)])
    instance = request(0, mig_profile="1g.10gb", mig_count=2)
    plan = plan_of(
        [at], [demand("g1", request(1)), demand("g2", request(1)), demand("m", instance)]
    )
    assert where(plan) == [("g1", 0, "a"), ("m", 0, "a")]
    assert [share.device_id for share in plan.placements[1].devices] == [
        "a-1g.10gb-0",
        "a-1g.10gb-1",
    ]


def test_a_gang_starts_with_its_minimum_and_grows_to_what_is_free() -> None:
    at = node("a", 4)
    elastic = demand("w", request(1), replicas=6, minimum=2)
    assert len(plan_of([at], [elastic]).placements) == 4
    busy = [holding(at, [0, 1, 2])]
    plan = plan_of([at], [elastic], busy)
    assert plan.placements == ()
    assert len(plan.refusals) == 1


def test_ranks_follow_topology() -> None:
    nodes = [node(name, 1, rack=rack) for name, rack in zip("abcd", "xyxy", strict=True)]
    plan = plan_of(nodes, [demand("w", request(1), replicas=4)])
    assert [one.node for one in plan.placements] == ["a", "c", "b", "d"]


def test_prefer_takes_the_closest_place_that_holds_all() -> None:
    nodes = [
        node("a", 1, rack="r1"), node("b", 4, rack="r2"), node("c", 1, rack="r1"),
        node("d", 2, rack="r3"),
    ]  # fmt: skip
    close = Topology(prefer=TopologyLevel.RACK)
    assert where(plan_of(nodes, [demand("w", request(1), 2, topology=close)])) == [
        ("w", 0, "d"),
        ("w", 1, "d"),
    ]
    everywhere = plan_of(nodes, [demand("w", request(1), 8, topology=close)])
    assert len(everywhere.placements) == 8


def test_within_binds_new_replicas_to_where_the_workload_stands() -> None:
    a, b = node("a", 2, rack="r1"), node("b", 8, rack="r2")
    running = hold(Placement("w", 0, "a", 1000, GIB, holding(a, [0]).devices))
    within = Topology(within=TopologyLevel.RACK)
    more = demand("w", request(1), 3, 1, pending_ranks=(1, 2, 3), topology=within)
    plan = plan_of([a, b], [more], [running])
    assert where(plan) == [("w", 1, "a")]
    assert plan.refusals[0].refusal.reason is WaitReason.TOPOLOGY


def test_nvlink_within_wins_over_a_wider_preference() -> None:
    nodes = [node("a", 2, rack="r"), node("b", 2, rack="r")]
    both = Topology(within=TopologyLevel.NVLINK, prefer=TopologyLevel.RACK)
    assert plan_of(nodes, [demand("w", request(1), 3, topology=both)]).placements == ()


def test_a_smaller_gang_of_a_failed_class_is_still_tried() -> None:
    at = node("a", 4)
    plan = plan_of([at], [demand("w1", request(1), 6, queued_at_ms=1), demand("w2", request(1), 4)])
    assert {one.workload_id for one in plan.placements} == {"w2"}


def test_patience_keeps_the_nodes_with_the_least_to_drain() -> None:
    a, b = node("a", 4), node("b", 4)
    holds = [holding(a, [0, 1, 2], "x", cpus=10), holding(b, [0], "y")]
    head = demand("head", request(4), queued_at_ms=NOW_MS - DEFAULT_SCHEDULING.patience_ms)
    small = [demand(f"w{i}", request(1), queued_at_ms=NOW_MS) for i in range(4)]
    cpu = demand("z", request(0, cpus=60), queued_at_ms=NOW_MS)
    plan = plan_of([a, b], [head, *small, cpu], holds)
    assert where(plan) == [("w0", 0, "a"), ("z", 0, "b")]
    assert plan.reservations == (Reservation("head", ("b",), None),)
    young = plan_of([a, b], [replace(head, queued_at_ms=NOW_MS), *small], holds)
    assert len(young.placements) == 4
    assert young.reservations == ()


def test_kept_room_covers_the_cpu_that_the_head_needs() -> None:
    at = node("a", 1)
    head = demand("head", request(1, cpus=16), queued_at_ms=NOW_MS - DEFAULT_SCHEDULING.patience_ms)
    large, fits = demand("w", request(0, cpus=48)), demand("x", request(0, cpus=47))
    plan = plan_of([at], [head, large, fits], [holding(at, [0], cpus=1)])
    assert where(plan) == [("x", 0, "a")]


def test_nobody_waits_for_services_to_end() -> None:
    at = node("a", 4)
    service = replace(holding(at, [0], "svc"), kind=Kind.SERVICE)
    head = demand("head", request(4), queued_at_ms=NOW_MS - DEFAULT_SCHEDULING.patience_ms)
    plan = plan_of([at], [head, demand("w", request(1))], [service])
    assert where(plan) == [("w", 0, "a")]


def test_the_rest_of_running_work_keeps_no_nodes() -> None:
    at = node("a", 4)
    part = hold(Placement("array", 0, "a", 1000, GIB, holding(at, [0]).devices))
    rest = demand(
        "array",
        request(4),
        1,
        pending_ranks=(1,),
        minimum=1,
        queued_at_ms=NOW_MS - DEFAULT_SCHEDULING.patience_ms,
    )
    assert where(plan_of([at], [rest, demand("w", request(1))], [part])) == [("w", 0, "a")]


def test_types_are_compared_without_case() -> None:
    assert plan_of([node("a", 1)], [demand("w", request(1, gpu_types=("a100",)))]).placements


def test_overbooked_and_vanished_holds_do_no_harm() -> None:
    at = node("a", 1)
    shrunk = replace(at, cpu_milli=500)
    gone = hold(Placement("x", 0, "other", 1000, GIB, ()))
    plan = plan_of([shrunk], [demand("w", request(0))], [holding(at, [0]), gone])
    assert plan.placements == ()
    assert decide(snapshot([shrunk], [], [gone]), NOW_MS, 0) == Plan()
