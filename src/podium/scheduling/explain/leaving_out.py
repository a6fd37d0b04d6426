"""Which waiting lines a try may leave out, because the try says the same without them.

A cycle over a deep queue costs mostly its many lines of equal asks that get nothing. For one
changed demand D, let those that matter be D itself and all who start, or have nodes kept for them,
without the change. A line may be left out

- (before) when it is served before D with and without the change, and got nothing: up to D's turn
  the two cycles are the same, so it gets nothing again and leaves nothing behind. This holds while
  shares are the same, and while prices are, or nobody starts who could stand elsewhere by them;
- (after) when it is served after all that matter: nobody feels what comes later;
- (still) when it can do nothing at any turn: it does not fit on the floor as the cycle begins,
  where room only shrinks, nobody gives way or moves for it, and at its turn there are as many
  reservations as there may be.

The order is known where guarantees, priority and age decide, and between projects where the share
of the first at the end of the cycle is below that of the other at its beginning: shares only grow,
because a try in which somebody gives way is always repeated with all lines. What is taken from the
end of a try is checked with that very try. Of each project the last line that could be left out
stays, so that the project counts as waiting for as long as it would.

`test_rehearsal.py` compares placements with those of `decide` on the whole queue.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from podium.domain.policy import Order, Preempt
from podium.domain.resources import Request
from podium.scheduling.ground import fairness_of
from podium.scheduling.order.fairness import NOWHERE, Fairness
from podium.scheduling.order.places import Place
from podium.scheduling.order.queue import queue_key
from podium.scheduling.placing.fit import Shape
from podium.scheduling.plan import Plan
from podium.scheduling.reasons.tally import Tallies
from podium.scheduling.snapshot import Demand, Snapshot
from podium.scheduling.space.layout import where_of
from podium.scheduling.view import Ask, View, ask_of


@dataclass(frozen=True, slots=True)
class Line:
    """One line of equal asks by its head. `milli` is what its minimum takes; `still` and `idle` are
    two laws of the snapshot: nothing can be done for it but to keep nodes; it got nothing."""

    project: str
    ask: Ask
    head: Demand
    milli: int
    still: bool
    idle: bool


def may_leave_out(snapshot: Snapshot, view: View, plan: Plan) -> bool:
    """Whether the order of such a cycle can be known from its beginning and its end."""
    return snapshot.policy.order is not Order.ATTAINED and not view.ending and not plan.preemptions


class Fewer:
    """The lines of one snapshot, as far as they can be left out of any try."""

    def __init__(self, snapshot: Snapshot, view: View, plan: Plan) -> None:
        self._snapshot, self._view, self._plan = snapshot, view, plan
        self._full = len(plan.reservations) == snapshot.policy.reservations_max > 0
        self._served = {
            *(each.workload_id for each in plan.placements),
            *(each.workload_id for each in plan.reservations),
        }
        self._lines = self._found()

    def out(
        self,
        changed: Snapshot,
        fairness: Fairness,
        plan: Plan,
        before: Demand | None,
        demand: Demand,
        *,
        same_prices: bool,
    ) -> list[Line]:
        """Those that may be left out of a try with this demand, `before` without the change, if the
        cycle ends like `plan`. `fairness` is that of the beginning."""
        view = self._view
        order = _Turns(view, changed, fairness, plan, demand)
        ours = [demand] if before is None else [demand, before]
        kept = {(each.project, ask_of(each)) for each in ours}
        matter = [
            *(view.demands[name] for name in sorted(self._served) if name != demand.workload_id),
            demand,
        ]
        reserved = [
            demand if each.workload_id == demand.workload_id else view.demands[each.workload_id]
            for each in plan.reservations
        ]
        last = not any(each.elastic for each in matter)  # these grow when all others were served
        as_before = changed.shares == self._snapshot.shares and (
            same_prices or not self._plan.placements
        )
        outside: dict[str, list[Line]] = {}
        for line in self._lines:
            if (line.project, line.ask) not in kept and order.is_outside(line):
                outside.setdefault(line.project, []).append(line)
        found = []
        for lines in outside.values():
            lines.sort(key=lambda line: queue_key(line.head))
            found += [
                line
                for line in lines[:-1]
                if (as_before and line.idle and all(order.before(line.head, each) for each in ours))
                or (line.still and self._full and order.follows(line, reserved))
                or (last and order.follows(line, matter))
            ]
        return found

    def holds(self, plan: Plan) -> bool:
        """Whether a try ended so that what was left out for being still was rightly so."""
        return not self._full or len(plan.reservations) == len(self._plan.reservations)

    def _found(self) -> list[Line]:
        view, policy = self._view, self._snapshot.policy
        tallies = Tallies(view.floor)
        free_milli = int(view.floor.gpu_milli().sum()) if view.layout.nodes else 0
        never = policy.preempt is Preempt.NEVER
        movable = not never and policy.moves_max > 0 and any(
            hold.request is not None and hold.preemptible for hold in view.holds.values()
        )  # fmt: skip
        served = {
            (demand.project, ask_of(demand))
            for name in (*self._served, *view.standing)
            if (demand := view.demands.get(name)) is not None
        }
        rooms: dict[Request, int] = {}
        found: list[Line] = []
        for project, asks in view.lines.items():
            least = min(view.preemptible.get(project, {}), default=None)
            for ask, waiting in asks.items():
                if ask.elastic or ask.parts:
                    continue
                room = rooms.get(ask.request)
                if room is None:
                    shape = Shape(ask.request, view.layout.kinds)
                    room = tallies.room_for(shape, where_of(ask.request))
                    rooms[ask.request] = room
                head = waiting.demands[0]
                milli = view.milli_of(ask.request) * ask.minimum
                rightful = not never and ask.preempts and least is not None
                still = (
                    room < ask.minimum
                    and not (rightful and least is not None and least < head.priority)
                    and not (movable and 0 < milli <= free_milli)
                )
                idle = (project, ask) not in served
                found.append(Line(project, ask, head, milli, still, idle))
        return found


class _Turns:
    """Who is surely served before whom in a cycle that began with `fairness` and ended like
    `plan`."""

    def __init__(
        self, view: View, snapshot: Snapshot, fairness: Fairness, plan: Plan, demand: Demand
    ) -> None:
        self._fair = snapshot.policy.order is Order.FAIR
        self._fairness, self._final = fairness, fairness_of(snapshot, view)
        self._view = view
        for each in plan.placements:
            one = demand
            if each.workload_id != demand.workload_id:
                one = view.demands[each.workload_id]
            gpu = tuple(view.layout.types(each.node, each.devices))
            self._final.add(one.project, gpu, each.cpu_milli, each.memory_bytes)
        self._shares: dict[tuple[str, str], bool] = {}
        self._outside: dict[tuple[str, tuple[str, ...], int], bool] = {}
        self._last: dict[int, list[Demand]] = {}

    def is_outside(self, line: Line) -> bool:
        return self._no_guarantee(line.project, line.head.request, line.milli)

    def before(self, one: Demand, other: Demand) -> bool:
        """Whether `one`, or what stands before it in its line, is served before `other`."""
        if one.priority < other.priority:
            return False
        milli = self._view.milli_of(other.request) * other.minimum
        if other.parts or not self._no_guarantee(other.project, other.request, milli):
            return False
        return one.priority > other.priority or self._is_ahead(one, other)

    def follows(self, line: Line, others: Collection[Demand]) -> bool:
        """Whether a line outside guarantees is served after all of these."""
        priority = line.head.priority
        for other in self._relevant(others):
            if other.priority < priority:
                return False
            if other.priority == priority and not self._is_ahead(other, line.head):
                return False
        return True

    def _relevant(self, others: Collection[Demand]) -> Iterable[Demand]:
        """Of each project and priority the last alone: the others are served before."""
        found = self._last.get(id(others))
        if found is None:
            last: dict[tuple[str, int], Demand] = {}
            for each in others:
                key = each.project, each.priority
                if key not in last or queue_key(last[key]) < queue_key(each):
                    last[key] = each
            found = sorted(last.values(), key=lambda each: each.priority)
            self._last[id(others)] = found
        return found

    def _is_ahead(self, one: Demand, other: Demand) -> bool:
        """At equal priority, `other` being outside guarantees."""
        if not self._fair or one.project == other.project:
            return queue_key(one) < queue_key(other)
        question = one.project, other.project
        found = self._shares.get(question)
        if found is None:
            found = self._shares[question] = self._has_less(*question)
        return found

    def _has_less(self, one: str, other: str) -> bool:
        """By the highest places that the two projects do not share: of the one as it is at the end,
        of the other as it was at first."""
        mine, theirs = self._fairness.path(one), self._fairness.path(other)
        at = _in_common(mine, theirs)
        final = self._final.path(one)
        most, least = final[len(final) - 1 - at], theirs[len(theirs) - 1 - at]
        return (most.share, most.name) < (least.share, least.name)

    def _no_guarantee(self, project: str, request: Request, milli: int) -> bool:
        """No guarantee covers it, and none will: use only grows."""
        question = project, request.gpu_types, milli
        found = self._outside.get(question)
        if found is None:
            grade = self._fairness.grade(project, request.gpu_types, milli)
            found = self._outside[question] = grade == NOWHERE
        return found


def _in_common(mine: Sequence[Place], theirs: Sequence[Place]) -> int:
    """How many places from the root down two paths, leaf first, have in common."""
    shared = 0
    for one, other in zip(reversed(mine), reversed(theirs), strict=False):
        if one is not other:
            break
        shared += 1
    return shared
