"""Prices what is left on a node by the work that has come lately, so that a placement can be
judged by what it takes from the next ones; packing decisions ask it.

In one sentence: a node is worth the GPU share that the recent mix of requests could still get on
it, in whole copies and as a fluid, and a request goes where that worth falls least.
"""

from __future__ import annotations

import numpy as np

from podium.scheduling.room import WHOLE_MILLI, Bools, Candidates, Floats, Ints, Requests, Room

WEIGHT_PARTS = 1 << 16
"""Chances are counted in these parts, so that sums of prices are whole numbers and come out the
same in whatever order they are added."""

TOLERANCE_MILLI = 150
"""Losses that differ by less than this count as equal: the mix to come is not known better."""

IDLE_MILLI = 100
"""What it costs to begin a wholly idle node rather than to go on with a full one. Less than the
tolerance, so that it decides only between equals."""

FIRST_LOOK = 32
"""Requests after which the mix is first believed."""

HORIZON = 1 << 15
"""Requests after which each earlier one counts half."""

IDLE_KEPT = 0.85
"""Prices hold until less than this part of the idle GPUs is left, or as much more is idle."""


class Mix:
    """How often each class was asked for lately; older requests fade out.

    `counts` is (C,); only its proportions matter. `seen` is how many requests ever came."""

    def __init__(self, classes: int) -> None:
        self.counts: Ints = np.zeros(classes, dtype=np.int64)
        self.seen = 0

    def see(self, index: int) -> None:
        """One request of class `index` came."""
        self.counts[index] += 1
        self.seen += 1
        if self.seen % HORIZON == 0:
            self.counts //= 2


class Prices:
    """What a mix of requests makes of room, at the scarcity that it finds there. Immutable: later
    changes of mix or room do not reach it."""

    def __init__(self, requests: Requests, mix: Mix, room: Room) -> None:
        self._seen_requests = mix.seen
        self._idle_milli = int(room.devices.sum())
        counts = mix.counts if mix.seen >= FIRST_LOOK else np.zeros_like(mix.counts)
        seen = np.flatnonzero((counts > 0) & (requests.gpus > 0))
        # Classes for several devices come last: only they need a division by their number.
        seen = seen[np.argsort(requests.gpus[seen], kind="stable")]
        self._gpus = requests.gpus[seen].astype(np.float64)
        self._several = int(np.searchsorted(self._gpus, 2))
        self._cpu_milli = requests.cpu_milli[seen].astype(np.float64)
        self._memory = requests.memory[seen].astype(np.float64)
        sizes, self._size = np.unique(requests.gpu_milli[seen], return_inverse=True)
        free = np.arange(WHOLE_MILLI + 1)[:, None]
        self._shares = (free // np.maximum(sizes, 1)).astype(np.int32)
        # Kinds that the same classes may use have the same prices.
        allowed, self._group = np.unique(requests.allowed[seen], axis=1, return_inverse=True)
        self._group = self._group.reshape(-1)
        taken = requests.taken_milli[seen]
        often = counts[seen]

        self._weights: Floats = np.zeros(allowed.shape)
        if len(seen):
            copies = (self._copies(room) * requests.allowed[seen].T[room.kind]).sum(axis=0)
            share = often / counts.sum()
            to_come = _still_to_come(requests, counts, room)
            chance = _chance(share, share * to_come, copies, self._gpus, requests.allowed[seen])
            parts = np.floor(chance * WEIGHT_PARTS)
            self._weights = allowed.astype(np.float64) * (parts * taken)[:, None]

        asked = allowed.T.astype(np.float64) @ np.stack(
            [often * taken, often * requests.cpu_milli[seen], often * requests.memory[seen]], axis=1
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            milli_per = np.where(asked[:, 1:] > 0, asked[:, :1] / asked[:, 1:], np.inf)
        self._wanted = asked[:, 0] > 0
        self._milli_per_cpu, self._milli_per_memory = milli_per[:, 0], milli_per[:, 1]

    def stale(self, mix: Mix, room: Room) -> bool:
        """True when new ones should be made: the mix has doubled, or much room came or went."""
        if mix.seen < FIRST_LOOK:
            return False
        due = min(self._seen_requests * 2, self._seen_requests + HORIZON // 2)
        if self._seen_requests < FIRST_LOOK or mix.seen >= due:
            return True
        idle_milli = int(room.devices.sum())
        less, more = sorted((idle_milli, self._idle_milli))
        return less < more * IDLE_KEPT

    def worth(self, room: Room) -> Floats:
        """What the room of each node is worth, (N,), in milli-GPU times `WEIGHT_PARTS`; whole
        numbers.

        The sum of two amounts of GPU share that could still be given out there: in whole copies
        of each class, each times the chance that it will be missed, and as a fluid that takes CPU
        and memory with it as the mix does on average. The first keeps together what is asked for
        together; the second sees to it that GPU, CPU and memory do not strand each other.
        """
        group = self._group[room.kind]
        whole = (self._copies(room) @ self._weights)[np.arange(len(group)), group]
        fluid = np.where(self._wanted[group], room.devices.sum(axis=1), 0).astype(np.float64)
        _limit(fluid, room.cpu_milli, self._milli_per_cpu[group])
        _limit(fluid, room.memory, self._milli_per_memory[group])
        return np.asarray(whole + fluid * WEIGHT_PARTS)

    def of(self, room: Room, places: Candidates) -> Floats:
        """The price of each candidate, (P,), in milli-GPU: the worth that its node loses, and
        `IDLE_MILLI` for the part of the node that was idle. `room` is as it was before."""
        before = self.worth(room.of(places.distinct))
        lost = before[places.row] - self.worth(places.left)
        price = np.rint(lost / (WEIGHT_PARTS * TOLERANCE_MILLI)) * TOLERANCE_MILLI
        idle = room.devices.sum(axis=1) * IDLE_MILLI // np.maximum(room.capacity_milli, 1)
        return np.asarray(price + idle[places.node])

    def _copies(self, room: Room) -> Floats:
        """How many requests of each class fit on each node, (N, M), whatever its kind."""
        copies = self._shares[room.devices].sum(axis=1).astype(np.float64)[:, self._size]
        several = copies[:, self._several :]
        np.floor(several / self._gpus[self._several :], out=several)
        for free, each in ((room.cpu_milli, self._cpu_milli), (room.memory, self._memory)):
            fit = np.floor(free[:, None] / np.maximum(each, 1))
            np.minimum(copies, fit, out=copies, where=each > 0)
        return np.asarray(copies)


def _still_to_come(requests: Requests, counts: Ints, room: Room) -> float:
    """How many requests of the mix the cluster can still take, by the resource that ends first."""
    total = int(counts.sum())
    left = np.inf
    for free, each in (
        (room.devices.sum(), requests.taken_milli),
        (room.cpu_milli.sum(), requests.cpu_milli),
        (room.memory.sum(), requests.memory),
    ):
        asked = int((counts * each).sum())
        if asked:
            left = min(left, int(free) * total / asked)
    return float(left)


def _chance(share: Floats, demand: Floats, copies: Floats, gpus: Floats, allowed: Bools) -> Floats:
    """The chance that one copy less of each class will be missed, (M,), 0 to 1.

    At least the `share` of the class in the mix: the chance that it comes next. More where few
    places can hold it, because it needs several devices or certain kinds: such classes compete
    with those that are as choosy or choosier, and where together they will ask for all the
    `copies` that there are, each copy will be missed. `demand` is how many are still to come.
    """
    choosy = (gpus > 1) | ~allowed.all(axis=1)
    elsewhere = (allowed[None, :, :] & ~allowed[:, None, :]).any(axis=2)
    rivals = (gpus[None, :] >= gpus[:, None]) & ~elsewhere & choosy[None, :]
    supply = np.maximum(copies, 0.5)
    asked = (rivals * (demand * gpus)).sum(axis=1) / (supply * gpus)
    scarcity = np.where(asked <= 1, asked, 1 / np.maximum(asked, 1)) * demand / supply
    return np.asarray(np.where(choosy, np.clip(scarcity, share, 1), share))


def _limit(fluid: Floats, free: Ints, milli_per_unit: Floats) -> None:
    """Lowers `fluid` to what `free` units of something else suffice for."""
    bound = np.isfinite(milli_per_unit)
    np.minimum(fluid, np.floor(free * np.where(bound, milli_per_unit, 0)), out=fluid, where=bound)
