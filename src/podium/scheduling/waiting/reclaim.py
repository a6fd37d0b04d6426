"""Finds the running work that gives way with the least loss, for demands that have a right to it.

`decide` asks when a demand does not fit. Who may take from whom: work inside its guarantee from
projects beyond theirs, and higher priority inside one project. Replicas of elastic gangs above
their minimum go first, then what loses the least work since it was last saved. Nothing is stopped
unless the demand then fits, and nothing more than it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from podium.domain.policy import Order, Preempt, SchedulingPolicy
from podium.scheduling.order.attained import Attained
from podium.scheduling.order.fairness import Fairness
from podium.scheduling.placing.classes import RequestClass
from podium.scheduling.snapshot import Demand, Hold
from podium.scheduling.view import View
from podium.scheduling.waiting.hunt import Hunt, Rooms, Way
from podium.scheduling.waiting.units import Unit, units_of

LOOKS_MAX = 20_000
"""So often one node is looked at in a cycle. Those whose turn it is first come first, so what is
left for the next cycle is what would have been looked at last."""


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
        if enough and self.precedes(demand, amount_milli, chosen):
            return tuple(chosen)
        return ()

    @property
    def by_loss(self) -> bool:
        """Who loses least goes first, and not who has had most."""
        return self._attained is None

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
            allowed = True
        elif unit.project == demand.project:
            allowed = self._policy.preempt is Preempt.PRIORITY and unit.priority < demand.priority
        else:
            allowed = self._reclaims(demand, amount_milli, unit)
        return allowed and self.precedes(demand, amount_milli, (unit,))

    def admits_all(self, demand: Demand, amount_milli: int, units: Sequence[Unit]) -> bool:
        """The same of all of them, one after the other: what is taken from its own project can be
        what puts the demand inside a guarantee, so without it the others may have to stay."""
        gone: list[Unit] = []
        for unit in units:
            if not self.admits(demand, amount_milli, unit):
                break
            self.count((unit,), -1)
            gone.append(unit)
        self.count(gone, 1)
        return len(gone) == len(units)

    def _reclaims(self, demand: Demand, amount_milli: int, unit: Unit) -> bool:
        wanted = [name.casefold() for name in demand.request.gpu_types]
        return any(
            self._fairness.may_reclaim_from(demand.project, unit.project, gpu_type, amount_milli)
            for gpu_type, _ in unit.gpu
            if not wanted or gpu_type.casefold() in wanted
        )

    def precedes(self, demand: Demand, amount_milli: int, units: Sequence[Unit]) -> bool:
        """Whether the demand is served before all of these once they have been stopped and wait:
        or else they would take each other's place again and again."""
        grade = self._fairness.grade
        self.count(units, -1)
        own = grade(demand.project, demand.request.gpu_types, amount_milli)
        found = True
        for unit in units:
            its = grade(unit.project, unit.asks_types, unit.asks_milli)
            before, after = (own, -demand.priority), (its, -unit.priority)
            if before > after or (before == after and not self._wins_tie(demand, unit)):
                found = False
                break
        self.count(units, 1)
        return found

    def _wins_tie(self, demand: Demand, unit: Unit) -> bool:
        """Between equal grades and priorities, as `order/service` decides."""
        if self._attained is not None:
            return self._attained.may_take(demand, unit.workload_id)
        if self._policy.order is Order.FAIR:
            return self._fairness.key(demand.project) < self._fairness.key(unit.project)
        age = (demand.queued_at_ms, demand.workload_id)
        return age < (unit.queued_at_ms, unit.workload_id)

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
