"""Prices what is left on a node by the work that has come lately, so that a placement can be
judged by what it takes from the next ones; packing decisions ask it.

In one sentence: a node is worth the GPU share that the recent mix of requests could still get on
it, copy by copy and as a fluid, and a request goes where that worth falls least. A rest of a device
counts for what still fills it (`leftovers`), CPU for what GPU work will get of it where work
without GPUs competes for it.
"""

from __future__ import annotations

import numpy as np

from podium.scheduling.placing.leftovers import leftover_values
from podium.scheduling.space.room import (
    WHOLE_MILLI,
    Bools,
    Candidates,
    Floats,
    Ints,
    Requests,
    Room,
)

WEIGHT_PARTS = 1 << 16
"""Chances are counted in these parts, so that sums of prices are whole numbers and come out the
same in whatever order they are added."""

COPY_PARTS = 64
"""Copies of shares that may stand anywhere are counted in these parts, for the same reason."""

TOLERANCE_MILLI = 75
"""Losses that differ by less than this count as equal: the mix to come is not known better."""

IDLE_MILLI = 50
"""What it costs to begin a wholly idle node rather than to go on with a full one. Less than the
tolerance, so that it decides only between equals."""

RIVALRY = 2
"""How much more of contested CPU goes to work without GPUs than its part in the demand: it comes in
larger pieces and fits on every node."""

FIRST_LOOK = 32
"""Requests after which the mix is first believed."""

HORIZON = 1 << 15
"""Requests after which each earlier one counts half."""

IDLE_KEPT = 0.85
"""Prices hold until less than this part of the idle GPUs is left, or as much more is idle."""

KIND_KEPT = 0.7
"""The same for the GPUs of one kind, where some work may use certain kinds only."""


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

    def __init__(
        self, requests: Requests, mix: Mix, room: Room, *, nodes: Ints | None = None
    ) -> None:
        """`nodes[n]` says how many nodes row n of the room stands for, one each by default."""
        nodes = np.ones(len(room.kind), dtype=np.int64) if nodes is None else nodes
        self._seen_requests = mix.seen
        self._idle_milli = _idle_of_kinds(room, nodes)
        counts = mix.counts if mix.seen >= FIRST_LOOK else np.zeros_like(mix.counts)
        seen = np.flatnonzero((counts > 0) & (requests.gpus > 0))
        often, taken = counts[seen], requests.taken_milli[seen]
        allowed = requests.allowed[seen]
        part = requests.gpu_milli[seen] < WHOLE_MILLI
        self._value = leftover_values(requests.gpu_milli[seen][part], often[part])
        # Classes that take the same have the same copies. Those for several devices come last:
        # only they need a division by their number. Where a share may stand anywhere, what is lost
        # of a device matters and not which one.
        shapes, shape = np.unique(
            np.stack(
                [
                    requests.gpus[seen],
                    requests.gpu_milli[seen],
                    requests.cpu_milli[seen],
                    requests.memory[seen],
                    part & allowed.all(axis=1),
                ]
            ),
            axis=1,
            return_inverse=True,
        )
        shape = shape.reshape(-1)
        self._gpus = shapes[0].astype(np.float64)
        self._several = int(np.searchsorted(self._gpus, 2))
        self._cpu_milli = shapes[2].astype(np.float64)
        self._memory = shapes[3].astype(np.float64)
        sizes, self._size = np.unique(shapes[1], return_inverse=True)
        free = np.arange(WHOLE_MILLI + 1)[:, None]
        self._shares = (free // np.maximum(sizes, 1)).astype(np.int32)
        self._fluid = np.flatnonzero(shapes[4])
        self._fluid_value = self._value[shapes[1][self._fluid]]
        self._choosy = not allowed.all()
        # Kinds that the same classes may use have the same prices.
        groups, self._group = np.unique(allowed, axis=1, return_inverse=True)
        self._group = self._group.reshape(-1)

        needs = (taken, requests.cpu_milli[seen], requests.memory[seen])
        asked = groups.T.astype(np.float64) @ np.stack([often * need for need in needs], axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            milli_per = np.where(asked[:, 1:] > 0, asked[:, :1] / asked[:, 1:], np.inf)
        self._wanted = asked[:, 0] > 0
        self._milli_per_cpu, self._milli_per_memory = milli_per[:, 0], milli_per[:, 1]

        self._weights: Floats = np.zeros((len(self._gpus), groups.shape[1]))
        self._rivals = _Rivals(requests, counts, 0.0)
        if len(seen):
            copies = self._copies(room) * nodes[:, None]
            of_kind = np.arange(allowed.shape[1])[:, None] == room.kind
            fits = (allowed.T * (of_kind @ copies)[:, shape]).sum(axis=0)
            share = often / counts.sum()
            to_come = _still_to_come(requests, counts, room, nodes)
            chance = _chance(share, share * to_come, fits, requests.gpus[seen], allowed)
            parts = np.floor(chance * WEIGHT_PARTS)
            np.add.at(self._weights, shape, groups * (parts * taken)[:, None])
            spare = float(self._spare_cpu(room) @ nodes)
            self._rivals = _Rivals(requests, counts, to_come, spare)

    def stale(self, mix: Mix, room: Room, *, nodes: Ints | None = None) -> bool:
        """True when new ones should be made: the mix has doubled, or much room came or went."""
        if mix.seen < FIRST_LOOK:
            return False
        due = min(self._seen_requests * 2, self._seen_requests + HORIZON // 2)
        if self._seen_requests < FIRST_LOOK or mix.seen >= due:
            return True
        now, then = _idle_of_kinds(room, nodes), self._idle_milli
        less, more = sorted((float(now.sum()), float(then.sum())))
        if less < more * IDLE_KEPT:
            return True
        kinds = min(len(now), len(then)) if self._choosy else 0
        less_of, more_of = np.sort([now[:kinds], then[:kinds]], axis=0)
        return bool((less_of < more_of * KIND_KEPT).any())

    def worth(self, room: Room) -> Floats:
        """What the room of each node is worth, (N,), in milli-GPU times `WEIGHT_PARTS`; whole
        numbers.

        The sum of two amounts of GPU share that could still be given out there: in copies of each
        class, each times the chance that it will be missed, and as a fluid that takes CPU and
        memory with it as the mix does on average. The first keeps together what is asked for
        together; the second sees to it that GPU, CPU and memory do not strand each other. Of CPU
        that work without GPUs wants too, only the part counts that GPU work will get; so worth can
        rise where a rest becomes too small for that work.
        """
        group = self._group[room.kind]
        ours = self._rivals.left_of(room.cpu_milli)
        value = self._value[room.devices].sum(axis=1)
        copies = self._copies(room)
        copies[:, self._fluid] = self._fluid_copies(room, value)
        whole = (copies @ self._weights)[np.arange(len(group)), group] * ours
        fluid = np.where(self._wanted[group], value, 0)
        _limit(fluid, room.cpu_milli, self._milli_per_cpu[group] * ours)
        _limit(fluid, room.memory, self._milli_per_memory[group])
        return np.asarray(np.floor(whole) + np.floor(fluid) * WEIGHT_PARTS)

    def of(self, room: Room, places: Candidates) -> Floats:
        """The price of each candidate, (P,), in milli-GPU: the worth that its node loses, and
        `IDLE_MILLI` for the part of the node that was idle. `room` is as it was before."""
        before = self.worth(room.of(places.distinct))
        lost = before[places.row] - self.worth(places.left)
        price = np.rint(lost / (WEIGHT_PARTS * TOLERANCE_MILLI)) * TOLERANCE_MILLI
        idle = room.devices.sum(axis=1) * IDLE_MILLI // np.maximum(room.capacity_milli, 1)
        return np.asarray(price + idle[places.node])

    def _copies(self, room: Room) -> Floats:
        """How many requests of each shape fit on each node, (N, M), whatever its kind."""
        copies = self._shares[room.devices].sum(axis=1).astype(np.float64)[:, self._size]
        several = copies[:, self._several :]
        np.floor(several / self._gpus[self._several :], out=several)
        _bound(copies, room, self._cpu_milli, self._memory)
        return np.asarray(copies)

    def _fluid_copies(self, room: Room, value: Floats) -> Floats:
        """The same for the shapes of `_fluid`, as if devices could be cut anew; parts count."""
        copies = (
            np.floor(value[:, None] * COPY_PARTS / np.maximum(self._fluid_value, 1)) / COPY_PARTS
        )
        copies[:, self._fluid_value == 0] = 0
        _bound(copies, room, self._cpu_milli[self._fluid], self._memory[self._fluid])
        return np.asarray(copies)

    def _spare_cpu(self, room: Room) -> Floats:
        """CPU on each node, (N,), in whole milli-cores, beyond what its GPUs take on average."""
        group = self._group[room.kind]
        idle = np.where(self._wanted[group], room.devices.sum(axis=1), 0)
        spare = np.floor(room.cpu_milli - idle / self._milli_per_cpu[group])
        return np.asarray(np.maximum(spare, 0))


class _Rivals:
    """How much of the CPU of a node work without GPUs will take from GPU work.

    None while nodes have so much `spare` CPU, in milli-cores, beyond what their GPUs need that all
    of that work `to_come` can stand there. The more of it has to stand elsewhere, the more it
    takes; but only where it fits: rests of CPU smaller than what it asks for stay for GPU work.
    """

    def __init__(
        self, requests: Requests, counts: Ints, to_come: float, spare: float = 0.0
    ) -> None:
        asked = counts * requests.cpu_milli
        rivals = np.flatnonzero((requests.gpus == 0) & (asked > 0))
        rivals = rivals[np.argsort(requests.cpu_milli[rivals], kind="stable")]
        self._each = requests.cpu_milli[rivals]
        self._asked = np.concatenate([[0], np.cumsum(asked[rivals])]).astype(np.float64)
        self._ours = float(max(1, asked[requests.gpus > 0].sum()))
        demand = to_come * self._asked[-1] / max(1, int(counts.sum()))
        self._contested = RIVALRY * (1 - spare / demand) if demand > spare else 0.0

    def left_of(self, cpu_milli: Ints) -> Floats:
        """The part, 0 to 1, that GPU work will get of so much free CPU on one node, (N,)."""
        if not self._contested:
            return np.ones(len(cpu_milli))
        able = self._asked[np.searchsorted(self._each, cpu_milli, "right")]
        return np.asarray(self._ours / (self._ours + self._contested * able))


def _idle_of_kinds(room: Room, nodes: Ints | None) -> Floats:
    """Idle milli-GPU on the nodes of each kind, (K,)."""
    idle = room.devices.sum(axis=1)
    idle = idle if nodes is None else idle * nodes
    return np.bincount(room.kind, weights=idle).astype(np.float64)


def _still_to_come(requests: Requests, counts: Ints, room: Room, nodes: Ints) -> float:
    """How many requests of the mix the cluster can still take, by the resource that ends first."""
    total = int(counts.sum())
    left = np.inf
    for free, each in (
        (room.devices.sum(axis=1), requests.taken_milli),
        (room.cpu_milli, requests.cpu_milli),
        (room.memory, requests.memory),
    ):
        asked = int((counts * each).sum())
        if asked:
            left = min(left, int(free @ nodes) * total / asked)
    return float(left)


def _chance(share: Floats, demand: Floats, copies: Floats, gpus: Ints, allowed: Bools) -> Floats:
    """The chance that one copy less of each class will be missed, (M,), 0 to 1.

    At least the `share` of the class in the mix: the chance that it comes next. More where few
    places can hold it, because it needs several devices or certain kinds: such classes compete
    with those that are as choosy or choosier and find no more room, and where together they will
    ask for all the `copies` that there are, each copy will be missed. `demand` is how many are
    still to come.
    """
    choosy = (gpus > 1) | ~allowed.all(axis=1)
    elsewhere = (allowed[None, :, :] & ~allowed[:, None, :]).any(axis=2)
    supply = np.maximum(copies, 0.5)
    room = supply * gpus
    rivals = (gpus[None, :] >= gpus[:, None]) & ~elsewhere & choosy[None, :]
    rivals &= room[None, :] <= room[:, None]
    asked = (rivals * (demand * gpus)).sum(axis=1) / room
    scarcity = np.where(asked <= 1, asked, 1 / np.maximum(asked, 1)) * demand / supply
    return np.asarray(np.where(choosy, np.clip(scarcity, share, 1), share))


def _limit(fluid: Floats, free: Ints, milli_per_unit: Floats) -> None:
    """Lowers `fluid` to what `free` units of something else suffice for."""
    bound = np.isfinite(milli_per_unit)
    np.minimum(fluid, np.floor(free * np.where(bound, milli_per_unit, 0)), out=fluid, where=bound)


def _bound(copies: Floats, room: Room, cpu_milli: Floats, memory: Floats) -> None:
    """Lowers `copies`, (N, M), to what CPU and memory suffice for."""
    for free, each in ((room.cpu_milli, cpu_milli), (room.memory, memory)):
        fit = np.floor(free[:, None] / np.maximum(each, 1))
        np.minimum(copies, fit, out=copies, where=each > 0)
