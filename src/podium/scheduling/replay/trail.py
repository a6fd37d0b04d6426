"""What changed from one snapshot to the next, as a value that can be kept: `store/picture` says it,
`control/recorder` keeps it, and who replays a cycle follows it from the last whole snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from podium.domain.node import Node
from podium.domain.policy import SchedulingPolicy
from podium.domain.pool import Pool
from podium.domain.resources import Request
from podium.scheduling.order.queue import queue_order
from podium.scheduling.snapshot import Booking, Demand, Hold, Past, Share, Snapshot

_PAUSE_AFTER = 500  # comparisons


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """From one snapshot to a later one. First goes what is `released` (allocations) and `left`
    (workloads), then comes what is `held`, `waiting` and in `nodes`, new or in place of the old.
    Of the rest, None means: as it was; a past that ended is in `past_gone`."""

    released: tuple[str, ...] = ()
    held: tuple[Hold, ...] = ()
    left: tuple[str, ...] = ()
    waiting: tuple[Demand, ...] = ()
    nodes: tuple[Node, ...] = ()
    nodes_gone: tuple[str, ...] = ()
    shares: tuple[Share, ...] | None = None
    bookings: tuple[Booking, ...] | None = None
    pools: tuple[Pool, ...] | None = None
    mix: tuple[tuple[Request, int], ...] | None = None
    policy: SchedulingPolicy | None = None
    past: Past | None = None
    past_gone: bool = False

    @property
    def size(self) -> int:
        """How many things it names."""
        return sum(map(len, (self.released, self.held, self.left, self.waiting, self.nodes)))


NOWHERE = Step()


def between(before: Snapshot, after: Snapshot, pause: Callable[[], None] = lambda: None) -> Step:
    """What came and went of holds and demands. `pause` is called now and then: both may be
    large."""
    holds = {hold.allocation_id: hold for hold in before.holds}
    demands = {demand.workload_id: demand for demand in before.demands}
    held = tuple(
        hold
        for hold in _paused(after.holds, pause)
        if not _same(holds.pop(hold.allocation_id, None), hold)
    )
    waiting = tuple(
        demand
        for demand in _paused(after.demands, pause)
        if not _same(demands.pop(demand.workload_id, None), demand)
    )
    return Step(released=tuple(holds), held=held, left=tuple(demands), waiting=waiting)


def then(one: Step, other: Step) -> Step:
    """Both as one, of what came and went; the rest is that of the later one, where it has any."""
    if one is NOWHERE:
        return other
    if other is NOWHERE:
        return one
    held = {hold.allocation_id: hold for hold in one.held}
    waiting = {demand.workload_id: demand for demand in one.waiting}
    nodes = {node.name: node for node in one.nodes}
    for allocation_id in other.released:
        held.pop(allocation_id, None)
    for workload_id in other.left:
        waiting.pop(workload_id, None)
    for name in other.nodes_gone:
        nodes.pop(name, None)
    held.update((hold.allocation_id, hold) for hold in other.held)
    waiting.update((demand.workload_id, demand) for demand in other.waiting)
    nodes.update((node.name, node) for node in other.nodes)
    later = {
        name: getattr(other, name)
        for name in ("shares", "bookings", "pools", "mix", "policy")
        if getattr(other, name) is not None
    }
    if other.past is not None or other.past_gone:
        later.update(past=other.past, past_gone=other.past_gone)
    return replace(
        one,
        released=tuple(dict.fromkeys((*one.released, *other.released))),
        held=tuple(held.values()),
        left=tuple(dict.fromkeys((*one.left, *other.left))),
        waiting=tuple(waiting.values()),
        nodes=tuple(nodes.values()),
        nodes_gone=tuple(dict.fromkeys((*one.nodes_gone, *other.nodes_gone))),
        **later,
    )


def with_rest(step: Step, before: Snapshot, after: Snapshot) -> Step:
    """The step with all that differs beside holds and demands."""
    rest: dict[str, Any] = {}
    if before.nodes is not after.nodes:
        known = {node.name: node for node in before.nodes}
        rest["nodes"] = tuple(
            node for node in after.nodes if not _same(known.pop(node.name, None), node)
        )
        rest["nodes_gone"] = tuple(known)
    for name in ("shares", "bookings", "pools", "mix", "policy"):
        if not _same(getattr(before, name), getattr(after, name)):
            rest[name] = getattr(after, name)
    if before.past != after.past:
        rest.update(past=after.past, past_gone=after.past is None)
    return replace(step, **rest)


def rest_of(snapshot: Snapshot) -> Snapshot:
    """All of it but holds and demands."""
    return replace(snapshot, holds=(), demands=())


def followed(snapshot: Snapshot, steps: Iterable[Step]) -> Snapshot:
    """Where the steps lead, with the holds in the order of their ids."""
    holds = {hold.allocation_id: hold for hold in snapshot.holds}
    demands = {demand.workload_id: demand for demand in snapshot.demands}
    nodes = {node.name: node for node in snapshot.nodes}
    rest: dict[str, Any] = {
        field.name: getattr(snapshot, field.name) for field in fields(Snapshot) if field.init
    }
    for step in steps:
        for allocation_id in step.released:
            holds.pop(allocation_id, None)
        for workload_id in step.left:
            demands.pop(workload_id, None)
        for name in step.nodes_gone:
            nodes.pop(name, None)
        holds.update((hold.allocation_id, hold) for hold in step.held)
        demands.update((demand.workload_id, demand) for demand in step.waiting)
        nodes.update((node.name, node) for node in step.nodes)
        for name in ("shares", "bookings", "pools", "mix", "policy", "past"):
            if getattr(step, name) is not None:
                rest[name] = getattr(step, name)
        if step.past_gone:
            rest["past"] = None
    rest.update(
        holds=tuple(holds[each] for each in sorted(holds)),
        demands=queue_order(demands.values()),
        nodes=tuple(nodes[each] for each in sorted(nodes)),
    )
    return Snapshot(**rest)


def _same(one: object, other: object) -> bool:
    return one is other or one == other


def _paused(values: tuple[Any, ...], pause: Callable[[], None]) -> Iterator[Any]:
    for number, value in enumerate(values, start=1):
        yield value
        if number % _PAUSE_AFTER == 0:
            pause()
