"""The scheduler's decision: snapshot in, plan out. Control, dry runs and simulation call it.

Demands are served in the order of `service`: what is inside a guarantee, then priority, then the
project with the least of its due, then age. Each gets the nodes where it takes least from the work
that comes (`pricing`); a gang gets its minimum at once or nothing; elastic gangs grow last, into
what nobody else can use.

What waits although it is its turn has four ways on, tried in this order: room that is becoming
free is held for it; others give way to it, where it has the right (`reclaim`); saved work starts
again elsewhere so that it fits (`consolidation`); or nodes are kept for the time at which it is
expected to fit (`reservations`), beside and before which smaller work still runs. Before all that,
what stands on nodes of a booking that has begun is asked to leave (`clearing`).
"""

from __future__ import annotations

from dataclasses import replace

from podium.scheduling.cycle import Cycle
from podium.scheduling.evolution import evolved
from podium.scheduling.plan import Plan
from podium.scheduling.snapshot import Snapshot
from podium.scheduling.view import view_of
from podium.scheduling.waiting.clearing import clearing, leaving_holds


def decide(snapshot: Snapshot, now_ms: int, seed: int) -> Plan:
    """One cycle. Pure: equal arguments give plans of equal digest, and nothing is changed.

    Every demand whose replicas are not all placed is in exactly one refusal. `seed` breaks
    declared ties; this version declares none, every tie ends at the node's name.
    """
    del seed
    leaving = clearing(snapshot, now_ms)
    if leaving:
        snapshot = evolved(snapshot, held=leaving_holds(snapshot, leaving))
    plan = Cycle(snapshot, view_of(snapshot), now_ms).plan()
    return replace(plan, preemptions=(*leaving, *plan.preemptions)) if leaving else plan
