"""Nodes that are kept for those who can only start later, at the time by which enough of what runs
there will have ended. `blocked` asks when nothing else helps."""

from __future__ import annotations

from collections.abc import Iterable

from podium.domain.resources import Request
from podium.scheduling.ground import Ground
from podium.scheduling.placing.classes import Grant, RequestClass, taken
from podium.scheduling.plan import Reservation
from podium.scheduling.snapshot import Demand
from podium.scheduling.space.floor import Free
from podium.scheduling.space.keeping import AT_ONCE, Cap, replicas_on
from podium.scheduling.space.masks import less
from podium.scheduling.waiting.reservations import Slot, drained_slot, earliest_slot


class Reserving:
    """The reservations of one cycle, by workload."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.made: dict[str, Reservation] = {}
        self._hopeless: dict[tuple[object, ...], None] = {}

    @property
    def is_open(self) -> bool:
        """Whether one more may be made; where what was had counts, others give way instead."""
        ground = self._ground
        return ground.attained is None and len(self.made) < ground.snapshot.policy.reservations_max

    def patient(self, demand: Demand) -> bool:
        """Whether it waited long enough for nodes to be kept at a time that is not sure."""
        ground = self._ground
        return demand.queued_at_ms + ground.snapshot.policy.patience_ms <= ground.now_ms

    def reserve(self, family: RequestClass, demand: Demand) -> bool:
        ground = self._ground
        question = (demand.request, demand.topology.within, demand.minimum)
        if not self.is_open or question in self._hopeless:
            return False
        patient = self.patient(demand)
        slot = earliest_slot(ground.view, ground.kept, family, demand, ground.now_ms)
        if slot is None and patient:
            slot = drained_slot(ground.drained, ground.kept, family, demand)
            if slot is None:
                self._hopeless[question] = None
        if slot is None or not (slot.sure or patient):
            return False
        self._keep_slot(family, demand, slot)
        return True

    def _keep_slot(self, family: RequestClass, demand: Demand, slot: Slot) -> None:
        grants: dict[int, list[tuple[Request, Grant]]] = {}
        for at, count in slot.counts:
            if slot.from_ms is None:
                chosen = self._idle_first(family, at, count, slot.free[at])
            else:
                chosen = _in_turn(family, at, count, slot.free[at])
            grants[at] = [(family.request, grant) for grant in chosen]
        self.keep(demand, slot.from_ms, grants, slot.free)

    def keep(
        self,
        demand: Demand,
        from_ms: int | None,
        grants: dict[int, list[tuple[Request, Grant]]],
        free: dict[int, Free],
    ) -> None:
        """Keeps these grants, by node, for the demand: from a time on at which so much is `free`;
        or at once, where nobody knows the time."""
        ground = self._ground
        for at, chosen in grants.items():
            if from_ms is None:
                cap = Cap(AT_ONCE, _left_now(ground.floor.free[at], chosen), demand.workload_id)
            else:
                left = free[at]
                for request, grant in chosen:
                    left = left.less(*taken(request, grant))
                cap = Cap(from_ms, left, demand.workload_id)
            ground.kept.keep(at, cap)
        kept_for = sorted(
            (ground.layout.nodes[at].name, len(found)) for at, found in grants.items()
        )
        self.made[demand.workload_id] = Reservation(
            demand.workload_id,
            tuple(name for name, _ in kept_for),
            from_ms,
            tuple(count for _, count in kept_for),
        )

    def _idle_first(self, family: RequestClass, at: int, count: int, drained: Free) -> list[Grant]:
        """Devices that are idle already are chosen first, so that the others stay in use."""
        now = self._ground.floor.free[at]
        grants: list[Grant] = []
        for room in (now.least(drained), drained):
            grants = _in_turn(family, at, count, room)
            if len(grants) == count:
                break
        return grants


def _in_turn(family: RequestClass, at: int, count: int, free: Free) -> list[Grant]:
    """What so many replicas get one after another, as far as they fit."""
    grants: list[Grant] = []
    while len(grants) < count and replicas_on(family, at, free):
        grants.append(family.grant_from(at, free))
        free = free.less(*taken(family.request, grants[-1]))
    return grants


def _left_now(now: Free, chosen: Iterable[tuple[Request, Grant]]) -> Free:
    """What others may take at once when nobody knows the time: nothing of what these need and is
    free already, or else it would be taken again and again."""
    devices = list(now.devices)
    cpu_milli, memory_bytes = now.cpu_milli, now.memory_bytes
    for request, grant in chosen:
        cpu_milli -= request.cpu_milli
        memory_bytes -= request.memory_bytes
        for column, milli, _ in grant.devices:
            devices[column] = max(0, less(devices[column], milli))
    return Free(max(0, cpu_milli), max(0, memory_bytes), tuple(devices))
