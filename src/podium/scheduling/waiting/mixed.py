"""Room for gangs of unlike groups that do not fit now: before what is kept for others, where work
stops, and later. `blocked` asks; each answer is tried on a floor as it would be then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from podium.domain.resources import ANYWHERE, Request
from podium.scheduling.ground import Ground
from podium.scheduling.placing.classes import Grant
from podium.scheduling.placing.seats import Seat, find_seats
from podium.scheduling.placing.stage import Stage
from podium.scheduling.snapshot import Demand
from podium.scheduling.space.floor import Floor, Free, freed
from podium.scheduling.space.keeping import replicas_on
from podium.scheduling.space.room import Bools
from podium.scheduling.waiting.claims import Claims
from podium.scheduling.waiting.hunt import Hunt
from podium.scheduling.waiting.reclaim import Reclaim
from podium.scheduling.waiting.reservations import ENDS_MAX, ends_of
from podium.scheduling.waiting.reserving import Reserving
from podium.scheduling.waiting.units import Unit, price_of

AREAS_MAX = 64
"""In so many places of the level inside which a gang must be, others are asked to give way."""

TRIES_MAX = 64
"""So often a gang is tried on the floor of a later time, once each group fits for itself."""


@dataclass(frozen=True, slots=True)
class _Rooms:
    """What is free on a stage, on the nodes where it may be claimed."""

    floor: Floor
    claims: Claims
    among: Bools | None

    def soon(self, at: int) -> Free:
        return self.floor.free[at]

    def claimable(self, at: int) -> bool:
        return self.claims.claimable(at) and (self.among is None or bool(self.among[at]))

    def changed(self) -> tuple[int, ...]:
        return ()  # the floor of the stage is as it will be


class Mixed:
    """Beside one cycle."""

    def __init__(self, ground: Ground, claims: Claims, reserving: Reserving) -> None:
        self._ground = ground
        self._claims = claims
        self._reserving = reserving

    def before_caps(self, demand: Demand, beside: Sequence[int]) -> list[Seat]:
        """Takes places that also use room which is kept for others, but only from a time on by
        which the gang has ended for sure, or for its own project."""
        kept, ends_ms = self._ground.kept, self._ground.ends_ms(demand)
        if not kept.may_pass(demand):
            return []
        stage = self._stage()
        for at in kept.passable(ends_ms, demand.project):
            stage.floor.set(at, kept.usable(at, ends_ms, demand.project))
        seats = find_seats(demand, stage.family, stage.floor, beside=beside)
        for seat in seats:
            kept.take(self._ground.family(seat.request), seat.grant, ends_ms, demand.project)
        return seats

    def claim_ending(self, demand: Demand, beside: Sequence[int]) -> bool:
        """Whether the gang fits once all has stopped that was asked to."""
        nodes = self._claims.nodes()
        if not nodes:
            return False
        stage = self._soon()
        seats = find_seats(demand, stage.family, stage.floor, beside=beside)
        self._claim(demand, seats)
        return bool(seats)

    def units(self, demand: Demand, reclaim: Reclaim, amount_milli: int) -> tuple[Unit, ...]:
        """The work without which the gang fits, the cheapest place of its topology first; claims
        nothing yet."""
        best: tuple[Unit, ...] = ()
        for among in self._areas(demand):
            units = self._units_in(demand, reclaim, amount_milli, among)
            if units and (not best or price_of(units) < price_of(best)):
                best = units
        return best

    def reserve(self, demand: Demand) -> bool:
        """Keeps the nodes where all groups fit first as running work ends."""
        ground, reserving = self._ground, self._reserving
        if not reserving.is_open:
            return False
        patient = reserving.patient(demand)
        found = self._earliest(demand)
        if found is None and patient:
            free = {at: ground.drained.free[at] for at in range(len(ground.layout.nodes))}
            stage = self._later({at: each for at, each in free.items() if not ground.kept.caps(at)})
            seats = find_seats(demand, stage.family, stage.floor)
            if seats:
                reserving.keep(demand, None, _by_node(seats), free)
            return bool(seats)
        if found is None or not (found[3] or patient):
            return False
        end_ms, seats, free, _ = found
        reserving.keep(demand, end_ms, _by_node(seats), free)
        return True

    def _earliest(self, demand: Demand) -> tuple[int, list[Seat], dict[int, Free], bool] | None:
        """When, where, what is free there then, and whether that is sure."""
        ground = self._ground
        kept, layout = ground.kept, ground.layout
        families = [ground.family(part.request) for part in demand.parts]
        fits = [family.capacities() for family in families]
        for each in fits:
            each[list(kept.nodes)] = 0
        within = demand.topology.within
        places = np.zeros(len(layout.nodes), np.int64) if within is None else layout.places(within)
        free: dict[int, Free] = {}
        sure, tries = True, 0
        for looked, (end_ms, hold) in enumerate(ends_of(ground.view, ground.now_ms)):
            at = layout.position.get(hold.node)
            if looked >= ENDS_MAX or tries >= TRIES_MAX:
                break
            if at is None or kept.bars(at, demand, end_ms):
                continue
            free[at] = freed(layout, free.get(at, kept.free(at)), hold)
            sure = sure and end_ms == hold.ends_at_ms
            here = places == places[at]
            able = True
            for family, each, part in zip(families, fits, demand.parts, strict=True):
                each[at] = replicas_on(family, at, free[at])
                able = able and int(each[here].sum()) >= len(part.ranks)
            if able:
                tries += 1
                stage = self._later(free)
                seats = find_seats(demand, stage.family, stage.floor)
                if seats:
                    for seat in seats:
                        free.setdefault(seat.grant.at, kept.free(seat.grant.at))
                    return end_ms, seats, free, sure
        return None

    def _units_in(
        self, demand: Demand, reclaim: Reclaim, amount_milli: int, among: Bools | None
    ) -> tuple[Unit, ...]:
        stage = self._soon()
        units: list[Unit] = []
        enough = True
        for part in demand.parts:
            wanted = replace(
                demand,
                request=part.request,
                pending_ranks=part.ranks,
                minimum=len(part.ranks),
                topology=ANYWHERE,
                parts=(),
                stood=(),
            )
            if find_seats(wanted, stage.family, stage.floor, among=among):
                continue
            rooms = _Rooms(stage.floor, self._claims, among)
            hunt = Hunt(reclaim, wanted, stage.family(part.request), rooms, amount_milli)
            way = hunt.way(wanted)
            if way is not None:
                reclaim.stop(way.units)
                units += way.units
                for at, hold in (held for unit in way.units for held in unit.holds):
                    if rooms.claimable(at):
                        room = freed(self._ground.layout, stage.floor.free[at], hold)
                        stage.floor.set(at, room)
            if way is None or not find_seats(wanted, stage.family, stage.floor, among=among):
                enough = False
                break
        reclaim.resume(units)
        if enough and reclaim.precedes(demand, amount_milli, units):
            return tuple(units)
        return ()

    def _areas(self, demand: Demand) -> list[Bools | None]:
        within = demand.topology.within
        if within is None:
            return [None]
        places = self._ground.layout.places(within)
        return [places == number for number in np.unique(places)[:AREAS_MAX].tolist()]

    def _claim(self, demand: Demand, seats: Sequence[Seat]) -> None:
        for seat in seats:
            self._claims.claim(self._ground.family(seat.request), demand, [(seat.grant.at, 1)])

    def _stage(self) -> Stage:
        return Stage(self._ground.floor.fork(), self._ground.worths)

    def _soon(self) -> Stage:
        """Once all has stopped that was asked to."""
        stage = self._stage()
        for at in self._claims.nodes():
            stage.floor.set(at, self._claims.soon(at))
        return stage

    def _later(self, free: dict[int, Free]) -> Stage:
        """When so much is free on some nodes, and nothing where something is kept."""
        stage = self._stage()
        for at in self._ground.kept.nodes:
            stage.floor.set(at, Free(0, 0, (0,) * len(stage.floor.free[at].devices)))
        for at, each in free.items():
            stage.floor.set(at, each)
        return stage


def _by_node(seats: Sequence[Seat]) -> dict[int, list[tuple[Request, Grant]]]:
    found: dict[int, list[tuple[Request, Grant]]] = {}
    for seat in seats:
        found.setdefault(seat.grant.at, []).append((seat.request, seat.grant))
    return found
