"""What each share is due of every GPU type, for people to look at; `store/shares` asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from podium.scheduling.order.fairness import Fairness
from podium.scheduling.order.places import ALL, FIRST_TYPE, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """One share and one GPU type ("" = all together), in milli-GPU.

    `borrowed_milli` is what others may reclaim of it.
    Guarantees by type guarantee as much over all types together; `set_guarantee_milli` is without.
    `fair_milli` is what would be its part if all were divided anew among those who use or want
    something: guarantees first, the rest by weight, never more than it can use.
    """

    share: str
    gpu_type: str
    guarantee_milli: int
    set_guarantee_milli: int
    limit_milli: int | None
    weight: int
    used_milli: int
    waiting_milli: int
    borrowed_milli: int
    fair_milli: int


def entitlements(
    fairness: Fairness, waiting: Mapping[str, Mapping[str, int]]
) -> tuple[Entitlement, ...]:
    """By share in the tree's order, first over all types and then type by type.

    `waiting` is the milli-GPU that each project waits for, by type; what may be of several types
    stands under "" and counts in the sum over all types only.
    """
    known = {name.casefold(): column for column, name in enumerate(fairness.types, FIRST_TYPE)}
    asked = [[0] * len(fairness.capacity) for _ in fairness.places]
    places = fairness.places
    at = {place.project: place for place in places if place.project is not None}
    for project in sorted(waiting):
        leaf = at.get(project, places[0])
        for gpu_type, milli in sorted(waiting[project].items()):
            place: Place | None = leaf
            while place is not None:
                asked[place.position][ALL] += milli
                if gpu_type.casefold() in known:
                    asked[place.position][known[gpu_type.casefold()]] += milli
                place = place.parent
    children: list[list[Place]] = [[] for _ in places]
    for place in places:
        if place.parent is not None:
            children[place.parent.position].append(place)
    columns = [ALL, *range(FIRST_TYPE, len(fairness.capacity))]
    borrowed = {column: _borrowed(places, column, children) for column in columns}
    due = {column: _due(fairness, column, asked, children) for column in columns}
    return tuple(
        Entitlement(
            share=place.name,
            gpu_type="" if column == ALL else fairness.types[column - FIRST_TYPE],
            guarantee_milli=_guarantee(place, column),
            set_guarantee_milli=place.guarantees.get(column, 0),
            limit_milli=place.limits.get(column),
            weight=place.weight,
            used_milli=place.use[column],
            waiting_milli=asked[place.position][column],
            borrowed_milli=borrowed[column][place.position],
            fair_milli=due[column][place.position],
        )
        for place in places
        for column in columns
    )


def _guarantee(place: Place, column: int) -> int:
    """Guarantees by type are a guarantee over all types too."""
    own = place.guarantees.get(column, 0)
    if column != ALL:
        return own
    return max(own, sum(milli for each, milli in place.guarantees.items() if each != ALL))


def _borrowed(
    places: Sequence[Place], column: int, children: Sequence[Sequence[Place]]
) -> list[int]:
    """What is used beyond a place's guarantee, and beyond those of the places above, which serve
    it; where a place has none, what is borrowed below it."""
    found = [0] * len(places)
    for place in reversed(places):  # children stand behind their parents
        below = children[place.position]
        if below and not place.guarantees:
            found[place.position] = sum(found[each.position] for each in below)
            continue
        amount = place.use[column]
        step: Place | None = place
        while step is not None and step.level > 0:
            if step.guarantees:
                amount = min(amount, step.use[column] - _guarantee(step, column))
                amount = min(amount, step.use[ALL] - step.guarantees.get(ALL, 0))
            step = step.parent
        found[place.position] = max(amount, 0)
    return found


def _due(
    fairness: Fairness,
    column: int,
    asked: Sequence[Sequence[int]],
    children: Sequence[Sequence[Place]],
) -> list[int]:
    places = fairness.places
    wants = [0] * len(places)
    for place in reversed(places):  # children stand behind their parents
        below = children[place.position]
        want = place.use[column] + asked[place.position][column]
        if below:
            direct = want - sum(each.use[column] + asked[each.position][column] for each in below)
            want = direct + sum(wants[each.position] for each in below)
        wants[place.position] = min(want, place.limits.get(column, want))
    due = [0] * len(places)
    due[0] = min(wants[0], fairness.capacity[column])
    for place in places:
        below = children[place.position]
        parts = poured(
            due[place.position],
            [wants[each.position] for each in below],
            [_guarantee(each, column) for each in below],
            [each.weight for each in below],
        )
        for each, part in zip(below, parts, strict=True):
            due[each.position] = part
    return due


def poured(
    amount: int, wants: Sequence[int], guarantees: Sequence[int], weights: Sequence[int]
) -> list[int]:
    """Divide `amount`: to each what it wants inside its guarantee, the rest by weight until it has
    what it wants. Weight 0 gets what the others leave. The first get what does not divide."""
    parts = [min(want, guarantee) for want, guarantee in zip(wants, guarantees, strict=True)]
    promised = sum(parts)
    if promised > amount:  # more is guaranteed than there is now: each gives in proportion
        parts = [part * amount // promised for part in parts]
    left = amount - sum(parts)
    for weighty in (True, False):
        hungry = [
            index
            for index, want in enumerate(wants)
            if want > parts[index] and (weights[index] > 0) is weighty
        ]
        while left > 0 and hungry:
            total = sum(max(weights[index], 1) for index in hungry)
            before = left
            for index in hungry:
                part = min(wants[index] - parts[index], before * max(weights[index], 1) // total)
                parts[index] += part
                left -= part
            if left == before:
                for index in hungry[:left]:
                    parts[index] += 1
                    left -= 1
            hungry = [index for index in hungry if wants[index] > parts[index]]
    return parts
