"""Work that gives way does not come back into the place of the one that it gave way to."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from podium.domain.policy import DEFAULT_SCHEDULING, Order
from podium.domain.reason import WaitReason
from podium.domain.resources import ReplicaCount
from podium.scheduling.decide import decide
from podium.scheduling.plan import Plan
from podium.scheduling.snapshot import Hold, Share
from podium.simulation.world import Job
from unit.scheduling.cases import NOW_MS, demand, gpus, node, request, snapshot
from unit.scheduling.graceful import GracefulWorld
from unit.scheduling.test_sharing import HOUR_MS, MINUTE_MS, running, share, shared

AT_ONCE = replace(DEFAULT_SCHEDULING, minimum_runtime_ms=0, patience_ms=0)


def stops(plan: Plan) -> list[str]:
    return [each.workload_id for each in plan.preemptions]


def ending(hold: Hold) -> Hold:
    return replace(hold, ending=True, preemptible=False)


def test_what_stops_is_enough_for_a_limit_and_is_kept_for_it() -> None:
    """Its limit counts what is still stopping, but nobody else has to stop for that, and nobody
    of lower priority gets what is left of the limit meanwhile."""
    n = node("n", 8)
    low = [running(n, [at], f"low{at}", "a", priority=25) for at in range(4)]
    first = demand("first", request(2), project="a", priority=75)
    small = demand("small", request(1), project="a", priority=25)
    at = replace(shared(snapshot([n], [first, small], low), share("a", limit=4)), policy=AT_ONCE)
    assert stops(decide(at, NOW_MS, 0)) == ["low0", "low1"]
    half = replace(at, holds=(ending(low[1]), *low[2:]))  # the first of the two has stopped
    plan = decide(half, NOW_MS, 0)
    assert stops(plan) == []
    assert plan.placements == ()
    told = {name: each.refusal for each in plan.refusals for name in each.workload_ids}
    assert told["first"].reason is WaitReason.PRIORITY
    assert told["small"].reason is WaitReason.QUOTA
    done = replace(at, holds=tuple(low[2:]))
    assert [each.workload_id for each in decide(done, NOW_MS, 0).placements] == ["first"]


def test_nobody_stops_for_a_right_that_comes_from_others_stopping() -> None:
    """The gang is inside its guarantee only without its smaller sibling, so what the other project
    has may not be taken while that goes on, though its room is not needed."""
    n, m = node("n", 4), node("m", 4)
    sibling = running(n, [0], "sibling", "a", priority=25)
    other = running(n, [1, 2], "other", "b")
    gang = demand("gang", request(3), 2, project="a", priority=50)
    at = replace(
        shared(
            snapshot([n, m], [gang], [sibling, other]),
            share("a", guarantee=6),
            share("b", guarantee=1),
        ),
        policy=AT_ONCE,
    )
    assert sorted(stops(decide(at, NOW_MS, 0))) == ["other", "sibling"]


def test_a_victim_is_served_by_what_it_asked_for_not_by_where_it_stood() -> None:
    """It stands on a type of which nothing is guaranteed, and would be inside the guarantee of the
    other when it waits again."""
    tree = (
        Share(name="all"),
        Share(name="team/a", parent="all", project="a", guarantees=(("H100", 2000),)),
    )
    n = node("n", gpus("n", 2, "A100"))
    m = node("m", gpus("m", 2, "H100"))
    large = demand("large", request(2, gpu_types=("A100",)), project="a", priority=75)
    for types, expected in (((), []), (("A100",), ["small"])):
        small = running(n, [0], "small", "a", priority=25, gpu_types=types)
        at = replace(snapshot([n, m], [large], [small]), shares=tree, policy=AT_ONCE)
        assert stops(decide(at, NOW_MS, 0)) == expected


def test_several_together_may_be_served_first_again() -> None:
    """The guarantee covers the smaller one only once the larger one has stopped as well."""
    n = node("n", 4)
    low = [running(n, [0], "one", "a", priority=25), running(n, [1, 2, 3], "two", "a", priority=25)]
    large = demand("large", request(4), project="a", priority=75)
    tree = shared(snapshot([n], [large], low), share("a", guarantee=2))
    assert stops(decide(replace(tree, policy=AT_ONCE), NOW_MS, 0)) == []


def test_an_elastic_gang_that_shrinks_is_told_so_though_room_is_free() -> None:
    n = node("n", 8)
    stands = running(n, [0], "gang", minimum=1)
    stopping = ending(running(n, [1], "gang", minimum=1, rank=1))
    rest = demand("gang", request(1), 3, 1, elastic=True)
    rest = replace(rest, pending_ranks=(2,))
    at = snapshot([n], [rest], [stands, replace(stopping, allocation_id="gang/1")])
    plan = decide(at, NOW_MS, 0)
    assert plan.placements == ()
    (refused,) = plan.refusals
    assert refused.refusal.reason is WaitReason.PRIORITY
    assert refused.refusal.message.startswith("Some of its replicas are stopping")


@st.composite
def crowds(draw: st.DrawFn) -> GracefulWorld:
    """Two teams under guarantees by type, no minimum runtime, gangs that shrink and grow."""
    types = draw(st.sampled_from([("A100",), ("A100", "H100")]))
    nodes = [
        node(f"n{at}", gpus(f"n{at}", draw(st.sampled_from([2, 4])), draw(st.sampled_from(types))))
        for at in range(draw(st.integers(1, 3)))
    ]
    left = {"": sum(len(each.devices) for each in nodes)}
    for each in nodes:
        for device in each.devices:
            left[device.type] = left.get(device.type, 0) + 1
    shares = [Share(name="all")]
    for name in "ab":
        promised = {kind: draw(st.integers(0, count)) for kind, count in left.items()}
        left = {kind: count - promised[kind] for kind, count in left.items()}
        amounts = tuple((kind, 1000 * count) for kind, count in promised.items() if count)
        limit = draw(st.sampled_from([None, None, 3, 5]))
        shares.append(
            Share(
                name=name,
                parent="all",
                guarantees=amounts,
                limits=() if limit is None else (("", 1000 * limit),),
            )
        )
        shares += [
            Share(
                name=f"{name}/{number}",
                parent=name,
                project=f"{name}{number}",
                guarantees=amounts if draw(st.booleans()) and number == 0 else (),
            )
            for number in range(2)
        ]
    jobs = []
    for number in range(draw(st.integers(3, 12))):
        most = draw(st.integers(1, 4))
        least = draw(st.sampled_from([1, most]))
        wanted = draw(st.sampled_from([(), (), *((each,) for each in types)]))
        jobs.append(
            Job(
                workload_id=f"w{number:02}",
                submitted_at_ms=draw(st.integers(0, 20)) * MINUTE_MS,
                runtime_ms=draw(st.sampled_from([5, 60, 2000])) * MINUTE_MS,
                request=request(draw(st.integers(1, 3)), gpu_types=wanted),
                replicas=ReplicaCount(least, most),
                project=draw(st.sampled_from(["a0", "a1", "b0", "b1"])),
                priority=draw(st.sampled_from([25, 50, 75])),
                preemptible=True,
                elastic=least < most,
            )
        )
    policy = replace(AT_ONCE, order=draw(st.sampled_from([Order.FAIR, Order.FIFO])))
    grace_ms = draw(st.sampled_from([3, 30_000]))
    return GracefulWorld(nodes, jobs, shares=shares, scheduling=policy, grace_ms=grace_ms)


@settings(max_examples=80, deadline=None)
@given(crowds())
def test_nobody_takes_turns_in_stopping(world: GracefulWorld) -> None:
    world.run(until_ms=100 * HOUR_MS)
