"""Tries a change by deciding again: what `changes` and `dry_run` say has been played through here.

`leaving_out` says which lines a try can do without.
"""

from __future__ import annotations

from collections import ChainMap
from dataclasses import dataclass, replace

from podium.domain.reason import Refusal
from podium.domain.resources import Request
from podium.scheduling.decide import decide
from podium.scheduling.evolution import evolved
from podium.scheduling.explain.leaving_out import Fewer, may_leave_out
from podium.scheduling.ground import fairness_of, mix_of
from podium.scheduling.order.queue import queue_key
from podium.scheduling.plan import Placement, Plan, Preemption
from podium.scheduling.snapshot import Demand, Share, Snapshot
from podium.scheduling.view import Lines, View, Waiting, ask_of, view_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a cycle did to one demand. `loses` are others who would start without the change,
    `stopped` who is asked to stop only with it, `delays` whose reservation comes later or not."""

    placements: tuple[Placement, ...]
    refusal: Refusal | None
    giving_way: tuple[Preemption, ...]
    loses: tuple[str, ...]
    stopped: tuple[str, ...]
    delays: tuple[str, ...]
    plan: Plan

    @property
    def starts(self) -> bool:
        """It starts now, and nobody loses a place by that."""
        return bool(self.placements) and not self.loses and not self.stopped


class Rehearsal:
    """Tries for one demand of a snapshot, or one that is to come."""

    def __init__(
        self,
        snapshot: Snapshot,
        now_ms: int,
        seed: int,
        workload_id: str,
        plan: Plan | None = None,
    ) -> None:
        """`plan` is what `decide` says of the snapshot, if that is known already."""
        self.snapshot, self.now_ms, self.seed = snapshot, now_ms, seed
        self.view: View = view_of(snapshot)
        self.plan = decide(snapshot, now_ms, seed) if plan is None else plan
        self.decides = int(plan is None)
        self._id = workload_id
        self._placed = {
            (each.workload_id, each.rank): None
            for each in self.plan.placements
            if each.workload_id != workload_id
        }
        self._stopped = {(each.workload_id, each.ranks) for each in self.plan.preemptions}
        self._kept = {each.workload_id: each.from_ms for each in self.plan.reservations}
        self._fewer: Fewer | None = None
        self._mix = None if snapshot.mix else dict(mix_of(self.view))
        self._texts: dict[Request, str] = {}

    def before(self) -> Outcome:
        """As things stand."""
        return self._outcome(self.plan)

    def tried(
        self,
        demand: Demand | None = None,
        shares: tuple[Share, ...] | None = None,
        *,
        whole: bool = False,
    ) -> Outcome:
        """With this demand in place of the one, or these shares, or both. `whole`: what the others
        are told counts too, so nobody is left out."""
        self.decides += 1
        snapshot = self.snapshot if shares is None else replace(self.snapshot, shares=shares)
        changed = demand or self.view.demands[self._id]
        plan = None if whole else self.short(snapshot, changed)
        if plan is None:
            after = evolved(self.snapshot, waiting=(changed,))
            if shares is not None:
                carried = replace(after, shares=shares)
                carried.indexes.update(after.indexes)
                after = carried
            plan = decide(after, self.now_ms, self.seed)
        return self._outcome(plan)

    def _outcome(self, plan: Plan) -> Outcome:
        placed = {(each.workload_id, each.rank): None for each in plan.placements}
        loses = dict.fromkeys(name for name, rank in self._placed if (name, rank) not in placed)
        kept = {each.workload_id: each.from_ms for each in plan.reservations}
        delays = [
            name
            for name, from_ms in self._kept.items()
            if name != self._id
            and not any(name == other for other, _ in placed)
            and (name not in kept or _later(kept[name], from_ms))
        ]
        return Outcome(
            placements=tuple(each for each in plan.placements if each.workload_id == self._id),
            refusal=next(
                (each.refusal for each in plan.refusals if self._id in each.workload_ids), None
            ),
            giving_way=tuple(each for each in plan.preemptions if each.in_favour_of == self._id),
            loses=tuple(loses),
            stopped=tuple(
                each.workload_id
                for each in plan.preemptions
                if (each.workload_id, each.ranks) not in self._stopped
            ),
            delays=tuple(delays),
            plan=plan,
        )

    # -- with fewer lines

    def short(self, snapshot: Snapshot, demand: Demand) -> Plan | None:
        """The plan without the lines that say nothing about this demand; its placements are those
        of the whole. None where that cannot be shown."""
        view = self.view
        if not may_leave_out(snapshot, view, self.plan):
            return None
        if self._fewer is None:
            self._fewer = Fewer(self.snapshot, view, self.plan)
        before = view.demands.get(self._id)
        if before is not None and before.blocked is not None:
            before = None
        fairness = fairness_of(snapshot, view)
        mix = self._mix_with(demand)
        same_prices = mix == self._mix_with(before)
        out = self._fewer.out(
            snapshot, fairness, self.plan, before, demand, same_prices=same_prices
        )
        if not out:
            return None
        lines = self._lines(demand)
        for each in out:
            line = dict(lines[each.project])
            del line[each.ask]
            lines[each.project] = line
        plan = decide(self._with(snapshot, demand, lines, mix), self.now_ms, self.seed)
        if not may_leave_out(snapshot, view, plan) or not self._fewer.holds(plan):
            return None
        still_out = self._fewer.out(
            snapshot, fairness, plan, before, demand, same_prices=same_prices
        )
        known = {(each.project, each.ask) for each in still_out}
        return plan if all((each.project, each.ask) in known for each in out) else None

    def _with(
        self,
        snapshot: Snapshot,
        demand: Demand,
        lines: Lines,
        mix: tuple[tuple[Request, int], ...],
    ) -> Snapshot:
        """`decide` reads what waits through the view alone."""
        standing = dict(self.view.standing)
        if demand.workload_id in self.view.held:
            standing[demand.workload_id] = demand
        fewer = replace(snapshot, mix=mix)
        fewer.indexes["view"] = replace(
            self.view,
            lines=lines,
            blocked={},
            demands=ChainMap({demand.workload_id: demand}, self.view.demands),  # type: ignore[arg-type]
            standing=standing,
        )
        return fewer

    def _lines(self, demand: Demand) -> Lines:
        """What waits, with this demand in place of the one of its name."""
        lines = dict(self.view.lines)
        before = self.view.demands.get(demand.workload_id)
        if before is not None and before.blocked is None:
            line = dict(lines[before.project])
            rest = [
                each
                for each in line[ask_of(before)].demands
                if each.workload_id != before.workload_id
            ]
            if rest:
                line[ask_of(before)] = Waiting(rest)
            else:
                del line[ask_of(before)]
            lines[before.project] = line
        line = dict(lines.get(demand.project, {}))
        ask = ask_of(demand)
        others = list(line[ask].demands) if ask in line else []
        line[ask] = Waiting(sorted([*others, demand], key=queue_key))
        lines[demand.project] = line
        return lines

    def _mix_with(self, demand: Demand | None) -> tuple[tuple[Request, int], ...]:
        """As `mix_of` would count it over all lines, with this demand in place of the one."""
        if self._mix is None:
            return self.snapshot.mix
        counts = dict(self._mix)
        before = self.view.demands.get(self._id)
        if before is not None and before.blocked is None:
            counts[before.request] -= len(before.pending_ranks)
        if demand is not None:
            counts[demand.request] = counts.get(demand.request, 0) + len(demand.pending_ranks)
        found = [(request, count) for request, count in counts.items() if count]
        return tuple(sorted(found, key=lambda entry: (-entry[1], self._text(entry[0]))))

    def _text(self, request: Request) -> str:
        found = self._texts.get(request)
        if found is None:
            found = self._texts[request] = repr(request)
        return found


def _later(after_ms: int | None, before_ms: int | None) -> bool:
    """None is a time that nobody knows."""
    if before_ms is None:
        return False
    return after_ms is None or after_ms > before_ms
