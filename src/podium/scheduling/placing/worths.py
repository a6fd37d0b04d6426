"""The worth of node states by the recent mix of requests, looked up once for each state.

Classes ask for the price of a move from one state to another: `pricing` says what it means.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from podium.domain.mig import BOARDS, Board
from podium.domain.quantity import GPU_MILLI
from podium.domain.resources import Request
from podium.scheduling.placing import slices
from podium.scheduling.placing.cuts import need_of
from podium.scheduling.placing.fit import Shape
from podium.scheduling.placing.pricing import (
    FIRST_LOOK,
    IDLE_MILLI,
    TOLERANCE_MILLI,
    WEIGHT_PARTS,
    Mix,
    Prices,
)
from podium.scheduling.space.floor import Floor
from podium.scheduling.space.layout import Layout, State
from podium.scheduling.space.masks import SLICED, mask_of
from podium.scheduling.space.room import Requests, Room

CLASSES_MAX = 64
"""So many of the requests of the mix make the prices, the most frequent ones."""


class Worths:
    """Prices of moves on one floor. `epoch` grows when all prices have changed."""

    def __init__(self, floor: Floor, mix: Sequence[tuple[Request, int]]) -> None:
        self.epoch = 0
        self._floor = floor
        self._layout = floor.layout
        frequent = sorted(mix, key=lambda entry: -entry[1])[:CLASSES_MAX]
        self._requests = _requests_of([request for request, _ in frequent], floor.layout)
        self._mix = Mix(len(frequent))
        for at, (_, count) in enumerate(frequent):
            self._mix.counts[at] = count
        self._mix.seen = sum(count for _, count in frequent)
        self._worth: dict[int, float] = {}
        self._prices: Prices | None = None
        self._seen = [(need, count) for request, count in mix if (need := need_of(request))]
        self._slices: slices.Prices | None = None

    @property
    def slices(self) -> slices.Prices:
        """Prices of MIG instances on GPUs that are cut, at what is free when they are first
        asked for."""
        if self._slices is None:
            layout, floor = self._layout, self._floor
            numbers, counts = np.unique(floor.state[floor.ready], return_counts=True)
            gpus: dict[tuple[Board, int], int] = {}
            for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
                state = layout.states.of[number]
                for kind, value in zip(layout.shelves[state.shelf], state.devices, strict=True):
                    board = BOARDS.get(layout.kinds[kind].board)
                    if board is not None and value >= SLICED:
                        key = board, mask_of(value)
                        gpus[key] = gpus.get(key, 0) + count
            found = ((board, mask, count) for (board, mask), count in gpus.items())
            self._slices = slices.Prices(self._seen, found)
        return self._slices

    def prices(self, before: Sequence[int], after: Sequence[int]) -> list[int]:
        """The price of each move between two states; none has one while too few requests are
        known, and the best fit decides."""
        if self._mix.seen < FIRST_LOOK or not before:
            return [0] * len(before)
        if self._prices is None:
            self._look()
        worth, states = self._worth, self._layout.states.of
        missing = [number for number in dict.fromkeys((*before, *after)) if number not in worth]
        if missing:
            assert self._prices is not None
            found = self._prices.worth(self._room([states[number] for number in missing]))
            worth.update(zip(missing, found.tolist(), strict=True))
        return [
            round((worth[one] - worth[two]) / (WEIGHT_PARTS * TOLERANCE_MILLI)) * TOLERANCE_MILLI
            + _idle_price(states[one])
            for one, two in zip(before, after, strict=True)
        ]

    def _look(self) -> None:
        numbers, nodes = np.unique(self._floor.state[self._floor.ready], return_counts=True)
        states = self._layout.states.of
        room = self._room([states[number] for number in numbers.tolist()])
        self._prices = Prices(self._requests, self._mix, room, nodes=nodes)
        self._worth.clear()
        self.epoch += 1

    def _room(self, states: Sequence[State]) -> Room:
        widest = self._layout.device_kind.shape[1]
        devices = np.zeros((len(states), max(1, widest)), dtype=np.int64)
        for row, state in enumerate(states):
            devices[row, : len(state.devices)] = state.devices
        devices[devices >= SLICED] = 0  # what is left of a cut GPU has prices of its own
        np.maximum(devices, 0, out=devices)
        return Room(
            cpu_milli=np.array([state.cpu_milli for state in states], dtype=np.int64),
            memory=np.array([state.memory_bytes for state in states], dtype=np.int64),
            devices=devices,
            kind=np.array([state.shelf for state in states], dtype=np.int64),
            capacity_milli=np.array(
                [len(state.devices) * GPU_MILLI for state in states], dtype=np.int64
            ),
        )


def _idle_price(state: State) -> int:
    """What it costs to begin this node, by the part of it that is idle."""
    devices = len(state.devices)
    return state.gpu_milli * IDLE_MILLI // (devices * GPU_MILLI) if devices else 0


def _requests_of(requests: Sequence[Request], layout: Layout) -> Requests:
    """A class may stand on a shelf when the shelf has a device for it; what a share by memory
    takes of a device is told for the first kind that can give it."""
    shapes = [Shape(request, layout.kinds) for request in requests]
    gpu_milli = []
    for shape in shapes:
        grants = [grant[0] for grant in shape.grants if grant is not None and not shape.need]
        gpu_milli.append(grants[0] if shape.count and grants else 0)
    allowed = [
        [
            not shape.count or any(shape.grants[kind] is not None for kind in shelf)
            for shelf in layout.shelves
        ]
        for shape in shapes
    ]
    return Requests(
        cpu_milli=np.array([request.cpu_milli for request in requests], dtype=np.int64),
        memory=np.array([request.memory_bytes for request in requests], dtype=np.int64),
        gpus=np.array(
            [shape.count if milli else 0 for shape, milli in zip(shapes, gpu_milli, strict=True)],
            dtype=np.int64,
        ),
        gpu_milli=np.array(gpu_milli, dtype=np.int64),
        allowed=np.array(allowed, dtype=np.bool_).reshape(len(requests), len(layout.shelves)),
    )
