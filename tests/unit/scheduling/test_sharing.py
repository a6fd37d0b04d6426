"""Guarantees, limits, fair shares, preemption and room kept for later, as `decide` keeps them."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from podium.domain.node import Node
from podium.domain.policy import DEFAULT_SCHEDULING, Order, Preempt
from podium.domain.reason import WaitReason
from podium.domain.resources import ReplicaCount
from podium.scheduling.decide import decide
from podium.scheduling.plan import Placement, Plan, Preemption, Reservation
from podium.scheduling.snapshot import Booking, Demand, Hold, Part, Share, Snapshot
from podium.simulation.world import Job, World
from unit.scheduling.cases import (
    GIB,
    NOW_MS,
    demand,
    gpus,
    hold,
    holding,
    node,
    request,
    snapshot,
)

HOUR_MS = 3600 * 1000
MINUTE_MS = 60 * 1000


def shared(at: Snapshot, *shares: Share, **changes: object) -> Snapshot:
    return replace(at, shares=shares, **changes)  # type: ignore[arg-type]


def share(project: str, guarantee: int = 0, limit: int | None = None, weight: int = 1) -> Share:
    return Share(
        name=f"team/{project}",
        project=project,
        weight=weight,
        guarantees=(("", guarantee * 1000),) if guarantee else (),
        limits=(("", limit * 1000),) if limit is not None else (),
    )


def placed(plan: Plan) -> list[str]:
    return [one.workload_id for one in plan.placements]


def running(
    at: Node, indexes: list[int], name: str, project: str = "p", age_ms: int = HOUR_MS,
    **changes: object,
) -> Hold:  # fmt: skip
    return replace(
        holding(at, indexes, name),
        project=project, started_at_ms=NOW_MS - age_ms, preemptible=True, **changes,
    )  # type: ignore[arg-type]  # fmt: skip


def one_of(project: str, count: int, gpus: int = 1, **changes: object) -> list[Demand]:
    return [
        demand(f"{project}{i}", request(gpus), project=project, **changes) for i in range(count)
    ]


def test_projects_take_turns_by_what_they_have() -> None:
    at = snapshot([node("n", 8)], one_of("a", 8) + one_of("b", 8), [])
    assert [name[0] for name in placed(decide(at, NOW_MS, 0))] == list("abababab")
    weighted = shared(at, share("a", weight=3), share("b"))
    assert sorted(name[0] for name in placed(decide(weighted, NOW_MS, 0))) == list("aaaaaabb")
    old = replace(at, policy=replace(DEFAULT_SCHEDULING, order=Order.FIFO))
    assert [name[0] for name in placed(decide(old, NOW_MS, 0))] == list("aaaaaaaa")


def test_what_is_guaranteed_comes_before_priority() -> None:
    at = snapshot([node("n", 4)], one_of("a", 4, priority=90) + one_of("b", 4, priority=10), [])
    assert placed(decide(shared(at, share("b", guarantee=3)), NOW_MS, 0)) == [
        "b0", "b1", "b2", "a0",
    ]  # fmt: skip


def test_a_limit_holds_and_is_told() -> None:
    at = shared(snapshot([node("n", 8)], one_of("a", 5), []), share("a", limit=2))
    plan = decide(at, NOW_MS, 0)
    assert placed(plan) == ["a0", "a1"]
    (refused,) = {one.refusal for one in plan.refusals}
    assert refused.reason is WaitReason.QUOTA
    assert refused.message == ("It would go over a limit: team/a may use 2 GPUs and uses 2.")


def test_what_can_never_be_is_not_blamed_on_a_limit() -> None:
    """Nor on what the limit leaves: a higher one would not help."""
    for wants, reason, message in (
        (demand("w", request(99), project="a"), WaitReason.IMPOSSIBLE_SIZE,
         "Asks for 99 GPUs; the whole cluster has 8."),
        (demand("w", request(4), 4, project="a"), WaitReason.IMPOSSIBLE_SIZE,
         "Asks for 16 GPUs in all (4 replicas with 4 each); the whole cluster has 8."),
        (demand("w", request(13, gpu_types=("B200",)), project="a"), WaitReason.IMPOSSIBLE_TYPE,
         "No node has a B200 GPU. This cluster has A100."),
        (demand("w", request(8), project="a"), WaitReason.QUOTA,
         "It would go over a limit: team/a may use 6 GPUs, and this alone is 8."),
    ):  # fmt: skip
        limit = 6 if reason is WaitReason.QUOTA else 12
        at = shared(snapshot([node("n", 8)], [wants], []), share("a", limit=limit))
        (refused,) = decide(at, NOW_MS, 0).refusals
        assert (refused.refusal.reason, refused.refusal.message) == (reason, message)
        assert refused.refusal.remedy.startswith("Ask for ")


def test_unlike_groups_that_can_never_be_are_not_blamed_on_a_limit() -> None:
    parts = (Part(request(8), (0,)), Part(request(1), (1, 2, 3, 4, 5)))
    gang = demand("w", request(8), 6, project="a", parts=parts)
    at = shared(snapshot([node("n", 8)], [gang], []), share("a", limit=12))
    (refused,) = decide(at, NOW_MS, 0).refusals
    assert refused.refusal.reason is WaitReason.IMPOSSIBLE_SIZE
    assert "all of them at once are more than the cluster has" in refused.refusal.message


def test_a_limit_on_one_type_binds_what_the_others_cannot_take() -> None:
    tree = (
        Share(name="all"),
        Share(name="team/a", parent="all", project="a", limits=(("A100", 3000),)),
    )
    nodes = [node("n", 4), node("m", gpus("m", 1, "L4", 24 * GIB))]
    at = replace(snapshot(nodes, [demand("w", request(1), 4, project="a")], []), shares=tree)
    plan = decide(at, NOW_MS, 0)
    assert placed(plan) == []
    (refused,) = plan.refusals
    assert refused.refusal.reason is WaitReason.QUOTA
    assert "team/a may use 3 A100 GPUs" in refused.refusal.message


def test_an_array_gets_what_its_limit_allows() -> None:
    array = demand("array", request(1), 6, 1, project="a")
    at = shared(snapshot([node("n", 8)], [array]), share("a", limit=4))
    assert len(decide(at, NOW_MS, 0).placements) == 4


def test_a_guarantee_takes_back_from_who_has_more() -> None:
    n = node("n", 4)
    holds = [running(n, [i], f"a{i}", "a", age_ms=(4 - i) * HOUR_MS) for i in range(4)]
    at = shared(snapshot([n], one_of("b", 3), holds), share("a"), share("b", guarantee=2))
    plan = decide(at, NOW_MS, 0)
    assert plan.placements == ()
    assert [(each.workload_id, each.in_favour_of) for each in plan.preemptions] == [
        ("a3", "b0"),  # it loses the least work
        ("a2", "b1"),
    ]
    assert plan.preemptions[0].lost_milli_ms == 1000 * HOUR_MS
    assert "guaranteed" in plan.preemptions[0].justification
    told = {name: one.refusal for one in plan.refusals for name in one.workload_ids}
    assert "Room is being made" in told["b0"].message
    assert told["b2"].reason is WaitReason.CAPACITY


def test_who_saved_just_now_loses_the_least() -> None:
    n = node("n", 2)
    old = running(n, [0], "old", "a", age_ms=20 * HOUR_MS, saved_at_ms=NOW_MS - MINUTE_MS)
    new = running(n, [1], "new", "a", age_ms=HOUR_MS)
    at = shared(snapshot([n], one_of("b", 1), [old, new]), share("b", guarantee=1))
    (one,) = decide(at, NOW_MS, 0).preemptions
    assert (one.workload_id, one.lost_milli_ms) == ("old", 1000 * MINUTE_MS)
    never_saved = replace(at, holds=(replace(old, saved_at_ms=None), new))
    (one,) = decide(never_saved, NOW_MS, 0).preemptions
    assert one.workload_id == "new"


def test_nobody_is_asked_twice_and_the_room_is_not_given_away() -> None:
    n = node("n", 2)
    ending = running(n, [0], "a0", "a", ending=True)
    at = shared(
        snapshot([n], [*one_of("b", 1), *one_of("c", 1, queued_at_ms=0)], [
            ending, running(n, [1], "a1", "a"),
        ]),
        share("a"), share("b", guarantee=1),
    )  # fmt: skip
    plan = decide(at, NOW_MS, 0)
    assert plan.preemptions == ()
    after = replace(at, holds=at.holds[1:])
    assert placed(decide(after, NOW_MS, 0)) == ["b0"]


def test_young_work_and_what_may_not_be_stopped_stays() -> None:
    n = node("n", 2)
    young = running(n, [0], "a0", "a", age_ms=MINUTE_MS)
    sure = replace(running(n, [1], "a1", "a"), preemptible=False)
    at = shared(snapshot([n], one_of("b", 1), [young, sure]), share("b", guarantee=2))
    assert decide(at, NOW_MS, 0).preemptions == ()
    never = replace(at, holds=(replace(young, safe_until_ms=0), sure))
    assert decide(never, NOW_MS, 0).preemptions != ()
    policy = replace(DEFAULT_SCHEDULING, preempt=Preempt.NEVER)
    assert decide(replace(never, policy=policy), NOW_MS, 0).preemptions == ()


def test_priority_goes_first_inside_a_project_only() -> None:
    n = node("n", 1)
    low = running(n, [0], "low", "a", priority=25)
    urgent = demand("urgent", request(1), project="a", priority=75)
    stopped = decide(snapshot([n], [urgent], [low]), NOW_MS, 0).preemptions
    assert [each.workload_id for each in stopped] == ["low"]
    other = replace(urgent, project="b")
    assert decide(snapshot([n], [other], [low]), NOW_MS, 0).preemptions == ()


def test_surplus_replicas_go_before_whole_workloads() -> None:
    n = node("n", 4)
    gang = [
        replace(running(n, [i], "gang", "a", priority=25), allocation_id=f"g{i}", rank=i, minimum=2)
        for i in range(3)
    ]
    short = running(n, [3], "short", "a", priority=25, age_ms=11 * MINUTE_MS)
    urgent = demand("urgent", request(1), project="a", priority=75)
    plan = decide(snapshot([n], [urgent], [*gang, short]), NOW_MS, 0)
    assert plan.preemptions == (
        Preemption(
            "gang", (2,), "urgent",
            "priority 75 goes before priority 25; it goes on with fewer replicas; of 3 that could, "
            "it can be spared, and whole work goes later",
            1000 * HOUR_MS,
        ),
    )  # fmt: skip
    two = replace(urgent, request=request(2))
    whole = decide(snapshot([n], [two], [*gang, short]), NOW_MS, 0).preemptions
    assert [(each.workload_id, each.ranks) for each in whole] == [("gang", (2,)), ("short", (0,))]


def test_a_gang_is_stopped_whole() -> None:
    n, m = node("n", 2), node("m", 2)
    gang = [
        replace(running(at, [0, 1], "gang", "a", priority=25), allocation_id=at.name, rank=i,
                minimum=2)
        for i, at in enumerate((n, m))
    ]  # fmt: skip
    urgent = demand("urgent", request(1), project="a", priority=75)
    (stopped,) = decide(snapshot([n, m], [urgent], gang), NOW_MS, 0).preemptions
    assert stopped.ranks == (0, 1)


def test_elastic_gangs_grow_into_what_nobody_else_can_use() -> None:
    elastic = demand("gang", request(1), 6, 2, elastic=True, priority=90)
    other = demand("other", request(1), 3)
    plan = decide(snapshot([node("n", 8)], [elastic, other]), NOW_MS, 0)
    assert placed(plan) == ["gang"] * 2 + ["other"] * 3 + ["gang"] * 3
    assert sorted(one.rank for one in plan.placements if one.workload_id == "gang") == [
        0, 1, 2, 3, 4,
    ]  # fmt: skip


def test_work_that_ends_in_time_runs_before_a_reservation() -> None:
    n = node("n", 4)
    held = replace(running(n, [0, 1], "x"), ends_at_ms=NOW_MS + HOUR_MS)
    head = demand("head", request(4), queued_at_ms=0)
    short = demand("short", request(1), limit_ms=HOUR_MS)
    long = demand("long", request(1), limit_ms=HOUR_MS + 1)
    plan = decide(snapshot([n], [head, long, short], [held]), NOW_MS, 0)
    assert placed(plan) == ["short"]
    assert plan.reservations == (Reservation("head", ("n",), NOW_MS + HOUR_MS),)


def test_work_runs_beside_a_reservation() -> None:
    n = node("n", 4)
    held = replace(running(n, [0, 1, 2], "x"), ends_at_ms=NOW_MS + HOUR_MS)
    head = demand("head", request(2), queued_at_ms=0)
    plan = decide(snapshot([n], [head, *one_of("w", 2)], [held]), NOW_MS, 0)
    assert placed(plan) == ["w0"]


def test_booked_nodes_take_only_work_that_ends_before_or_is_theirs() -> None:
    booking = Booking(
        name="course", nodes=("n",), from_ms=NOW_MS + HOUR_MS, until_ms=NOW_MS + 2 * HOUR_MS,
        project="b",
    )  # fmt: skip
    asks = [
        demand("long", request(1), project="a"),
        demand("short", request(1), project="a", limit_ms=HOUR_MS),
        demand("own", request(1), project="b"),
    ]
    at = replace(snapshot([node("n", 4)], asks), bookings=(booking,))
    plan = decide(at, NOW_MS, 0)
    assert sorted(placed(plan)) == ["own", "short"]
    assert plan.next_wake_ms == NOW_MS + HOUR_MS
    assert plan.refusals[0].refusal.reason is WaitReason.RESERVATION
    over = decide(at, NOW_MS + 2 * HOUR_MS, 0)
    assert sorted(placed(over)) == ["long", "own", "short"]


def test_a_reservation_fits_before_a_booking() -> None:
    n = node("n", 4)
    held = replace(running(n, [0], "x"), ends_at_ms=NOW_MS + HOUR_MS)
    head = demand("head", request(4), queued_at_ms=0, limit_ms=HOUR_MS)
    booking = Booking(
        name="works", nodes=("n",), from_ms=NOW_MS + 2 * HOUR_MS, until_ms=NOW_MS + 9 * HOUR_MS
    )
    at = replace(snapshot([n], [head], [held]), bookings=(booking,))
    kept = (Reservation("head", ("n",), NOW_MS + HOUR_MS),)
    assert decide(at, NOW_MS, 0).reservations == kept
    late = replace(booking, from_ms=NOW_MS + 2 * HOUR_MS - 1)
    assert decide(replace(at, bookings=(late,)), NOW_MS, 0).reservations == ()


def test_replicas_of_a_service_keep_apart() -> None:
    nodes = [node("a", 4, rack="r1"), node("b", 4, rack="r1"), node("c", 4, rack="r2")]
    plan = decide(snapshot(nodes, [demand("svc", request(1), 4, 1, spread=True)]), NOW_MS, 0)
    assert sorted(one.node for one in plan.placements) in (list("aabc"), list("abbc"), list("abcc"))
    stands = hold(Placement("svc", 0, "a", 1000, 2**30, holding(nodes[0], [0]).devices))
    more = demand("svc", request(1), 1, 1, spread=True, pending_ranks=(1,))
    assert decide(snapshot(nodes, [more], [stands]), NOW_MS, 0).placements[0].node == "c"


@st.composite
def worlds(draw: st.DrawFn) -> tuple[World, dict[str, int], dict[str, int]]:
    """Three projects on a few nodes, with guarantees and limits, priorities and preemptible work
    of all sorts."""
    nodes = [node(f"n{i}", 4, rack=f"r{i % 2}") for i in range(draw(st.integers(1, 3)))]
    total = 4 * len(nodes)
    first = draw(st.integers(0, total))
    guarantees = {"a": first, "b": draw(st.integers(0, total - first)), "c": 0}
    limits = {name: draw(st.integers(low, total)) for name, low in guarantees.items()}
    jobs = []
    for number in range(draw(st.integers(1, 12))):
        most = draw(st.integers(1, 3))
        least = draw(st.integers(1, most))
        jobs.append(
            Job(
                workload_id=f"w{number:02}",
                submitted_at_ms=draw(st.integers(0, 20)) * MINUTE_MS,
                runtime_ms=draw(st.integers(1, 60)) * MINUTE_MS,
                request=request(draw(st.integers(1, 2))),
                replicas=ReplicaCount(least, most, draw(st.booleans()) and least == 1),
                project=draw(st.sampled_from("abc")),
                priority=draw(st.sampled_from([25, 50, 75])),
                preemptible=draw(st.booleans()),
                saved=draw(st.booleans()),
                elastic=least < most,
                limit_ms=draw(st.sampled_from([None, 2 * HOUR_MS])),
            )
        )
    shares = [share(name, guarantees[name], limits[name]) for name in "abc"]
    policy = replace(DEFAULT_SCHEDULING, minimum_runtime_ms=5 * MINUTE_MS)
    return World(nodes, jobs, shares=shares, scheduling=policy), guarantees, limits


@st.composite
def scattered(draw: st.DrawFn) -> tuple[World, dict[str, int], dict[str, int]]:
    """Work of many sizes that saves what it does, so that it is moved for what is large."""
    nodes = [node(f"n{i}", 4) for i in range(draw(st.integers(2, 4)))]
    jobs = [
        Job(
            workload_id=f"w{number:02}",
            submitted_at_ms=draw(st.integers(0, 30)) * MINUTE_MS,
            runtime_ms=draw(st.integers(20, 300)) * MINUTE_MS,
            request=request(draw(st.sampled_from([1, 1, 1, 2, 3, 4]))),
            replicas=ReplicaCount(*[draw(st.sampled_from([1, 1, 1, 2]))] * 2),
            project=draw(st.sampled_from("ab")),
            priority=50,
            preemptible=draw(st.integers(0, 5)) > 0,
            saved=draw(st.integers(0, 5)) > 0,
        )
        for number in range(draw(st.integers(4, 16)))
    ]
    policy = replace(
        DEFAULT_SCHEDULING,
        minimum_runtime_ms=5 * MINUTE_MS,
        patience_ms=0,
        moves_max=draw(st.sampled_from([1, 8])),
    )
    limits = dict.fromkeys("ab", 4 * len(nodes))
    return World(nodes, jobs, scheduling=policy), {}, limits


@settings(max_examples=120, deadline=None)
@given(st.one_of(worlds(), scattered()))
def test_histories_keep_limits_and_come_to_an_end(
    case: tuple[World, dict[str, int], dict[str, int]],
) -> None:
    """Nothing is preempted for ever, no limit is passed, and gangs run whole."""
    world, _, limits = case
    jobs = {job.workload_id: job for job in world.jobs}
    timeline = world.run(until_ms=100 * HOUR_MS)
    for name in timeline.unfinished:
        job = jobs[name]
        need = job.request.gpu_milli * (1 if job.replicas.array else job.replicas.minimum)
        assert need > 1000 * limits[job.project] or need > world.gpu_milli, "it can never run"
    moments = sorted({span.started_at_ms for span in timeline.spans})
    for moment in moments:
        now = [
            span for span in timeline.spans
            if span.started_at_ms <= moment < (span.ended_at_ms or 10**15)
        ]  # fmt: skip
        for project, limit in limits.items():
            used = sum(
                share.gpu_milli
                for span in now
                if jobs[span.workload_id].project == project
                for share in span.devices
            )
            assert used <= 1000 * limit
        ranks: dict[str, int] = {}
        for span in now:
            ranks[span.workload_id] = ranks.get(span.workload_id, 0) + 1
        for name, count in ranks.items():
            job = jobs[name]
            assert job.replicas.array or count >= job.replicas.minimum
