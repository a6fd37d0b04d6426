"""One cycle of the scheduler over one view; `decide` runs it and nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from podium.domain.reason import Refusal
from podium.scheduling.ground import Ground
from podium.scheduling.order.service import Queue, Service
from podium.scheduling.placing.classes import Grant, RequestClass
from podium.scheduling.placing.gangs import find_places
from podium.scheduling.placing.seats import Seat, find_seats, give_back
from podium.scheduling.plan import Plan, Turn
from podium.scheduling.reasons.answers import Answers
from podium.scheduling.reasons.limits import quota_refusal
from podium.scheduling.snapshot import Demand, Snapshot
from podium.scheduling.view import View
from podium.scheduling.waiting.blocked import Blocked

TURNS_MAX = 50
"""So many of those whose turn it was, and who wait on, are told."""


class Cycle:
    """Serves the demands one after another, and says what became of each."""

    def __init__(self, snapshot: Snapshot, view: View, now_ms: int) -> None:
        self._ground = Ground(snapshot, view, now_ms)
        self._blocked = Blocked(self._ground)
        attained = self._ground.attained
        self._service = Service(
            view,
            self._ground.fairness,
            snapshot.policy,
            None if attained is None else attained.by,
        )
        self._growing: list[Demand] = []
        self._passed: list[Demand] = []  # served, but not with all that they asked for
        self._told: dict[str, Refusal] = {}  # reasons that were found on the way
        self._turns: list[Turn] = []

    def plan(self) -> Plan:
        while (turn := self._service.next()) is not None:
            line, queue, inside = turn
            demand = queue.head
            done = not self._over(queue, demand) and self._serve(queue, demand)
            waits = queue.closed or self._blocked.helps(demand.workload_id)
            if waits and len(self._turns) < TURNS_MAX:
                self._turns.append(Turn(demand.workload_id, inside))
            if done:
                line.step()
        for demand in self._growing:
            if not self._blocked.stops(demand.workload_id):
                self._grow(demand)
        queues = [queue for line in self._service.lines() for queue in line.queues]
        answers = Answers(self._ground, self._blocked, queues, self._passed, self._told)
        return Plan(
            placements=tuple(self._ground.placements),
            refusals=answers.refusals(),
            preemptions=self._blocked.preemptions(),
            reservations=self._blocked.reservations(),
            turns=tuple(self._turns),
            next_wake_ms=self._wake(),
        )

    def _over(self, queue: Queue, demand: Demand) -> bool:
        """Whether a limit of what is no GPU is in the way; then the queue is closed."""
        ground = self._ground
        if ground.ceilings is None or (demand.elastic and ground.standing(demand)):
            return False
        replicas = 1 if ground.placed.get(demand.workload_id) else demand.minimum
        if ground.reached(demand, replicas) is None:
            return False
        self._refuse_for_quota(queue, demand, replicas)
        return True

    def _serve(self, queue: Queue, demand: Demand) -> bool:
        """True when the demand needs no more turns in this cycle. Closes the queue when it does,
        but none of those behind it can be placed either."""
        standing = self._ground.standing(demand)
        if demand.elastic and standing:
            self._growing.append(demand)
            self._passed.append(demand)
            return True
        placed = self._ground.placed.get(demand.workload_id, [])
        missing = len(demand.pending_ranks) - len(placed)
        if demand.parts or (demand.stood and demand.minimum == missing):
            done = self._serve_whole(queue, demand, standing)
            if done is not None:
                return done
        minimum = 1 if placed else demand.minimum
        request = demand.request
        if self._ground.limited:
            open_types = self._ground.types_open(demand, minimum)
            if open_types == ():
                if not (standing or placed) and self._blocked.make_limit_room(
                    self._ground.family(request), demand
                ):
                    self._passed.append(demand)
                    return True
                self._refuse_for_quota(queue, demand, minimum)
                return False
            if open_types is not None:
                request = replace(request, gpu_types=open_types)
        together = self._service.alone and not self._ground.limited
        want = missing if together and not demand.elastic else minimum
        family = self._ground.family(request)
        beside = [*standing, *(grant.at for grant in placed)]
        grants = self._find(family, demand, minimum, want, beside)
        if not grants:
            grants = self._blocked.before_caps(family, demand, minimum, want)
        if grants:
            self._ground.record(demand, grants)
            if len(grants) == missing:
                return True
            if demand.elastic:
                self._growing.append(demand)
                self._passed.append(demand)
                return True
            return False
        bound = bool(beside) and demand.topology.within is not None
        if placed or self._blocked.help(family, demand, beside) or bound:
            self._passed.append(demand)
            return True
        queue.closed = True
        return False

    def _serve_whole(self, queue: Queue, demand: Demand, standing: list[int]) -> bool | None:
        """The same for gangs of unlike groups, and for those that come back to where they stood;
        None when these have to be served like others."""
        ground = self._ground
        wanted = ground.under_limits(demand)
        seats: list[Seat] = []
        if wanted is not None:
            seats = find_seats(wanted, ground.family, ground.floor, beside=standing)
            if ground.limited and not ground.admits(demand, seats):
                give_back(ground.floor, seats)
                seats, wanted = [], None
            for seat in seats:
                ground.kept.note(ground.family(seat.request), seat.grant)
            if not seats and demand.parts and wanted is not None:
                seats = self._blocked.seats_before_caps(wanted, standing)
        if seats:
            ground.seat(demand, seats)
            return True
        if not demand.parts:
            return None
        if wanted is None:
            self._refuse_for_quota(queue, demand, demand.minimum)
            return False
        if self._blocked.help(ground.family(demand.request), demand, standing):
            self._passed.append(demand)
            return True
        queue.closed = True
        return False

    def _find(
        self, family: RequestClass, demand: Demand, minimum: int, want: int, beside: Sequence[int]
    ) -> list[Grant]:
        topology = demand.topology
        if family.most.get(topology.within, minimum) < minimum:
            return []
        grants = find_places(
            family,
            topology,
            minimum=minimum,
            want=want,
            beside=beside,
            spread=demand.spread,
        )
        for grant in grants:
            self._ground.kept.note(family, grant)
        if not grants and (topology.within is None or not beside):
            family.most[topology.within] = minimum - 1
        return grants

    def _grow(self, demand: Demand) -> None:
        """As many more replicas as there is room for."""
        beside = self._ground.beside(demand)
        placed = len(self._ground.placed.get(demand.workload_id, ()))
        family = self._ground.family(demand.request)
        for _ in range(len(demand.pending_ranks) - placed):
            if self._ground.limited:
                open_types = self._ground.types_open(demand, 1)
                if open_types == () or self._ground.reached(demand, 1) is not None:
                    self._told[demand.workload_id] = quota_refusal(self._ground, demand, 1)
                    break
                if open_types is not None:
                    narrowed = replace(demand.request, gpu_types=open_types)
                    family = self._ground.family(narrowed)
            grants = self._find(family, demand, 1, 1, beside)
            if not grants:
                break
            self._ground.record(demand, grants)
            beside = [*beside, grants[0].at]

    def _refuse_for_quota(self, queue: Queue, demand: Demand, replicas: int) -> None:
        """Closes the queue: those behind the demand ask for the same."""
        queue.closed = True
        refusal = quota_refusal(self._ground, demand, replicas)
        for each in queue.waiting:
            self._told[each.workload_id] = refusal

    def _wake(self) -> int | None:
        """When a booking begins or ends, or the order of service changes by itself."""
        times = [
            moment
            for booking in self._ground.snapshot.bookings
            for moment in (booking.from_ms, booking.until_ms)
            if moment > self._ground.now_ms
        ]
        if self._ground.attained is not None and (
            self._passed
            or any(queue.waiting for line in self._service.lines() for queue in line.queues)
        ):
            times += self._ground.attained.changes_ms()
            times += self._blocked.safe_until_ms()
        return min((moment for moment in times if moment > self._ground.now_ms), default=None)
