"""Keeps room for the first workload that has waited too long, so that it starts in the end.

`decide` asks once a cycle. The nodes with the least to drain are kept: work behind the one that
waits cannot use their GPUs (when it wants GPUs) nor the CPU and memory that it will need there.
"""

from __future__ import annotations

from collections.abc import Sequence

from podium.domain.workload import Kind
from podium.scheduling.cluster import Cluster, NodeRoom
from podium.scheduling.fit import Shape, capacity
from podium.scheduling.packing import places
from podium.scheduling.snapshot import Demand

PATIENCE_MS = 5 * 60 * 1000
"""How long a workload waits before nodes are drained for it."""

ENDLESS_KINDS = (Kind.SERVICE, Kind.WORKSPACE)
"""Kinds that end only when a person ends them: nobody waits for their nodes to drain."""

Kept = list[tuple[NodeRoom, int]]


def kept_rooms(
    cluster: Cluster, drained: Cluster, shape: Shape, rooms: Sequence[NodeRoom], demand: Demand
) -> Kept:
    """Nodes of `cluster` and how many replicas each is to be kept for; empty when the demand
    would not fit even when all that ends by itself has ended (which `drained` shows)."""
    within = demand.topology.within
    pools = [list(rooms)] if within is None else places(rooms, within)
    best: Kept = []
    best_price: tuple[int, int, int] | None = None
    for pool in pools:
        kept: Kept = []
        price = [0, 0]
        missing = demand.minimum
        for gpu, cpu, position in sorted(_drain(room, drained, shape) for room in pool):
            fits = min(missing, capacity(drained.nodes[position], shape))
            if fits:
                kept.append((cluster.nodes[position], fits))
                price[0] += gpu
                price[1] += cpu
                missing -= fits
            if not missing:
                break
        if missing:
            continue
        pool_price = (price[0], price[1], kept[0][0].position)
        if best_price is None or pool_price < best_price:
            best, best_price = kept, pool_price
    return best


def _drain(room: NodeRoom, drained: Cluster, shape: Shape) -> tuple[int, int, int]:
    """What has to end on the node before all of it is there: milli-GPU, milli-CPU; position."""
    empty = drained.nodes[room.position]
    gpu = empty.milli_free - room.milli_free if shape.count else 0
    return gpu, empty.cpu_free - room.cpu_free, room.position
