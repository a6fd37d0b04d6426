"""How large the clusters of the benchmarks on Kubernetes are.

`PODIUM_BENCH_SHAPE=small` chooses one that is over in minutes and shows that they work; its figures
say nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """`nodes` are hollow and have `gpus_each`; `watched` nodes and pods have no kubelet at all."""

    nodes: int
    gpus_each: int
    pods: int
    gang: int
    singles: int
    watched_nodes: int
    watched_pods: int
    settle_seconds: float
    kills: int


FULL = Shape(
    nodes=200,
    gpus_each=10,
    pods=2000,
    gang=256,
    singles=5,
    watched_nodes=2000,
    watched_pods=20_000,
    settle_seconds=60.0,
    kills=3,
)
SMALL = Shape(
    nodes=20,
    gpus_each=10,
    pods=100,
    gang=32,
    singles=1,
    watched_nodes=100,
    watched_pods=1000,
    settle_seconds=10.0,
    kills=1,
)
_SHAPES = {"": FULL, "full": FULL, "small": SMALL}


def shape_chosen() -> Shape:
    chosen = os.environ.get("PODIUM_BENCH_SHAPE", "")
    if chosen not in _SHAPES:
        raise SystemExit(f"PODIUM_BENCH_SHAPE is {chosen}: it may be full or small.")
    return _SHAPES[chosen]
