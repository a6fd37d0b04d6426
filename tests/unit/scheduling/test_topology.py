"""NVLink domains that are larger than a node, beside racks and blocks."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.domain.node import Node
from podium.domain.reason import WaitReason
from podium.domain.resources import ANYWHERE, Topology, TopologyLevel
from podium.scheduling.decide import decide
from podium.scheduling.snapshot import Snapshot
from podium.scheduling.space.layout import Layout
from podium.scheduling.space.topology import (
    LEVELS,
    cluster_of,
    outside_in,
    place_of,
    several_clusters,
    within_reach,
)
from podium.scheduling.verify import verify
from unit.scheduling.cases import NOW_MS, demand, holding, node, request, snapshot, snapshots

NVLINK, RACK, BLOCK = TopologyLevel.NVLINK, TopologyLevel.RACK, TopologyLevel.BLOCK
WITHIN = Topology(within=NVLINK)


def racks(count: int = 8, trays: int = 9, gpus: int = 4) -> list[Node]:
    """Racks of 18 trays are two domains of nine each."""
    return [
        node(f"r{rack}-t{tray:02}", gpus, block="b", rack=f"r{rack}",
             nvlink=f"d{rack}-{tray // trays}")
        for rack in range(count) for tray in range(2 * trays)
    ]  # fmt: skip


def used(at: Snapshot, *, by: str = "nvlink") -> Counter[str]:
    plan = decide(at, NOW_MS, 0)
    assert not verify(at, plan).rejected
    named = {each.name: str(getattr(each, by)) for each in at.nodes}
    return Counter(named[one.node] for one in plan.placements)


def test_places_fall_back_to_the_next_smaller_one() -> None:
    whole = node("n", 1, block="b", rack="r", nvlink="d")
    assert [place_of(whole, level) for level in LEVELS] == [
        ("node", "n"), ("nvlink", "", "d"), ("rack", "", "b", "r"), ("block", "", "b"),
        ("cluster", ""),
    ]  # fmt: skip
    domain = node("n", 1, nvlink="d")
    assert {place_of(domain, level) for level in LEVELS[1:4]} == {("nvlink", "", "d")}
    alone = node("n", 1)
    assert {place_of(alone, level) for level in LEVELS[:4]} == {("node", "n")}


def test_a_domain_holds_a_gang_that_no_node_can() -> None:
    at = snapshot(racks(2), [demand("w", request(4), 9, topology=WITHIN)])
    assert list(used(at).values()) == [9]


def test_nine_nodes_are_not_ten() -> None:
    at = snapshot(racks(8), [demand("w", request(4), 10, topology=WITHIN)])
    (found,) = decide(at, NOW_MS, 0).refusals
    assert found.refusal.reason is WaitReason.TOPOLOGY
    assert found.refusal.message == (
        "No NVLink domain can hold 10 replicas together; at most 9 fit into one, even an empty one."
    )


def test_a_busy_domain_is_passed_over_for_one_that_holds_it_all() -> None:
    nodes = racks(2)
    busy = [holding(each, [0], f"x{each.name}") for each in nodes[:27]]
    at = snapshot(nodes, [demand("w", request(4), 9, topology=WITHIN)], busy)
    assert list(used(at)) == ["d1-1"]
    full = replace(at, holds=(*at.holds, holding(nodes[35], [0], "last")))
    (found,) = decide(full, NOW_MS, 0).refusals
    assert found.refusal.reason is WaitReason.FRAGMENTATION


def test_a_gang_larger_than_a_domain_takes_as_few_as_possible() -> None:
    prefer = Topology(prefer=NVLINK)
    at = snapshot(racks(8), [demand("w", request(4), 12, topology=prefer)])
    assert sorted(used(at).values()) == [3, 9]
    assert len(used(at, by="rack")) == 1


def test_neighbours_in_rank_are_neighbours_in_domains() -> None:
    prefer = Topology(prefer=RACK)
    nodes = racks(1)
    # Names do not say which domain a node is in.
    mixed = [replace(each, nvlink=f"d{at % 2}") for at, each in enumerate(nodes)]
    at = snapshot(mixed, [demand("w", request(4), 18, topology=prefer)])
    plan = decide(at, NOW_MS, 0)
    domain = {each.name: each.nvlink for each in at.nodes}
    in_order = [domain[one.node] for one in sorted(plan.placements, key=lambda one: one.rank)]
    assert in_order == ["d0"] * 9 + ["d1"] * 9


def test_a_domain_may_be_larger_than_a_rack() -> None:
    nodes = [
        node(f"n{at:02}", 4, block="b", rack=f"r{at // 4}", nvlink=f"d{at // 8}")
        for at in range(32)
    ]
    assert outside_in(nodes) == (BLOCK, NVLINK, RACK)
    assert Layout(nodes).levels == (BLOCK, NVLINK, RACK)
    assert outside_in(racks(2)) == (BLOCK, RACK, NVLINK)
    assert outside_in([node("n", 1, rack="r")]) == (BLOCK, RACK)
    at = snapshot(nodes, [demand("w", request(4), 8, topology=WITHIN)])
    assert list(used(at).values()) == [8]
    busy = [holding(nodes[at], [0], f"x{at}") for at in (*range(4), *range(12, 20))]
    # Racks 1 and 2 are free, but of two domains; 5, 6 and 7 are free, and 6 and 7 of one.
    at = snapshot(nodes, [demand("w", request(4), 8, topology=Topology(prefer=RACK))], busy)
    assert list(used(at)) == ["d3"]


@pytest.mark.parametrize(
    ("within", "told"),
    [
        (NVLINK, "No node shares an NVLink domain with others"),
        (RACK, "No node says in which rack it stands"),
        (BLOCK, "No node says in which block it stands"),
    ],
)
def test_a_level_that_no_node_names_is_told(within: TopologyLevel, told: str) -> None:
    nodes = [node("n1", 4), node("n2", 4)]
    at = snapshot(nodes, [demand("w", request(4), 2, topology=Topology(within=within))])
    (found,) = decide(at, NOW_MS, 0).refusals
    assert found.refusal.reason is WaitReason.TOPOLOGY
    tail = "so each node counts as one; at most 1 fits into one, even an empty one."
    assert found.refusal.message == f"{told}, {tail}"


def test_without_domains_nvlink_is_a_node() -> None:
    at = snapshot([node("n1", 4), node("n2", 4)], [demand("w", request(2), 2, topology=WITHIN)])
    assert list(used(at, by="name").values()) == [2]


def test_a_plan_across_domains_is_rejected() -> None:
    nodes = racks(1)
    at = snapshot(nodes, [demand("w", request(4), 9, topology=WITHIN)])
    plan = decide(at, NOW_MS, 0)
    moved = replace(at, nodes=tuple(
        replace(each, nvlink="elsewhere") if each.name == plan.placements[0].node else each
        for each in at.nodes
    ))  # fmt: skip
    assert verify(moved, plan).rejected == (
        ("w", "its replicas would not stand in one NVLink domain"),
    )


def clusters(*gpus: int, **places: str) -> list[Node]:
    """One node each, with places of the same names in each; the first is in no cluster."""
    return [
        replace(
            node(f"c{at}.n", count, **places),  # type: ignore[arg-type]
            labels=(("cluster", f"c{at}"),) if at else (),
        )
        for at, count in enumerate(gpus)
    ]


REACHED = within_reach(ANYWHERE)


def test_a_gang_is_bound_to_one_cluster_or_less() -> None:
    assert within_reach(ANYWHERE) == Topology(TopologyLevel.CLUSTER)
    assert within_reach(Topology(prefer=RACK)) == Topology(TopologyLevel.CLUSTER, RACK)
    assert within_reach(WITHIN) is WITHIN


def test_a_gang_is_never_over_two_clusters() -> None:
    nodes = clusters(4, 3, 3)
    assert several_clusters(nodes)
    assert not several_clusters(nodes[:1])
    fits = snapshot(nodes, [demand("w", request(1), 4, topology=REACHED)])
    assert [each.node for each in decide(fits, NOW_MS, 0).placements] == ["c0.n"] * 4
    at = snapshot(nodes, [demand("w", request(1), 5, topology=REACHED)])
    (found,) = decide(at, NOW_MS, 0).refusals
    assert found.refusal.reason is WaitReason.TOPOLOGY
    assert found.refusal.message == (
        "No cluster can hold 5 replicas together; at most 4 fit into one, even an empty one."
    )
    assert found.refusal.remedy == (
        "Ask for fewer or smaller replicas: those of a gang meet, so they run inside one cluster."
    )


def test_places_of_one_name_in_two_clusters_are_two() -> None:
    nodes = clusters(4, 4, rack="r1", block="b1", nvlink="d1")[:2]
    for level in (NVLINK, RACK, BLOCK):
        at = snapshot(nodes, [demand("w", request(1), 6, topology=Topology(within=level))])
        assert not decide(at, NOW_MS, 0).placements, level
    assert outside_in(nodes)[0] is TopologyLevel.CLUSTER


def test_verify_rejects_a_gang_over_two_clusters() -> None:
    at = snapshot(clusters(2, 2), [demand("w", request(1), 4)])
    plan = decide(at, NOW_MS, 0)
    assert len(plan.placements) == 4
    bound = replace(at, demands=(demand("w", request(1), 4, topology=REACHED),))
    assert verify(bound, plan).rejected


@settings(max_examples=60, deadline=None)
@given(snapshots(), st.data())
def test_no_gang_is_over_two_clusters(at: Snapshot, data: st.DataObject) -> None:
    choice = st.sampled_from([(), (("cluster", "a"),), (("cluster", "b"),)])
    nodes = tuple(replace(each, labels=each.labels + data.draw(choice)) for each in at.nodes)
    demands = tuple(
        replace(each, topology=within_reach(each.topology)) if each.minimum > 1 else each
        for each in at.demands
    )
    at = replace(snapshot(list(nodes), list(demands)), holds=at.holds)
    plan = decide(at, NOW_MS, 0)
    assert not verify(at, plan).rejected
    gangs = {each.workload_id for each in demands if each.minimum > 1}
    where: dict[str, set[str]] = {}
    clusters = {each.name: cluster_of(each) for each in nodes}
    for placed in plan.placements:
        where.setdefault(placed.workload_id, set()).add(clusters[placed.node])
    assert all(len(where[each]) == 1 for each in gangs & set(where))
