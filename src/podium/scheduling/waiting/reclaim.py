"""Finds the running work that gives way with the least loss, for demands that have a right to it.

`decide` asks when a demand does not fit. Who may take from whom: work inside its guarantee from
projects beyond theirs, and higher priority inside one project. Replicas of elastic gangs above
their minimum go first, then what loses the least work since it was last saved. Nothing is stopped
unless the demand then fits, and nothing more than it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from typing import Protocol

import numpy as np

from podium.domain.policy import Preempt, SchedulingPolicy
from podium.scheduling.order.attained import Attained
from podium.scheduling.order.fairness import Fairness
from podium.scheduling.placing.classes import RequestClass
from podium.scheduling.snapshot import Demand, Hold
from podium.scheduling.space.floor import Free, freed
from podium.scheduling.space.keeping import replicas_on
from podium.scheduling.space.layout import Layout
from podium.scheduling.space.room import Ints
from podium.scheduling.view import View
from podium.scheduling.waiting.units import Unit, price_of, units_of

LOOKS_MAX = 20_000
"""So often one node is looked at in a cycle. Those whose turn it is first come first, so what is
left for the next cycle is what would have been looked at last."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a demand gets its room: who stops, and the nodes with the replicas that each takes."""

    units: tuple[Unit, ...]
    counts: tuple[tuple[int, int], ...]


class Reclaim:
    """The work of one view that may be asked to give way, and what was asked in this cycle."""

    def __init__(
        self,
        view: View,
        fairness: Fairness,
        policy: SchedulingPolicy,
        now_ms: int,
        attained: Attained | None = None,
        units: Iterable[Unit] | None = None,
    ) -> None:
        """With `attained`, who goes before whom by that may take its place; with `units` only
        these may be asked."""
        if units is None:
            units = units_of(view, policy, now_ms, view.holds)
        self._layout = view.layout
        self._attained = attained
        self._fairness = fairness
        self._policy = policy
        self._at: dict[int, list[Unit]] = {}
        self._stopped: dict[str, None] = {}  # ids of holds that go already
        self._hunts: dict[tuple[object, ...], Hunt] = {}
        for unit in self._costed(list(units)):
            for at in dict.fromkeys(at for at, _ in unit.holds):
                self._at.setdefault(at, []).append(unit)
        # By project: where its units stand with the least priority there, and their GPU types.
        self._stands: dict[str, dict[int, int]] = {}
        self._types: dict[str, dict[str, None]] = {}
        for at, here in self._at.items():
            for unit in here:
                lowest = self._stands.setdefault(unit.project, {})
                lowest[at] = min(lowest.get(at, unit.priority), unit.priority)
                self._types.setdefault(unit.project, {}).update(dict.fromkeys(dict(unit.gpu)))
        self._looks = LOOKS_MAX
        for units in self._at.values():
            units.sort(key=lambda unit: (unit.price, unit.workload_id, unit.ranks))

    def _costed(self, units: list[Unit]) -> list[Unit]:
        """Under `Order.ATTAINED` the one whose turn would be last goes first, whatever it loses."""
        attained = self._attained
        if attained is None:
            return units
        ranks = {unit.workload_id: attained.of_running(unit.workload_id) for unit in units}
        order = sorted((rank for rank in ranks.values() if rank is not None), reverse=True)
        costs = {rank: cost for cost, rank in enumerate(order, start=1)}
        return [
            replace(unit, cost=costs[rank])
            for unit in units
            if (rank := ranks[unit.workload_id]) is not None
        ]

    def find(
        self, demand: Demand, family: RequestClass, soon: Rooms, amount_milli: int
    ) -> Way | None:
        """The cheapest way to room for the minimum of `demand`, None when there is none. Nothing
        is counted as stopped until `stop` says so."""
        right: tuple[object, ...] = (demand.project, demand.priority, amount_milli)
        if self._attained is not None:
            right = (*right, demand.workload_id)
        hunt = self._hunts.get((right, demand.request))
        if hunt is None:
            if self.is_tired:
                return None
            hunt = Hunt(self, demand, family, soon, amount_milli)
            self._hunts[right, demand.request] = hunt
        return hunt.way(demand)

    def stop(self, units: Iterable[Unit]) -> None:
        """They go, and what they held does not count for their projects any more."""
        stopping = list(units)
        self.count(stopping, -1)
        for unit in stopping:
            for _, hold in unit.holds:
                self._stopped[hold.allocation_id] = None

    def leave_out(self, holds: Iterable[Hold]) -> None:
        """These stop already."""
        for hold in holds:
            self._stopped[hold.allocation_id] = None

    def resume(self, units: Iterable[Unit]) -> None:
        """Takes `stop` back."""
        going = list(units)
        self.count(going, 1)
        for unit in going:
            for _, hold in unit.holds:
                self._stopped.pop(hold.allocation_id, None)

    def count(self, units: Iterable[Unit], sign: int) -> None:
        """Takes what the units hold from what their projects use (-1), or puts it back (1). A
        search counts what it has chosen, so that together they cut into no guarantee."""
        for unit in units:
            change = self._fairness.add if sign > 0 else self._fairness.remove
            change(
                unit.project,
                unit.gpu,
                sum(hold.cpu_milli for _, hold in unit.holds),
                sum(hold.memory_bytes for _, hold in unit.holds),
            )

    def for_limit(
        self, demand: Demand, amount_milli: int, opens: Callable[[], bool]
    ) -> tuple[Unit, ...]:
        """The cheapest units without which a limit leaves room for the demand; none when there
        are too few."""
        chosen: list[Unit] = []
        units = {
            (unit.workload_id, unit.ranks): unit for at in self._at for unit in self.units_at(at)
        }
        enough = False
        for unit in sorted(units.values(), key=lambda each: (each.price, each.workload_id)):
            if any(each.workload_id == unit.workload_id for each in chosen):
                continue
            if self.admits(demand, amount_milli, unit):
                chosen.append(unit)
                self.count((unit,), -1)
                if opens():
                    enough = True
                    break
        for unit in chosen[-2::-1] if enough else ():
            self.count((unit,), 1)
            if opens():
                chosen.remove(unit)
            else:
                self.count((unit,), -1)
        self.count(chosen, 1)
        return tuple(chosen) if enough else ()

    @property
    def is_tired(self) -> bool:
        """So much was looked at that the rest has to wait for the next cycle."""
        return self._looks <= 0

    def looked(self) -> None:
        self._looks -= 1

    def nodes_for(self, demand: Demand, amount_milli: int) -> Collection[int]:
        """Where units stand that the demand may be admitted to; `admits` has the last word."""
        if self._attained is not None:
            return self._at
        found: dict[int, None] = {}
        for project, lowest in self._stands.items():
            if project == demand.project:
                if self._policy.preempt is Preempt.PRIORITY:
                    below = (at for at, least in lowest.items() if least < demand.priority)
                    found.update(dict.fromkeys(below))
            elif any(
                self._fairness.may_reclaim_from(demand.project, project, gpu_type, amount_milli)
                for gpu_type in self._types[project]
            ):
                found.update(dict.fromkeys(lowest))
        return found

    def everywhere(self) -> Collection[int]:
        return self._at

    def cheapest_at(self, at: int) -> tuple[bool, int, int]:
        """No less is lost by any unit there."""
        return self._at[at][0].price

    def units_at(self, at: int) -> list[Unit]:
        """Those that still run on node `at`, cheapest first."""
        return [
            unit
            for unit in self._at.get(at, ())
            if not any(hold.allocation_id in self._stopped for _, hold in unit.holds)
        ]

    def admits(self, demand: Demand, amount_milli: int, unit: Unit) -> bool:
        """Whether this demand may take from this unit."""
        if unit.workload_id == demand.workload_id:
            return False
        if self._attained is not None and self._goes_before(demand, unit):
            return True
        if unit.project == demand.project:
            allowed = self._policy.preempt is Preempt.PRIORITY and unit.priority < demand.priority
        else:
            allowed = self._reclaims(demand, amount_milli, unit)
        return allowed and self._precedes(demand, amount_milli, unit)

    def _reclaims(self, demand: Demand, amount_milli: int, unit: Unit) -> bool:
        wanted = [name.casefold() for name in demand.request.gpu_types]
        return any(
            self._fairness.may_reclaim_from(demand.project, unit.project, gpu_type, amount_milli)
            for gpu_type, _ in unit.gpu
            if not wanted or gpu_type.casefold() in wanted
        )

    def _precedes(self, demand: Demand, amount_milli: int, unit: Unit) -> bool:
        """Whether the demand is served before the unit once that has been stopped and waits: or
        else the two would take each other's place again and again."""
        fairness = self._fairness
        self.count((unit,), -1)
        types = tuple(gpu_type for gpu_type, _ in unit.gpu)
        its = fairness.grade(unit.project, types, sum(milli for _, milli in unit.gpu))
        own = fairness.grade(demand.project, demand.request.gpu_types, amount_milli)
        before, after = (own, -demand.priority), (its, -unit.priority)
        found = before < after or (
            before == after and fairness.key(demand.project) < fairness.key(unit.project)
        )
        self.count((unit,), 1)
        return found

    def _goes_before(self, demand: Demand, unit: Unit) -> bool:
        """By what both have had. What a project is guaranteed stays its own."""
        assert self._attained is not None
        if unit.priority > demand.priority:
            return False
        if not self._attained.may_take(demand, unit.workload_id):
            return False
        return unit.project == demand.project or all(
            self._fairness.surplus(unit.project, gpu_type, taker=demand.project) > 0
            for gpu_type, _ in unit.gpu
        )


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
            if found is None:
                continue  # nothing comes back on a node during a cycle
            fresh = price_of(found)
            heappush(self._heap, (fresh, at))
            if fresh <= price or self._heap[0][1] == at:
                return Way(found, ((at, 1),))
        return None

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
        needed = self._needed(chosen, counts)
        return Way(tuple(needed), tuple(sorted(counts.items())))

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

    def _needed(self, chosen: list[Unit], counts: dict[int, int]) -> list[Unit]:
        """Without those whose room turned out to be too much, the dearest first."""
        kept = list(chosen)
        for unit in sorted(chosen, key=lambda each: each.price, reverse=True):
            rest = [each for each in kept if each is not unit]
            if all(
                replicas_on(self._family, at, self._room_of(at, rest)) >= count
                for at, count in counts.items()
            ):
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
            if replicas_on(self._family, at, self._after(at, free, rest, gone)) >= wanted:
                taken = rest
        return tuple(taken)

    def _after(self, at: int, free: Free, units: Iterable[Unit], gone: Container[str]) -> Free:
        for unit in units:
            for where, hold in unit.holds:
                if where == at and hold.allocation_id not in gone:
                    free = freed(self._layout, free, hold)
        return free
