"""The smallest change of each kind that would start a workload now, each tried with `decide`."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from podium.domain.policy import KIND_POLICIES
from podium.domain.reason import WaitReason
from podium.scheduling.explain.ladders import Ladder, Option
from podium.scheduling.explain.options import ladders
from podium.scheduling.explain.quotas import quota_ladder
from podium.scheduling.explain.rehearsal import Outcome, Rehearsal
from podium.scheduling.explain.room import Room
from podium.scheduling.explain.values import Change
from podium.scheduling.plan import Placement
from podium.scheduling.snapshot import Demand

_PASSING = (WaitReason.DEPENDENCY, WaitReason.START_TIME, WaitReason.BUDGET)
"""What no change of the request shortens."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How many cycles may be played for one explanation, and how many of them for one axis.
    `thorough`: also what fits nowhere beside what others get and keep, which hardly ever starts;
    for tests, and for those who have time."""

    tries: int = 8
    of_axis: int = 3
    thorough: bool = False


USUAL = Effort()


class _Trier:
    def __init__(self, rehearsal: Rehearsal, room: Room, effort: Effort) -> None:
        self._rehearsal = rehearsal
        self._room = room
        self._left = effort.tries
        self._effort = effort

    def smallest(self, ladder: Ladder) -> Change | None:
        """The first option with which it starts; None when there is none, or no time to find it."""
        able = self._above(ladder, range(len(ladder.values)), self._room.could)
        fits = self._above(
            ladder, able, lambda demand: self._room.likely(demand, passes=ladder.passes)
        )
        if not fits and not self._effort.thorough:
            return None
        outcomes: dict[int, Outcome] = {}
        best: int | None = None
        likely = ladder.hint if ladder.hint in fits else next(iter(fits), None)
        for at in self._order(able, likely):
            if best is not None and (at > best or self._is_known(ladder, able, best, outcomes)):
                continue
            if best is None and likely is not None and at < likely and not self._effort.thorough:
                continue
            if not self._left or len(outcomes) >= self._effort.of_axis:
                break
            self._left -= 1
            option = ladder.option(at)
            outcomes[at] = self._rehearsal.tried(option.trial, option.shares)
            if outcomes[at].starts:
                best = at
        if best is None:
            return None
        exact = all(at in outcomes for at in able if at < best)
        exact = exact or self._is_known(ladder, able, best, outcomes)
        chosen = ladder.option(best)
        return _change(chosen, outcomes[best], exact=exact and chosen.least)

    def _is_known(
        self, ladder: Ladder, able: Sequence[int], best: int, outcomes: Mapping[int, Outcome]
    ) -> bool:
        """Of amounts it is enough that the next smaller change does not do."""
        if self._effort.thorough or not (ladder.falling or ladder.ordered):
            return False
        smaller = [at for at in able if at < best]
        return not smaller or smaller[-1] in outcomes

    def _above(
        self, ladder: Ladder, every: Sequence[int], fits: Callable[[Demand], bool]
    ) -> Sequence[int]:
        """Those of `every` that pass."""
        if ladder.falling:
            return every[bisect_left(every, True, key=lambda at: fits(ladder.option(at).trial)) :]
        return [at for at in every if fits(ladder.option(at).trial)]

    def _order(self, able: Sequence[int], likely: int | None) -> Iterator[int]:
        """First what fits beside all who start now, then what is smaller, the nearest first, then
        what is larger."""
        if likely is None:
            yield from able
            return
        yield likely
        yield from (at for at in reversed(able) if at < likely)
        yield from (at for at in able if at > likely)


def smallest_changes(
    rehearsal: Rehearsal,
    demand: Demand,
    reason: WaitReason,
    beside: Sequence[int],
    *,
    priority_max: int | None = None,
    effort: Effort = USUAL,
) -> tuple[Change, ...]:
    """In the order of `Axis`. `priority_max` is the highest that a policy allows to it."""
    if demand.blocked is not None or reason in _PASSING:
        return ()
    if priority_max is None:
        priority_max = KIND_POLICIES[demand.kind].priority_max
    snapshot, plan = rehearsal.snapshot, rehearsal.plan
    room = Room(snapshot, rehearsal.view, plan, demand, rehearsal.now_ms, beside)
    trier = _Trier(rehearsal, room, effort)
    found = []
    offered = ladders(snapshot, rehearsal.view, plan, demand, room, rehearsal.now_ms, priority_max)
    for ladder in (*offered, quota_ladder(rehearsal, demand, reason)):
        change = trier.smallest(ladder) if ladder.values else None
        if change is not None:
            found.append(change)
    return tuple(found)


def _change(option: Option, outcome: Outcome, *, exact: bool) -> Change:
    return Change(
        axis=option.axis,
        before=option.before,
        after=option.after,
        sentence=option.sentence,
        fields=option.fields,
        quota=option.quota,
        places=places_of(outcome.placements),
        delays=outcome.delays,
        exact=exact,
        demand=None if option.shares is not None else option.demand,
        shares=option.shares,
    )


def places_of(placements: Sequence[Placement]) -> tuple[tuple[str, int], ...]:
    """Nodes in name order, with how many replicas each gets."""
    counts: dict[str, int] = {}
    for each in placements:
        counts[each.node] = counts.get(each.node, 0) + 1
    return tuple(sorted(counts.items()))
