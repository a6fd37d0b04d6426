"""Whole lives on virtual time: what can run ends, nothing overlaps, equal work is first in first
out, the patient start, and lost nodes lose no work for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from podium.domain.node import Node, NodeState
from podium.domain.policy import DEFAULT_SCHEDULING
from podium.domain.reason import WaitReason
from podium.domain.resources import ReplicaCount
from podium.domain.workload import Kind
from podium.simulation.timeline import Timeline
from podium.simulation.world import Job, NodeChange, World
from unit.scheduling.cases import GIB, demand_lists, gpus, mig, node, request

PATIENCE_MS = DEFAULT_SCHEDULING.patience_ms

CLUSTER = [
    node("a", 4, rack="r1", cpu_milli=8000),
    node("b", [*gpus("b", 2, "L4", 24 * GIB), *mig("b", 2, first=2)], rack="r1", cpu_milli=8000),
    node("c", rack="r2", cpu_milli=4000, labels=(("zone", "eu"),)),
]
FOR_EVER = frozenset(
    {WaitReason.IMPOSSIBLE_TYPE, WaitReason.IMPOSSIBLE_SIZE, WaitReason.POLICY, WaitReason.TOPOLOGY}
)


def assert_never_over_capacity(timeline: Timeline, nodes: Sequence[Node]) -> None:
    """At each start, what runs on the node fits it. Ends at the same instant free first."""
    by_name = {node.name: node for node in nodes}
    for at_ms in {span.started_at_ms for span in timeline.spans}:
        alive = [
            span
            for span in timeline.spans
            if span.started_at_ms <= at_ms
            and (span.ended_at_ms is None or span.ended_at_ms > at_ms)
        ]
        for name, found in by_name.items():
            here = [span for span in alive if span.node == name]
            assert sum(span.cpu_milli for span in here) <= found.cpu_milli
            assert sum(span.memory_bytes for span in here) <= found.memory_bytes
            for device in found.devices:
                shares = [s for span in here for s in span.devices if s.device_id == device.id]
                assert sum(share.gpu_milli for share in shares) <= 1000
                assert sum(share.memory_bytes for share in shares) <= device.memory_bytes


def last_refusal(timeline: Timeline, workload_id: str) -> WaitReason:
    return [one for one in timeline.refusals if one.workload_id == workload_id][-1].refusal.reason


@st.composite
def jobs(draw: st.DrawFn) -> list[Job]:
    found = []
    for one in draw(demand_lists(most=10)):
        array = draw(st.booleans())
        most = len(one.pending_ranks)
        found.append(
            Job(
                workload_id=one.workload_id,
                submitted_at_ms=draw(st.integers(0, 5)) * 1000,
                runtime_ms=draw(st.integers(1, 5)) * 1000,
                request=one.request,
                replicas=ReplicaCount(1 if array else one.minimum, most, array),
                priority=one.priority,
                topology=one.topology,
            )
        )
    return found


@given(jobs())
@settings(max_examples=100, deadline=None)
def test_what_can_run_ends_and_nothing_overlaps(found: list[Job]) -> None:
    timeline = World(CLUSTER, found).run()
    assert_never_over_capacity(timeline, CLUSTER)
    for job in found:
        spans = [span for span in timeline.spans if span.workload_id == job.workload_id]
        life = timeline.life(job.workload_id)
        if life.ended_at_ms is None:
            assert not spans
            assert last_refusal(timeline, job.workload_id) in FOR_EVER
            continue
        assert all(span.completed for span in spans)
        ranks = sorted(span.rank for span in spans)
        if job.replicas.array:
            assert ranks == list(range(job.replicas.maximum))
        else:
            assert job.replicas.minimum <= len(ranks) <= job.replicas.maximum
            first = [span for span in spans if span.started_at_ms == life.started_at_ms]
            assert len(first) >= job.replicas.minimum
            assert {span.ended_at_ms for span in spans} == {
                (life.started_at_ms or 0) + job.runtime_ms
            }


@given(jobs(), st.sampled_from("abc"), st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_work_of_a_lost_node_runs_again(found: list[Job], name: str, at_s: int) -> None:
    before = next(node for node in CLUSTER if node.name == name)
    changes = [
        NodeChange(at_s * 1000, replace(before, state=NodeState.LOST)),
        NodeChange(at_s * 1000 + 2500, before),
    ]
    timeline = World(CLUSTER, found, changes).run()
    steady = World(CLUSTER, found).run()
    assert timeline.unfinished == steady.unfinished
    assert_never_over_capacity(timeline, CLUSTER)
    for span in timeline.spans:
        assert span.node != name or not (at_s * 1000 <= span.started_at_ms < at_s * 1000 + 2500)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=15))
@settings(max_examples=60, deadline=None)
def test_equal_work_starts_first_in_first_out(times: list[tuple[int, int]]) -> None:
    found = [
        Job(workload_id=f"w{i:02}", submitted_at_ms=at, runtime_ms=length, request=request(2))
        for i, (at, length) in enumerate(times)
    ]
    timeline = World([node("a", 4)], found).run()
    assert timeline.unfinished == ()
    order = sorted(found, key=lambda job: (job.submitted_at_ms, job.workload_id))
    starts = [timeline.life(job.workload_id).started_at_ms for job in order]
    assert starts == sorted(starts)  # type: ignore[type-var]


def test_a_stream_of_small_work_does_not_starve_a_gang() -> None:
    """Small jobs keep every GPU busy for ever; the gang gets its turn once it was patient."""
    length_ms = 60_000
    small = [
        Job(
            workload_id=f"s{i:04}", submitted_at_ms=i * length_ms // 8, runtime_ms=length_ms,
            request=request(1),
        )
        for i in range(240)
    ]  # fmt: skip
    gang = Job(
        workload_id="gang", submitted_at_ms=1000, runtime_ms=length_ms, request=request(4),
        replicas=ReplicaCount(2, 2),
    )  # fmt: skip
    timeline = World([node("a", 4), node("b", 4)], [*small, gang]).run()
    wait_ms = timeline.life("gang").wait_ms
    assert wait_ms is not None
    assert PATIENCE_MS < wait_ms <= PATIENCE_MS + 2 * length_ms
    assert timeline.unfinished == ()


def test_a_service_that_never_ends_blocks_nobody_behind_a_hopeless_head() -> None:
    service = Job(
        workload_id="service", submitted_at_ms=0, runtime_ms=10**12, request=request(1),
        kind=Kind.SERVICE,
    )  # fmt: skip
    head = Job(workload_id="head", submitted_at_ms=1, runtime_ms=1000, request=request(4))
    late = Job(
        workload_id="late",
        submitted_at_ms=PATIENCE_MS + 10,
        runtime_ms=1000,
        request=request(1),
    )
    timeline = World([node("a", 4)], [service, head, late]).run(until_ms=PATIENCE_MS * 2)
    assert timeline.life("late").wait_ms == 0
    assert timeline.unfinished == ("service", "head")
    assert last_refusal(timeline, "head") is WaitReason.CAPACITY


def test_an_elastic_gang_grows_and_still_ends_together() -> None:
    other = Job(workload_id="other", submitted_at_ms=0, runtime_ms=1000, request=request(2))
    gang = Job(
        workload_id="gang", submitted_at_ms=0, runtime_ms=5000, request=request(1),
        replicas=ReplicaCount(2, 4), priority=10,
    )  # fmt: skip
    timeline = World([node("a", 4)], [other, gang]).run()
    spans = [span for span in timeline.spans if span.workload_id == "gang"]
    assert sorted(span.started_at_ms for span in spans) == [0, 0, 1000, 1000]
    assert {span.ended_at_ms for span in spans} == {5000}


def test_same_world_same_timeline() -> None:
    found = [
        Job(workload_id=f"w{i}", submitted_at_ms=i, runtime_ms=7 * i + 1, request=request(i % 4))
        for i in range(20)
    ]
    assert World(CLUSTER, found).run() == World(CLUSTER, found).run()
