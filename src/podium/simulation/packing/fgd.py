"""Fragmentation gradient descent as published (Weng et al., USENIX ATC 2023), to compare with; one
of the policies of the packing experiment.
"""

from __future__ import annotations

import numpy as np

from podium.scheduling.space.room import WHOLE_MILLI, Candidates, Floats, Ints, Requests, Room

TYPICAL_PERCENT = 95
"""How much of the list the typical pods cover."""


class Fragmentation:
    """Prices a place by how much more of its node the typical pods cannot use afterwards.

    Typical pods are the distinct (CPU, GPU share, GPUs, models) of the list, `counts[c]` times
    class c, the most frequent first, until they cover `TYPICAL_PERCENT` of it.
    """

    def __init__(self, requests: Requests, counts: Ints) -> None:
        columns = np.column_stack(
            [requests.cpu_milli, requests.gpu_milli, requests.gpus, requests.allowed]
        )
        distinct, first, inverse = np.unique(
            columns, axis=0, return_index=True, return_inverse=True
        )
        often = np.bincount(inverse.reshape(-1), weights=counts).astype(np.int64)
        order = np.lexsort((first, -often))
        cover = np.cumsum(often[order]) * 100 >= TYPICAL_PERCENT * int(counts.sum())
        order = order[: int(cover.argmax()) + 1]
        typical = distinct[order]
        self._often = often[order].astype(np.float64)
        self._cpu_milli, self._gpus = typical[:, 0], typical[:, 2]
        self._allowed = typical[:, 3:].astype(np.bool_)
        sizes, self._size = np.unique(typical[:, 1], return_inverse=True)
        free = np.arange(WHOLE_MILLI + 1)[:, None]
        self._able = (free >= sizes).astype(np.int64)
        self._short = np.where(free < sizes, free, 0)

    def of_room(self, room: Room) -> Floats:
        """Expected milli-GPU on each node that a typical pod cannot use, (N,), times the number
        of pods that the typical ones stand for; whole numbers."""
        idle = room.devices.sum(axis=1)[:, None]
        able = self._able[room.devices].sum(axis=1)[:, self._size]
        short = self._short[room.devices].sum(axis=1)[:, self._size]
        runs = (self._gpus > 0) & (able >= self._gpus) & self._allowed.T[room.kind]
        runs &= room.cpu_milli[:, None] >= self._cpu_milli
        return np.asarray(np.where(runs, short, idle).astype(np.float64) @ self._often)

    def of(self, room: Room, places: Candidates) -> Floats:
        """The published score, turned so that the best is the cheapest."""
        before = self.of_room(room.of(places.distinct))[places.row]
        less = (before - self.of_room(places.left)) / self._often.sum()
        return np.asarray(-np.floor(100 / (1 + np.exp(-less / WHOLE_MILLI))))
