"""What is done for a demand that does not fit when it is its turn: it may run before what is kept
for others, room that becomes free is held for it, others give way, or nodes are kept for later."""

from __future__ import annotations

from collections.abc import Sequence

from podium.domain.policy import Preempt
from podium.scheduling.classes import Grant, RequestClass, taken
from podium.scheduling.floor import Free, freed
from podium.scheduling.gangs import replicas_by_node
from podium.scheduling.ground import Ground
from podium.scheduling.keeping import AT_ONCE, Cap, replicas_on
from podium.scheduling.plan import Preemption, Reservation
from podium.scheduling.reclaim import Reclaim
from podium.scheduling.reservations import Slot, drained_slot, earliest_slot
from podium.scheduling.snapshot import Demand, Hold
from podium.scheduling.units import Unit, safe_until_ms


class Blocked:
    """Beside one cycle: the room it kept, and who gives way."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._claims: dict[int, Cap] = {}
        self._ending: dict[int, list[Hold]] = {}
        for hold in ground.view.ending.values():
            at = ground.layout.position.get(hold.node)
            if at is not None:
                self._ending.setdefault(at, []).append(hold)
        self._reclaim: Reclaim | None = None
        self._preemptions: list[Preemption] = []
        self._stopping: dict[str, None] = {}
        self._reservations: list[Reservation] = []
        self.claimed: dict[str, None] = {}  # workloads for which room becomes free
        self.reserved: dict[str, Reservation] = {}
        self._hopeless: dict[tuple[object, ...], None] = {}
        # How often more was asked to stop than the claimants need, and for what there was too
        # little at which count: between two such times, soon there is only ever less.
        self._spare = 0
        # What found no room before the caps finds none later: there is only ever less.
        self._barred: dict[tuple[object, ...], None] = {}
        self._unclaimable: dict[tuple[object, ...], int] = {}

    def helps(self, workload_id: str) -> bool:
        """Room is on its way for it, or kept."""
        return workload_id in self.claimed or workload_id in self.reserved

    def stops(self, workload_id: str) -> bool:
        """Some of it stops, or was asked to: then no replica joins it."""
        view = self._ground.view
        return workload_id in self._stopping or any(
            each in view.ending for each in view.held.get(workload_id, ())
        )

    def preemptions(self) -> tuple[Preemption, ...]:
        return tuple(self._preemptions)

    def reservations(self) -> tuple[Reservation, ...]:
        return tuple(self._reservations)

    def soon(self, at: int) -> Free:
        """What nobody has a claim to on a claimable node once what was asked to stop has
        stopped."""
        claim = self._claims.get(at)
        if claim is not None:
            return claim.free
        return self._with(self._ground.floor.free[at], self._ending.get(at, ()))

    def claimable(self, at: int) -> bool:
        """Whether room that becomes free on a node may be claimed: nothing else is kept there."""
        return at in self._claims or not self._ground.kept.caps(at)

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

    def help(self, family: RequestClass, demand: Demand, beside: Sequence[int]) -> bool:
        """True when something is on its way for the demand."""
        if self._claim_ending(family, demand, beside) or self._claim_others(family, demand, beside):
            self.claimed[demand.workload_id] = None
            return True
        return not beside and self._reserve(family, demand)

    # -- room that becomes free

    def _claim_ending(self, family: RequestClass, demand: Demand, beside: Sequence[int]) -> bool:
        question = (demand.request, demand.topology, demand.minimum)
        nodes = [at for at in self._ending if self.claimable(at)]
        nodes += [at for at in self._claims if at not in self._ending]
        if not nodes or (not beside and self._unclaimable.get(question) == self._spare):
            return False
        capacities = family.capacities()
        for at in nodes:
            capacities[at] = replicas_on(family, at, self.soon(at))
        counts = replicas_by_node(
            family, demand.topology, capacities, demand.minimum, demand.minimum, beside
        )
        self._claim(family, demand, counts)
        if not counts and not beside:
            self._unclaimable[question] = self._spare
        return bool(counts)

    def _claim_others(self, family: RequestClass, demand: Demand, beside: Sequence[int]) -> bool:
        """Whether work that runs gives way."""
        ground = self._ground
        policy = ground.snapshot.policy
        if policy.preempt is Preempt.NEVER or not demand.preempts or beside:
            return False
        amount = ground.amount_milli(demand, demand.minimum)
        if not self._has_right(demand, amount):
            return False
        reclaim = self._reclaimable()
        way = reclaim.find(demand, family, self, amount)
        if way is None or not way.units:
            return False
        self._stop(reclaim, way.units, demand)
        self._claim(family, demand, way.counts)
        freed = sum(milli for unit in way.units for _, milli in unit.gpu)
        if freed > amount or not amount:
            self._spare += 1
        return True

    def make_limit_room(self, family: RequestClass, demand: Demand) -> bool:
        """Whether others of the same share give way, because they use up a limit that both are
        under, and this demand is inside its guarantee."""
        ground = self._ground
        policy = ground.snapshot.policy
        amount = ground.amount_milli(demand, demand.minimum)
        if policy.preempt is Preempt.NEVER or not demand.preempts:
            return False
        if not self._has_right(demand, amount):
            return False
        reclaim = self._reclaimable()
        units = reclaim.for_limit(demand, amount, lambda: ground.opens(demand))
        if not units:
            return False
        rooms = {at: self.soon(at) for at in self._ending if self.claimable(at)}
        for unit in units:
            for at, hold in unit.holds:
                if self.claimable(at):
                    rooms[at] = self._with(rooms.get(at, self.soon(at)), (hold,))
        capacities = family.capacities()
        for at, room in rooms.items():
            capacities[at] = replicas_on(family, at, room)
        counts = replicas_by_node(
            family, demand.topology, capacities, demand.minimum, demand.minimum
        )
        if not counts:
            return False
        self._stop(reclaim, units, demand)
        self._claim(family, demand, counts)
        self._spare += 1
        self.claimed[demand.workload_id] = None
        return True

    def _reclaimable(self) -> Reclaim:
        ground = self._ground
        if self._reclaim is None:
            self._reclaim = Reclaim(
                ground.view, ground.fairness, ground.snapshot.policy, ground.now_ms, ground.attained
            )
        return self._reclaim

    def safe_until_ms(self) -> list[int]:
        """When running work may be asked to give way."""
        policy, now_ms = self._ground.snapshot.policy, self._ground.now_ms
        holds = self._ground.view.holds.values()
        return [
            until_ms
            for hold in holds
            if hold.preemptible and (until_ms := safe_until_ms(hold, policy, now_ms)) > now_ms
        ]

    def _stop(self, reclaim: Reclaim, units: Sequence[Unit], demand: Demand) -> None:
        reclaim.stop(units)
        for unit in units:
            self._preemptions.append(_preemption(unit, demand))
            self._stopping[unit.workload_id] = None
            for at, hold in unit.holds:
                claim = self._claims.get(at)
                if claim is not None:
                    claim.free = self._with(claim.free, (hold,))
                self._ending.setdefault(at, []).append(hold)

    def _has_right(self, demand: Demand, amount_milli: int) -> bool:
        """Whether anybody could have to give way to it."""
        view, policy = self._ground.view, self._ground.snapshot.policy
        if self._ground.attained is not None and view.preemptible:
            return True
        if policy.preempt is Preempt.PRIORITY and any(
            priority < demand.priority for priority in view.preemptible.get(demand.project, ())
        ):
            return True
        return bool(view.preemptible) and self._ground.fairness.within_guarantee(
            demand.project, demand.request.gpu_types, amount_milli
        )

    def _claim(
        self, family: RequestClass, demand: Demand, counts: Sequence[tuple[int, int]]
    ) -> None:
        """Room that is there soon is as good as taken; what is free of it now stays free only as
        far as the demand does not need it."""
        ground = self._ground
        for at, count in counts:
            for _ in range(count):
                room = self.soon(at)
                grant = family.grant_from(at, room)
                request = family.request
                left = room.less(*taken(family.request, grant))
                claim = self._claims.get(at)
                if claim is None:
                    claim = self._claims[at] = Cap(AT_ONCE, left, demand.workload_id)
                    ground.kept.keep(at, claim)
                else:
                    claim.free = left
                    ground.kept.changed(at)
                ground.fairness.add(
                    demand.project,
                    ground.gpu_of(grant),
                    request.cpu_milli,
                    request.memory_bytes,
                )

    def _with(self, free: Free, holds: Sequence[Hold]) -> Free:
        for hold in holds:
            free = freed(self._ground.layout, free, hold)
        return free

    # -- room that is free later

    def _reserve(self, family: RequestClass, demand: Demand) -> bool:
        ground = self._ground
        policy = ground.snapshot.policy
        question = (demand.request, demand.topology.within, demand.minimum)
        if ground.attained is not None:  # others give way instead, in good time
            return False
        if len(self._reservations) >= policy.reservations_max or question in self._hopeless:
            return False
        patient = demand.queued_at_ms + policy.patience_ms <= ground.now_ms
        slot = earliest_slot(ground.view, ground.kept, family, demand, ground.now_ms)
        if slot is None and patient:
            slot = drained_slot(ground.drained, ground.kept, family, demand)
            if slot is None:
                self._hopeless[question] = None
        if slot is None or not (slot.sure or patient):
            return False
        self._keep(family, demand, slot)
        return True

    def _keep(self, family: RequestClass, demand: Demand, slot: Slot) -> None:
        ground = self._ground
        for at, count in slot.counts:
            cap = Cap(AT_ONCE, self._open_now(family, at, count, slot.free[at]), demand.workload_id)
            if slot.from_ms is not None:
                cap = Cap(
                    slot.from_ms,
                    self._open_then(family, at, count, slot.free[at]),
                    demand.workload_id,
                )
            ground.kept.keep(at, cap)
        kept_for = sorted((ground.layout.nodes[at].name, count) for at, count in slot.counts)
        reservation = Reservation(
            demand.workload_id,
            tuple(name for name, _ in kept_for),
            slot.from_ms,
            tuple(count for _, count in kept_for),
        )
        self._reservations.append(reservation)
        self.reserved[demand.workload_id] = reservation

    def _open_then(self, family: RequestClass, at: int, count: int, free: Free) -> Free:
        """What is left of so much free when so many replicas have come."""
        for _ in range(count):
            grant = family.grant_from(at, free)
            free = free.less(*taken(family.request, grant))
        return free

    def _open_now(self, family: RequestClass, at: int, count: int, drained: Free) -> Free:
        """What others may take at once when nobody knows the time: nothing of what the replicas
        need and is free already, or else it would be taken again and again."""
        now = self._ground.floor.free[at]
        # Devices that are idle already are chosen first, so that the others stay in use.
        grants: list[Grant] = []
        for idle_first in (now.least(drained), drained):
            grants = []
            room = idle_first
            while len(grants) < count and replicas_on(family, at, room):
                grants.append(family.grant_from(at, room))
                room = room.less(*taken(family.request, grants[-1]))
            if len(grants) == count:
                break
        request = family.request
        left = list(now.devices)
        for grant in grants:
            for column, milli, _ in grant.devices:
                left[column] = max(0, left[column] - milli)
        return Free(
            max(0, now.cpu_milli - count * request.cpu_milli),
            max(0, now.memory_bytes - count * request.memory_bytes),
            tuple(left),
        )


def _preemption(unit: Unit, demand: Demand) -> Preemption:
    if unit.project != demand.project:
        why = "its project uses more than it is guaranteed, and the other less"
    else:
        why = f"priority {demand.priority} goes before priority {unit.priority}"
    if unit.surplus:
        why += "; it goes on with fewer replicas"
    return Preemption(unit.workload_id, unit.ranks, demand.workload_id, why, unit.lost_milli_ms)
