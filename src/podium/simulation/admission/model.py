"""What a generator becomes here: nodes, a tree of shares, and work that arrives.

CPU becomes GPU, because quotas here are by GPU type: `cpu_milli_of_gpu` thousandths of a CPU are
one GPU, at least the largest request of a pod, so that each pod takes one GPU or a share of one.
A cohort is a team that cannot exceed what its queues are guaranteed together, a queue is a project
with its nominal quota as guarantee and nominal + borrowing as limit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from podium.domain.errors import FieldFault, UserError
from podium.domain.node import Node
from podium.domain.policy import Preempt, SchedulingPolicy
from podium.domain.quantity import GPU_MILLI
from podium.domain.resources import ANYWHERE, Request, Topology, TopologyLevel
from podium.domain.workload import Kind
from podium.scheduling.snapshot import Demand, Share
from podium.simulation.admission.generator import Generator, QueueSet, WorkloadClass
from podium.simulation.machines import GIB, made_node, numbered

GPU_TYPE = "A100"
GPUS_OF_NODE = 8
ROOM = 4
"""Without a topology only quotas should bind: the nodes have so many times what they sum to."""

_ORGANISATION = "organisation"
_CPU_MILLI, _MEMORY_BYTES = 10, GIB // 1024
_LEVELS = (TopologyLevel.NODE, TopologyLevel.RACK, TopologyLevel.BLOCK)
_NODES_MAX = 100_000
_WORKLOADS_MAX = 5_000_000
_PREEMPT = {
    ("Never", "Never"): Preempt.NEVER,
    ("LowerPriority", "Never"): Preempt.GUARANTEE,
    ("Any", "Never"): Preempt.GUARANTEE,
    ("LowerPriority", "LowerPriority"): Preempt.PRIORITY,
    ("Any", "LowerPriority"): Preempt.PRIORITY,
}


@dataclass(frozen=True, slots=True)
class Arrival:
    """`demand` begins to wait at `at_ms`, and once started it runs for `runtime_ms`."""

    at_ms: int
    runtime_ms: int
    class_name: str
    demand: Demand


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """`arrivals` in order of time. `quota_milli` is the sum of all nominal quotas."""

    name: str
    nodes: tuple[Node, ...]
    shares: tuple[Share, ...]
    policy: SchedulingPolicy
    arrivals: tuple[Arrival, ...]
    cpu_milli_of_gpu: int
    quota_milli: int


def model_of(generator: Generator) -> Model:
    """Raises UserError for what has no counterpart here."""
    queues = [(cohort, found) for cohort in generator.cohorts for found in cohort.queues]
    unit = _unit([found for _, found in queues])
    count = sum(
        cohort.count * found.count * one.count * len(one.classes)
        for cohort, found in queues
        for one in found.sets
    )
    if count > _WORKLOADS_MAX:
        raise UserError(
            FieldFault("cohorts", f"make {count:,} workloads.", f"Make {_WORKLOADS_MAX:,} at most.")
        )
    arrivals, quota_milli = [], 0
    shares = [Share(name=_ORGANISATION)]
    for cohort in generator.cohorts:
        for team in numbered(cohort.name, cohort.count):
            below, total = [], 0
            for found in cohort.queues:
                guarantee = found.nominal_milli * GPU_MILLI // unit
                for name in numbered(f"{team}-{found.name}", found.count):
                    below.append(_project(name, team, found, unit))
                    total += guarantee
                    arrivals += list(_arrivals(name, found, generator, unit))
            own = ((GPU_TYPE, total),)
            cohort_share = Share(name=team, parent=_ORGANISATION, guarantees=own, limits=own)
            shares += [cohort_share, *below]
            quota_milli += total
    arrivals.sort(key=lambda one: (one.at_ms, one.demand.workload_id))
    return Model(
        name=generator.name,
        nodes=_nodes(generator, unit, quota_milli),
        shares=tuple(shares),
        policy=SchedulingPolicy(preempt=_preempt(queues), minimum_runtime_ms=0),
        arrivals=tuple(arrivals),
        cpu_milli_of_gpu=unit,
        quota_milli=quota_milli,
    )


def _unit(queues: Sequence[QueueSet]) -> int:
    """CPU-milli of one GPU: the smallest at or above the largest request in which every amount
    is a whole number of milli-GPU."""
    requests = [one.cpu_milli for found in queues for each in found.sets for one in each.classes]
    quotas = [found.nominal_milli for found in queues]
    quotas += [found.borrowing_milli for found in queues if found.borrowing_milli is not None]
    exact = GPU_MILLI * math.gcd(*requests, *quotas)
    for parts in range(exact // max(requests), 0, -1):
        if exact % parts == 0:
            return exact // parts
    wrong = f"range from {min(requests)}m to {max(requests)}m, which no GPU's thousandths express."
    raise UserError(FieldFault("request", wrong, "Write amounts nearer to each other."))


def _project(name: str, team: str, found: QueueSet, unit: int) -> Share:
    limits: tuple[tuple[str, int], ...] = ()
    if found.borrowing_milli is not None:
        most = found.nominal_milli + found.borrowing_milli
        limits = ((GPU_TYPE, most * GPU_MILLI // unit),)
    guarantees = ((GPU_TYPE, found.nominal_milli * GPU_MILLI // unit),)
    return Share(name=name, parent=team, project=name, guarantees=guarantees, limits=limits)


def _arrivals(queue: str, found: QueueSet, generator: Generator, unit: int) -> Iterator[Arrival]:
    for number, one in enumerate(found.sets):
        for at, name in enumerate(numbered(f"{queue}-{number}", one.count)):
            for each in one.classes:
                at_ms = at * one.interval_ms
                demand = _demand(f"{name}-{each.name}", queue, each, at_ms, generator, unit)
                yield Arrival(at_ms, each.runtime_ms, each.name, demand)


def _demand(
    name: str, queue: str, found: WorkloadClass, at_ms: int, generator: Generator, unit: int
) -> Demand:
    return Demand(
        workload_id=name,
        project=queue,
        kind=Kind.BATCH,
        priority=found.priority,
        queued_at_ms=at_ms,
        request=Request(
            cpu_milli=_CPU_MILLI,
            memory_bytes=_MEMORY_BYTES,
            gpu_milli=found.cpu_milli * GPU_MILLI // unit,
            gpu_types=(GPU_TYPE,),
        ),
        pending_ranks=tuple(range(found.pods)),
        minimum=found.pods,
        topology=_topology(found, generator),
    )


def _topology(found: WorkloadClass, generator: Generator) -> Topology:
    """Slices of a balanced placement have no counterpart: it becomes a preference."""
    if found.constraint in (None, "unconstrained"):
        return ANYWHERE
    labels = [level.label for level in reversed(generator.levels)]
    if found.level not in labels:
        wrong = f"of {found.name!r} is {found.level!r}, which no level of the topology has."
        known = ", ".join(labels) or "none: there is no topology"
        raise UserError(FieldFault("tasLevel", wrong, f"Known are {known}."))
    at = labels.index(found.level)
    level = _LEVELS[at]
    return Topology(within=level) if found.constraint == "required" else Topology(prefer=level)


def _nodes(generator: Generator, unit: int, quota_milli: int) -> tuple[Node, ...]:
    if not generator.levels:
        count = math.ceil(ROOM * quota_milli / (GPU_MILLI * GPUS_OF_NODE))
        return tuple(_node(name, GPUS_OF_NODE) for name in numbered("n", count))
    levels = generator.levels
    count = math.prod(level.count for level in levels)
    if len(levels) > len(_LEVELS):
        wrong = f"has {len(levels)} levels; here are block, rack and node."
        raise UserError(FieldFault("topology.levels", wrong, "Leave outer levels out."))
    if count > _NODES_MAX:
        wrong = f"makes {count:,} nodes."
        raise UserError(FieldFault("topology.levels", wrong, f"Make {_NODES_MAX:,} at most."))
    gpus = generator.node_cpu_milli // unit
    if gpus == 0:
        wrong = f"is less than the largest request, {unit / 1000:g} CPU."
        place = f"topology.levels.{len(levels) - 1}.capacity.cpu"
        raise UserError(FieldFault(place, wrong, "Give the nodes more."))
    inside = levels[-1].count
    of_rack = levels[-2].count if len(levels) > 1 else 1
    nodes = []
    for at, name in enumerate(numbered("n", count)):
        rack = at // inside
        nodes.append(
            _node(
                name,
                gpus,
                rack=f"r{rack}" if len(levels) > 1 else "",
                block=f"b{rack // of_rack}" if len(levels) > 2 else "",
            )
        )
    return tuple(nodes)


def _node(name: str, gpus: int, *, rack: str = "", block: str = "") -> Node:
    """CPU and memory are never short: a thousand pods may share each GPU."""
    return made_node(
        name,
        gpus=gpus,
        gpu_type=GPU_TYPE,
        cpu_milli=_CPU_MILLI * GPU_MILLI * gpus,
        memory_bytes=_MEMORY_BYTES * GPU_MILLI * gpus,
        rack=rack,
        block=block,
    )


def _preempt(queues: Sequence[tuple[object, QueueSet]]) -> Preempt:
    rules = {(found.reclaim, found.within_queue) for _, found in queues}
    if len(rules) > 1:
        wrong = "differs between queues; one cluster has one rule here."
        raise UserError(FieldFault("reclaimWithinCohort", wrong, "Give all the same."))
    rule = rules.pop()
    if rule not in _PREEMPT:
        wrong = f"are {rule[0]} and {rule[1]}, which have no counterpart here."
        known = ", ".join(f"{reclaim} and {within}" for reclaim, within in _PREEMPT)
        place = "reclaimWithinCohort, withinClusterQueue"
        raise UserError(FieldFault(place, wrong, f"There are: {known}."))
    return _PREEMPT[rule]
