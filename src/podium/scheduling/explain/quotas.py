"""More quota as a change: the limits that would have to be higher (`raises`), or the guarantee that
would put the workload ahead and whose idle one it could be. `changes` tries them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from podium.domain.quantity import format_milli
from podium.domain.reason import WaitReason
from podium.scheduling.explain.ladders import Ladder, Option, fixed
from podium.scheduling.explain.raises import limits_beside, raise_ladder, shares_with
from podium.scheduling.explain.rehearsal import Rehearsal
from podium.scheduling.explain.values import Axis, QuotaChange, QuotaKind
from podium.scheduling.order.fairness import Fairness
from podium.scheduling.order.places import ALL, FIRST_TYPE, Place
from podium.scheduling.placing.fit import Shape
from podium.scheduling.reasons.limits import gpu_words
from podium.scheduling.snapshot import Demand, Share

_GUARANTEES_MAX = 2
_TIMES_MAX = 2
"""More than so many times what the workload takes is no small change: much else would be guaranteed
with it, and go ahead."""


def quota_ladder(rehearsal: Rehearsal, demand: Demand, reason: WaitReason) -> Ladder:
    """The least change of amounts first."""
    if not rehearsal.snapshot.shares or reason not in (WaitReason.QUOTA, WaitReason.PRIORITY):
        return fixed(())
    needs = _needs(rehearsal, demand)
    limits = limits_beside(rehearsal, demand)
    if reason is WaitReason.QUOTA:
        return raise_ladder(rehearsal, limits, demand, needs)
    if not needs:
        return fixed(())
    quotas = _Quotas(rehearsal.snapshot.shares, limits.fairness, demand)
    return fixed(quotas.guarantees(needs)[:_GUARANTEES_MAX], passes=True)


def _needs(rehearsal: Rehearsal, demand: Demand) -> Mapping[str, int]:
    """Milli-GPU that the minimum takes, by each type that would do."""
    layout = rehearsal.view.layout
    found: dict[str, int] = {}
    groups = [(part.request, len(part.ranks)) for part in demand.parts]
    for request, count in groups or [(demand.request, demand.minimum)]:
        shape = Shape(request, layout.kinds)
        here: dict[str, int] = {}
        for kind, grant in zip(layout.kinds, shape.grants, strict=True):
            if grant is not None:
                here[kind.type] = max(here.get(kind.type, 0), count * shape.count * grant[0])
        if groups and found and here:  # of several types at once nobody can say which
            here = {name: here[name] + found[name] for name in here if name in found}
        found = here or found
    return found


class _Quotas:
    """`fairness` counts what all others hold who start now."""

    def __init__(self, shares: Sequence[Share], fairness: Fairness, demand: Demand) -> None:
        self._shares = {share.name: share for share in shares}
        self._fairness = fairness
        self._demand = demand
        self._columns = {name.casefold(): at for at, name in enumerate(fairness.types, FIRST_TYPE)}
        self._path = fairness.path(demand.project)

    def guarantees(self, needs: Mapping[str, int]) -> list[Option]:
        """Guarantees that would cover it, of what others are guaranteed and do not use, or of what
        nobody is guaranteed; the least first."""
        found: list[tuple[int, int, str, list[QuotaChange]]] = []
        for level, place in enumerate(self._path[:-1]):
            for gpu_type, amount in (("", min(needs.values())), *sorted(needs.items())):
                column = self._column(gpu_type)
                had = place.guarantees.get(column, 0)
                to_milli = place.use[column] + amount
                if not 0 < to_milli - had <= _TIMES_MAX * amount or place.name not in self._shares:
                    continue
                own = QuotaChange(
                    share=place.name,
                    kind=QuotaKind.GUARANTEE,
                    gpu_type=gpu_type,
                    from_amount=had,
                    to_amount=to_milli,
                )
                given = self._given(place, column, gpu_type, to_milli - had)
                if given is not None:
                    found.append((to_milli - had, level, gpu_type, [own, *given]))
        found.sort(key=lambda entry: entry[:3])
        return [self._option(changes) for _, _, _, changes in found]

    def _given(
        self, place: Place, column: int, gpu_type: str, missing: int
    ) -> list[QuotaChange] | None:
        """From whom; nobody where enough is not promised. None: there is not as much."""
        above = place.parent
        beside = [
            each
            for each in self._fairness.places
            if each.parent is above and each is not place and each.name in self._shares
        ]
        idle = [
            (each.guarantees[column] - each.use[column], each.name, each)
            for each in beside
            if each.guarantees.get(column, 0) - each.use[column] >= missing
        ]
        if idle:
            _, name, giver = min(idle, key=lambda entry: (-entry[0], entry[1]))
            had = giver.guarantees[column]
            return [
                QuotaChange(
                    share=name,
                    kind=QuotaKind.GUARANTEE,
                    gpu_type=gpu_type,
                    from_amount=had,
                    to_amount=had - missing,
                )
            ]
        whole = self._fairness.capacity[column]
        if above is not None and above.parent is not None and above.guarantees:
            whole = above.guarantees.get(column, 0)
        promised = sum(each.guarantees.get(column, 0) for each in (*beside, place))
        return [] if promised + missing <= whole else None

    def _option(self, changes: Sequence[QuotaChange]) -> Option:
        first = changes[0]
        sentence = (
            f"If {first.share} is guaranteed {gpu_words(first.to_amount, first.gpu_type)} instead "
            f"of {format_milli(first.from_amount)}, it starts now"
        )
        for each in changes[1:]:
            left = gpu_words(each.from_amount - each.to_amount, each.gpu_type)
            sentence += f"; {each.share} is guaranteed {left} that it does not use"
        word = f"{first.share} is guaranteed"
        return Option(
            axis=Axis.QUOTA,
            before=f"{word} {gpu_words(first.from_amount, first.gpu_type)}",
            after=f"{word} {gpu_words(first.to_amount, first.gpu_type)}",
            sentence=f"{sentence}.",
            demand=self._demand,
            shares=shares_with(self._shares.values(), changes),
            quota=tuple(changes),
        )

    def _column(self, gpu_type: str) -> int:
        return self._columns[gpu_type.casefold()] if gpu_type else ALL
