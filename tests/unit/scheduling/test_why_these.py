"""Who has to give way loses least, and the justification says why nobody cheaper would do."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from podium.domain.policy import DEFAULT_SCHEDULING
from podium.scheduling.decide import decide
from podium.scheduling.plan import Plan
from podium.scheduling.snapshot import Hold
from unit.scheduling.cases import NOW_MS, demand, node, request, snapshot
from unit.scheduling.test_sharing import HOUR_MS, running

AT_ONCE = replace(DEFAULT_SCHEDULING, minimum_runtime_ms=0)


def planned(gpus: list[int], holds: list[Hold], wanted: int, replicas: int = 1) -> Plan:
    nodes = [node(f"n{at}", count) for at, count in enumerate(gpus)]
    one = demand("high", request(wanted), replicas, project="a", priority=75)
    return decide(replace(snapshot(nodes, [one], holds), policy=AT_ONCE), NOW_MS, 0)


def low(
    at: int, indexes: list[int], name: str, hours: float, gpus: int = 4, **more: object
) -> Hold:
    found = running(node(f"n{at}", gpus), indexes, name, "a", round(hours * HOUR_MS), **more)
    return replace(found, priority=25, saved_at_ms=NOW_MS - round(hours * HOUR_MS))


def why(plan: Plan) -> str:
    """What stands behind the right to it; the same for all."""
    (found,) = {each.justification.partition("; ")[2] for each in plan.preemptions}
    return found


def test_one_that_is_enough_where_cheaper_ones_are_too_little() -> None:
    holds = [low(0, [0], "small", 1), low(0, [1, 2, 3], "large", 2), low(1, [0, 1, 2, 3], "b", 3)]
    plan = planned([4, 4], holds, 3)
    assert [each.workload_id for each in plan.preemptions] == ["large"]
    assert why(plan) == (
        "of 3 that could, it loses the least that makes room: one there that loses less would free "
        "too little, and on any other node at least 12.0 GPU-hours would be lost"
    )


def test_several_of_a_node_that_lose_less_than_one_elsewhere() -> None:
    holds = [low(0, [at], f"s{at}", at + 1) for at in range(4)]
    plan = planned([4, 4], [*holds, low(1, [0, 1, 2, 3], "b", 3)], 2)
    assert [each.workload_id for each in plan.preemptions] == ["s0", "s1"]
    assert why(plan) == (
        "of 5 that could, these 2 lose the least that makes room: on any other node at least 12.0 "
        "GPU-hours would be lost"
    )


def test_nobody_else() -> None:
    plan = planned([2], [low(0, [0, 1], "only", 1, gpus=2)], 1)
    assert why(plan) == "nobody else could give way"


def test_a_gang() -> None:
    holds = [low(at, [0, 1, 2, 3], f"s{at}", at + 1) for at in range(3)]
    plan = planned([4, 4, 4], holds, 4, replicas=2)
    assert [each.workload_id for each in plan.preemptions] == ["s0", "s1"]
    assert why(plan) == (
        "of 3 that could, these 2 lose the least where the next replica fits, node by node; "
        "without any of them not all of them would fit"
    )


def test_one_larger_is_cheaper_than_two_smaller() -> None:
    """Taking the cheapest one after the other would stop both small ones."""
    holds = [low(0, [0], "s0", 3), low(0, [1], "s1", 3), low(0, [2, 3], "pair", 2)]
    plan = planned([4], holds, 2)
    assert [each.workload_id for each in plan.preemptions] == ["pair"]


@st.composite
def nodes_of_work(draw: st.DrawFn) -> tuple[list[int], list[Hold], int]:
    gpus = [draw(st.integers(1, 4)) for _ in range(draw(st.integers(1, 3)))]
    holds = []
    for at, count in enumerate(gpus):
        first = draw(st.integers(0, 1))
        while first < count:
            size = draw(st.integers(1, count - first))
            name = f"w{at}{first}"
            hours = draw(st.integers(1, 12)) / 4
            holds.append(low(at, [*range(first, first + size)], name, hours, gpus=count))
            first += size + draw(st.sampled_from([0, 0, 1]))
    return gpus, holds, draw(st.integers(1, 4))


@settings(max_examples=250, deadline=None)
@given(nodes_of_work())
def test_no_set_of_any_node_loses_less(case: tuple[list[int], list[Hold], int]) -> None:
    """Against all sets there are."""
    gpus, holds, wanted = case
    plan = planned(gpus, holds, wanted)
    best: int | None = None
    for at, count in enumerate(gpus):
        here = [each for each in holds if each.node == f"n{at}"]
        free = count - sum(len(each.devices) for each in here)
        for size in range(len(here) + 1):
            for some in combinations(here, size):
                if free + sum(len(each.devices) for each in some) >= wanted:
                    loss = sum(map(lost, some))
                    best = loss if best is None else min(best, loss)
    if best is None or plan.placements:
        assert not plan.preemptions
        return
    assert sum(each.lost_milli_ms for each in plan.preemptions) == best
    told = why(plan)
    if "any other node at least" in told:
        assert len(gpus) > 1
    if told == "nobody else could give way":
        assert len(plan.preemptions) == len(holds)


def lost(hold: Hold) -> int:
    assert hold.saved_at_ms is not None
    return (NOW_MS - hold.saved_at_ms) * 1000 * len(hold.devices)
