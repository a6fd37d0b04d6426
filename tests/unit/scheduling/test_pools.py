"""Pools in scheduling: work stands only where it may, and hears why it does not elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.domain.pool import NO_POOL, Pool
from podium.domain.reason import CLOSED_POOL, Evidence, Refusal, WaitReason
from podium.domain.resources import Request
from podium.scheduling.decide import decide
from podium.scheduling.snapshot import Demand, Snapshot
from podium.scheduling.space.layout import Layout, Where
from podium.scheduling.verify import verify
from unit.scheduling.cases import (
    LABEL,
    NOW_MS,
    demand,
    demand_lists,
    holding,
    node,
    request,
    snapshot,
    snapshots,
)

SECURE = Pool(name="secure", labels=(LABEL,), teams=("red",))
OTHER = Pool(name="other", labels=(("a", "b"),), teams=("red", "blue"), projects=("vision",))
PLAIN, SAFE = node("n1", 2), node("n2", 8, pool="secure", labels=(LABEL,))
EVERYWHERE_OPEN = (NO_POOL,)


def named(*pools: str, gpus: int = 1) -> Request:
    return request(gpus, pools=pools)


def refusal(at: Snapshot) -> Refusal:
    (found,) = decide(at, NOW_MS, 0).refusals
    return found.refusal


def test_work_that_names_a_pool_stands_in_it() -> None:
    at = snapshot([PLAIN, SAFE], [demand("w", named("secure"), 3), demand("x", named("", "other"))])
    plan = decide(at, NOW_MS, 0)
    assert {(one.workload_id, one.node) for one in plan.placements} == {("w", "n2"), ("x", "n1")}
    assert not verify(at, plan).rejected


def test_equal_requests_in_different_pools_do_not_share_what_was_found() -> None:
    layout = Layout([PLAIN, SAFE])
    assert layout.chosen(Where()).tolist() == [True, True]
    assert layout.chosen(Where(pools=("secure",))).tolist() == [False, True]
    assert layout.chosen(Where(pools=("", "secure"))).tolist() == [True, True]
    assert layout.chosen(Where((LABEL,), ("",))).tolist() == [False, False]


CLOSED = "Other nodes could run it, but they are in pools that are not open to its project."


@pytest.mark.parametrize(
    ("one", "pools", "message", "evidence"),
    [
        (demand("w", named(*EVERYWHERE_OPEN, gpus=4)), (SECURE,),
         CLOSED, (Evidence(CLOSED_POOL, "secure"),)),
        (demand("w", named(*EVERYWHERE_OPEN, gpus=4)), (OTHER, SECURE),
         CLOSED, (Evidence(CLOSED_POOL, "secure"),)),
        (demand("w", named(*EVERYWHERE_OPEN), 9), (SECURE,),
         "The nodes open to its project could not hold it even if empty.", ()),
        (demand("w", named("gone")), (SECURE,), "No node is in pool gone.",
         (Evidence("pool", "gone"),)),
        (demand("w", named("plain", gpus=4)), (SECURE,),
         "The nodes of pool plain could not hold it even if empty; others could.",
         (Evidence("pool", "plain"),)),
        (demand("w", request(1, pools=("plain",), node_labels=(LABEL,))), (SECURE,),
         "No node of pool plain has the label zone=eu.", (Evidence("pool", "plain"),)),
        (demand("w", request(1, pools=("plain",), node_labels=(("no", "node"),))), (SECURE,),
         "No node has the label no=node.", (Evidence("node_label", "no=node"),)),
    ],
)  # fmt: skip
def test_why_not_elsewhere(
    one: Demand, pools: tuple[Pool, ...], message: str, evidence: tuple[Evidence, ...]
) -> None:
    plain = replace(PLAIN, pool="plain" if "plain" in one.request.pools else "")
    found = refusal(replace(snapshot([plain, SAFE], [one]), pools=pools))
    assert (found.reason, found.message) == (WaitReason.POLICY, message)
    assert found.evidence == evidence


def test_both_pools_that_could_run_it_are_evidence_for_who_sees_all() -> None:
    twin = node("n3", 8, pool="other")
    one = demand("w", named(NO_POOL, gpus=4))
    found = refusal(replace(snapshot([PLAIN, SAFE, twin], [one]), pools=(OTHER, SECURE)))
    assert found.message == CLOSED
    assert found.evidence == (Evidence(CLOSED_POOL, "other"), Evidence(CLOSED_POOL, "secure"))


def test_a_full_pool_is_a_matter_of_capacity() -> None:
    full = holding(SAFE, list(range(8)), "x")
    found = refusal(
        replace(snapshot([PLAIN, SAFE], [demand("w", named("secure"))], [full]), pools=(SECURE,))
    )
    assert found.reason is WaitReason.CAPACITY
    assert found.message == "Waits for 1 GPU; none of 8 is free in pool secure."
    assert any(each.subject == "p" for each in found.evidence)


def test_a_plan_from_before_a_pool_was_closed_is_rejected() -> None:
    at = snapshot([SAFE], [demand("w", request(1), 2)])
    plan = decide(at, NOW_MS, 0)
    assert len(plan.placements) == 2
    closed = replace(at, demands=(demand("w", request(1, pools=EVERYWHERE_OPEN), 2),))
    assert verify(closed, plan).rejected == (("w", "n2 is in pool secure, where it may not stand"),)
    left = replace(closed, nodes=(replace(SAFE, pool=""),))
    assert not verify(left, plan).rejected
    joined = replace(at, demands=(demand("w", named("other"), 2),))
    again = verify(replace(joined, nodes=(replace(SAFE, pool=""),)), plan).rejected
    assert again == (("w", "n2 is in no pool, where it may not stand"),)


def within_pools(one: Demand, pools: tuple[str, ...]) -> Demand:
    """Each part of it, too."""
    parts = [replace(part, request=replace(part.request, pools=pools)) for part in one.parts]
    return replace(one, request=replace(one.request, pools=pools), parts=tuple(parts))


@st.composite
def pooled(draw: st.DrawFn) -> Snapshot:
    """Clusters with pools in which some demands may stand."""
    at = draw(snapshots())
    choice = st.sampled_from(["", "one", "two"])
    nodes = tuple(replace(each, pool=draw(choice)) for each in at.nodes)
    some = st.lists(choice, max_size=2, unique=True).map(tuple)
    demands = [
        within_pools(each, draw(some))
        for each in (*at.demands, *draw(demand_lists(most=3, prefix="z")))
    ]
    return replace(snapshot(list(nodes), demands), holds=at.holds)


@settings(max_examples=60, deadline=None)
@given(pooled())
def test_nothing_is_placed_outside_its_pools_and_all_that_waits_hears_why(at: Snapshot) -> None:
    plan = decide(at, NOW_MS, 0)
    demands = {one.workload_id: one for one in at.demands}
    pool = {each.name: each.pool for each in at.nodes}
    for placement in plan.placements:
        allowed = demands[placement.workload_id].request.pools
        assert not allowed or pool[placement.node] in allowed
    assert not verify(at, plan).rejected
    assert all(one.refusal.message for one in plan.refusals)
