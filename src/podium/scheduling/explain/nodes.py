"""Which nodes fell out for a waiting workload, grouped by why: `explanation` shows it."""

from __future__ import annotations

from collections.abc import Sequence

from podium.domain.node import NodeState
from podium.domain.quantity import format_milli
from podium.domain.resources import Request
from podium.scheduling.explain.values import Constraint, Fell, NodeGroup
from podium.scheduling.placing.fit import Shape, capacity, device_matches, units_of
from podium.scheduling.plan import Plan
from podium.scheduling.reasons.wording import (
    counted,
    gpu_noun,
    label_words,
    named_pools,
    pool_words,
)
from podium.scheduling.snapshot import Booking, Demand
from podium.scheduling.space.floor import Floor
from podium.scheduling.space.layout import where_of
from podium.scheduling.space.masks import milli_of

GROUPS_MAX = 12
NODES_MAX = 5

_ORDER = list(Fell)


def node_groups(
    demand: Demand,
    request: Request,
    floor: Floor,
    plan: Plan,
    bookings: Sequence[Booking],
    now_ms: int,
    constraint: Constraint | None,
) -> tuple[NodeGroup, ...]:
    """`floor` is what nobody holds after the cycle, `constraint` what binds. In the order of `Fell`
    and then of size; what is beyond `GROUPS_MAX` is counted together."""
    layout = floor.layout
    shape = Shape(request, layout.kinds)
    chosen = layout.chosen(where_of(request)).tolist()
    booked = {
        name
        for booking in bookings
        if booking.project != demand.project and booking.from_ms <= now_ms < booking.until_ms
        for name in booking.nodes
    }
    # Beside nodes that are kept for a later time, some are for what starts as soon as others stop.
    waits = constraint in (Constraint.TURN, Constraint.BOOKING)
    kept = {
        name
        for each in plan.reservations
        if each.workload_id != demand.workload_id
        for name in each.nodes
    }
    if waits:
        kept = set(layout.position)
    looked: dict[tuple[object, ...], tuple[Fell, str]] = {}
    groups: dict[tuple[Fell, str], list[int]] = {}
    for at, number in enumerate(floor.state.tolist()):
        node = layout.nodes[at]
        ill = any(not device.healthy for device in layout.devices[at])
        pooled = not request.pools or node.pool in request.pools
        key = (
            number, chosen[at], pooled, node.state, node.name in booked, node.name in kept,
            at if ill else -1,
        )  # fmt: skip
        found = looked.get(key)
        if found is None:
            found = looked[key] = _why(
                shape,
                floor,
                at,
                in_labels=chosen[at],
                in_pool=pooled,
                booked=node.name in booked,
                kept=node.name in kept,
                need=demand.minimum,
            )
        groups.setdefault(found, []).append(at)
    ordered = sorted(
        groups.items(), key=lambda entry: (_ORDER.index(entry[0][0]), -len(entry[1]), entry[0][1])
    )
    return _bounded(
        [
            NodeGroup(
                fell=fell,
                words=words,
                count=len(members),
                nodes=tuple(layout.nodes[at].name for at in members[:NODES_MAX]),
            )
            for (fell, words), members in ordered
        ]
    )


def _bounded(groups: list[NodeGroup]) -> tuple[NodeGroup, ...]:
    """The smallest groups of GPUs, of which there may be many, together."""
    if len(groups) <= GROUPS_MAX:
        return tuple(groups)
    by_size = sorted(groups, key=lambda group: -group.count)
    shown = {id(group) for group in by_size[: GROUPS_MAX - 1]}
    rest = [group for group in groups if id(group) not in shown]
    return (
        *(group for group in groups if id(group) in shown),
        NodeGroup(
            fell=rest[-1].fell,
            words="other reasons",
            count=sum(group.count for group in rest),
            nodes=tuple(name for group in rest for name in group.nodes)[:NODES_MAX],
        ),
    )


def _why(
    shape: Shape,
    floor: Floor,
    at: int,
    *,
    in_labels: bool,
    in_pool: bool,
    booked: bool,
    kept: bool,
    need: int,
) -> tuple[Fell, str]:
    request = shape.request
    if not in_pool:
        names = named_pools(request)
        return Fell.POOL, f"not in {pool_words(names, 'or')}" if names else "in a closed pool"
    if not in_labels:
        return Fell.LABELS, f"without the {label_words(request)}"
    layout = floor.layout
    shelf = layout.shelves[layout.shelf[at]]
    matching = [
        column for column, kind in enumerate(shelf) if device_matches(request, layout.kinds[kind])
    ]
    found = _even_empty(shape, floor, at, matching)
    if found is not None:
        return found
    if booked:
        return Fell.BOOKED, "booked"
    fits = capacity(shape, layout.states.of[int(floor.state[at])], shelf)
    if fits and kept:
        return Fell.KEPT, "kept for others"
    if fits:
        return Fell.ROOM, "room for it" if need == 1 else f"room for {_replicas(min(fits, need))}"
    return _now(shape, floor, at, matching)


def _even_empty(
    shape: Shape, floor: Floor, at: int, matching: Sequence[int]
) -> tuple[Fell, str] | None:
    """What is in the way even when nothing runs there."""
    request, layout = shape.request, floor.layout
    node, noun = layout.nodes[at], _noun(request)
    if shape.count and not matching:
        return Fell.KIND, f"no {gpu_noun(request, plural=False)}"
    if node.state is not NodeState.READY:
        return Fell.STATE, node.state.value
    if shape.count and not shape.shared and shape.need is None:
        ill = sum(not layout.devices[at][column].healthy for column in matching)
        if len(matching) < shape.count:
            return Fell.SIZE, f"only {counted(len(matching), noun)}"
        if len(matching) - ill < shape.count:
            return Fell.HEALTH, f"{ill} of {len(matching)} {noun}s not healthy"
    if request.cpu_milli > node.cpu_milli:
        return Fell.SIZE, f"only {format_milli(node.cpu_milli)} CPUs"
    if request.memory_bytes > node.memory_bytes:
        return Fell.SIZE, "too little memory even if empty"
    return None


def _now(shape: Shape, floor: Floor, at: int, matching: Sequence[int]) -> tuple[Fell, str]:
    """What is short now."""
    layout, free = floor.layout, floor.free[at]
    shelf = layout.shelves[layout.shelf[at]]
    units = 0
    for column in matching:
        grant = shape.grants[shelf[column]]
        if grant is not None:
            units += units_of(shape, shelf[column], grant, free.devices[column])
    if units < shape.count:
        if shape.shared:
            left = [milli_of(free.devices[column]) for column in matching]
            most = max(left, default=0) // 100 * 100
            words = f"at most {format_milli(most)} of one GPU free" if most > 0 else "no GPU free"
            return Fell.GPUS, words
        if shape.need is not None:
            return Fell.GPUS, "too few slices free together"
        noun = _noun(shape.request)
        if len(matching) == 1:
            return Fell.GPUS, f"its only {noun} is in use"
        return Fell.GPUS, f"{units or 'none'} of {len(matching)} {noun}s free"
    if free.cpu_milli < shape.request.cpu_milli:
        return Fell.CPUS, "too few CPUs free"
    return Fell.MEMORY, "too little memory free"


def _replicas(count: int) -> str:
    return counted(count, "replica")


def _noun(request: Request) -> str:
    return "instance" if request.mig_profile else "GPU"
