"""How much of the free GPU capacity the recent mix of requests cannot use, because what is free
lies in pieces, or beside too little CPU or memory. `control/measure` notes it each minute."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np

from podium.domain.node import Node
from podium.domain.quantity import GPU_MILLI
from podium.domain.resources import Request
from podium.scheduling.placing.fit import UNBOUNDED, Shape, units_of
from podium.scheduling.snapshot import Hold
from podium.scheduling.space.floor import Floor
from podium.scheduling.space.layout import NO_DEVICE, Layout, where_of
from podium.scheduling.space.masks import milli_of
from podium.scheduling.space.room import Bools, Floats, Ints

CLASSES_MAX = 24
"""So many different requests for GPUs are looked at, the most frequent ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """The free GPUs of one type in one pool, in milli-GPU, on nodes that take work.

    `stranded_milli` is what a replica drawn from the mix cannot use of them on average, if as many
    copies of it came as fit. `split_milli` is what is free of GPUs that are in use in part; it also
    stands for what is stranded where nothing of the mix may use these GPUs."""

    gpu_type: str
    pool: str
    free_milli: int
    stranded_milli: int
    split_milli: int


_Key = tuple[int, str]
"""Number of the pool, and GPU type."""


def stocks(
    nodes: Sequence[Node], holds: Iterable[Hold], mix: Iterable[tuple[Request, int]]
) -> list[Stock]:
    """By pool and type; types whose nodes all take no work are left out. `mix` says how often each
    request was asked for lately, the most frequent first."""
    layout = Layout(nodes)
    ground = _Ground(layout, Floor(layout, holds))
    free, split = ground.free()
    lost: dict[_Key, float] = defaultdict(float)
    weight: dict[_Key, int] = defaultdict(int)
    for request, count in islice((each for each in mix if each[0].wants_gpu), CLASSES_MAX):
        for key, (within, usable) in ground.usable(request).items():
            if within:
                lost[key] += count * (1 - usable / within)
                weight[key] += count
    return [
        Stock(
            gpu_type=key[1],
            pool=ground.pools[key[0]],
            free_milli=free[key],
            stranded_milli=(
                round(free[key] * lost[key] / weight[key]) if weight[key] else split[key]
            ),
            split_milli=split[key],
        )
        for key in sorted(free, key=lambda each: (ground.pools[each[0]], each[1]))
    ]


class _Ground:
    """Nodes that take work, grouped by what is free on them and by pool. Arrays are (G,) by group,
    (G, D) by group and column, or (K,) by kind of device."""

    def __init__(self, layout: Layout, floor: Floor) -> None:
        self._layout = layout
        self.pools = list(dict.fromkeys(node.pool for node in layout.nodes))
        number = {name: at for at, name in enumerate(self.pools)}
        pool = np.array([number[node.pool] for node in layout.nodes], dtype=np.int64)
        self._ready = np.flatnonzero(floor.ready)
        both = floor.state[self._ready] * max(1, len(self.pools)) + pool[self._ready]
        distinct, self._group = np.unique(both, return_inverse=True)
        self._pool: Ints = distinct % max(1, len(self.pools))
        states = [layout.states.of[each] for each in (distinct // max(1, len(self.pools))).tolist()]
        self._cpu_milli = np.array([state.cpu_milli for state in states], dtype=np.int64)
        self._memory = np.array([state.memory_bytes for state in states], dtype=np.int64)
        shape = len(states), layout.device_kind.shape[1]
        self._kind: Ints = np.full(shape, NO_DEVICE, dtype=np.int64)
        self._value: Ints = np.zeros(shape, dtype=np.int64)
        for row, state in enumerate(states):
            self._kind[row, : len(state.devices)] = layout.shelves[state.shelf]
            self._value[row, : len(state.devices)] = state.devices
        self._milli = _each(self._value, milli_of)

    def free(self) -> tuple[Mapping[_Key, int], Mapping[_Key, int]]:
        """What is free, and what of it belongs to GPUs that are in use in part."""
        nodes = np.bincount(self._group, minlength=len(self._pool))
        parts = np.where(self._milli < GPU_MILLI, self._milli, 0)
        there = np.full(len(self._layout.kinds), fill_value=True)
        return self._sums(self._milli, nodes, there), self._sums(parts, nodes, there)

    def usable(self, request: Request) -> Mapping[_Key, tuple[int, int]]:
        """Of the GPUs that the request may use: what is free, and what copies of it could fill.
        A node of several types gives of each in proportion to what that could give."""
        layout = self._layout
        shape = Shape(request, layout.kinds)
        fits = np.array([grant is not None for grant in shape.grants], dtype=np.bool_)
        allowed = layout.chosen(where_of(request))[self._ready]
        nodes = np.bincount(self._group[allowed], minlength=len(self._pool))
        units = np.zeros_like(self._value)
        given = np.zeros_like(self._value)
        for kind, grant in enumerate(shape.grants):
            if grant is not None:
                here = self._kind == kind
                free = self._value[here]
                found = _each(free, partial(units_of, shape, kind, grant))
                units[here] = found
                given[here] = np.minimum(found * grant[0], self._milli[here])
        offered = units.sum(axis=1)
        copies = offered // shape.count
        for left, each in (
            (self._cpu_milli, request.cpu_milli),
            (self._memory, request.memory_bytes),
        ):
            copies = np.minimum(copies, left // each if each else UNBOUNDED)
        filled = given * (copies * shape.count / np.maximum(offered, 1))[:, None]
        within, used = self._sums(self._milli, nodes, fits), self._sums(filled, nodes, fits)
        return {key: (milli, used[key]) for key, milli in within.items()}

    def _sums(self, milli: Ints | Floats, nodes: Ints, fits: Bools) -> Mapping[_Key, int]:
        """Over all nodes, as many of each group as `nodes` says, on devices of kinds that fit."""
        found: dict[_Key, int] = defaultdict(int)
        for kind in np.flatnonzero(fits).tolist():
            of_kind = self._kind == kind
            rows = np.where(of_kind, milli, 0).sum(axis=1) * nodes
            there = of_kind.any(axis=1) & (nodes > 0)
            for pool in np.unique(self._pool[there]).tolist():
                key = pool, self._layout.kinds[kind].type
                found[key] += round(float(rows[self._pool == pool].sum()))
        return found


def _each(values: Ints, function: Callable[[int], int]) -> Ints:
    """`function` of each value; there are few different ones."""
    distinct, places = np.unique(values, return_inverse=True)
    return np.array([function(each) for each in distinct.tolist()], dtype=np.int64)[
        places.reshape(values.shape)
    ]
