"""Runs a trace through the scheduler that serves production, in `simulation.world`."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from podium.domain.node import Device, Node, NodeState
from podium.domain.policy import Order, SchedulingPolicy
from podium.domain.quantity import GPU_MILLI
from podium.domain.resources import ReplicaCount, Request
from podium.scheduling.decide import decide
from podium.scheduling.plan import Plan
from podium.scheduling.snapshot import Snapshot
from podium.simulation.queueing.once import Tell
from podium.simulation.queueing.trace import Course, Machines, Trace
from podium.simulation.world import Job, World

_SCHEDULING = SchedulingPolicy(order=Order.ATTAINED)
_GPU_MEMORY_BYTES = 80 * 2**30
_CPU_MILLI_PER_GPU = 16_000
_MEMORY_BYTES_PER_GPU = 128 * 2**30


def run_product(
    trace: Trace,
    machines: Machines,
    estimates_ms: list[int] | None,
    seed: int,
    tell: Tell,
) -> Course:
    """`decide` at every event, its plan verified, as in production. Estimates become the limits
    that the scheduler sees; CPU and memory are never short. Work is served by what it has had, and
    may be stopped for others; it is saved then, and goes on where it was."""
    jobs = trace_jobs(trace, machines, estimates_ms)
    watched = _Watched([job.submitted_ms for job in trace.jobs], tell)
    world = World(trace_nodes(machines), jobs, seed=seed, policy=watched, scheduling=_SCHEDULING)
    timeline = world.run()
    lives = timeline.lives
    started_ms = [life.started_at_ms for life in lives if life.started_at_ms is not None]
    ended_ms = [life.ended_at_ms for life in lives if life.ended_at_ms is not None]
    assert len(ended_ms) == len(started_ms) == len(trace), "every job fits the empty cluster"
    return Course(started_ms, ended_ms, len(timeline.stops))


@dataclass(frozen=True, slots=True)
class _Watched:
    """`decide`, telling how many jobs have come by now and neither wait nor run."""

    submitted_ms: list[int]
    tell: Tell

    def __call__(self, snapshot: Snapshot, now_ms: int, seed: int) -> Plan:
        running = len({hold.workload_id for hold in snapshot.holds})
        came = bisect_right(self.submitted_ms, now_ms)
        self.tell(came - running - len(snapshot.demands))
        return decide(snapshot, now_ms, seed)


def _names(count: int) -> list[str]:
    """In the order of the trace, because the queue breaks ties by id."""
    width = len(str(count))
    return [f"{at:0{width}}" for at in range(count)]


def trace_jobs(trace: Trace, machines: Machines, estimates_ms: list[int] | None) -> list[Job]:
    """Each a gang of whole GPUs; named so that the queue's last tie-break is the trace's order."""
    names = _names(len(trace))
    return [_job(names[at], at, trace, machines, estimates_ms) for at in range(len(trace))]


def trace_nodes(machines: Machines) -> list[Node]:
    return [_node(f"node-{name}", machines.gpus_per_node) for name in _names(machines.nodes)]


def _node(name: str, gpus: int) -> Node:
    devices = tuple(
        Device(
            id=f"{name}/{index}",
            node=name,
            index=index,
            uuid=f"GPU-{name}-{index}",
            type="GPU",
            model="GPU of a trace",
            memory_bytes=_GPU_MEMORY_BYTES,
            virtual=True,
        )
        for index in range(gpus)
    )
    return Node(
        name=name,
        engine="simulation",
        state=NodeState.READY,
        address=name,
        cpu_milli=_CPU_MILLI_PER_GPU * gpus,
        memory_bytes=_MEMORY_BYTES_PER_GPU * gpus,
        devices=devices,
    )


def _job(
    name: str, at: int, trace: Trace, machines: Machines, estimates_ms: list[int] | None
) -> Job:
    found = trace.jobs[at]
    replicas, gpus = replicas_of(found.gpus, machines)
    return Job(
        workload_id=name,
        submitted_at_ms=found.submitted_ms,
        runtime_ms=found.duration_ms,
        request=Request(cpu_milli=1000, memory_bytes=2**30, gpu_milli=gpus * GPU_MILLI),
        replicas=ReplicaCount(replicas, replicas),
        project=found.group or "default",
        limit_ms=None if estimates_ms is None else estimates_ms[at],
        preemptible=True,
        saved=True,
    )


def replicas_of(gpus: int, machines: Machines) -> tuple[int, int]:
    """A gang of equal replicas, each on one node, as large as the empty cluster can hold them:
    how many, and GPUs of each."""
    for size in range(min(gpus, machines.gpus_per_node), 0, -1):
        replicas, rest = divmod(gpus, size)
        if rest == 0 and replicas <= machines.nodes * (machines.gpus_per_node // size):
            return replicas, size
    raise AssertionError("one GPU each always fits")
