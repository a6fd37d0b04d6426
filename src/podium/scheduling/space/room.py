"""Room on nodes and the requests for it as arrays, and every place where a request fits; prices and
offers are made from these.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

WHOLE_MILLI = 1000
"""A whole device, in thousandths."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """C classes of equal requests: what each takes on one node.

    `gpu_milli` is per device, 1 to 1000, below 1000 only with one device; 0 where `gpus` is 0.
    `allowed[c, k]` says whether class c may stand on nodes of kind k.
    """

    cpu_milli: Ints
    memory: Ints
    gpus: Ints
    gpu_milli: Ints
    allowed: Bools

    def __len__(self) -> int:
        return len(self.gpus)

    @property
    def taken_milli(self) -> Ints:
        """GPU share that one request takes from all its devices together, (C,)."""
        return self.gpus * self.gpu_milli


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What is free on N nodes of up to D devices each, whose kinds are numbers below K.

    `devices[n, d]` is the free share in milli-GPU, 0 where the node has no such device;
    `capacity_milli[n]` is what all its devices have when idle. CPU in milli-cores; memory in the
    unit of the requests. The arrays belong to the caller, who changes
    them as work comes and goes.
    """

    cpu_milli: Ints
    memory: Ints
    devices: Ints
    kind: Ints
    capacity_milli: Ints

    def of(self, nodes: Ints) -> Room:
        """A copy of the rows of `nodes`."""
        return Room(
            cpu_milli=self.cpu_milli[nodes],
            memory=self.memory[nodes],
            devices=self.devices[nodes],
            kind=self.kind[nodes],
            capacity_milli=self.capacity_milli[nodes],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """P places for one request: `node[p]` is a row of the room that was asked about.

    `device[p]` is the device that a share would be taken from, -1 for whole requests of several
    devices and for those of none. `left` is what would be left on that node, row by row.
    """

    node: Ints
    device: Ints
    left: Room

    @property
    def distinct(self) -> Ints:
        """The nodes, each once."""
        return self.node[self._first]

    @property
    def row(self) -> Ints:
        """For each candidate the position of its node in `distinct`."""
        return np.asarray(np.cumsum(self._first) - 1)

    @property
    def _first(self) -> Bools:
        first = np.ones(len(self.node), dtype=np.bool_)
        first[1:] = self.node[1:] != self.node[:-1]
        return first


def candidates(room: Room, requests: Requests, index: int) -> Candidates:
    """Every place where request `index` fits, nodes ascending; of devices of one node that are
    equally free only the first."""
    gpus, milli = int(requests.gpus[index]), int(requests.gpu_milli[index])
    fits = requests.allowed[index][room.kind]
    fits &= room.cpu_milli >= requests.cpu_milli[index]
    fits &= room.memory >= requests.memory[index]
    if gpus:
        able = room.devices >= milli
        fits &= able.sum(axis=1) >= gpus
    if gpus == 1:
        rows = np.flatnonzero(fits)
        able = able[rows]
        free = room.devices[rows]
        for device in range(1, free.shape[1]):
            able[:, device] &= ~(free[:, :device] == free[:, device : device + 1]).any(axis=1)
        picked, device_of = np.nonzero(able)
        node = rows[picked]
        devices = room.devices[node]
        devices[np.arange(len(node)), device_of] -= milli
    else:
        node = np.flatnonzero(fits)
        device_of = np.full(len(node), -1)
        devices = room.devices[node]
        if gpus:
            chosen = able[node]
            chosen &= np.cumsum(chosen, axis=1) <= gpus
            devices -= chosen * milli
    return Candidates(
        node=node,
        device=device_of,
        left=Room(
            cpu_milli=room.cpu_milli[node] - requests.cpu_milli[index],
            memory=room.memory[node] - requests.memory[index],
            devices=devices,
            kind=room.kind[node],
            capacity_milli=room.capacity_milli[node],
        ),
    )
