"""One cycle of the scheduler over one view; `decide` runs it and nobody else."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from podium.domain.quantity import format_milli
from podium.domain.reason import Evidence, Refusal, WaitReason
from podium.domain.resources import DeviceShare, Request
from podium.scheduling.blocked import Blocked
from podium.scheduling.classes import Grant, RequestClass, take
from podium.scheduling.fairness import Fairness
from podium.scheduling.floor import Floor
from podium.scheduling.gangs import find_places, in_order_of_topology
from podium.scheduling.keeping import Kept, booked
from podium.scheduling.plan import Placement, Plan, Refused, Turn
from podium.scheduling.queue import queue_key
from podium.scheduling.refusals import FRONT, Refusals
from podium.scheduling.service import Queue, Service, first_queues
from podium.scheduling.snapshot import Demand, Snapshot
from podium.scheduling.view import ENDLESS_KINDS, View, ask_of
from podium.scheduling.worths import Worths

TURNS_MAX = 50
"""So many of those whose turn it was, and who wait on, are told."""


class Cycle:
    """What one cycle has done so far."""

    def __init__(self, snapshot: Snapshot, view: View, now_ms: int) -> None:
        self.snapshot = snapshot
        self.view = view
        self.now_ms = now_ms
        self.layout = view.layout
        self.floor = view.floor.fork()
        self.kept = Kept(self.floor)
        self.fairness = fairness_of(snapshot, view)
        self.placements: list[Placement] = []
        self._worths = Worths(self.floor, snapshot.mix or mix_of(view))
        self._classes: dict[Request, RequestClass] = {}
        self._by_identity: dict[int, RequestClass] = {}  # costs no hash
        self._alive: list[Request] = []  # or another could come to have its identity
        self._service = Service(view.lines, self.fairness, snapshot.policy)
        self._placed: dict[str, list[Grant]] = {}  # of demands with replicas still to place
        self._growing: list[Demand] = []
        self._passed: list[Demand] = []  # served, but not with all that they asked for
        self._turns: list[Turn] = []
        self._told: dict[str, Refusal] = {}  # reasons that were found on the way
        self._limited = any(share.limits for share in snapshot.shares)
        self._endless: list[tuple[Request, Grant]] = []
        self._drained: Floor | None = None
        self.blocked = Blocked(self)
        for at, cap in booked(snapshot.bookings, self.floor, now_ms):
            self.kept.keep(at, cap)

    def plan(self) -> Plan:
        while (turn := self._service.next()) is not None:
            line, queue = turn
            demand = queue.head
            done = self._serve(queue, demand)
            waits = queue.closed or self.blocked.helps(demand.workload_id)
            if waits and len(self._turns) < TURNS_MAX:
                self._turns.append(Turn(demand.workload_id, self._inside(demand)))
            if done:
                line.step()
        for demand in self._growing:
            self._grow(demand)
        return Plan(
            placements=tuple(self.placements),
            refusals=self._refusals(),
            preemptions=self.blocked.preemptions(),
            reservations=self.blocked.reservations(),
            turns=tuple(self._turns),
            next_wake_ms=self._wake(),
        )

    def family(self, request: Request) -> RequestClass:
        found = self._by_identity.get(id(request))
        if found is None:
            found = self._classes.get(request)
            if found is None:
                found = self._classes[request] = RequestClass(self.floor, request, self._worths)
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
            grant.at for grant in self._placed.get(demand.workload_id, ())
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

    # -- one demand

    def _serve(self, queue: Queue, demand: Demand) -> bool:
        """True when the demand needs no more turns in this cycle. Closes the queue when it does,
        but none of those behind it can be placed either."""
        standing = self.standing(demand)
        if demand.elastic and standing:
            self._growing.append(demand)
            self._passed.append(demand)
            return True
        placed = self._placed.get(demand.workload_id, [])
        missing = len(demand.pending_ranks) - len(placed)
        minimum = 1 if placed else demand.minimum
        request = demand.request
        if self._limited:
            open_types = self._types_open(demand, minimum)
            if open_types == ():
                if not (standing or placed) and self.blocked.make_limit_room(
                    self.family(request), demand
                ):
                    self._passed.append(demand)
                    return True
                self._refuse_for_quota(queue, demand, minimum)
                return False
            if open_types is not None:
                request = replace(request, gpu_types=open_types)
        together = self._service.alone and not self._limited
        want = missing if together and not demand.elastic else minimum
        family = self.family(request)
        beside = [*standing, *(grant.at for grant in placed)]
        grants = self._find(family, demand, minimum, want, beside)
        if not grants:
            grants = self.blocked.before_caps(family, demand, minimum, want)
        if grants:
            self._record(demand, grants)
            if len(grants) == missing:
                return True
            if demand.elastic:
                self._growing.append(demand)
                self._passed.append(demand)
                return True
            return False
        bound = bool(beside) and demand.topology.within is not None
        if placed or self.blocked.help(family, demand, beside) or bound:
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
            self.kept.note(family, grant)
        if not grants and (topology.within is None or not beside):
            family.most[topology.within] = minimum - 1
        return grants

    def _grow(self, demand: Demand) -> None:
        """As many more replicas as there is room for."""
        beside = self.beside(demand)
        placed = len(self._placed.get(demand.workload_id, ()))
        family = self.family(demand.request)
        for _ in range(len(demand.pending_ranks) - placed):
            if self._limited and self._types_open(demand, 1) == ():
                self._told[demand.workload_id] = self._quota_refusal(demand, 1)
                break
            grants = self._find(family, demand, 1, 1, beside)
            if not grants:
                break
            self._record(demand, grants)
            beside = [*beside, grants[0].at]

    def _record(self, demand: Demand, grants: list[Grant]) -> None:
        if len(grants) > 1:
            grants = in_order_of_topology(self.layout, grants)
        placed = self._placed.setdefault(demand.workload_id, [])
        request = demand.request
        ranks = demand.pending_ranks[len(placed) :]
        for rank, grant in zip(ranks, grants, strict=False):
            node, devices = self.layout.nodes[grant.at], self.layout.devices[grant.at]
            self.placements.append(
                Placement(
                    demand.workload_id,
                    rank,
                    node.name,
                    request.cpu_milli,
                    request.memory_bytes,
                    tuple(
                        DeviceShare(devices[column].id, milli, size)
                        for column, milli, size in grant.devices
                    ),
                )
            )
            self.fairness.add(
                demand.project,
                self.gpu_of(grant),
                request.cpu_milli,
                request.memory_bytes,
            )
            if demand.kind in ENDLESS_KINDS and demand.limit_ms is None:
                self._endless.append((request, grant))
                if self._drained is not None:
                    take(self._drained, request, grant)
        placed += grants

    def gpu_of(self, grant: Grant) -> tuple[tuple[str, int], ...]:
        """GPU types and milli-GPU of a grant."""
        if not grant.devices:
            return ()
        devices = self.layout.devices[grant.at]
        first = devices[grant.devices[0][0]].type
        if all(devices[column].type == first for column, _, _ in grant.devices):
            return ((first, sum(milli for _, milli, _ in grant.devices)),)
        return tuple((devices[column].type, milli) for column, milli, _ in grant.devices)

    # -- limits

    def _inside(self, demand: Demand) -> bool:
        amount = self.amount_milli(demand, demand.minimum)
        return self.fairness.within_guarantee(demand.project, demand.request.gpu_types, amount)

    def amount_milli(self, demand: Demand, replicas: int) -> int:
        """The milli-GPU that so many replicas take, of the first kind of device that fits."""
        shape = self.family(demand.request).shape
        for grant in shape.grants:
            if grant is not None:
                return replicas * shape.count * grant[0]
        return 0

    def opens(self, demand: Demand) -> bool:
        """Whether the limits leave room for the minimum of the demand."""
        return self._types_open(demand, demand.minimum) != ()

    def _types_open(self, demand: Demand, replicas: int) -> tuple[str, ...] | None:
        return self.fairness.open_types(
            demand.project, demand.request.gpu_types, self.amount_milli(demand, replicas)
        )

    def _refuse_for_quota(self, queue: Queue, demand: Demand, replicas: int) -> None:
        """Closes the queue: those behind the demand ask for the same."""
        queue.closed = True
        refusal = self._quota_refusal(demand, replicas)
        for each in queue.waiting:
            self._told[each.workload_id] = refusal

    def _quota_refusal(self, demand: Demand, replicas: int) -> Refusal:
        limit = self.fairness.over_limit(
            demand.project, demand.request.gpu_types, self.amount_milli(demand, replicas)
        )
        words = "its project uses all that it may"  # when each type is closed by another limit
        evidence: tuple[Evidence, ...] = ()
        if limit is not None:
            most, used = format_milli(limit.limit_milli), format_milli(limit.used_milli)
            kind = f"{limit.gpu_type} GPUs" if limit.gpu_type else "GPUs"
            words = f"{limit.share} may use {most} {kind} and uses {used}"
            evidence = (
                Evidence("limit", most, limit.share),
                Evidence("used", used, limit.share),
            )
        return Refusal(
            WaitReason.QUOTA,
            f"It would go over a limit: {words}.",
            "It starts when other work of the same share ends; an administrator can raise the "
            "limit.",
            evidence,
        )

    # -- the end of the cycle

    def _refusals(self) -> tuple[Refused, ...]:
        """Judged on the state that the whole cycle leaves, so that equal demands hear the same."""
        waiting = [queue for line in self._service.lines() for queue in line.queues]
        front = self._front(waiting)
        judge = Refusals(
            self.snapshot,
            self.view,
            self._held_after(),
            self.placements,
            self._keeper(),
            lambda request: self.family(request).shape,
        )
        found: list[tuple[tuple[int, int, str], Refused]] = [
            (queue_key(demand), Refused((demand.workload_id,), demand.blocked))
            for demand in self.view.blocked.values()
            if demand.blocked is not None
        ]
        for demand in front.values():
            refusal = self._refusal(judge, demand, front=True)
            found.append((queue_key(demand), Refused((demand.workload_id,), refusal)))
        for demand in self._passed:
            if demand.workload_id not in front and not self._complete(demand):
                refusal = self._refusal(judge, demand, front=False)
                found.append((queue_key(demand), Refused((demand.workload_id,), refusal)))
        apart = self._apart(waiting)
        for queue in waiting:
            at = queue.at
            while at < len(queue.ids) and queue.ids[at] in front:  # they come first in each queue
                at += 1
            ids = queue.ids[at:]
            alone = apart.get(queue)
            if alone:
                ids = tuple([each for each in ids if each not in alone])
                for workload_id, demand in alone.items():
                    if workload_id not in front:
                        refusal = self._refusal(judge, demand, front=False)
                        found.append((queue_key(demand), Refused((workload_id,), refusal)))
            if ids:
                demand = self.view.demands[ids[0]]
                refusal = self._refusal(judge, demand, front=False)
                found.append((queue_key(demand), Refused(ids, refusal)))
        found.sort(key=lambda entry: entry[0])
        return tuple(refused for _, refused in found)

    def _front(self, waiting: Sequence[Queue]) -> dict[str, Demand]:
        """The first that are refused, in plain order of the queue."""
        queues = [iter(queue.waiting[:FRONT]) for queue in first_queues(waiting, FRONT)]
        passed = [each for each in self._passed if not self._complete(each)]
        heads = heapq.merge(*queues, sorted(passed, key=queue_key), key=queue_key)
        return {demand.workload_id: demand for demand in islice(heads, FRONT)}

    def _complete(self, demand: Demand) -> bool:
        return len(self._placed.get(demand.workload_id, ())) == len(demand.pending_ranks)

    def _apart(self, waiting: Sequence[Queue]) -> dict[Queue, dict[str, Demand]]:
        """Those who wait, but have to hear something else than others who ask for the same,
        because part of them stands somewhere."""
        found: dict[Queue, dict[str, Demand]] = {}
        names = [*self.view.standing, *(name for name in self._placed)]
        asked = {(queue.project, queue.ask): queue for queue in waiting} if names else {}
        for name in names:
            demand = self.view.demands[name]
            queue = asked.get((demand.project, ask_of(demand)))
            if queue is not None and demand.blocked is None and queue.holds(demand):
                found.setdefault(queue, {})[name] = demand
        return found

    def _refusal(self, judge: Refusals, demand: Demand, *, front: bool) -> Refusal:
        told = self._told.get(demand.workload_id)
        if told is not None:
            return told
        if demand.workload_id in self.blocked.claimed:
            return Refusal(
                WaitReason.PRIORITY,
                "Room is being made for it: work that gives way to it, or ends, is stopping.",
                "It starts by itself when that has stopped.",
            )
        placed = len(self._placed.get(demand.workload_id, ()))
        return judge.of(demand, placed, self.beside(demand), front=front)

    def _held_after(self) -> Floor:
        """What nobody holds now, whatever is kept."""
        floor = self.floor.fork()
        for at in self.kept.nodes:
            floor.set(at, self.kept.free(at))
        return floor

    def _keeper(self) -> Evidence | None:
        """The first for whom room is kept."""
        for at in self.kept.nodes:
            for cap in self.kept.caps(at):
                demand = self.view.demands.get(cap.keeper)
                if demand is not None:
                    return Evidence("holder", demand.workload_id, demand.project)
                return Evidence("booking", cap.keeper, cap.project or "")
        return None

    def _wake(self) -> int | None:
        """When a booking begins or ends, or patience with a blocked head runs out."""
        times = [
            moment
            for booking in self.snapshot.bookings
            for moment in (booking.from_ms, booking.until_ms)
            if moment > self.now_ms
        ]
        return min(times, default=None)


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
