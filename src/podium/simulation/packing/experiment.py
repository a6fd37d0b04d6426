"""One run of the packing experiment: pods arrive in order, each is placed at once or fails for
ever, and nothing moves unless moves are allowed; `podium bench packing` runs it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from podium.scheduling.space.room import WHOLE_MILLI, Floats, Ints, Requests, Room
from podium.simulation.packing.moves import Moves
from podium.simulation.packing.policy import Policy, policy_named
from podium.simulation.packing.trace import TraceNode, TracePod

LOADS = (90, 95, 100, 105, 110, 120, 130)
"""GPU share asked for so far, in % of the capacity, at which the allocation is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`allocation[k]` is the mean GPU allocation in % of the capacity over the arrivals at which
    what had been asked for rounds to k %, or its last value before, where none rounds to it; loads
    that were not reached are left out."""

    allocation: Mapping[int, float]
    failed_pods: int
    moves: int
    seconds: float


class Placing:
    """Places one pod after another by a policy, with at most `moves` moves for 1,000 arrivals."""

    def __init__(self, policy: Policy, requests: Requests, moves: int = 0) -> None:
        self._policy = policy
        self._moves = Moves(policy.offers, requests, moves) if moves else None

    @property
    def moves_made(self) -> int:
        return self._moves.made if self._moves else 0

    def place(self, index: int) -> bool:
        """Takes room for a pod of class `index` if there is any."""
        offers, moves = self._policy.offers, self._moves
        found = self._policy.find(index)
        if moves is not None:
            moves.arrived()
            found = found or moves.room_for(index)
        if found is None:
            return False
        devices = offers.take(index, *found)
        if moves is not None:
            moves.stands(index, found[0], devices)
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """What the arrays of one run stand for: nodes in tie-break order, classes of equal pods, and
    the class of each pod of the list."""

    room: Room
    requests: Requests
    class_of_pod: Ints


def arrivals_drawn(
    pods: Sequence[TracePod], capacity_milli: int, inflation: float, seed: int
) -> list[int]:
    """The list in a random order, then pods drawn from it at random, until `inflation` times the
    capacity has been asked for; positions in `pods`."""
    draw = random.Random(seed)  # noqa: S311 an experiment, no secret
    order = list(range(len(pods)))
    draw.shuffle(order)
    asked = sum(pod.taken_milli for pod in pods)
    while asked < inflation * capacity_milli:
        drawn = draw.randrange(len(pods))
        order.append(drawn)
        asked += pods[drawn].taken_milli
    return order


def nodes_shuffled(size: int, seed: int) -> list[int]:
    """A random order of the nodes; ties go to the first."""
    order = list(range(size))
    random.Random(f"nodes {seed}").shuffle(order)  # noqa: S311 an experiment, no secret
    return order


def cluster_of(nodes: Sequence[TraceNode], pods: Sequence[TracePod]) -> Cluster:
    """Arrays of an empty cluster; the model of a node's GPUs is its kind."""
    models = sorted({node.model for node in nodes})
    most = max(node.gpus for node in nodes)
    gpus = np.array([node.gpus for node in nodes], dtype=np.int64)
    classes: dict[TracePod, int] = {}
    class_of_pod = [classes.setdefault(pod, len(classes)) for pod in pods]
    room = Room(
        cpu_milli=np.array([node.cpu_milli for node in nodes], dtype=np.int64),
        memory=np.array([node.memory_mib for node in nodes], dtype=np.int64),
        devices=np.where(np.arange(most) < gpus[:, None], WHOLE_MILLI, 0).astype(np.int64),
        kind=np.array([models.index(node.model) for node in nodes], dtype=np.int64),
        capacity_milli=gpus * WHOLE_MILLI,
    )
    requests = Requests(
        cpu_milli=np.array([pod.cpu_milli for pod in classes], dtype=np.int64),
        memory=np.array([pod.memory_mib for pod in classes], dtype=np.int64),
        gpus=np.array([pod.gpus for pod in classes], dtype=np.int64),
        gpu_milli=np.array([pod.gpu_milli for pod in classes], dtype=np.int64),
        allowed=np.array(
            [[not pod.models or model in pod.models for model in models] for pod in classes]
        ),
    )
    return Cluster(
        room=room, requests=requests, class_of_pod=np.array(class_of_pod, dtype=np.int64)
    )


def run(
    nodes: Sequence[TraceNode],
    pods: Sequence[TracePod],
    arrivals: Sequence[int],
    *,
    policy: str,
    seed: int,
    moves: int = 0,
) -> Outcome:
    """Nodes in tie-break order; `arrivals` are positions in `pods`; at most `moves` pods are moved
    for 1,000 arrivals. Raises KeyError for a policy that there is not."""
    began = time.perf_counter()
    cluster = cluster_of(nodes, pods)
    counts = np.bincount(cluster.class_of_pod, minlength=len(cluster.requests))
    choice = policy_named(policy)(cluster.room, cluster.requests, counts, seed)
    placing = Placing(choice, cluster.requests, moves)
    taken = cluster.requests.taken_milli
    sequence = cluster.class_of_pod[np.asarray(arrivals, dtype=np.int64)]
    placed = np.array([placing.place(int(index)) for index in sequence], dtype=np.bool_)
    asked = taken[sequence]
    capacity = int(sum(node.gpus for node in nodes)) * WHOLE_MILLI
    return Outcome(
        allocation=_allocation(
            np.cumsum(asked) / capacity, np.cumsum(asked * placed) / capacity, LOADS
        ),
        failed_pods=int((~placed).sum()),
        moves=placing.moves_made,
        seconds=round(time.perf_counter() - began, 3),
    )


def _allocation(asked: Floats, allocated: Floats, loads: Sequence[int]) -> dict[int, float]:
    percent = np.rint(asked * 100)
    found: dict[int, float] = {}
    for load in loads:
        below, above = np.searchsorted(percent, load), np.searchsorted(percent, load, "right")
        if below == len(percent):
            continue
        # Where one arrival jumps over the load, the allocation stays what it was before.
        at = allocated[below:above] if below < above else allocated[max(0, below - 1) : below]
        found[load] = round(float(at.mean()) * 100, 3) if len(at) else 0.0
    return found
