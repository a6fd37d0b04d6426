"""Room that is kept: for workloads ahead in the queue, for bookings, and for those for whom others
give way. `decide` takes and asks through here; nodes on which nothing is kept cost nothing.

A cap says what others may use of a node from a time on. Work that is sure to end before then may
use all that is free; other work only what is free now and under every cap. So smaller work runs
beside or before what is kept, and cannot delay it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from podium.scheduling.placing.classes import Grant, RequestClass, taken
from podium.scheduling.placing.fit import capacity
from podium.scheduling.snapshot import Booking, Demand
from podium.scheduling.space.floor import Floor, Free

AT_ONCE = 0
"""From when caps hold that stand for room which is as good as taken."""


@dataclass(slots=True)
class Cap:
    """From `from_ms` on, others than `project` may use so much of a node. `keeper` is the
    workload, or the booking, for which the rest is kept."""

    from_ms: int
    free: Free
    keeper: str
    project: str | None = None


class Kept:
    """The caps on one floor. The floor shows what work may use that nobody knows the end of."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._free: dict[int, Free] = {}
        self._caps: dict[int, list[Cap]] = {}
        self._projects: dict[str, None] = {}  # for which some cap does not hold
        self._passable: dict[int, None] = {}  # where some cap is not for all and at once

    @property
    def nodes(self) -> Collection[int]:
        """The nodes with caps, in the order in which the first was set."""
        return self._caps

    def may_pass(self, demand: Demand) -> bool:
        """Whether this work could use more than other work does somewhere."""
        if demand.limit_ms is None:
            return demand.project in self._projects
        return bool(self._passable)

    def passable(self, ends_ms: int | None, project: str) -> list[int]:
        """The nodes where work of this project that ends by then may use more than others."""
        return [
            at
            for at in self._passable
            if any(
                cap.project == project or (ends_ms is not None and ends_ms <= cap.from_ms)
                for cap in self._caps[at]
            )
        ]

    def bars(self, at: int, demand: Demand, from_ms: int) -> bool:
        """Whether something else is kept on a node at some time of a run of this demand that
        begins at `from_ms`."""
        ends_ms = None if demand.limit_ms is None else from_ms + demand.limit_ms
        return any(
            cap.project != demand.project and (ends_ms is None or ends_ms > cap.from_ms)
            for cap in self._caps.get(at, ())
        )

    def caps(self, at: int) -> Sequence[Cap]:
        return self._caps.get(at, ())

    def free(self, at: int) -> Free:
        """What nobody holds now."""
        return self._free[at] if at in self._free else self._floor.free[at]

    def usable(self, at: int, ends_ms: int | None, project: str) -> Free:
        """What work of this project that ends by `ends_ms` for sure may use."""
        free = self.free(at)
        for cap in self._caps.get(at, ()):
            if (ends_ms is None or ends_ms > cap.from_ms) and cap.project != project:
                free = free.least(cap.free)
        return free

    def keep(self, at: int, cap: Cap) -> None:
        self._free.setdefault(at, self._floor.free[at])
        self._caps.setdefault(at, []).append(cap)
        if cap.from_ms != AT_ONCE or cap.project is not None:
            self._passable[at] = None
        if cap.project is not None:
            self._projects[cap.project] = None
        self.changed(at)

    def note(self, family: RequestClass, grant: Grant) -> None:
        """The class took this from the floor, of what is free under every cap."""
        if grant.at in self._caps:
            amounts = taken(family.request, grant)
            self._free[grant.at] = self._free[grant.at].less(*amounts)
            for cap in self._caps[grant.at]:
                cap.free = cap.free.less(*amounts)

    def take(self, family: RequestClass, grant: Grant, ends_ms: int | None, project: str) -> None:
        """Takes a grant for work of this project that ends by `ends_ms` for sure."""
        at = grant.at
        if at not in self._caps:
            family.take(grant)
            return
        amounts = taken(family.request, grant)
        self._free[at] = self._free[at].less(*amounts)
        for cap in self._caps[at]:
            if (ends_ms is None or ends_ms > cap.from_ms) and cap.project != project:
                cap.free = cap.free.less(*amounts)
        self.changed(at)

    def changed(self, at: int) -> None:
        """A cap of this node has another value now."""
        self._floor.set(at, self.usable(at, None, ""))


def replicas_on(family: RequestClass, at: int, free: Free) -> int:
    """How many replicas fit on node `at` with so much free."""
    layout = family.floor.layout
    shelf = layout.shelf[at]
    state = layout.states.of[layout.state(shelf, *free)]
    return capacity(family.shape, state, layout.shelves[shelf]) if family.pool.allowed[at] else 0


def booked(bookings: Sequence[Booking], floor: Floor, now_ms: int) -> list[tuple[int, Cap]]:
    """The caps of all bookings that are not over."""
    nothing: list[tuple[int, Cap]] = []
    for booking in bookings:
        if booking.until_ms <= now_ms:
            continue
        for name in booking.nodes:
            at = floor.layout.position.get(name)
            if at is not None:
                empty = Free(0, 0, (0,) * len(floor.free[at].devices))
                from_ms = AT_ONCE if booking.from_ms <= now_ms else booking.from_ms
                nothing.append((at, Cap(from_ms, empty, booking.name, booking.project)))
    return nothing
