"""What is done for a demand that does not fit when it is its turn: it may run before what is kept
for others, room that becomes free is held for it, others give way or move, or nodes are kept for
later. `cycle` asks."""

from __future__ import annotations

from collections.abc import Sequence

from podium.domain.policy import Preempt
from podium.scheduling.ground import Ground
from podium.scheduling.placing.classes import Grant, RequestClass
from podium.scheduling.placing.gangs import replicas_by_node
from podium.scheduling.placing.seats import Seat
from podium.scheduling.plan import Preemption, Reservation
from podium.scheduling.snapshot import Demand
from podium.scheduling.space.floor import Free
from podium.scheduling.space.keeping import replicas_on
from podium.scheduling.waiting.claims import Claims, Inside
from podium.scheduling.waiting.consolidation import Consolidation
from podium.scheduling.waiting.hunt import Hunt
from podium.scheduling.waiting.mixed import Mixed
from podium.scheduling.waiting.reclaim import Reclaim
from podium.scheduling.waiting.reserving import Reserving
from podium.scheduling.waiting.units import Unit, safe_until_ms
from podium.scheduling.waiting.why import why_groups, why_limit


class Blocked:
    """Beside one cycle: the room it kept, and who gives way."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._claims = Claims(ground)
        self._reserving = Reserving(ground)
        self._mixed = Mixed(ground, self._claims, self._reserving)
        self._consolidation = Consolidation(ground, self._claims)
        self._reclaim: Reclaim | None = None
        self.claimed: dict[str, None] = {}  # workloads for which room becomes free
        # How often more was asked to stop than the claimants need, and for what there was too
        # little at which count: between two such times, soon there is only ever less.
        self._spare = 0
        self._unclaimable: dict[tuple[object, ...], int] = {}
        # What found no room before the caps finds none later: there is only ever less.
        self._barred: dict[tuple[object, ...], None] = {}

    def helps(self, workload_id: str) -> bool:
        """Room is on its way for it, or kept."""
        return workload_id in self.claimed or workload_id in self._reserving.made

    def stops(self, workload_id: str) -> bool:
        """Some of it stops, or was asked to: then no replica joins it."""
        view = self._ground.view
        return workload_id in self._claims.stopping or any(
            each in view.ending for each in view.held.get(workload_id, ())
        )

    def preemptions(self) -> tuple[Preemption, ...]:
        return tuple(self._claims.preemptions)

    def reservations(self) -> tuple[Reservation, ...]:
        return tuple(self._reserving.made.values())

    def before_caps(
        self, family: RequestClass, demand: Demand, minimum: int, want: int
    ) -> list[Grant]:
        """Places that also use room which is kept for others, but only from a time on by which
        this demand has ended for sure, or for its own project."""
        ground = self._ground
        if not ground.kept.may_pass(demand):
            return []
        question = (id(family), demand.topology, minimum, demand.limit_ms, demand.project)
        if question in self._barred:
            return []
        ends_ms = ground.ends_ms(demand)
        rooms: dict[int, Free] = {}
        for at in ground.kept.passable(ends_ms, demand.project):
            free = ground.kept.usable(at, ends_ms, demand.project)
            if family.pool.allowed[at] and free != ground.floor.free[at]:
                rooms[at] = free
        beside = ground.beside(demand)
        if not beside:
            self._barred[question] = None
        if not rooms:
            return []
        capacities = family.capacities()
        for at, free in rooms.items():
            capacities[at] = replicas_on(family, at, free)
        counts = replicas_by_node(family, demand.topology, capacities, minimum, want, beside)
        if counts:
            self._barred.pop(question, None)
        grants = []
        for at, count in counts:
            for _ in range(count):
                free = ground.kept.usable(at, ends_ms, demand.project)
                grant = family.grant_from(at, free)
                ground.kept.take(family, grant, ends_ms, demand.project)
                grants.append(grant)
        return grants

    def seats_before_caps(self, demand: Demand, beside: Sequence[int]) -> list[Seat]:
        """The same for a gang of unlike groups."""
        return self._mixed.before_caps(demand, beside)

    def help(self, family: RequestClass, demand: Demand, beside: Sequence[int]) -> bool:
        """True when something is on its way for the demand."""
        if demand.parts:
            claimed = self._mixed.claim_ending(demand, beside) or (
                not beside and self._claim_for_groups(demand)
            )
        else:
            claimed = (
                self._claim_ending(family, demand, beside)
                or self._claim_others(family, demand, beside)
                or (not beside and self._claim_by_moves(family, demand))
            )
        if claimed:
            self.claimed[demand.workload_id] = None
            return True
        if beside:
            return False
        if demand.parts:
            return self._mixed.reserve(demand)
        return self._reserving.reserve(family, demand)

    def _claim_ending(self, family: RequestClass, demand: Demand, beside: Sequence[int]) -> bool:
        question = (demand.request, demand.topology, demand.minimum)
        nodes = self._claims.nodes()
        if not nodes or (not beside and self._unclaimable.get(question) == self._spare):
            return False
        capacities = family.capacities()
        for at in nodes:
            capacities[at] = replicas_on(family, at, self._claims.soon(at))
        counts = replicas_by_node(
            family, demand.topology, capacities, demand.minimum, demand.minimum, beside
        )
        self._claims.claim(family, demand, counts)
        if not counts and not beside:
            self._unclaimable[question] = self._spare
        return bool(counts)

    def _claim_others(self, family: RequestClass, demand: Demand, beside: Sequence[int]) -> bool:
        """Whether work that runs gives way."""
        amount = self._ground.amount_milli(demand, demand.minimum)
        if not self._has_right(demand, amount):
            return False
        reclaim, within = self._reclaimable(), demand.topology.within
        if beside and within is not None:
            places = self._ground.layout.places(within)
            inside = Inside(self._claims, places == places[beside[0]])
            way = Hunt(reclaim, demand, family, inside, amount).way(demand)
        else:
            way = reclaim.find(demand, family, self._claims, amount)
        if way is None or not way.units:
            return False
        self._stop(way.units, demand, way.why)
        self._claims.claim(family, demand, way.counts)
        freed = sum(milli for unit in way.units for _, milli in unit.gpu)
        if freed > amount or not amount:
            self._spare += 1
        return True

    def _claim_for_groups(self, demand: Demand) -> bool:
        """The same for a gang of unlike groups."""
        amount = self._ground.amount_milli(demand, demand.minimum)
        if not self._has_right(demand, amount):
            return False
        units = self._mixed.units(demand, self._reclaimable(), amount)
        if not units:
            return False
        self._stop(units, demand, why_groups(units))
        self._spare += 1
        return self._mixed.claim_ending(demand, ())

    def _claim_by_moves(self, family: RequestClass, demand: Demand) -> bool:
        """Whether work that runs starts again elsewhere, so that the demand fits."""
        ground = self._ground
        if ground.attained is not None or ground.snapshot.policy.preempt is Preempt.NEVER:
            return False
        amount = ground.amount_milli(demand, demand.minimum)
        moves = self._consolidation.find(family, demand, amount)
        if moves is None:
            return False
        self._claims.stop(
            self._reclaimable(),
            [(unit, _move(unit, demand, moves.spared_ms)) for unit in moves.units],
        )
        self._claims.claim(family, demand, moves.counts)
        self._spare += 1
        return True

    def make_limit_room(self, family: RequestClass, demand: Demand) -> bool:
        """Whether a limit leaves room once work has stopped that was asked to, or others of the
        same share give way who use it up, because this demand is inside its guarantee."""
        ground, claims = self._ground, self._claims
        amount = ground.amount_milli(demand, demand.minimum)
        has_right = self._has_right(demand, amount)
        if not (has_right or ground.view.ending) or ground.capped(demand, demand.minimum):
            return False
        # What stops counts until it has, and nobody has to give way for what it leaves anyhow.
        units: tuple[Unit, ...] = ()
        with ground.after_endings():
            opens = ground.opens(demand)
            if not opens and has_right:
                units = self._reclaimable().for_limit(demand, amount, lambda: ground.opens(demand))
        if not (opens or units):
            return False
        rooms = {at: claims.soon(at) for at in claims.nodes()}
        for unit in units:
            for at, hold in unit.holds:
                if claims.claimable(at):
                    rooms[at] = claims.without(rooms.get(at, claims.soon(at)), (hold,))
        capacities = family.capacities()
        for at, room in rooms.items():
            capacities[at] = replicas_on(family, at, room)
        counts = replicas_by_node(
            family, demand.topology, capacities, demand.minimum, demand.minimum
        )
        if not counts:
            return False
        self._stop(units, demand, why_limit(units))
        claims.claim(family, demand, counts)
        self._spare += 1
        self.claimed[demand.workload_id] = None
        return True

    def safe_until_ms(self) -> list[int]:
        """When running work may be asked to give way."""
        policy, now_ms = self._ground.snapshot.policy, self._ground.now_ms
        holds = self._ground.view.holds.values()
        return [
            until_ms
            for hold in holds
            if hold.preemptible and (until_ms := safe_until_ms(hold, policy, now_ms)) > now_ms
        ]

    def _reclaimable(self) -> Reclaim:
        ground = self._ground
        if self._reclaim is None:
            self._reclaim = Reclaim(
                ground.view, ground.fairness, ground.snapshot.policy, ground.now_ms, ground.attained
            )
        return self._reclaim

    def _stop(self, units: Sequence[Unit], demand: Demand, why: str) -> None:
        self._claims.stop(
            self._reclaimable(), [(unit, _preemption(unit, demand, why)) for unit in units]
        )

    def _has_right(self, demand: Demand, amount_milli: int) -> bool:
        """Whether anybody could have to give way to it."""
        view, policy = self._ground.view, self._ground.snapshot.policy
        if policy.preempt is Preempt.NEVER or not demand.preempts:
            return False
        if self._ground.attained is not None and view.preemptible:
            return True
        if policy.preempt is Preempt.PRIORITY and any(
            priority < demand.priority for priority in view.preemptible.get(demand.project, ())
        ):
            return True
        return bool(view.preemptible) and self._ground.fairness.within_guarantee(
            demand.project, demand.request.gpu_types, amount_milli
        )


def _preemption(unit: Unit, demand: Demand, why_these: str) -> Preemption:
    if unit.project != demand.project:
        why = "its project uses more than it is guaranteed, and the other less"
    elif unit.priority < demand.priority:
        why = f"priority {demand.priority} goes before priority {unit.priority}"
    else:
        why = "the other has had less so far"
    if unit.surplus:
        why += "; it goes on with fewer replicas"
    why += f"; {why_these}" if why_these else ""
    return Preemption(unit.workload_id, unit.ranks, demand.workload_id, why, unit.lost_milli_ms)


def _move(unit: Unit, demand: Demand, spared_ms: int) -> Preemption:
    why = (
        "it starts again on another node, because larger work fits then that would wait about "
        f"{max(1, round(spared_ms / 60_000))} min more; it goes on from what it has saved"
    )
    return Preemption(unit.workload_id, unit.ranks, demand.workload_id, why, unit.lost_milli_ms)
