"""One possible future of a cluster, played through in large steps: who of those who wait starts
when, if work ends as drawn and nobody else comes. `eta` plays several.

Coarser than `decide`: the order of service stays as it is now, replicas go to the fullest node that
takes them, and nobody is stopped for others. Limits hold as they do there.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import islice

from podium.domain.policy import Order
from podium.domain.resources import TopologyLevel
from podium.scheduling.forecast.chances import chance, runtime_ms
from podium.scheduling.forecast.scene import Family, Piece, Scene, Used, grant_of, of_limit
from podium.scheduling.forecast.turns import Entry
from podium.scheduling.ground import fairness_of, shares_of
from podium.scheduling.order.ceilings import Taken
from podium.scheduling.order.limits import Limits, narrowed
from podium.scheduling.placing.classes import taken
from podium.scheduling.snapshot import Demand, Expected
from podium.scheduling.space.floor import Free
from podium.scheduling.view import ENDLESS_KINDS

STOPPING_MS = 15_000
"""What was asked to stop has stopped by then."""

_NEVER_MS = 10**16
_LOOKED_AT = 128
_ENDS_MAX = 20_000
_STEPS_A_PIECE = 6


_Key = tuple[int, int, TopologyLevel | None, tuple[object, ...]]
"""What entries of one queue have in common: family, `least`, place, and whose limits hold."""


@dataclass(slots=True)
class _Kept:
    """Nodes that wait for one entry, each for so many of its replicas."""

    entry: Entry
    nodes: dict[int, int]
    from_ms: int


class Ahead:
    """One future, by its number."""

    def __init__(self, scene: Scene, future: int, longer: float) -> None:
        self._scene = scene
        self._future = future
        self._longer = longer
        self._floor = scene.view.floor.fork()
        self._layout = scene.view.layout
        self._families = [family.fork() for family in scene.families]
        self._projects = list(scene.projects)
        self._narrower: dict[tuple[int, tuple[str, ...]], int] = {}
        self._limits: Limits | None = None
        if scene.limits is not None:
            self._limits = scene.limits.over(fairness_of(scene.snapshot, scene.view))
        self._held_back: dict[_Key, tuple[int, ...]] = {}  # by limits, as these stood then
        self._running: list[Piece] = []
        self._ends: list[tuple[int, int]] = []
        self._by_usual: list[tuple[int, int]] = []  # with what has ended since
        self._turns_of_bookings: list[tuple[int, int, bool]] = []
        self._closed: dict[int, dict[int, None]] = {}  # the bookings that hold on a node
        self._kept: dict[int, _Kept] = {}  # by entry
        self._kept_nodes: dict[int, _Kept] = {}
        self._queues: dict[_Key, list[Entry]] = {}
        self._now_ms = scene.now_ms
        self._started: dict[str, int] = {}
        self.steps = 0

    def play(self, steps_max: int) -> dict[str, int]:
        """When each workload starts first, as far as `steps_max` steps see."""
        scene = self._scene
        self.steps = _STEPS_A_PIECE * len(scene.pieces)
        for piece in scene.pieces:
            self._run(piece)
        heapify(self._ends)
        self._by_usual.sort()
        for number, booking in enumerate(scene.bookings):
            heappush(self._turns_of_bookings, (booking.from_ms, number, True))
            heappush(self._turns_of_bookings, (booking.until_ms, number, False))
        self._turn_bookings()
        for entry in reversed(scene.entries):
            self._queues.setdefault(self._queue_of(entry), []).append(entry)
        self._serve()
        while (self._queues or self._kept) and self.steps < steps_max:
            times = [events[0][0] for events in (self._ends, self._turns_of_bookings) if events]
            if not times:
                break
            self._now_ms = max(self._now_ms, min(times))
            self._turn_bookings()
            while self._ends and self._ends[0][0] <= self._now_ms:
                self._end(heappop(self._ends)[1])
            self._serve()
        return self._started

    def _turn_bookings(self) -> None:
        """Those that begin or end by now close their nodes to others, or open them again."""
        while self._turns_of_bookings and self._turns_of_bookings[0][0] <= self._now_ms:
            _, number, begins = heappop(self._turns_of_bookings)
            booking = self._scene.bookings[number]
            for name in booking.nodes:
                at = self._layout.position.get(name)
                if at is not None:
                    closed = self._closed.setdefault(at, {})
                    if begins:
                        closed[number] = None
                    else:
                        closed.pop(number, None)
                    self._changed(at)

    def _is_closed(self, at: int, family: int) -> bool:
        bookings, projects = self._scene.bookings, self._projects[family]
        return any(bookings[number].project not in projects for number in self._closed[at])

    def _queue_of(self, entry: Entry) -> _Key:
        demand = entry.demand
        whose: tuple[object, ...] = ()
        if self._limits is not None:
            ask = entry.ask
            whose = demand.project, ask.owner, ask.workspace, ask.parts
        family = self._scene.family_of[id(demand.request)]
        return family, entry.least, demand.topology.within, whose

    # -- what runs

    def _run(self, piece: Piece) -> None:
        number = len(self._running)
        self._running.append(piece)
        if piece.endless:
            return
        now_ms = self._now_ms
        if piece.ending:
            heappush(self._ends, (now_ms + STOPPING_MS, number))
            return
        began_ms = now_ms if piece.began_ms is None else piece.began_ms
        part = chance(piece.name, self._future)
        ran_ms = runtime_ms(piece.expected, max(0, now_ms - began_ms), part, self._longer)
        if piece.limit_ms is not None:
            ran_ms = min(ran_ms, piece.limit_ms)
        heappush(self._ends, (max(now_ms + 1, began_ms + ran_ms), number))
        insort(self._by_usual, (began_ms + (piece.limit_ms or piece.expected.most_ms), number))

    def _end(self, number: int) -> None:
        piece = self._running[number]
        self._running[number] = _GONE
        self._count(piece, -1)
        for at, cpu_milli, memory_bytes, columns in piece.parts:
            self._floor.take(
                at, -cpu_milli, -memory_bytes, [(column, -milli) for column, milli in columns]
            )
            self._changed(at)

    def _count(self, piece: Piece, sign: int) -> None:
        """Against limits."""
        if self._limits is None:
            return
        for used in piece.used:
            change = self._limits.fairness.add if sign > 0 else self._limits.fairness.remove
            change(piece.project, used.gpu, used.cpu_milli, used.memory_bytes)
            if self._limits.ceilings is not None:
                self._limits.ceilings.take(piece.project, used.taken, sign)

    def _changed(self, at: int) -> None:
        """What is free on a node is another amount now."""
        self.steps += 1
        self._fit(at, range(len(self._families)))

    def _fit(self, at: int, places: Iterable[int]) -> None:
        """How often families fit on a node, by their numbers."""
        layout, number = self._layout, self._left(at)
        booked = self._closed.get(at)
        for place in places:
            family = self._families[place]
            if family.allowed[at]:
                shut = number < 0 or (booked and self._is_closed(at, place))
                family.set(at, 0 if shut else family.fits(layout, number))

    def _left(self, at: int) -> int:
        """The state of a node for those for whom it is not kept; -1: it has nothing for them."""
        kept = self._kept_nodes.get(at)
        return int(self._floor.state[at]) if kept is None else self._beside(kept, at)

    def _beside(self, kept: _Kept, at: int) -> int:
        """The state of a kept node for others: what its keeper leaves, or nothing (-1) while
        even that is not there."""
        family = self._families[self._scene.family_of[id(kept.entry.demand.request)]]
        free = self._floor.free[at]
        for _ in range(kept.nodes[at]):
            if not family.fits(self._layout, self._layout.state(self._layout.shelf[at], *free)):
                return -1
            free = self._less(family, at, free)
        return self._layout.state(self._layout.shelf[at], *free)

    # -- who starts

    def _serve(self) -> None:
        first = min((queue[-1].at for queue in self._queues.values()), default=-1)
        for kept in sorted(self._kept.values(), key=lambda each: -each.entry.at):
            if first >= 0 and kept.entry.at > first:
                self._release(kept)
        for kept in list(self._kept.values()):
            self._start_kept(kept)
        heads = [(queue[-1].at, key) for key, queue in self._queues.items() if self._open(key)]
        heads.sort(reverse=True)
        while heads:
            _, key = heads.pop()
            queue = self._queues[key]
            entry = queue[-1]
            self.steps += 1
            granted = self._granted(entry, key[0])
            if granted is None:
                assert self._limits is not None
                self._held_back[key] = self._limits.versions(entry.demand.project)
                continue
            family, most = granted
            placed = self._place(entry, family, most)
            if placed < entry.most and not (placed and not entry.alone):
                if placed:
                    queue[-1] = _rest(entry, placed)
                if placed == most:  # a limit may leave more of another type
                    insort(heads, (entry.at, key), key=_last_first)
                    continue
                if not self._keep(queue[-1]):
                    continue
            queue.pop()
            if queue:
                insort(heads, (queue[-1].at, key), key=_last_first)
            else:
                del self._queues[key]

    def _open(self, key: _Key) -> bool:
        """Whether looking at a queue is worth it."""
        head = self._queues[key][-1]
        stood = self._held_back.get(key)
        if stood is not None:
            assert self._limits is not None
            if stood == self._limits.versions(head.demand.project):
                return False
            del self._held_back[key]
        family = self._families[key[0]]
        if family.total >= key[1]:
            return True
        policy = self._scene.snapshot.policy
        if head.demand.limit_ms is not None and self._kept_nodes:
            return True
        return policy.order is not Order.ATTAINED and len(self._kept) < policy.reservations_max

    def _place(self, entry: Entry, family: Family, most: int) -> int:
        """How many replicas start now."""
        demand = entry.demand
        if demand.topology.within is not None:
            counts = self._together(family, demand.topology.within, entry.least, most)
        elif family.total >= entry.least:
            counts = _spread_out(family.able, most)
        else:
            counts = []
        if not counts and demand.limit_ms is not None and self._kept_nodes:
            counts = self._before_others(family, entry, most)
        if counts:
            self._start(entry, family, counts)
        return sum(count for _, count in counts)

    def _granted(self, entry: Entry, place: int) -> tuple[Family, int] | None:
        """The family with only the GPU types that limits leave, and how many replicas they leave
        at most; None where that is less than start at once."""
        limits, demand = self._limits, entry.demand
        if limits is None:
            return self._families[place], entry.most
        if demand.parts:
            under = limits.under(demand)
            if under is None or limits.reached(demand, entry.least) or limits.gang_capped(demand):
                return None
            changed = under.request != demand.request
            types = under.request.gpu_types if changed else None
            return self._of_types(place, types), entry.most
        types = limits.types_open(demand, entry.least)
        if types == () or limits.reached(demand, entry.least):
            return None
        enough, too_many = entry.least, entry.most + 1
        middle = entry.most
        while enough < too_many - 1:
            if limits.types_open(demand, middle) == types and not limits.reached(demand, middle):
                enough = middle
            else:
                too_many = middle
            middle = (enough + too_many) // 2
        return self._of_types(place, types), enough

    def _of_types(self, place: int, types: tuple[str, ...] | None) -> Family:
        """The family of a request that has only these types left."""
        wide = self._families[place]
        if types is None:
            return wide
        found = self._narrower.get((place, types))
        if found is None:
            found = self._narrower[place, types] = len(self._families)
            request = narrowed(wide.request, types)
            self._families.append(wide.narrowed(request, self._layout))
            self._projects.append(self._projects[place])
            for at in wide.able:
                self._fit(at, (found,))
        return self._families[found]

    def _together(
        self, family: Family, level: TopologyLevel, least: int, most: int
    ) -> list[tuple[int, int]]:
        """In the fullest place that takes all of it."""
        places = self._layout.places(level)
        inside: dict[int, dict[int, int]] = {}
        for at, count in family.able.items():
            inside.setdefault(int(places[at]), {})[at] = count
        sums = [(sum(able.values()), place) for place, able in inside.items()]
        fits = [each for each in sums if each[0] >= least]
        self.steps += len(family.able) // 32
        return _spread_out(inside[min(fits)[1]], most) if fits else []

    def _before_others(self, family: Family, entry: Entry, most: int) -> list[tuple[int, int]]:
        """On nodes that are kept for a time by which it has ended for sure."""
        limit_ms = entry.demand.limit_ms
        assert limit_ms is not None
        able: dict[int, int] = {}
        for at, kept in self._kept_nodes.items():
            if self._now_ms + limit_ms <= kept.from_ms and family.allowed[at]:
                count = family.fits(self._layout, int(self._floor.state[at]))
                if count:
                    able[at] = count
        if sum(able.values()) + family.total < entry.least:
            return []
        return _spread_out({**family.able, **able}, most)

    def _start(self, entry: Entry, family: Family, counts: Sequence[tuple[int, int]]) -> None:
        layout, request, demand = self._layout, family.request, entry.demand
        ceilings = None if self._limits is None else self._limits.ceilings
        parts, types, slices = [], [], []
        for at, count in counts:
            devices = layout.devices[at]
            for _ in range(count):
                grant = grant_of(family, layout, at, self._floor.free[at])
                columns = tuple((column, milli) for column, milli, _ in grant.devices)
                self._floor.take(at, request.cpu_milli, request.memory_bytes, columns)
                parts.append((at, request.cpu_milli, request.memory_bytes, columns))
                shares = shares_of(devices, grant)
                kinds = [devices[column].type for column, _ in columns]
                types.append(list(zip(kinds, (one.gpu_milli for one in shares), strict=True)))
                if ceilings is not None:
                    taken = ceilings.taken(demand, layout.nodes[at].name, shares)
                    slices.append(taken.mig_slices)
            self._changed(at)
        self._started.setdefault(demand.workload_id, self._now_ms)
        groups = [range(len(parts))] if not entry.alone else [[at] for at in range(len(parts))]
        rest = self._rest_of_gang(demand)
        for group in groups:
            name = demand.workload_id if not entry.alone else f"{demand.workload_id} {self.steps}"
            used = Used(
                len(group) * request.cpu_milli,
                len(group) * request.memory_bytes,
                Taken(
                    demand.owner,
                    demand.workload_id if entry.ask.workspace else "",
                    tuple(each for at in group for each in types[at]),
                    sum(slices[at] for at in group) if slices else 0,
                    len(group),
                ),
            )
            piece = Piece(
                name,
                demand.project,
                tuple(parts[at] for at in group),
                (used, *rest),
                None,
                demand.expected or of_limit(demand.limit_ms) or self._scene.usual,
                demand.limit_ms,
                ending=False,
                endless=demand.kind in ENDLESS_KINDS and demand.limit_ms is None,
            )
            self._count(piece, 1)
            self._run(piece)

    def _rest_of_gang(self, demand: Demand) -> list[Used]:
        """What the other groups of a gang count, of which only the first is placed."""
        limits, found = self._limits, list[Used]()
        for part in demand.parts[1:] if limits is not None else ():
            assert limits is not None
            count = len(part.ranks)
            gpu = limits.amounts(part.request, count)[:1]
            slices = limits.slices(part.request) * count
            taken = Taken(demand.owner, "", gpu, slices, count)
            cpu_milli, memory_bytes = part.request.cpu_milli, part.request.memory_bytes
            found.append(Used(cpu_milli * count, memory_bytes * count, taken))
        return found

    # -- who is waited for

    def _keep(self, entry: Entry) -> bool:
        """Whether nodes wait for it from now on."""
        policy = self._scene.snapshot.policy
        demand = entry.demand
        if policy.order is Order.ATTAINED or len(self._kept) >= policy.reservations_max:
            return False
        if demand.queued_at_ms + policy.patience_ms > self._now_ms:
            return False
        if entry.alone or demand.topology.within is not None:
            return False
        found = self._slot(entry)
        if found is None:
            return False
        self._kept[entry.at] = found
        for at in found.nodes:
            self._kept_nodes[at] = found
            self._changed(at)
        return True

    def _release(self, kept: _Kept) -> None:
        """Somebody before it may take the nodes; it asks for others when it is its turn."""
        self._forget(kept)
        for at in kept.nodes:
            self._changed(at)
        key = self._queue_of(kept.entry)
        self._held_back.pop(key, None)
        insort(self._queues.setdefault(key, []), kept.entry, key=lambda each: -each.at)

    def _forget(self, kept: _Kept) -> None:
        del self._kept[kept.entry.at]
        for at in kept.nodes:
            del self._kept_nodes[at]

    def _slot(self, entry: Entry) -> _Kept | None:
        """The first nodes on which it fits as work ends that runs as long as it usually may."""
        layout = self._layout
        family = self._families[self._scene.family_of[id(entry.demand.request)]]
        able = {at: n for at, n in family.able.items() if at not in self._kept_nodes}
        total = sum(able.values())
        free: dict[int, Free] = {}
        if len(self._by_usual) > 2 * len(self._ends) + 64:
            self._by_usual = [e for e in self._by_usual if self._running[e[1]] is not _GONE]
        looked = 0
        for end_ms, number in self._by_usual:
            piece = self._running[number]
            if piece is _GONE:
                continue
            looked += 1
            if looked > _ENDS_MAX:
                break
            for at, cpu_milli, memory_bytes, columns in piece.parts:
                if at in self._kept_nodes or not family.allowed[at]:
                    continue
                left = free.get(at, self._floor.free[at]).less(
                    -cpu_milli, -memory_bytes, [(column, -milli) for column, milli in columns]
                )
                free[at] = left
                count = family.fits(layout, layout.state(layout.shelf[at], *left))
                total += count - able.get(at, 0)
                able[at] = count
            if total >= entry.least:
                self.steps += looked
                return _Kept(entry, dict(_spread_out(able, entry.least)), end_ms)
        self.steps += looked
        return None

    def _start_kept(self, kept: _Kept) -> None:
        entry = kept.entry
        place = self._scene.family_of[id(entry.demand.request)]
        granted = self._granted(entry, place)
        if granted is None:
            self._release(kept)
            return
        family, most = granted
        able: dict[int, int] = {}
        for at in kept.nodes:
            if at in self._closed and self._is_closed(at, place):
                continue
            count = family.fits(self._layout, int(self._floor.state[at]))
            if count:
                able[at] = count
        here = sum(able.values())
        if here < entry.least and here + family.total < entry.least:
            return
        counts = _spread_out(able, most)
        missing = entry.least - sum(count for _, count in counts)
        if missing > 0:
            others = {at: n for at, n in family.able.items() if at not in able}
            if sum(others.values()) < missing:
                return
            counts = [*counts, *_spread_out(others, missing)]
        self._forget(kept)
        self._start(entry, family, counts)
        for at in kept.nodes:
            self._changed(at)

    def _less(self, family: Family, at: int, free: Free) -> Free:
        grant = grant_of(family, self._layout, at, free)
        return free.less(*taken(family.request, grant))


_GONE = Piece("", "", (), (), None, Expected(0, 0), None, ending=True, endless=True)


def _spread_out(able: dict[int, int], most: int) -> list[tuple[int, int]]:
    """One goes to the fullest node that takes it, many to the emptiest ones."""
    if most == 1 and able:
        at = min(islice(able.items(), _LOOKED_AT), key=lambda each: (each[1], each[0]))[0]
        return [(at, 1)]
    found = []
    for at, count in sorted(able.items(), key=lambda each: (-each[1], each[0])):
        if most <= 0:
            break
        if count:
            found.append((at, min(count, most)))
            most -= count
    return found


def _rest(entry: Entry, placed: int) -> Entry:
    return Entry(
        entry.at, entry.demand, entry.ask, entry.least, entry.most - placed, alone=entry.alone
    )


def _last_first(head: tuple[int, object]) -> int:
    return -head[0]
