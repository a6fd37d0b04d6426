"""What the parts of one cycle share: the floor with what is taken so far, and who has what.

`cycle` makes one, and places through it; `blocked` and `answers` read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property

from podium.domain.mig import BOARDS
from podium.domain.node import Device
from podium.domain.resources import DeviceShare, Request
from podium.scheduling.order.attained import attained_of
from podium.scheduling.order.ceilings import Capped, Ceilings, Reached
from podium.scheduling.order.fairness import Fairness
from podium.scheduling.order.limits import Limits
from podium.scheduling.placing.classes import Grant, RequestClass, take
from podium.scheduling.placing.gangs import in_order_of_topology
from podium.scheduling.placing.seats import Seat
from podium.scheduling.placing.worths import Worths
from podium.scheduling.plan import Placement
from podium.scheduling.snapshot import Demand, Snapshot
from podium.scheduling.space.floor import Floor
from podium.scheduling.space.keeping import Kept, booked
from podium.scheduling.space.masks import instance_milli
from podium.scheduling.view import ENDLESS_KINDS, NOTHING, Used, View, used_after


class Ground:
    """`placed` are the grants of each demand that got any in this cycle."""

    def __init__(self, snapshot: Snapshot, view: View, now_ms: int) -> None:
        self.snapshot = snapshot
        self.view = view
        self.now_ms = now_ms
        self.layout = view.layout
        self.floor = view.floor.fork()
        self.kept = Kept(self.floor)
        for at, cap in booked(snapshot.bookings, self.floor, now_ms):
            self.kept.keep(at, cap)
        self.fairness = fairness_of(snapshot, view)
        self.attained = attained_of(snapshot, view, now_ms)
        self.ceilings: Ceilings | None = None
        if Ceilings.among(snapshot.shares):
            self.ceilings = Ceilings(snapshot.shares, snapshot.holds, self.fairness, self.layout)
        self.limited = self.ceilings is not None or any(each.limits for each in snapshot.shares)
        self._limits = Limits(self.fairness, self.ceilings, self.layout, view.milli_of)
        self.placements: list[Placement] = []
        self.placed: dict[str, list[Grant]] = {}
        self.worths = Worths(self.floor, snapshot.mix or mix_of(view))
        self._classes: dict[Request, RequestClass] = {}
        self._by_identity: dict[int, RequestClass] = {}  # costs no hash
        self._alive: list[Request] = []  # or another could come to have its identity
        self._endless: list[tuple[Request, Grant]] = []
        self._drained: Floor | None = None

    def family(self, request: Request) -> RequestClass:
        """The class of a request on this floor."""
        found = self._by_identity.get(id(request))
        if found is None:
            found = self._classes.get(request)
            if found is None:
                found = self._classes[request] = RequestClass(self.floor, request, self.worths)
            self._by_identity[id(request)] = found
            self._alive.append(request)
        return found

    def standing(self, demand: Demand) -> list[int]:
        """The nodes on which the workload stands from before, those that still exist."""
        ids = self.view.held.get(demand.workload_id)
        if not ids:
            return []
        position = self.layout.position
        holds = (self.view.holds[each] for each in ids)
        return [position[hold.node] for hold in holds if hold.node in position]

    def beside(self, demand: Demand) -> list[int]:
        """The same, and the nodes of its replicas that were placed in this cycle."""
        return self.standing(demand) + [
            grant.at for grant in self.placed.get(demand.workload_id, ())
        ]

    @property
    def drained(self) -> Floor:
        """The floor once all has ended that ends by itself, also of what was placed now."""
        if self._drained is None:
            self._drained = self.view.drained.fork()
            for request, grant in self._endless:
                take(self._drained, request, grant)
        return self._drained

    def ends_ms(self, demand: Demand) -> int | None:
        """When it will have ended for sure if it starts now."""
        return None if demand.limit_ms is None else self.now_ms + demand.limit_ms

    def record(self, demand: Demand, grants: list[Grant]) -> None:
        """These were taken for the next ranks of the demand."""
        if len(grants) > 1:
            grants = in_order_of_topology(self.layout, grants)
        placed = self.placed.setdefault(demand.workload_id, [])
        ranks = demand.pending_ranks[len(placed) :]
        for rank, grant in zip(ranks, grants, strict=False):
            self._record(demand, rank, demand.request, grant)
        placed += grants

    def seat(self, demand: Demand, seats: Sequence[Seat]) -> None:
        """These were taken for ranks of the demand."""
        for seat in seats:
            self._record(demand, seat.rank, seat.request, seat.grant)
        self.placed.setdefault(demand.workload_id, []).extend(seat.grant for seat in seats)

    def _record(self, demand: Demand, rank: int, request: Request, grant: Grant) -> None:
        node, devices = self.layout.nodes[grant.at], self.layout.devices[grant.at]
        shares = shares_of(devices, grant)
        self.placements.append(
            Placement(
                demand.workload_id,
                rank,
                node.name,
                request.cpu_milli,
                request.memory_bytes,
                shares,
            )
        )
        if self.ceilings is not None:
            self.ceilings.add(demand, node.name, shares)
        self.fairness.add(
            demand.project, self.gpu_of(grant), request.cpu_milli, request.memory_bytes
        )
        if demand.kind in ENDLESS_KINDS and demand.limit_ms is None:
            self._endless.append((request, grant))
            if self._drained is not None:
                take(self._drained, request, grant)

    def gpu_of(self, grant: Grant) -> tuple[tuple[str, int], ...]:
        """GPU types and milli-GPU of a grant."""
        if not grant.devices:
            return ()
        devices = self.layout.devices[grant.at]
        if grant.instances:
            shares = shares_of(devices, grant)
            return tuple(
                (devices[column].type, share.gpu_milli)
                for (column, _, _), share in zip(grant.devices, shares, strict=True)
            )
        first = devices[grant.devices[0][0]].type
        if all(devices[column].type == first for column, _, _ in grant.devices):
            return ((first, sum(milli for _, milli, _ in grant.devices)),)
        return tuple((devices[column].type, milli) for column, milli, _ in grant.devices)

    def amount_milli(self, demand: Demand, replicas: int) -> int:
        """The milli-GPU that so many replicas take, of the first kind of device that fits; of a
        gang of unlike groups always all."""
        if demand.parts:
            milli_of = self.view.milli_of
            return sum(milli_of(part.request) * len(part.ranks) for part in demand.parts)
        return self.view.milli_of(demand.request) * replicas

    def under_limits(self, demand: Demand) -> Demand | None:
        """The demand with only the GPU types that limits leave to all of it; None when they leave
        too little."""
        if not self.limited:
            return demand
        return self._limits.under(demand)

    def admits(self, demand: Demand, seats: Sequence[Seat]) -> bool:
        """Whether limits leave room for all that these take."""
        project, ceilings = demand.project, self.ceilings
        counted = []
        mine: dict[str, int] = {}
        fits = True
        for seat in seats:
            for gpu_type, milli in self.gpu_of(seat.grant):
                fits = fits and self.fairness.open_types(project, (gpu_type,), milli) != ()
                mine[gpu_type] = mine.get(gpu_type, 0) + milli
                mine[""] = mine.get("", 0) + milli
            counted.append(self.gpu_of(seat.grant))
            self.fairness.add(project, counted[-1], 0, 0)
        for gpu in counted:
            self.fairness.remove(project, gpu, 0, 0)
        if ceilings is None or not fits:
            return fits
        return not any(ceilings.capped(project, demand.owner, *each) for each in mine.items())

    def reached(self, demand: Demand, replicas: int) -> Reached | None:
        """As `Limits` has it."""
        return self._limits.reached(demand, replicas)

    def capped(self, demand: Demand, replicas: int) -> Capped | None:
        """As `Limits` has it."""
        return self._limits.capped(demand, replicas)

    @contextmanager
    def after_endings(self) -> Iterator[None]:
        """Inside, what was asked to stop before this cycle counts for no project."""
        for project, used in self._ending_use.items():
            self.fairness.remove(project, *used)
        try:
            yield
        finally:
            for project, used in self._ending_use.items():
                self.fairness.add(project, *used)

    @cached_property
    def _ending_use(self) -> dict[str, Used]:
        found: dict[str, Used] = {}
        for hold in self.view.ending.values():
            before = found.get(hold.project, NOTHING)
            found[hold.project] = used_after(self.layout, before, ((hold, 1),))
        return found

    def opens(self, demand: Demand) -> bool:
        """Whether the limits leave room for the minimum of the demand."""
        return self.types_open(demand, demand.minimum) != ()

    def types_open(self, demand: Demand, replicas: int) -> tuple[str, ...] | None:
        """As `Limits` has it."""
        return self._limits.types_open(demand, replicas)


def shares_of(devices: Sequence[Device], grant: Grant) -> tuple[DeviceShare, ...]:
    """What a grant gives of the devices of its node."""
    if not grant.instances:
        return tuple(
            DeviceShare(devices[column].id, milli, size) for column, milli, size in grant.devices
        )
    found = []
    for (column, amount, size), (name, start) in zip(grant.devices, grant.instances, strict=True):
        device = devices[column]
        board = BOARDS.get(device.board)
        profile = None if board is None else board.profile(name)
        milli = amount
        if board is not None and profile is not None:
            milli = instance_milli(board, profile)
        found.append(DeviceShare(device.id, milli, size, name, start))
    return tuple(found)


def fairness_of(snapshot: Snapshot, view: View) -> Fairness:
    """What everyone holds now, over the tree of the snapshot."""
    layout = view.layout
    fairness = Fairness(
        snapshot.shares,
        layout.inventory,
        layout.cpu_milli,
        layout.memory_bytes,
        snapshot.policy.half_life_ms,
    )
    for project, used in view.usage.items():
        fairness.add(project, *used)
    return fairness


def mix_of(view: View) -> list[tuple[Request, int]]:
    """How often each request is asked for by what waits now."""
    counts: dict[Request, int] = {}
    for line in view.lines.values():
        for ask, waiting in line.items():
            counts[ask.request] = counts.get(ask.request, 0) + len(waiting.ids) * ask.replicas
    return sorted(counts.items(), key=lambda entry: (-entry[1], repr(entry[0])))
