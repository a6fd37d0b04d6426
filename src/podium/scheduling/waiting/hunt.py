"""The search for those who give way to one demand, node by node, the least loss first. `reclaim`
starts one for each right and request."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Protocol

import numpy as np

from podium.scheduling.placing.classes import RequestClass
from podium.scheduling.snapshot import Demand
from podium.scheduling.space.floor import Free, freed
from podium.scheduling.space.keeping import replicas_on
from podium.scheduling.space.layout import Layout
from podium.scheduling.space.room import Ints
from podium.scheduling.waiting.units import Unit, price_of
from podium.scheduling.waiting.why import COULD_MAX, why_gang, why_single

if TYPE_CHECKING:
    from podium.scheduling.waiting.reclaim import Reclaim

SETS_MAX = 64
"""So many sets of units of one node are tried in the place of one of several."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a demand gets its room: who stops, the nodes with the replicas that each takes, and why
    nobody cheaper would do."""

    units: tuple[Unit, ...]
    counts: tuple[tuple[int, int], ...]
    why: str = ""


class Rooms(Protocol):
    """Who knows what will be free on a node once all that was asked to stop has stopped."""

    def soon(self, at: int) -> Free: ...

    def claimable(self, at: int) -> bool:
        """Nothing else is kept there."""

    def changed(self) -> Collection[int]:
        """Where it is not what the floor says; all of these are claimable."""


class Hunt:
    """The nodes for one right and one request, the one with the least loss first."""

    def __init__(
        self,
        reclaim: Reclaim,
        demand: Demand,
        family: RequestClass,
        rooms: Rooms,
        amount_milli: int,
    ) -> None:
        self._reclaim = reclaim
        self._family = family
        self._rooms = rooms
        self._amount_milli = amount_milli
        self._layout: Layout = family.floor.layout
        self._heap: list[tuple[tuple[bool, int, int], int]] = []
        self._counted: int | None = None
        allowed = family.pool.allowed
        self._nodes = [at for at in reclaim.nodes_for(demand, amount_milli) if allowed[at]]
        # What is lost at least; it is looked at more closely when it is its turn.
        self._heap = [(reclaim.cheapest_at(at), at) for at in self._nodes]
        heapify(self._heap)

    def way(self, demand: Demand) -> Way | None:
        within = demand.topology.within
        if demand.minimum == 1 and within is None:
            return self._single(demand)
        return self._gang(demand)

    def _single(self, demand: Demand) -> Way | None:
        while self._heap and not self._reclaim.is_tired:
            price, at = heappop(self._heap)
            if not self._rooms.claimable(at):
                continue
            found = self._one(demand, at, self._rooms.soon(at), {})
            if found is None or not self._lasts(demand, found):
                continue  # nothing comes back on a node during a cycle
            fresh = price_of(found)
            heappush(self._heap, (fresh, at))
            if fresh <= price or self._heap[0][1] == at:
                return Way(found, ((at, 1),), self._why_single(demand, found, at))
        return None

    def _why_single(self, demand: Demand, units: Sequence[Unit], at: int) -> str:
        """The heap has what is lost elsewhere at least, so the next of it is the proof."""
        if not units:
            return ""
        others = [entry[0] for entry in self._heap[:3] if entry[1] != at]
        taken = {(unit.workload_id, unit.ranks) for unit in units}
        dearest = max(unit.price for unit in units)
        less = sum(
            unit.price < dearest and (unit.workload_id, unit.ranks) not in taken
            for unit in self._reclaim.units_at(at)
        )
        return why_single(
            units,
            could=self._could(demand),
            less=less,
            elsewhere=min(others, default=None),
            by_loss=self._reclaim.by_loss,
        )

    def _could(self, demand: Demand) -> int:
        """How many could give way to it when the first had to, counted up to `COULD_MAX`."""
        if self._counted is None:
            seen: dict[tuple[str, tuple[int, ...]], None] = {}
            for at in self._nodes:
                for unit in self._reclaim.units_at(at):
                    if self._reclaim.admits(demand, self._amount_milli, unit):
                        seen[unit.workload_id, unit.ranks] = None
                if len(seen) >= COULD_MAX:
                    break
            self._counted = len(seen)
        return self._counted

    def _gang(self, demand: Demand) -> Way | None:
        """Place by place of the required topology, the one with the least loss."""
        within = demand.topology.within
        fits = self._family.capacities()
        for at in self._rooms.changed():
            fits[at] = replicas_on(self._family, at, self._rooms.soon(at))
        claimable = [at for at in self._nodes if self._rooms.claimable(at)]
        for at in np.flatnonzero(fits).tolist():
            if not self._rooms.claimable(at):
                fits[at] = 0
        if within is None:
            return self._over(demand, fits, claimable)
        places = self._layout.places(within)
        groups: dict[int, list[int]] = {}
        for at in claimable:
            groups.setdefault(int(places[at]), []).append(at)
        best: Way | None = None
        for place, group in sorted(groups.items()):
            way = self._over(demand, np.where(places == place, fits, 0), group)
            if way is not None and (best is None or price_of(way.units) < price_of(best.units)):
                best = way
        return best

    def _over(self, demand: Demand, fits: Ints, nodes: Sequence[int]) -> Way | None:
        """What fits (N,), and then replica by replica on that of `nodes` where the next one costs
        least."""
        rooms: dict[int, Free] = {at: self._rooms.soon(at) for at in nodes}
        counts: dict[int, int] = {}
        missing = demand.minimum
        for at in np.flatnonzero(fits).tolist():
            if missing <= 0:
                break
            counts[at] = min(missing, int(fits[at]))
            missing -= counts[at]
        chosen = self._cheapest(demand, rooms, counts, missing) if missing else []
        if chosen is None:
            return None
        needed = self._needed(demand, chosen, counts)
        if not self._lasts(demand, needed):
            return None
        why = why_gang(needed, could=self._could(demand), by_loss=self._reclaim.by_loss)
        return Way(tuple(needed), tuple(sorted(counts.items())), why)

    def _lasts(self, demand: Demand, units: Sequence[Unit]) -> bool:
        """Whether it keeps the room. One unit for itself was asked when it was chosen; several
        together leave more to a guarantee, and may be inside it then."""
        return len(units) <= 1 or self._reclaim.precedes(demand, self._amount_milli, units)

    def _cheapest(
        self, demand: Demand, rooms: dict[int, Free], counts: dict[int, int], missing: int
    ) -> list[Unit] | None:
        """The units after which `missing` more replicas fit; adds these to `counts`."""
        chosen: list[Unit] = []
        gone: dict[str, None] = {}
        heap = []
        for at, room in rooms.items():
            if self._reclaim.is_tired:
                return None
            found = self._one(demand, at, room, gone, counts.get(at, 0) + 1)
            if found:
                heap.append((price_of(found), at))
        heapify(heap)
        while missing and heap:
            price, at = heappop(heap)
            wanted = counts.get(at, 0) + 1
            found = self._one(demand, at, rooms[at], gone, wanted)
            if found is None:
                continue
            if price_of(found) > price and heap and heap[0][0] < price_of(found):
                heappush(heap, (price_of(found), at))
                continue
            self._reclaim.count(found, -1)
            chosen += found
            for unit in found:
                for where, hold in unit.holds:
                    if where in rooms and hold.allocation_id not in gone:
                        rooms[where] = freed(self._layout, rooms[where], hold)
                    gone[hold.allocation_id] = None
            counts[at] = wanted
            missing -= 1
            following = self._one(demand, at, rooms[at], gone, wanted + 1)
            if following is not None:
                heappush(heap, (price_of(following), at))
        self._reclaim.count(chosen, 1)
        return None if missing else chosen

    def _needed(self, demand: Demand, chosen: list[Unit], counts: dict[int, int]) -> list[Unit]:
        """Without those whose room turned out to be too much, the dearest first."""
        kept = list(chosen)
        for unit in sorted(chosen, key=lambda each: each.price, reverse=True):
            rest = [each for each in kept if each is not unit]
            if all(
                replicas_on(self._family, at, self._room_of(at, rest)) >= count
                for at, count in counts.items()
            ) and self._reclaim.admits_all(demand, self._amount_milli, rest):
                kept = rest
        return kept

    def _room_of(self, at: int, units: Iterable[Unit]) -> Free:
        free = self._rooms.soon(at)
        gone: dict[str, None] = {}
        for unit in units:
            for where, hold in unit.holds:
                if where == at and hold.allocation_id not in gone:
                    free = freed(self._layout, free, hold)
                gone[hold.allocation_id] = None
        return free

    def _one(
        self,
        demand: Demand,
        at: int,
        free: Free,
        gone: Container[str],
        wanted: int = 1,
    ) -> tuple[Unit, ...] | None:
        """The cheapest units of this node after which `wanted` replicas fit on it. `free` counts
        the holds of `gone` as ended."""
        self._reclaim.looked()
        if replicas_on(self._family, at, free) >= wanted:
            return ()
        taken: list[Unit] = []
        enough = False
        for unit in self._reclaim.units_at(at):
            if any(hold.allocation_id in gone for _, hold in unit.holds):
                continue
            # With a whole workload go its spare replicas.
            spare = [each for each in taken if each.workload_id == unit.workload_id]
            if not unit.surplus:
                self._reclaim.count(spare, 1)
            if not self._reclaim.admits(demand, self._amount_milli, unit):
                if not unit.surplus:
                    self._reclaim.count(spare, -1)
                continue
            if not unit.surplus:
                taken = [each for each in taken if each not in spare]
            taken.append(unit)
            self._reclaim.count((unit,), -1)
            if replicas_on(self._family, at, self._after(at, free, taken, gone)) >= wanted:
                enough = True
                break
        self._reclaim.count(taken, 1)
        if not enough:
            return None
        for unit in taken[-2::-1]:
            rest = [each for each in taken if each is not unit]
            if replicas_on(
                self._family, at, self._after(at, free, rest, gone)
            ) >= wanted and self._reclaim.admits_all(demand, self._amount_milli, rest):
                taken = rest
        if len(taken) > 1 and self._reclaim.by_loss:
            return self._cheaper(demand, at, free, gone, wanted, taken)
        return tuple(taken)

    def _cheaper(
        self,
        demand: Demand,
        at: int,
        free: Free,
        gone: Container[str],
        wanted: int,
        taken: Sequence[Unit],
    ) -> tuple[Unit, ...]:
        """The cheapest set on this node, where several were found one by one and another one might
        do in their place. One alone is the cheapest: all cheaper ones together were too little."""
        units = [
            unit
            for unit in self._reclaim.units_at(at)
            if not any(hold.allocation_id in gone for _, hold in unit.holds)
        ]
        best, price = tuple(taken), price_of(taken)
        tries = SETS_MAX
        stack: list[tuple[int, tuple[Unit, ...]]] = [(0, ())]
        while stack and tries:
            begin, chosen = stack.pop()
            for number in range(begin, len(units)):
                unit = units[number]
                more = (*chosen, unit)
                if price_of(more) >= price:
                    continue
                if any(
                    each.workload_id == unit.workload_id and not (each.surplus and unit.surplus)
                    for each in chosen
                    if unit.holds[0][1].minimum
                ):
                    continue
                tries -= 1
                room = self._after(at, free, more, gone)
                if replicas_on(self._family, at, room) < wanted:
                    stack.append((number + 1, more))
                elif self._reclaim.admits_all(demand, self._amount_milli, more):
                    best, price = more, price_of(more)
                if not tries:
                    break
        return best

    def _after(self, at: int, free: Free, units: Iterable[Unit], gone: Container[str]) -> Free:
        for unit in units:
            for where, hold in unit.holds:
                if where == at and hold.allocation_id not in gone:
                    free = freed(self._layout, free, hold)
        return free
