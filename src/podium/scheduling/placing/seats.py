"""Places for gangs whose replicas do not all need the same, and for gangs that come back to where
they stood. `cycle` asks on the floor of the cycle, `mixed` on floors that may come to be.

All ranks get a place, or none does and nothing is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from podium.domain.resources import ANYWHERE, Request
from podium.scheduling.placing.classes import Grant, RequestClass, taken
from podium.scheduling.placing.gangs import (
    find_places,
    in_order_of_topology,
    levels_of,
    replicas_by_node,
    take_counts,
)
from podium.scheduling.snapshot import Demand, Part
from podium.scheduling.space.floor import Floor
from podium.scheduling.space.room import Bools, Ints

PLACES_MAX = 16
"""So many places of one level are tried, the tightest first."""

Families = Callable[[Request], RequestClass]
"""The classes of one floor."""


class Seat(NamedTuple):
    """What one rank takes."""

    rank: int
    request: Request
    grant: Grant


def parts_of(demand: Demand) -> tuple[Part, ...]:
    """The groups of a gang; one where all replicas need the same."""
    return demand.parts or (Part(demand.request, demand.pending_ranks),)


def find_seats(
    demand: Demand,
    families: Families,
    floor: Floor,
    *,
    beside: Sequence[int] = (),
    among: Bools | None = None,
) -> list[Seat]:
    """Takes places for all pending ranks, in the order of ranks, or for none. With `among` only
    on these nodes; `beside` are those on which the workload stands already."""
    parts = parts_of(demand)
    if demand.stood and among is None:
        found = _returning(demand, parts, families, floor, beside)
        if found:
            return found
    return _fresh(demand, parts, families, floor, beside, among)


def give_back(floor: Floor, seats: Sequence[Seat]) -> None:
    for seat in reversed(seats):
        cpu_milli, memory_bytes, devices = taken(seat.request, seat.grant)
        floor.take(
            seat.grant.at,
            -cpu_milli,
            -memory_bytes,
            [(column, -milli) for column, milli in devices],
        )


def _returning(
    demand: Demand,
    parts: Sequence[Part],
    families: Families,
    floor: Floor,
    beside: Sequence[int],
) -> list[Seat]:
    """Ranks go back to their nodes as far as these take them; the others come beside them."""
    position = floor.layout.position
    before = dict(demand.stood)
    seats: list[Seat] = []
    rest: list[Part] = []
    for part in parts:
        family = families(part.request)
        left = []
        for rank in part.ranks:
            at = position.get(before.get(rank, ""))
            if at is None or not family.pool.allowed[at] or family.key(at) is None:
                left.append(rank)
                continue
            grant = family.grant(at)
            family.take(grant)
            seats.append(Seat(rank, part.request, grant))
        if left:
            rest.append(Part(part.request, tuple(left)))
    if not seats:
        return []
    places = {*beside, *(seat.grant.at for seat in seats)}
    within = demand.topology.within
    apart = within is not None and len({int(floor.layout.places(within)[at]) for at in places}) > 1
    more: list[Seat] = []
    if rest and not apart:
        more = _fresh(demand, rest, families, floor, sorted(places), None)
    if apart or (rest and not more):
        give_back(floor, seats)
        return []
    return sorted([*seats, *more], key=lambda seat: seat.rank)


def _fresh(
    demand: Demand,
    parts: Sequence[Part],
    families: Families,
    floor: Floor,
    beside: Sequence[int],
    among: Bools | None,
) -> list[Seat]:
    topology = demand.topology
    if topology == ANYWHERE:
        return _together(demand, parts, families, floor, beside, among)
    for level in levels_of(topology):
        places = floor.layout.places(level, topology.within)
        for place in _places(parts, families, places, beside, among):
            found = _together(demand, parts, families, floor, beside, place)
            if found:
                return found
    if topology.within is not None:
        return []
    everywhere = np.ones(len(floor.free), np.bool_) if among is None else among
    return _together(demand, parts, families, floor, beside, everywhere)


def _places(
    parts: Sequence[Part],
    families: Families,
    places: Ints,
    beside: Sequence[int],
    among: Bools | None,
) -> Iterator[Bools]:
    """The places where each part fits for itself, as nodes, the tightest first; `places` has the
    place of each node, (N,)."""
    able = None
    first = None
    for part in parts:
        capacities = families(part.request).capacities()
        if among is not None:
            capacities = np.where(among, capacities, 0)
        totals = np.bincount(places, weights=capacities).astype(np.int64)
        fits = totals >= len(part.ranks)
        able = fits if able is None else able & fits
        first = totals if first is None else first
    if able is None or first is None:
        return
    if beside:
        inside = np.unique(places[list(beside)])
        if len(inside) > 1:
            return
        able = able & (np.arange(len(able)) == inside[0])
    numbers = np.flatnonzero(able)
    for number in numbers[np.argsort(first[numbers], kind="stable")][:PLACES_MAX].tolist():
        nodes: Bools = places == number
        yield nodes if among is None else nodes & among


def _together(
    demand: Demand,
    parts: Sequence[Part],
    families: Families,
    floor: Floor,
    beside: Sequence[int],
    among: Bools | None,
) -> list[Seat]:
    """Places for all parts on these nodes (None: anywhere), or for none."""
    seats: list[Seat] = []
    for part in parts:
        family, count = families(part.request), len(part.ranks)
        if among is None:
            stands = [*beside, *(seat.grant.at for seat in seats)]
            grants = find_places(
                family, ANYWHERE, minimum=count, want=count, beside=stands, spread=demand.spread
            )
        else:
            capacities = np.where(among, family.capacities(), 0)
            grants = take_counts(
                family, replicas_by_node(family, ANYWHERE, capacities, count, count)
            )
        if not grants:
            give_back(floor, seats)
            return []
        ordered = in_order_of_topology(floor.layout, grants)
        seats += [
            Seat(rank, part.request, grant) for rank, grant in zip(part.ranks, ordered, strict=True)
        ]
    return sorted(seats, key=lambda seat: seat.rank)
