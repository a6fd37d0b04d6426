"""The reference policies against answers worked out by hand and against slow twins, and what must
hold of each whatever the trace."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.domain.errors import UserError
from podium.simulation.queueing.attained import run_attained
from podium.simulation.queueing.measures import jain, measure, spread
from podium.simulation.queueing.once import EasyBackfill, run_once
from podium.simulation.queueing.policies import Policy, run
from podium.simulation.queueing.product import replicas_of
from podium.simulation.queueing.rooms import Place, Rooms
from podium.simulation.queueing.trace import Course, Machines, Runtimes, Trace, TraceJob
from simulation.queueing_oracle import Nodes, again, once

REFERENCES = [policy for policy in Policy if policy not in (Policy.PODIUM, Policy.ATTAINED)]
ONCE = (Policy.FIFO, Policy.FIFO_FIT, Policy.EASY_BACKFILL, Policy.SJF)


def trace(*rows: tuple[int, int, int], groups: str = "") -> Trace:
    """Rows of submission and duration in seconds, and GPUs; a letter of `groups` each."""
    return Trace(
        "t.csv",
        tuple(
            TraceJob(
                job_id=str(at),
                submitted_ms=submit * 1000,
                duration_ms=duration * 1000,
                gpus=gpus,
                group=groups[at] if groups else None,
                row=at + 2,
            )
            for at, (submit, duration, gpus) in enumerate(rows)
        ),
    )


def course(policy: Policy, found: Trace, machines: Machines, **changes: object) -> Course:
    runtimes = changes.get("runtimes", Runtimes.EXACT)
    assert isinstance(runtimes, Runtimes)
    return run(policy, found, machines, runtimes, 0, lambda done: None)


clusters = st.builds(Machines, st.integers(1, 4), st.sampled_from([1, 2, 3, 4, 8]))


@st.composite
def cases(
    draw: st.DrawFn, machines: st.SearchStrategy[Machines] = clusters
) -> tuple[Trace, Machines]:
    found = draw(machines)
    row = st.tuples(st.integers(0, 30), st.integers(1, 20), st.integers(1, 20), st.integers())
    rows = draw(st.lists(row, min_size=1, max_size=25))
    jobs = [
        TraceJob(
            job_id=str(at),
            submitted_ms=submit,
            duration_ms=duration,
            requested_ms=requested,
            gpus=1 + size % found.gpus,
            row=at,
        )
        for at, (submit, duration, requested, size) in enumerate(rows)
    ]
    jobs.sort(key=lambda job: job.submitted_ms)
    return Trace("t.csv", tuple(jobs)), found


# By hand: one node of 4 GPUs. A runs 10 s on 3; B wants 4, C 1 GPU for 9 s, D 1 GPU for 20 s,
# E 2 GPUs for 1 s. All but A come at second 1.
SMALL = trace((0, 10, 3), (1, 5, 4), (1, 9, 1), (1, 20, 1), (1, 1, 2))


@pytest.mark.parametrize(
    ("policy", "starts", "ends", "preemptions"),
    [
        # B waits for A, and all others for B.
        (Policy.FIFO, [0, 10, 15, 15, 15], [10, 15, 24, 35, 16], 0),
        # C passes; at 10 C is done, too, and B starts at last because it is first.
        (Policy.FIFO_FIT, [0, 10, 1, 15, 15], [10, 15, 10, 35, 16], 0),
        # B's reservation is second 10: C ends by then and passes.
        (Policy.EASY_BACKFILL, [0, 10, 1, 15, 15], [10, 15, 10, 35, 16], 0),
        # At 1 the shortest that fits is C. At 10: E, which leaves 2 for D, not for B.
        (Policy.SJF, [0, 30, 1, 10, 10], [10, 35, 10, 30, 11], 0),
        # At 1: E (1 left) goes first, then A (9 left) does not fit with 3, C does, D does.
        # At 2: B (5). At 7: A and C have 9 and 8 left: C, A. At 15: D, at 16 A ends.
        (Policy.SRTF, [0, 2, 1, 1, 1], [16, 7, 15, 34, 2], 3),
        # By service at 1: E 2, C 9, B 20, D 20, A 27: E, C, D as above; at 2: C 8, D 19, B 20,
        # A 27: C and D leave 2. At 10 C ends: D 11, B 20, A 27: D and A. At 19 A ends, at 21 D.
        (Policy.SRSF, [0, 21, 1, 1, 1], [19, 26, 10, 21, 2], 1),
    ],
)
def test_worked_out_by_hand(
    policy: Policy, starts: list[int], ends: list[int], preemptions: int
) -> None:
    found = course(policy, SMALL, Machines(1, 4))
    assert [at / 1000 for at in found.started_ms] == starts
    assert [at / 1000 for at in found.ended_ms] == ends
    assert found.preemptions == preemptions


def test_easy_lets_long_work_pass_only_beside_the_first() -> None:
    """At 10 the first leaves 1 of 4 GPUs: one long one-GPU job may pass, not two, and no larger."""
    found = trace((0, 10, 2), (1, 5, 3), (2, 99, 2), (3, 99, 1), (4, 99, 1))
    made = course(Policy.EASY_BACKFILL, found, Machines(1, 4))
    assert made.started_ms == [0, 10_000, 15_000, 3000, 15_000]


def test_a_gang_takes_whole_nodes_and_the_rest_of_another() -> None:
    """Two nodes of 4: beside a job of 1, one of 5 takes the empty node and 1 GPU of the other,
    where 2 more fit and then nothing. 8 wait for both."""
    found = trace((0, 10, 1), (0, 10, 5), (0, 10, 8), (0, 10, 2), (0, 10, 1))
    assert course(Policy.FIFO_FIT, found, Machines(2, 4)).started_ms == [0, 0, 10_000, 0, 20_000]


@given(cases(), st.sampled_from([Runtimes.EXACT, Runtimes.REQUESTED]))
@settings(max_examples=150, deadline=None)
def test_quick_and_slow_agree(case: tuple[Trace, Machines], runtimes: Runtimes) -> None:
    found, machines = case
    estimates_ms = found.estimates_ms(runtimes)
    assert estimates_ms is not None
    for policy in REFERENCES:
        quick = run(policy, found, machines, runtimes, 0, lambda done: None)
        if policy in ONCE:
            slow = once(policy, found.jobs, machines, estimates_ms)
        else:
            slow = again(found.jobs, machines, estimates_ms, by_service=policy is Policy.SRSF)
        assert quick == slow, policy


@given(cases())
@settings(max_examples=60, deadline=None)
def test_never_over_capacity_and_no_work_lost(case: tuple[Trace, Machines]) -> None:
    found, machines = case
    for policy in (*ONCE, Policy.PODIUM):
        made = course(policy, found, machines)
        lives = list(zip(found.jobs, made.started_ms, made.ended_ms, strict=True))
        assert all(start >= job.submitted_ms for job, start, _ in lives)
        assert all(end - start == job.duration_ms for job, start, end in lives)
        for moment in made.started_ms:
            busy = sum(job.gpus for job, start, end in lives if start <= moment < end)
            assert busy <= machines.gpus
    for policy in (Policy.SRTF, Policy.SRSF):
        made = course(policy, found, machines)
        for job, start, end in zip(found.jobs, made.started_ms, made.ended_ms, strict=True):
            assert job.submitted_ms <= start <= end - job.duration_ms


@given(cases())
@settings(max_examples=60, deadline=None)
def test_fifo_starts_in_order_whatever_runtimes_are_thought(case: tuple[Trace, Machines]) -> None:
    found, machines = case
    made = course(Policy.FIFO, found, machines)
    assert made.started_ms == sorted(made.started_ms)
    assert course(Policy.FIFO, found, machines, runtimes=Runtimes.UNKNOWN) == made


class Watched(EasyBackfill):
    """Remembers the earliest time that each blocked job was promised."""

    promised_ms: dict[int, int]

    def reservation(self, first: int, now_ms: int, rooms: Rooms) -> tuple[int, int]:
        until_ms, beside = super().reservation(first, now_ms, rooms)
        assert beside >= 0
        before = self.promised_ms.setdefault(first, until_ms)
        assert until_ms <= before, "later than promised before"
        return until_ms, beside


WITHOUT_FRAGMENTS = st.one_of(
    st.builds(Machines, st.just(1), st.integers(1, 16)),
    st.builds(Machines, st.integers(1, 16), st.just(1)),
)


@given(cases(WITHOUT_FRAGMENTS))
@settings(max_examples=150, deadline=None)
def test_easy_keeps_its_promise_to_the_first(case: tuple[Trace, Machines]) -> None:
    """Where any free GPUs do, which is what the reservation counts."""
    found, machines = case
    discipline = Watched([job.gpus for job in found.jobs], [job.duration_ms for job in found.jobs])
    discipline.promised_ms = {}
    made = run_once(found, machines, discipline, lambda done: None)
    for job, promised_ms in discipline.promised_ms.items():
        assert made.started_ms[job] <= promised_ms


@given(cases(st.just(Machines(1, 1))))
@settings(max_examples=60, deadline=None)
def test_least_remaining_time_is_best_on_one_gpu(case: tuple[Trace, Machines]) -> None:
    found, machines = case
    best = sum(course(Policy.SRTF, found, machines).ended_ms)
    for policy in (*ONCE, Policy.PODIUM):
        assert best <= sum(course(policy, found, machines).ended_ms)


@given(clusters, st.lists(st.tuples(st.booleans(), st.integers(0, 40)), max_size=40))
@settings(max_examples=150, deadline=None)
def test_rooms_place_as_a_plain_list_does(
    machines: Machines, steps: list[tuple[bool, int]]
) -> None:
    rooms, nodes = Rooms(machines), Nodes(machines)
    taken: list[Place] = []
    for gives, number in steps:
        if gives and taken:
            place = taken.pop(number % len(taken))
            rooms.give(place)
            nodes.give(list(place))
            continue
        gpus = 1 + number % machines.gpus
        found, plain = rooms.find(gpus), nodes.take(gpus)
        assert rooms.fits(gpus) == (plain is not None)
        assert (None if found is None else list(found)) == plain
        if found is not None:
            rooms.take(found)
            taken.append(found)
        assert rooms.free == sum(nodes.free)
        assert min(nodes.free) >= 0
        larger = [size for size in range(1, machines.gpus + 1) if not rooms.fits(size)]
        assert larger == list(range(machines.gpus - len(larger) + 1, machines.gpus + 1))


def test_podium_runs_gangs_over_nodes_and_leaves_nobody_out() -> None:
    """Equal replicas: 6 GPUs on nodes of 4 are 2 × 3, which leave no node with 2."""
    found = trace((0, 10, 6), (0, 10, 2), (0, 10, 8), (1, 1, 1))
    made = course(Policy.PODIUM, found, Machines(2, 4))
    assert made.started_ms == [0, 10_000, 20_000, 1000]
    assert made.ended_ms == [10_000, 20_000, 30_000, 2000]


@given(clusters, st.integers(0, 10**6))
def test_replicas_of_a_gang_fit_the_empty_cluster(machines: Machines, number: int) -> None:
    gpus = 1 + number % machines.gpus
    replicas, size = replicas_of(gpus, machines)
    assert replicas * size == gpus
    assert size <= machines.gpus_per_node
    assert replicas <= machines.nodes * (machines.gpus_per_node // size)
    assert gpus > machines.gpus_per_node or replicas == 1


def test_measures_by_hand() -> None:
    """Two GPUs; the second waits 10 s for the first, 5 s run: slowdowns 1 and 15 ÷ 10."""
    found = trace((5, 10, 2), (5, 5, 1), groups="ab")
    made = measure(found, Machines(1, 2), course(Policy.FIFO, found, Machines(1, 2)))
    assert made.wait_s == spread([0, 10_000])
    assert (made.wait_s.mean, made.wait_s.median, made.wait_s.p99) == (5, 10, 10)
    assert made.completion_s.mean == 12.5
    assert made.bounded_slowdown == 1.25
    assert made.utilisation == 25 / 30
    assert made.makespan_s == 20
    assert made.jain_fairness == pytest.approx(2.5**2 / (2 * 3.25))
    assert made.groups == 2
    assert made.group_wait_max == pytest.approx(10 / 5 / (10 / 25))
    assert measure(trace((0, 1, 1)), Machines(1, 2), Course([0], [1000])).jain_fairness is None


def test_percentiles_are_values_that_occurred() -> None:
    found = spread([at * 1000 for at in range(1, 201)])
    assert (found.mean, found.median, found.p95, found.p99) == (100.5, 101, 191, 199)
    assert spread([7]).p99 == 0.007


def test_jain_is_between_one_and_one_over_n() -> None:
    assert jain([3.0, 3.0, 3.0]) == 1
    assert jain([1.0, 0.0, 0.0, 0.0]) == 0.25


def test_a_job_larger_than_the_cluster_is_named() -> None:
    for policy in Policy:
        with pytest.raises(UserError, match=r"t\.csv, row 3, num_gpu: 9 GPUs.*has 8 \(2 × 4\)"):
            course(policy, trace((0, 1, 1), (0, 1, 9)), Machines(2, 4))


def test_requested_runtimes_must_be_there() -> None:
    with pytest.raises(UserError, match=r"t\.csv, row 2, requested_s: is missing"):
        course(Policy.SJF, SMALL, Machines(1, 4), runtimes=Runtimes.REQUESTED)


@given(cases())
@settings(max_examples=40, deadline=None)
def test_unknown_runtimes_are_never_the_true_ones(case: tuple[Trace, Machines]) -> None:
    """Until the first job has ended nothing can depend on how long jobs run."""
    found, machines = case
    longer = Trace(
        found.name, tuple(replace(job, duration_ms=job.duration_ms + 10**7) for job in found.jobs)
    )
    for policy in (Policy.EASY_BACKFILL, Policy.SJF, Policy.SRTF, Policy.SRSF, Policy.ATTAINED):
        one = course(policy, found, machines, runtimes=Runtimes.UNKNOWN)
        other = course(policy, longer, machines, runtimes=Runtimes.UNKNOWN)
        first_ms = min(*one.ended_ms, *other.ended_ms)
        for at, started_ms in enumerate(one.started_ms):
            if min(started_ms, other.started_ms[at]) < first_ms:
                assert started_ms == other.started_ms[at]


def test_learnt_runtimes_put_the_short_first() -> None:
    """Three of each size ended: of the two that wait, the size that was short goes first."""
    past = [(at * 200, *row) for at in range(3) for row in ((10, 1), (100, 2))]
    found = trace(*past, (1000, 50, 2), (1001, 100, 2), (1002, 10, 1))
    made = course(Policy.SJF, found, Machines(1, 2), runtimes=Runtimes.UNKNOWN)
    assert made.started_ms[-2:] == [1_060_000, 1_050_000]


def test_attained_lets_the_new_pass_and_the_old_return() -> None:
    """The long job had an hour when the short one comes: it gives way, and goes on after it."""
    found = trace((0, 7200, 4), (3600, 300, 4))
    made = course(Policy.ATTAINED, found, Machines(1, 4), runtimes=Runtimes.UNKNOWN)
    assert made.started_ms == [0, 3_600_000]
    assert made.ended_ms == [7_500_000, 3_900_000]
    assert made.preemptions == 1
    again = run_attained(found, Machines(1, 4), lambda done: None, restart_ms=60_000)
    assert again.ended_ms == [7_560_000, 3_900_000]


def test_attained_lets_nobody_be_stopped_before_its_quantum() -> None:
    found = trace((0, 7200, 4), (60, 300, 2))
    made = course(Policy.ATTAINED, found, Machines(1, 4), runtimes=Runtimes.UNKNOWN)
    assert made.started_ms == [0, 600_000]
    assert made.preemptions == 1


@given(cases())
@settings(max_examples=60, deadline=None)
def test_attained_runs_every_job_for_its_time(case: tuple[Trace, Machines]) -> None:
    found, machines = case
    slow = Trace(
        found.name, tuple(replace(job, duration_ms=job.duration_ms * 97) for job in found.jobs)
    )
    for restart_ms in (0, 60_000):
        made = run_attained(slow, machines, lambda done: None, restart_ms=restart_ms)
        for job, started_ms, ended_ms in zip(
            slow.jobs, made.started_ms, made.ended_ms, strict=True
        ):
            assert job.submitted_ms <= started_ms
            assert ended_ms - started_ms >= job.duration_ms
        busy_ms = sum(job.duration_ms * job.gpus for job in slow.jobs)
        assert busy_ms <= machines.gpus * max(made.ended_ms)
