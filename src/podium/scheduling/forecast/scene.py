"""The stage for `ahead`: what runs, what ends as one, and how often each request fits where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from podium.domain.resources import Request
from podium.domain.workload import Kind
from podium.scheduling.forecast.turns import Entry
from podium.scheduling.ground import fairness_of
from podium.scheduling.order.ceilings import Ceilings, Taken
from podium.scheduling.order.limits import Limits
from podium.scheduling.placing.classes import Grant, grant_of_instances
from podium.scheduling.placing.cuts import instances_of, plain_chooser
from podium.scheduling.placing.fit import Shape, capacity, whole_devices
from podium.scheduling.snapshot import Expected, Hold, Snapshot
from podium.scheduling.space.floor import Floor, Free
from podium.scheduling.space.layout import Layout, where_of
from podium.scheduling.view import View, is_endless

_CAPACITY_MAX = 1 << 20


@dataclass(frozen=True, slots=True)
class Used:
    """What counts against limits: CPU and memory of all of it, and the rest as `Ceilings` does."""

    cpu_milli: int
    memory_bytes: int
    taken: Taken

    @property
    def gpu(self) -> tuple[tuple[str, int], ...]:
        return tuple(self.taken.gpu)


@dataclass(frozen=True, slots=True)
class Piece:
    """What ends as one: `parts` are node positions with CPU, memory and devices."""

    name: str
    project: str
    parts: tuple[tuple[int, int, int, tuple[tuple[int, int], ...]], ...]
    used: tuple[Used, ...]
    began_ms: int | None
    expected: Expected
    limit_ms: int | None
    ending: bool
    endless: bool


class Family:
    """Equal requests: how many replicas each node takes, on one floor."""

    def __init__(self, request: Request, floor: Floor) -> None:
        layout = floor.layout
        self.request = request
        self.shape = Shape(request, layout.kinds)
        self.allowed = floor.pool(where_of(request)).allowed.tolist()
        self.known: dict[int, int] = {}
        self.able: dict[int, int] = {}
        for at, number in enumerate(floor.state.tolist()):
            if self.allowed[at] and (count := self.fits(layout, number)):
                self.able[at] = count
        self.total = sum(self.able.values())

    def fits(self, layout: Layout, number: int) -> int:
        """How many replicas a node in the state of that number takes."""
        found = self.known.get(number)
        if found is None:
            state = layout.states.of[number]
            found = capacity(self.shape, state, layout.shelves[state.shelf])
            found = self.known[number] = min(found, _CAPACITY_MAX)
        return found

    def fork(self) -> Family:
        other = Family.__new__(Family)
        other.request, other.shape = self.request, self.shape
        other.allowed, other.known = self.allowed, self.known
        other.able, other.total = dict(self.able), self.total
        return other

    def narrowed(self, request: Request, layout: Layout) -> Family:
        """Of a request that only fits where this one does; on no node yet."""
        other = Family.__new__(Family)
        other.request, other.shape = request, Shape(request, layout.kinds)
        other.allowed, other.known = self.allowed, {}
        other.able, other.total = {}, 0
        return other

    def set(self, at: int, count: int) -> None:
        """Node `at` takes so many now."""
        before = self.able.get(at, 0)
        if count == before:
            return
        self.total += count - before
        if count:
            self.able[at] = count
        else:
            del self.able[at]


class Scene:
    """What all futures have in common."""

    def __init__(
        self, snapshot: Snapshot, view: View, entries: Sequence[Entry], usual: Expected, now_ms: int
    ) -> None:
        self.snapshot = snapshot
        self.view = view
        self.entries = entries
        self.usual = usual
        self.now_ms = now_ms
        self.limits: Limits | None = None
        self.counting: Ceilings | None = None
        limited = any(share.limits for share in snapshot.shares)
        if limited or Ceilings.among(snapshot.shares):
            fairness = fairness_of(snapshot, view)
            if Ceilings.among(snapshot.shares):
                self.counting = Ceilings(snapshot.shares, snapshot.holds, fairness, view.layout)
            self.limits = Limits(fairness, self.counting, view.layout, view.milli_of)
        self.pieces = pieces(view, usual, self.counting)
        self.families: list[Family] = []
        self.family_of: dict[int, int] = {}
        numbers: dict[Request, int] = {}
        for entry in entries:
            request = entry.demand.request
            if id(request) not in self.family_of:
                number = numbers.setdefault(request, len(numbers))
                if number == len(self.families):
                    self.families.append(Family(request, view.floor))
                self.family_of[id(request)] = number
        # For whose work each family stands: what is booked for them stays open to it.
        self.projects: list[dict[str, None]] = [{} for _ in self.families]
        for entry in entries:
            self.projects[self.family_of[id(entry.demand.request)]][entry.demand.project] = None
        self.bookings = [each for each in snapshot.bookings if each.until_ms > now_ms]


def pieces(view: View, usual: Expected, counting: Ceilings | None = None) -> list[Piece]:
    """What runs now: gangs end as a whole, tasks of arrays each by itself."""
    layout = view.layout
    found: list[Piece] = []
    for ids in view.held.values():
        holds = [view.holds[each] for each in ids]
        groups = [[hold] for hold in holds] if holds[0].minimum == 0 else [holds]
        found += [_piece(layout, group, usual, counting) for group in groups]
    return sorted(found, key=lambda piece: piece.name)  # whatever the order of the holds


def _piece(
    layout: Layout, holds: Sequence[Hold], usual: Expected, counting: Ceilings | None
) -> Piece:
    first = holds[0]
    began = [hold.started_at_ms for hold in holds if hold.started_at_ms is not None]
    ends = [hold.ends_at_ms for hold in holds if hold.ends_at_ms is not None]
    gpu: list[tuple[str, int]] = []
    slices = 0
    parts = []
    for hold in holds:
        gpu += layout.types(hold.node, hold.devices)
        if counting is not None:
            slices += counting.taken(hold, hold.node, hold.devices).mig_slices
        at = layout.position.get(hold.node)
        if at is not None:
            columns = tuple(layout.columns(hold.node, hold.devices))
            parts.append((at, hold.cpu_milli, hold.memory_bytes, columns))
    limit_ms = min(ends) - min(began) if ends and began else None
    return Piece(
        first.workload_id if len(holds) > 1 else first.allocation_id,
        first.project,
        tuple(parts),
        (
            Used(
                sum(hold.cpu_milli for hold in holds),
                sum(hold.memory_bytes for hold in holds),
                Taken(
                    first.owner,
                    first.workload_id if first.kind is Kind.WORKSPACE else "",
                    gpu,
                    slices,
                    len(holds),
                ),
            ),
        ),
        min(began) if began else None,
        first.expected or of_limit(limit_ms) or usual,
        limit_ms,
        all(hold.ending for hold in holds),
        is_endless(first),
    )


def of_limit(limit_ms: int | None) -> Expected | None:
    """Work mostly ends well before it has to."""
    return None if limit_ms is None else Expected(limit_ms * 2 // 5, limit_ms)


def grant_of(family: Family, layout: Layout, at: int, free: Free) -> Grant:
    """What a replica gets where it fits: of shared devices the fullest, else whole ones."""
    shape, shelf = family.shape, layout.shelves[layout.shelf[at]]
    if not shape.count:
        return Grant(at, ())
    if shape.need is not None:
        choose = plain_chooser(shape.need)
        instances = instances_of(shape.cuts, shape.grants, shape.count, free.devices, shelf, choose)
        assert instances is not None
        return grant_of_instances(at, instances)
    if shape.shared:
        left = [
            (milli - amount[0], column)
            for column, milli in enumerate(free.devices)
            if (amount := shape.grants[shelf[column]]) is not None and milli >= amount[0]
        ]
        chosen: tuple[int, ...] = (min(left)[1],)
    else:
        whole = whole_devices(shape, free.devices, shelf)
        assert whole is not None
        chosen = whole
    taken = []
    for column in chosen:
        amount = shape.grants[shelf[column]]
        assert amount is not None
        taken.append((column, *amount))
    return Grant(at, tuple(taken))
