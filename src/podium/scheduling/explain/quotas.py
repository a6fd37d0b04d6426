"""More quota as a change: the limits that would have to be higher, or the guarantee that would put
the workload ahead and whose idle one it could be. `changes` tries them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from podium.domain.quantity import GPU_MILLI, format_milli
from podium.domain.reason import WaitReason
from podium.scheduling.explain.ladders import Ladder, Option, fixed
from podium.scheduling.explain.rehearsal import Rehearsal
from podium.scheduling.explain.values import Axis, QuotaChange
from podium.scheduling.ground import fairness_of
from podium.scheduling.order.fairness import Fairness
from podium.scheduling.order.places import ALL, FIRST_TYPE, Place
from podium.scheduling.placing.fit import Shape
from podium.scheduling.reasons.wording import listed
from podium.scheduling.snapshot import Demand, Share

_GUARANTEES_MAX = 2
_TIMES_MAX = 2
"""More than so many times what the workload takes is no small change: much else would be guaranteed
with it, and go ahead."""


def quota_ladder(rehearsal: Rehearsal, demand: Demand, reason: WaitReason) -> Ladder:
    """The least change of amounts first."""
    needs = _needs(rehearsal, demand)
    if not needs or not rehearsal.snapshot.shares:
        return fixed(())
    fairness = fairness_of(rehearsal.snapshot, rehearsal.view)
    for each in rehearsal.plan.placements:
        if each.workload_id != demand.workload_id:
            gpu = tuple(rehearsal.view.layout.types(each.node, each.devices))
            project = rehearsal.view.demands[each.workload_id].project
            fairness.add(project, gpu, each.cpu_milli, each.memory_bytes)
    quotas = _Quotas(rehearsal.snapshot.shares, fairness, demand)
    if reason is WaitReason.QUOTA:
        return fixed(quotas.limits(needs), passes=True)
    if reason is WaitReason.PRIORITY:
        return fixed(quotas.guarantees(needs)[:_GUARANTEES_MAX], passes=True)
    return fixed(())


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

    def limits(self, needs: Mapping[str, int]) -> list[Option]:
        """By type: all limits above the project that stand in the way, raised by what is missing.
        With less, some other that starts now would not."""
        found: list[tuple[int, str, list[QuotaChange]]] = []
        for gpu_type, amount in sorted(needs.items()):
            changes = []
            for place in self._path:
                for name in (gpu_type, ""):
                    limit = place.limits.get(self._column(name), None)
                    wanted = place.use[self._column(name)] + amount
                    if limit is not None and wanted > limit:
                        changes.append(
                            QuotaChange(
                                share=place.name,
                                limit=True,
                                gpu_type=name,
                                from_milli=limit,
                                to_milli=wanted,
                            )
                        )
            if changes:
                found.append((sum(map(_raise_milli, changes)), gpu_type, changes))
        found.sort(key=lambda entry: entry[:2])
        return [self._option(changes) for _, _, changes in found]

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
                    limit=False,
                    gpu_type=gpu_type,
                    from_milli=had,
                    to_milli=to_milli,
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
                    limit=False,
                    gpu_type=gpu_type,
                    from_milli=had,
                    to_milli=had - missing,
                )
            ]
        whole = self._fairness.capacity[column]
        if above is not None and above.parent is not None and above.guarantees:
            whole = above.guarantees.get(column, 0)
        promised = sum(each.guarantees.get(column, 0) for each in (*beside, place))
        return [] if promised + missing <= whole else None

    def _option(self, changes: Sequence[QuotaChange]) -> Option:
        shares = dict(self._shares)
        for change in changes:
            share = shares[change.share]
            if change.limit:
                shares[change.share] = replace(share, limits=_set(share.limits, change))
            else:
                shares[change.share] = replace(share, guarantees=_set(share.guarantees, change))
        first = changes[0]
        if first.limit:
            parts = [
                f"{each.share} may use {_gpus(each.to_milli, each.gpu_type)} instead of "
                f"{format_milli(each.from_milli)}"
                for each in changes
            ]
            sentence = f"If {listed(parts)}, it starts now."
        else:
            sentence = (
                f"If {first.share} is guaranteed {_gpus(first.to_milli, first.gpu_type)} instead "
                f"of {format_milli(first.from_milli)}, it starts now"
            )
            for each in changes[1:]:
                left = _gpus(each.from_milli - each.to_milli, each.gpu_type)
                sentence += f"; {each.share} is guaranteed {left} that it does not use"
            sentence += "."
        word = "may use" if first.limit else "is guaranteed"
        return Option(
            axis=Axis.QUOTA,
            before=f"{first.share} {word} {_gpus(first.from_milli, first.gpu_type)}",
            after=f"{first.share} {word} {_gpus(first.to_milli, first.gpu_type)}",
            sentence=sentence,
            demand=self._demand,
            shares=tuple(shares.values()),
            quota=tuple(changes),
        )

    def _column(self, gpu_type: str) -> int:
        return self._columns[gpu_type.casefold()] if gpu_type else ALL


def _gpus(milli: int, gpu_type: str) -> str:
    noun = f"{gpu_type} GPU" if gpu_type else "GPU"
    return f"{format_milli(milli)} {noun if milli == GPU_MILLI else noun + 's'}"


def _set(amounts: tuple[tuple[str, int], ...], change: QuotaChange) -> tuple[tuple[str, int], ...]:
    rest = [
        (name, milli) for name, milli in amounts if name.casefold() != change.gpu_type.casefold()
    ]
    return tuple(sorted([*rest, (change.gpu_type, change.to_milli)]))


def _raise_milli(change: QuotaChange) -> int:
    return change.to_milli - change.from_milli
