"""Places for the replicas of one demand, which `decide` asks for in the order of service.

One search for all: replicas that stand anywhere go where their class is cheapest; a gang that
names a topology goes into the tightest place that holds it, smallest level first, and inside it
into as few smaller places as possible; spread replicas keep apart.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from podium.domain.resources import Topology, TopologyLevel
from podium.scheduling.placing.classes import Grant, RequestClass
from podium.scheduling.space.layout import Layout
from podium.scheduling.space.room import Ints
from podium.scheduling.space.topology import LEVELS, names_in


def find_places(
    family: RequestClass,
    topology: Topology,
    *,
    minimum: int,
    want: int,
    beside: Sequence[int] = (),
    spread: bool = False,
) -> list[Grant]:
    """Takes places for at least `minimum` and at most `want` replicas, or for none.

    `beside` are the nodes where the workload already stands: a required topology binds the new
    replicas to the same place.
    """
    if topology.within is None and topology.prefer is None:
        if spread and (want > 1 or beside):
            return _apart(family, minimum, want, beside)
        return _anywhere(family, minimum, want)
    counts = replicas_by_node(family, topology, family.capacities(), minimum, want, beside)
    return take_counts(family, counts)


def take_counts(family: RequestClass, counts: Sequence[tuple[int, int]]) -> list[Grant]:
    """Takes so many replicas of each node."""
    grants = []
    for at, count in counts:
        for _ in range(count):
            grant = family.grant(at)
            family.take(grant)
            grants.append(grant)
    return grants


def replicas_by_node(
    family: RequestClass,
    topology: Topology,
    capacities: Ints,
    minimum: int,
    want: int,
    beside: Sequence[int] = (),
) -> list[tuple[int, int]]:
    """Nodes and how many replicas each gets, where nodes take so many as `capacities` says; empty
    when fewer than `minimum` fit."""
    layout = family.floor.layout
    within = topology.within
    for level in levels_of(topology):
        if level is within:
            break
        place, found = _tightest(layout.places(level, within), capacities, want, beside)
        if found >= want:
            return _compact(layout, place, capacities, want)
    if within is not None:
        place, found = _tightest(layout.places(within), capacities, want, beside)
        return _compact(layout, place, capacities, want) if found >= minimum else []
    everywhere = np.flatnonzero(capacities)
    if int(capacities.sum()) < minimum:
        return []
    return _compact(layout, everywhere, capacities, want)


def levels_of(topology: Topology) -> list[TopologyLevel]:
    """The levels at which replicas are put together if they can, smallest first; the last one is
    that inside which they must be, where there is one."""
    found = []
    if topology.prefer is not None:
        for level in LEVELS:
            if topology.within is not None and level is topology.within:
                break
            found.append(level)
    return found if topology.within is None else [*found, topology.within]


def most_together(
    layout: Layout, capacities: Ints, within: TopologyLevel | None, beside: Sequence[int] = ()
) -> int:
    """How many replicas fit: in all, or in the one best place of `within`."""
    if within is None:
        return int(capacities.sum())
    totals = _totals(layout.places(within), capacities, beside)
    return int(totals.max()) if len(totals) else 0


def in_order_of_topology(layout: Layout, grants: list[Grant]) -> list[Grant]:
    """Neighbours in rank become neighbours in topology."""
    nodes, levels = layout.nodes, layout.levels
    return sorted(grants, key=lambda each: (names_in(nodes[each.at], levels), each.at))


def _anywhere(family: RequestClass, minimum: int, want: int) -> list[Grant]:
    if minimum > 1 and family.room_for(minimum) < minimum:
        return []
    grants: list[Grant] = []
    while len(grants) < want:
        at = family.best()
        if at is None:
            break
        grant = family.grant(at)
        family.take(grant)
        grants.append(grant)
    assert not grants or len(grants) >= minimum
    return grants


def _apart(family: RequestClass, minimum: int, want: int, beside: Sequence[int]) -> list[Grant]:
    """Each replica on the node, then in the rack, with the fewest of them."""
    if family.room_for(minimum) < minimum:
        return []
    layout = family.floor.layout
    rack = layout.places(TopologyLevel.RACK)
    on_node = np.bincount(np.array(beside, dtype=np.int64), minlength=len(rack))
    in_rack = np.bincount(rack[list(beside)], minlength=len(rack))
    grants: list[Grant] = []
    while len(grants) < want:
        able = np.flatnonzero(family.capacities())
        if not len(able):
            break
        crowd = on_node[able] * (len(rack) + 1) + in_rack[rack[able]]
        able = able[crowd == crowd.min()]
        keys = [(family.key(at), at) for at in able.tolist()]
        at = min((key, at) for key, at in keys if key is not None)[1]
        grant = family.grant(at)
        family.take(grant)
        grants.append(grant)
        on_node[at] += 1
        in_rack[rack[at]] += 1
    return grants


def _totals(places: Ints, capacities: Ints, beside: Sequence[int]) -> Ints:
    """How many replicas fit into each place, (P,), by the place of each node, (N,); with `beside`,
    only the place that holds all of those counts."""
    totals = np.bincount(places, weights=capacities, minlength=0).astype(np.int64)
    if beside:
        taken = list(dict.fromkeys(places[list(beside)].tolist()))
        only = np.zeros_like(totals)
        if len(taken) == 1:
            only[taken[0]] = totals[taken[0]]
        return only
    return totals


def _tightest(places: Ints, capacities: Ints, want: int, beside: Sequence[int]) -> tuple[Ints, int]:
    """The nodes of the place with the least room among those that hold `want`, else of the one
    with the most; and how many fit."""
    totals = _totals(places, capacities, beside)
    if not len(totals):
        return np.zeros(0, dtype=np.int64), 0
    best = _first_of(totals, want)
    return np.flatnonzero((places == best) & (capacities > 0)), int(totals[best])


def _first_of(totals: Ints, want: int) -> int:
    """Where the smallest total is that reaches `want`, else the largest; the first of equals."""
    enough = np.flatnonzero(totals >= want)
    if len(enough):
        return int(enough[totals[enough].argmin()])
    return int(totals.argmax())


def _compact(layout: Layout, nodes: Ints, capacities: Ints, want: int) -> list[tuple[int, int]]:
    """Shares `want` replicas out over as few blocks, in them over as few racks, in those over
    as few NVLink domains (or the other way round, see `outside_in`), and in them over as few of
    these nodes, as possible; the last of each is the tightest that holds the rest."""
    return _over(layout, nodes, capacities, want, layout.levels)


def _over(
    layout: Layout, nodes: Ints, capacities: Ints, want: int, levels: Sequence[TopologyLevel]
) -> list[tuple[int, int]]:
    if not levels:
        return _over_nodes(nodes, capacities[nodes], want)
    places, members = np.unique(layout.places(levels[0])[nodes], return_inverse=True)
    if len(places) == 1:
        return _over(layout, nodes, capacities, want, levels[1:])
    totals = np.bincount(members, weights=capacities[nodes]).astype(np.int64)
    found: list[tuple[int, int]] = []
    while want and totals.any():
        place = _first_of(totals, want)
        share = min(want, int(totals[place]))
        found += _over(layout, nodes[members == place], capacities, share, levels[1:])
        want -= share
        totals[place] = 0
    return found


def _over_nodes(nodes: Ints, fits: Ints, want: int) -> list[tuple[int, int]]:
    fits = fits.copy()
    found: list[tuple[int, int]] = []
    while want and fits.any():
        at = _first_of(fits, want)
        share = min(want, int(fits[at]))
        found.append((int(nodes[at]), share))
        want -= share
        fits[at] = 0
    return found
