"""Moves: running work that starts again elsewhere, so that a gang fits which has waited long.

`blocked` asks when room is free in sum but not together. Only work that has saved what it did, and
stands on one node for itself, is moved; only when the gang and all that moved then have a place,
whoever comes first; and only when the waiting that it spares is worth several times what is lost.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from podium.scheduling.ground import Ground
from podium.scheduling.placing.classes import RequestClass
from podium.scheduling.placing.seats import find_seats
from podium.scheduling.placing.stage import Stage
from podium.scheduling.snapshot import Demand, Hold
from podium.scheduling.space.floor import freed
from podium.scheduling.waiting.claims import Claims
from podium.scheduling.waiting.reclaim import Reclaim
from podium.scheduling.waiting.reservations import earliest_slot
from podium.scheduling.waiting.units import Unit, units_of

RESTART_MS = 60_000
"""Moved work is taken to need so long until it is where it was when it last saved."""

HORIZON_MS = 3_600_000
"""No more waiting than this is counted as spared: nobody knows better."""

WORTH = 4
"""The GPU time spared has to be so many times the GPU time lost."""


TRIES_MAX = 8
"""For so many demands it is tried in one cycle."""


class Moves(NamedTuple):
    """Who moves, the nodes of the gang with its replicas, and the waiting that it spares."""

    units: tuple[Unit, ...]
    counts: tuple[tuple[int, int], ...]
    spared_ms: int


class _Movable(Reclaim):
    """All work that could as well run elsewhere, whoever's it is."""

    def nodes_for(self, demand: Demand, amount_milli: int) -> Collection[int]:
        del demand, amount_milli
        return self.everywhere()

    def admits(self, demand: Demand, amount_milli: int, unit: Unit) -> bool:
        del amount_milli
        return unit.workload_id != demand.workload_id

    def precedes(self, demand: Demand, amount_milli: int, units: Sequence[Unit]) -> bool:
        del demand, amount_milli, units
        return True


class Consolidation:
    """Beside one cycle, within the budget of its policy."""

    def __init__(self, ground: Ground, claims: Claims) -> None:
        self._ground = ground
        self._claims = claims
        self._left = ground.snapshot.policy.moves_max
        self._tries = TRIES_MAX
        self._hopeless: dict[tuple[object, ...], None] = {}

    def find(self, family: RequestClass, demand: Demand, amount_milli: int) -> Moves | None:
        """The moves after which the gang fits, None when there are none that are worth it."""
        ground = self._ground
        policy = ground.snapshot.policy
        waited_ms = ground.now_ms - demand.queued_at_ms
        question = (demand.request, demand.topology, demand.minimum)
        if not ground.view.movable or not self._left or not self._tries:
            return None
        if demand.elastic or waited_ms < policy.patience_ms or question in self._hopeless:
            return None
        self._hopeless[question] = None
        self._tries -= 1
        free_milli = int(ground.floor.gpu_milli()[family.pool.allowed].sum())
        if not 0 < amount_milli <= free_milli:
            return None
        slot = earliest_slot(ground.view, ground.kept, family, demand, ground.now_ms)
        spared_ms = HORIZON_MS
        if slot is not None and slot.from_ms is not None:
            spared_ms = min(HORIZON_MS, slot.from_ms - ground.now_ms)
        units = units_of(ground.view, policy, ground.now_ms, ground.view.movable)
        movable = _Movable(ground.view, ground.fairness, policy, ground.now_ms, units=units)
        for holds in self._claims.ending.values():
            movable.leave_out(holds)
        way = movable.find(demand, family, self._claims, amount_milli)
        if way is None or not 0 < len(way.units) <= self._left:
            return None
        if WORTH * sum(map(_loss_milli_ms, way.units)) > amount_milli * spared_ms:
            return None
        if not all(self._all_fit(demand, way.units, first) for first in (True, False)):
            return None
        self._left -= len(way.units)
        del self._hopeless[question]
        return Moves(way.units, way.counts, spared_ms)

    def _all_fit(self, demand: Demand, units: Sequence[Unit], gang_first: bool) -> bool:
        """Whether the gang and all that moved have a place once that has stopped."""
        stage = Stage(self._ground.floor.fork(), self._ground.worths)
        for at in self._claims.nodes():
            stage.floor.set(at, self._claims.soon(at))
        for unit in units:
            for at, hold in unit.holds:
                stage.floor.set(at, freed(self._ground.layout, stage.floor.free[at], hold))
        if gang_first and not find_seats(demand, stage.family, stage.floor):
            return False
        for unit in units:
            if not _start_again(stage, unit.holds[0][1]):
                return False
        return gang_first or bool(find_seats(demand, stage.family, stage.floor))


def _start_again(stage: Stage, hold: Hold) -> bool:
    assert hold.request is not None
    family = stage.family(hold.request)
    at = family.best()
    if at is None:
        return False
    family.take(family.grant(at))
    return True


def _loss_milli_ms(unit: Unit) -> int:
    return unit.lost_milli_ms + RESTART_MS * sum(milli for _, milli in unit.gpu)
