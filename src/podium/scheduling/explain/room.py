"""Whether a changed demand could start at all: what is asked before a try, which costs a cycle."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from podium.domain.resources import Request, TopologyLevel
from podium.scheduling.placing.cuts import need_of
from podium.scheduling.placing.fit import Shape
from podium.scheduling.placing.gangs import most_together
from podium.scheduling.plan import Placement, Plan
from podium.scheduling.reasons.tally import Tallies
from podium.scheduling.snapshot import Booking, Demand, Snapshot
from podium.scheduling.space.floor import Floor, Free
from podium.scheduling.space.layout import Layout, where_of
from podium.scheduling.view import View


def floor_after(floor: Floor, placements: Iterable[Placement]) -> Floor:
    """What nobody holds once these have started."""
    after = floor.fork()
    layout = floor.layout
    for one in placements:
        after.take(
            layout.position[one.node],
            one.cpu_milli,
            one.memory_bytes,
            layout.columns(one.node, one.devices),
        )
    return after


def floor_open(
    floor: Floor,
    view: View,
    plan: Plan,
    bookings: Sequence[Booking],
    demand: Demand,
    now_ms: int,
) -> Floor:
    """What is left of a floor for this demand when what others have kept there is taken off, about
    as `keeping` does: not where it ends for sure before they come."""
    layout = floor.layout
    ends_ms = None if demand.limit_ms is None else now_ms + demand.limit_ms
    left = floor.fork()
    shapes: dict[Request, Shape] = {}
    for each in plan.reservations:
        keeper = view.demands.get(each.workload_id)
        if keeper is None or keeper.workload_id == demand.workload_id:
            continue
        if each.from_ms is not None and ends_ms is not None and ends_ms <= each.from_ms:
            continue
        if keeper.priority < demand.priority:
            continue
        request = keeper.request
        shape = shapes.setdefault(request, Shape(request, layout.kinds))
        for name, count in zip(each.nodes, each.replicas, strict=False):
            at = layout.position.get(name)
            if at is not None:
                _keep(left, at, shape, count)
    for booking in bookings:
        over = booking.until_ms <= now_ms or booking.project == demand.project
        if over or (ends_ms is not None and ends_ms <= booking.from_ms):
            continue
        for name in booking.nodes:
            at = layout.position.get(name)
            if at is not None:
                left.set(at, Free(0, 0, (0,) * len(left.free[at].devices)))
    return left


def _keep(floor: Floor, at: int, shape: Shape, count: int) -> None:
    """As many idle devices as the replicas take, and their CPU and memory."""
    free = floor.free[at]
    devices = list(free.devices)
    missing = count * shape.count
    for column, kind in enumerate(floor.layout.shelves[floor.layout.shelf[at]]):
        grant = shape.grants[kind]
        if missing and grant is not None and devices[column]:
            devices[column] = 0 if not shape.shared else max(0, devices[column] - grant[0])
            missing -= 1
    cpu_milli = max(0, free.cpu_milli - count * shape.request.cpu_milli)
    memory_bytes = max(0, free.memory_bytes - count * shape.request.memory_bytes)
    floor.set(at, Free(cpu_milli, memory_bytes, tuple(devices)))


class Room:
    """`could` asks about what nothing can exceed: the floor as the cycle begins, whatever is kept
    there. `likely` asks about what is left when all others have started who do, and, unless the
    change lets it pass them, what is kept for others is taken off."""

    def __init__(
        self,
        snapshot: Snapshot,
        view: View,
        plan: Plan,
        demand: Demand,
        now_ms: int,
        beside: Sequence[int] = (),
    ) -> None:
        """`beside` are nodes on which the demand stands."""
        placements = [each for each in plan.placements if each.workload_id != demand.workload_id]
        self.layout: Layout = view.layout
        self._beside = beside
        self._most = Tallies(view.floor)
        after = floor_after(view.floor, placements)
        self._after = Tallies(after)
        self._open: dict[tuple[int | None, int], Tallies] = {}
        self._given = (after, view, plan, snapshot.bookings, now_ms)
        self._shapes: dict[Request, Shape] = {}
        self._together: dict[tuple[Request, TopologyLevel | None, int], int] = {}
        # Others start with at least this much, wherever; of shares by memory and of instances
        # nobody knows how much they take elsewhere.
        self._free_milli = 0
        if self.layout.nodes:
            self._free_milli = int(view.floor.gpu_milli()[view.floor.ready].sum())
        for one in placements:
            other = view.demands.get(one.workload_id)
            if other is not None and not _varies(other):
                self._free_milli -= sum(share.gpu_milli for share in one.devices)

    def shape(self, request: Request) -> Shape:
        found = self._shapes.get(request)
        if found is None:
            found = self._shapes[request] = Shape(request, self.layout.kinds)
        return found

    def could(self, demand: Demand) -> bool:
        """False only where it is certain that it does not start now."""
        shape = self.shape(demand.request)
        grants = [grant[0] for grant in shape.grants if grant is not None]
        if shape.count and grants and shape.need is None and not demand.parts:
            wanted = min(grants) * shape.count * demand.minimum
            if wanted > self._free_milli:
                return False
        return self._fits(demand, self._most)

    def likely(self, demand: Demand, *, passes: bool) -> bool:
        """It fits beside all who start now. `passes`: also on what is kept for others."""
        if passes:
            return self._fits(demand, self._after)
        key = demand.limit_ms, demand.priority
        if key not in self._open:
            after, view, plan, bookings, now_ms = self._given
            self._open[key] = Tallies(floor_open(after, view, plan, bookings, demand, now_ms))
        return self._fits(demand, self._open[key])

    def _fits(self, demand: Demand, tallies: Tallies) -> bool:
        within = demand.topology.within
        groups = [(part.request, len(part.ranks)) for part in demand.parts]
        return all(
            self._replicas(request, within, tallies) >= count
            for request, count in groups or [(demand.request, demand.minimum)]
        )

    def _replicas(self, request: Request, within: TopologyLevel | None, tallies: Tallies) -> int:
        """How many replicas fit: in all, or into the one best place of `within`."""
        question = (request, within, id(tallies))
        found = self._together.get(question)
        if found is None:
            fits = tallies.fits(self.shape(request), where_of(request))
            found = most_together(self.layout, fits, within, self._beside)
            self._together[question] = found
        return found


def _varies(demand: Demand) -> bool:
    requests = [part.request for part in demand.parts] or [demand.request]
    return any(request.gpu_share_bytes or need_of(request) is not None for request in requests)
