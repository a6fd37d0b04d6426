"""The snapshots on which the scheduler is timed; `measurement` builds and decides them.

Every one is drawn by a fixed seed, so that its plan has one digest on any machine.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from podium.domain.node import Node
from podium.domain.quantity import GPU_MILLI
from podium.domain.resources import DeviceShare, Request, Topology, TopologyLevel
from podium.domain.workload import Kind
from podium.scheduling.order.queue import queue_order
from podium.scheduling.plan import Plan
from podium.scheduling.snapshot import Demand, Hold, Share, Snapshot
from podium.simulation.machines import GIB, made_node, numbered
from podium.simulation.speed.judgement import (
    all_placed,
    all_reclaimed,
    all_refused,
    all_told,
    nearly_full,
)
from podium.simulation.speed.mixture import (
    HOUR_MS,
    NOW_MS,
    expectation,
    mixed,
    projects,
    share_tree,
    waiting,
)

SEED = 20_260_701
GPUS = 8
_NODES_OF_RACK = 4
_RACKS_OF_BLOCK = 8
_PARTS_OF_NODE = ((8,), (4, 4), (4, 2, 2), (4, 2, 1, 1), (2, 2, 2, 2), (1,) * 8)


@dataclass(frozen=True, slots=True)
class Goal:
    """At least so many placements a second, or at most so many milliseconds a cycle."""

    placements_per_second: float | None = None
    cycle_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """`build(scale)` makes the snapshot; 1 is the size that the goal is for. `lacks(snapshot,
    plan)` says what the plan should hold and does not, or "". With `one_ends`, the snapshot is
    decided once unseen, and each timed cycle begins with the end of one job."""

    name: str
    words: str
    goal: Goal
    build: Callable[[float], Snapshot]
    lacks: Callable[[Snapshot, Plan], str]
    one_ends: bool = False


def _fill_500(scale: float) -> Snapshot:
    nodes = _cluster(_scaled(500, scale, 2))
    return Snapshot(nodes=nodes, holds=(), demands=_ones(len(nodes) * GPUS, "alpha"))


def _fill_5000(scale: float) -> Snapshot:
    nodes = _cluster(_scaled(5000, scale, 10), mixed_types=True)
    jobs = len(nodes) * GPUS
    return Snapshot(
        nodes=nodes,
        holds=(),
        demands=queue_order(waiting(mixed(jobs, SEED), SEED + 1)),
        shares=share_tree(jobs),
    )


def _gang_512(scale: float) -> Snapshot:
    """A zone is a label of the node, and the beginning of the name of its block; the gang fills
    one zone of the four."""
    side = _scaled(8, scale, 1)
    nodes = []
    for zone in range(1, 5):
        for block in range(1, side + 1):
            for rack in range(1, side + 1):
                nodes += [
                    _node(
                        f"z{zone}-b{block}-r{rack}-n{number}",
                        labels=(("zone", f"z{zone}"),),
                        block=f"z{zone}-b{block}",
                        rack=f"r{rack}",
                    )
                    for number in (1, 2)
                ]
    gang = Demand(
        workload_id="gang",
        project="alpha",
        kind=Kind.TRAINING,
        priority=50,
        queued_at_ms=NOW_MS,
        request=_request(2),
        pending_ranks=tuple(range(len(nodes))),
        minimum=len(nodes),
        topology=Topology(prefer=TopologyLevel.BLOCK),
    )
    return Snapshot(nodes=tuple(nodes), holds=(), demands=(gang,))


def _reclaim_4000(scale: float) -> Snapshot:
    nodes = _cluster(_scaled(500, scale, 2))
    gpus = len(nodes) * GPUS
    holds: list[Hold] = []
    for node in nodes:
        for index in range(GPUS):
            age_ms = (1 + len(holds) % 48) * HOUR_MS
            holds.append(
                _hold(f"a-{len(holds):05}", node, (index,), "alpha", age_ms=age_ms, preempt=True)
            )
    return Snapshot(
        nodes=nodes,
        holds=tuple(holds),
        demands=_ones(gpus, "beta"),
        shares=(
            Share(name="alpha", project="alpha"),
            Share(name="beta", project="beta", guarantees=(("", gpus * GPU_MILLI),)),
        ),
    )


def _refuse(scale: float) -> Snapshot:
    """All nodes are full but ten, and one of these lacks one GPU."""
    nodes = _cluster(_scaled(500, scale, 12))
    full, last = nodes[:-10], nodes[-1]
    holds = [
        _hold(f"a-{at:04}-{index}", node, (index,), "alpha", age_ms=HOUR_MS)
        for at, node in enumerate(full)
        for index in range(GPUS)
    ]
    holds.append(_hold("a-last", last, (3,), "alpha", age_ms=HOUR_MS))
    gang = Demand(
        workload_id="gang",
        project="beta",
        kind=Kind.TRAINING,
        priority=50,
        queued_at_ms=NOW_MS - HOUR_MS,
        request=_request(GPUS),
        pending_ranks=tuple(range(10)),
        minimum=10,
    )
    return Snapshot(nodes=nodes, holds=tuple(holds), demands=(gang,))


def _deep_queue(scale: float) -> Snapshot:
    draw = random.Random(SEED)  # noqa: S311 - work to try, no secret
    nodes = _cluster(_scaled(5000, scale, 10), mixed_types=True)
    owners = projects()
    holds: list[Hold] = []
    for node in nodes:
        first = 0
        for size in draw.choice(_PARTS_OF_NODE):
            indexes = tuple(range(first, first + size))
            owner, age_ms = draw.choice(owners), draw.randint(0, 10) * HOUR_MS // 4
            hold = _hold(f"h-{len(holds):06}", node, indexes, owner, age_ms=age_ms, draw=draw)
            holds.append(hold)
            first += size
    demands = waiting(mixed(20 * len(nodes), SEED), SEED + 1)
    return Snapshot(
        nodes=nodes,
        holds=tuple(holds),
        demands=queue_order(demands),
        shares=share_tree(len(nodes) * GPUS),
    )


def _scaled(count: int, scale: float, least: int) -> int:
    return max(least, round(count * scale))


def _cluster(count: int, *, mixed_types: bool = False) -> tuple[Node, ...]:
    """Racks of 4 nodes, blocks of 8 racks; with `mixed_types` three tenths are A100, the rest
    H100."""
    nodes = []
    for at, name in enumerate(numbered("n", count)):
        rack, block = at // _NODES_OF_RACK, at // (_NODES_OF_RACK * _RACKS_OF_BLOCK)
        gpu_type = "A100" if mixed_types and at * 10 // count % 10 in (2, 5, 8) else "H100"
        nodes.append(_node(name, gpu_type=gpu_type, rack=f"r{rack:04}", block=f"b{block:03}"))
    return tuple(nodes)


def _node(
    name: str,
    *,
    block: str,
    rack: str,
    gpu_type: str = "H100",
    labels: tuple[tuple[str, str], ...] = (),
) -> Node:
    return made_node(
        name,
        gpus=GPUS,
        gpu_type=gpu_type,
        cpu_milli=128_000,
        memory_bytes=1024 * GIB,
        block=block,
        rack=rack,
        labels=labels,
    )


def _request(gpus: int) -> Request:
    return Request(cpu_milli=8000 * gpus, memory_bytes=64 * GIB * gpus, gpu_milli=gpus * GPU_MILLI)


def _ones(count: int, project: str) -> tuple[Demand, ...]:
    """Jobs of one GPU each, submitted in the last minute."""
    request = _request(1)
    return tuple(
        Demand(
            workload_id=name,
            project=project,
            kind=Kind.TRAINING,
            priority=50,
            queued_at_ms=NOW_MS - 60_000 + at * 60_000 // count,
            request=request,
            pending_ranks=(0,),
            minimum=1,
        )
        for at, name in enumerate(numbered("w", count))
    )


def _hold(
    name: str,
    node: Node,
    indexes: tuple[int, ...],
    project: str,
    *,
    age_ms: int,
    preempt: bool = False,
    draw: random.Random | None = None,
) -> Hold:
    devices = [node.devices[index] for index in indexes]
    request = _request(len(indexes))
    return Hold(
        allocation_id=name,
        workload_id=name,
        project=project,
        priority=50,
        node=node.name,
        cpu_milli=request.cpu_milli,
        memory_bytes=request.memory_bytes,
        devices=tuple(DeviceShare(device.id, GPU_MILLI, device.memory_bytes) for device in devices),
        started_at_ms=NOW_MS - age_ms,
        kind=Kind.TRAINING,
        preemptible=preempt,
        expected=None if draw is None else expectation(draw),
    )


_ALL = (
    Shape(
        name="fill-500",
        words="500 × 8 GPUs, 4,000 jobs of one GPU",
        goal=Goal(placements_per_second=20_000),
        build=_fill_500,
        lacks=all_placed,
    ),
    Shape(
        name="fill-5000",
        words="5,000 × 8 GPUs, 40,000 mixed jobs",
        goal=Goal(placements_per_second=5_000),
        build=_fill_5000,
        lacks=nearly_full,
    ),
    Shape(
        name="gang-512",
        words="a gang of 512 × 2 GPUs on 4 × 8 × 8 × 2 nodes",
        goal=Goal(cycle_ms=100),
        build=_gang_512,
        lacks=all_placed,
    ),
    Shape(
        name="reclaim-4000",
        words="4,000 jobs of one GPU give way to another project",
        goal=Goal(cycle_ms=2000),
        build=_reclaim_4000,
        lacks=all_reclaimed,
    ),
    Shape(
        name="refuse",
        words="10 × 8 GPUs, one GPU short, on 500 nodes",
        goal=Goal(cycle_ms=50),
        build=_refuse,
        lacks=all_refused,
    ),
    Shape(
        name="deep-queue",
        words="5,000 full nodes, 100,000 wait, one job ends",
        goal=Goal(cycle_ms=100),
        build=_deep_queue,
        lacks=all_told,
        one_ends=True,
    ),
)

SHAPES: Mapping[str, Shape] = MappingProxyType({shape.name: shape for shape in _ALL})
