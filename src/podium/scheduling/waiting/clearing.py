"""Who has to leave the nodes of a booking when it begins. `decide` asks it first of all.

A booking is an administrator's word, so neither a guarantee nor a minimum runtime stands against
it. What may not be stopped for others stays, and the administrator sees it listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from podium.scheduling.plan import Preemption
from podium.scheduling.snapshot import Booking, Hold, Snapshot
from podium.scheduling.waiting.units import lost_milli_ms

_IN_FAVOUR_OF = "booking "  # no id of a workload begins so, nor has it a space
_NODES_TOLD = 3


def booking_key(name: str) -> str:
    """What a preemption in favour of that booking is in favour of."""
    return f"{_IN_FAVOUR_OF}{name}"


def booking_named(in_favour_of: str) -> str | None:
    """The name of the booking that a preemption was made for; None: it was for a workload."""
    if not in_favour_of.startswith(_IN_FAVOUR_OF):
        return None
    return in_favour_of.removeprefix(_IN_FAVOUR_OF)


def clearing(snapshot: Snapshot, now_ms: int) -> tuple[Preemption, ...]:
    """What gives way to the bookings that hold now, by booking and workload: single replicas where
    the workload stands for each of them or goes on without them, else all of it. What was asked to
    end already is not asked again."""
    open_now = [each for each in snapshot.bookings if each.from_ms <= now_ms < each.until_ms]
    if not open_now:
        return ()
    # A booking holds for days, and most of the time there is nobody left to ask.
    nodes = frozenset(name for booking in open_now for name in booking.nodes)
    of_node: dict[str, list[Hold]] = {}
    of_workload: dict[str, list[Hold]] = {}
    for hold in snapshot.holds:
        if hold.node in nodes and hold.preemptible and not hold.ending:
            of_node.setdefault(hold.node, []).append(hold)
            of_workload[hold.workload_id] = []
    if not of_node:
        return ()
    for hold in snapshot.holds:
        if hold.workload_id in of_workload and not hold.ending:
            of_workload[hold.workload_id].append(hold)
    found: list[Preemption] = []
    leaving: dict[str, None] = {}  # one workload may stand on nodes of two bookings
    for booking in sorted(open_now, key=lambda each: each.name):
        there = _strangers(booking, of_node)
        for workload_id in sorted(there):
            if workload_id in leaving:
                continue
            leaving[workload_id] = None
            asked = _asked(of_workload[workload_id], there[workload_id])
            found.append(_preemption(booking, asked, there[workload_id], now_ms))
    return tuple(found)


def leaving_holds(snapshot: Snapshot, preemptions: Iterable[Preemption]) -> list[Hold]:
    """The holds of these preemptions as they are once they were asked to end: what a cycle has to
    plan on when it asks them."""
    ranks = {each.workload_id: each.ranks for each in preemptions}
    return [
        replace(hold, ending=True, preemptible=False)
        for hold in snapshot.holds
        if not hold.ending and hold.rank in ranks.get(hold.workload_id, ())
    ]


def _strangers(booking: Booking, of_node: dict[str, list[Hold]]) -> dict[str, list[Hold]]:
    """What stands on the nodes of a booking and has no business there, by workload."""
    found: dict[str, list[Hold]] = {}
    for name in dict.fromkeys(booking.nodes):
        for hold in of_node.get(name, ()):
            if booking.project is None or hold.project != booking.project:
                found.setdefault(hold.workload_id, []).append(hold)
    return found


def _asked(holds: Sequence[Hold], there: Sequence[Hold]) -> list[Hold]:
    """Which of the workload's holds must go for those that stand there to go."""
    minimum = there[0].minimum
    if minimum == 0:
        return sorted(there, key=_rank)
    gone = dict.fromkeys(hold.rank for hold in there)
    left = [hold.rank for hold in holds if hold.rank not in gone]
    # Replicas meet at the lowest rank, so without it there is no going on.
    if len(left) >= minimum and min(left) < min(gone):
        return sorted(there, key=_rank)
    return sorted(holds, key=_rank)


def _preemption(
    booking: Booking, asked: Sequence[Hold], there: Iterable[Hold], now_ms: int
) -> Preemption:
    names = sorted(dict.fromkeys(hold.node for hold in there))
    shown = ", ".join(names[:_NODES_TOLD])
    if len(names) > _NODES_TOLD:
        shown += f" and {len(names) - _NODES_TOLD} more"
    place = f"node {shown} is" if len(names) == 1 else f"nodes {shown} are"
    whom = "maintenance" if booking.project is None else "another project"
    return Preemption(
        workload_id=asked[0].workload_id,
        ranks=tuple(hold.rank for hold in asked),
        in_favour_of=booking_key(booking.name),
        justification=f"its {place} booked for {whom} now",
        lost_milli_ms=sum(lost_milli_ms(hold, now_ms) for hold in asked),
    )


def _rank(hold: Hold) -> int:
    return hold.rank
