"""The changes of a demand that may be offered, axis by axis, the smallest first. `changes` tries
them. Nothing here makes a request weaker in a way that it does not allow itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from podium.domain.pool import NO_POOL
from podium.domain.quantity import format_bytes, format_duration
from podium.domain.resources import Isolation, Request, Topology, TopologyLevel
from podium.scheduling.explain.ladders import (
    Ladder,
    Option,
    cpu_ladder,
    fixed,
    gpu_ladder,
    memory_ladder,
    replica_ladder,
)
from podium.scheduling.explain.room import Room
from podium.scheduling.explain.values import Axis, FieldValue
from podium.scheduling.plan import Plan
from podium.scheduling.reasons.wording import (
    gpu_amount,
    level_word,
    listed,
    named_pools,
    pool_words,
    with_article,
)
from podium.scheduling.snapshot import Demand, Snapshot
from podium.scheduling.space.layout import Labels
from podium.scheduling.view import View

NOTHING: Sequence[Option] = ()
SLACK_MS = 60_000
"""A run that is made shorter ends so long before it has to, as it takes a while to submit it."""

_MINUTE_MS = 60_000


def ladders(
    snapshot: Snapshot,
    view: View,
    plan: Plan,
    demand: Demand,
    room: Room,
    now_ms: int,
    priority_max: int,
) -> Iterator[Ladder]:
    """In the order of `Axis`, without the quota. What stands in part already cannot be submitted
    anew, and what is made of groups is not offered other resources."""
    stands = demand.workload_id in view.held
    plain = not demand.parts and not stands
    if plain:
        yield gpu_ladder(demand, room)
    if not stands:
        yield replica_ladder(demand)
    if plain:
        yield cpu_ladder(demand)
        yield memory_ladder(demand)
        yield _types(demand, room)
        yield _slices(demand, room)
    if not stands:
        yield _topologies(demand, room)
        yield _runtimes(snapshot, plan, demand, now_ms)
    if plain:
        yield _nodes(snapshot, demand)
    yield _priorities(view, plan, demand, priority_max)


def _types(demand: Demand, room: Room) -> Ladder:
    """Each other type that the cluster has: first those with as much memory or more, the nearest
    first, then those with less."""
    request = demand.request
    if not request.wants_gpu or not request.gpu_types:
        return fixed(NOTHING)
    named = [name.casefold() for name in request.gpu_types]
    kinds = [kind for kind in room.layout.kinds if kind.mig_profile == request.mig_profile]
    known = [kind.memory_bytes for kind in kinds if kind.type.casefold() in named]
    # Of a type that the cluster does not have nobody knows the memory: the most is the nearest.
    enough = min(known, default=max((kind.memory_bytes for kind in kinds), default=0))
    found: dict[str, tuple[bool, int, str]] = {}
    for kind in kinds:
        if kind.type.casefold() not in named:
            less = kind.memory_bytes < enough
            key = (less, -kind.memory_bytes if less else kind.memory_bytes, kind.type)
            found[kind.type] = min(key, found.get(kind.type, key))
    before = listed(request.gpu_types, "or")
    return fixed(
        [
            Option(
                axis=Axis.GPU_TYPE,
                before=before,
                after=name,
                sentence=f"With {name} instead of {before} GPUs it starts now.",
                demand=replace(demand, request=replace(request, gpu_types=(name,))),
                fields=(("resources.gpu_type", name),),
            )
            for name in sorted(found, key=lambda name: found[name])
        ]
    )


def _slices(demand: Demand, room: Room) -> Ladder:
    """A MIG instance, or a share of a GPU, with at least the memory that it says it needs. MIG
    first, because others cannot disturb it; of these the one with the most memory."""
    request = demand.request
    memory = request.gpu_memory
    if request.whole_gpus != 1 or memory is None or not memory.minimum:
        return fixed(NOTHING)
    named = [name.casefold() for name in request.gpu_types]
    profiles: dict[str, int] = {}
    for kind in room.layout.kinds:
        if (
            kind.mig_profile is not None
            and kind.memory_bytes >= memory.minimum
            and (not named or kind.type.casefold() in named)
        ):
            least = profiles.get(kind.mig_profile, kind.memory_bytes)
            profiles[kind.mig_profile] = min(least, kind.memory_bytes)
    before = gpu_amount(request)
    options = []
    for profile in sorted(profiles, key=lambda name: (-profiles[name], name)):
        less = replace(request, gpu_milli=0, gpu_memory=None, mig_profile=profile, mig_count=1)
        words = f"{with_article(profile)} MIG instance"
        fields: tuple[tuple[str, FieldValue], ...] = (
            ("resources.gpus", None),
            ("resources.gpu_memory", None),
            ("resources.mig", profile),
        )
        options.append(
            Option(
                axis=Axis.SLICE,
                before=before,
                after=words,
                sentence=f"With {words} instead of a whole GPU it starts now; "
                f"that has {format_bytes(profiles[profile])}.",
                demand=replace(demand, request=_only_enough(less, room, memory.minimum)),
                fields=fields,
            )
        )
    size = format_bytes(memory.minimum)
    share = replace(request, gpu_milli=0, gpu_memory=None, gpu_share_bytes=memory.minimum)
    alone: tuple[tuple[str, FieldValue], ...] = (
        ("resources.gpus", None),
        ("resources.gpu_memory", size.replace(" ", "")),
    )
    if any(kind.board for kind in room.layout.kinds):
        options.append(
            Option(
                axis=Axis.SLICE,
                before=before,
                after=f"a MIG instance with {size}",
                sentence=f"With a MIG instance of {size} or more instead of a whole GPU it starts "
                "now.",
                demand=replace(demand, request=replace(share, isolation=Isolation.MIG)),
                fields=(*alone, ("resources.isolation", Isolation.MIG.value)),
            )
        )
    options.append(
        Option(
            axis=Axis.SLICE,
            before=before,
            after=gpu_amount(share),
            sentence=f"With {size} of a GPU that it shares with others it starts now.",
            demand=replace(demand, request=share),
            fields=alone,
        )
    )
    return fixed(options)


def _only_enough(request: Request, room: Room, memory_bytes: int) -> Request:
    """An instance of one name has less memory on a smaller board: then only the types count whose
    instances have enough."""
    kinds = [kind for kind in room.layout.kinds if kind.mig_profile == request.mig_profile]
    small = {kind.type for kind in kinds if kind.memory_bytes < memory_bytes}
    if not small:
        return request
    named = [name.casefold() for name in request.gpu_types]
    types = sorted(
        {
            kind.type
            for kind in kinds
            if kind.type not in small and (not named or kind.type.casefold() in named)
        }
    )
    return replace(request, gpu_types=tuple(types) or request.gpu_types)


def _topologies(demand: Demand, room: Room) -> Ladder:
    """The next larger places one after another, and then anywhere."""
    within = demand.topology.within
    if within in (None, TopologyLevel.CLUSTER) or len(demand.pending_ranks) == 1:
        return fixed(NOTHING)
    levels = (TopologyLevel.NODE, *reversed(room.layout.levels))
    # A level that no node names is as large as a node.
    at = levels.index(within) if within in levels else 0
    looser: list[TopologyLevel | None] = list(levels[at + 1 :])
    if TopologyLevel.CLUSTER not in levels:
        looser.append(None)
    options = []
    for level in looser:
        prefer = demand.topology.prefer or within
        where = "anywhere" if level is None else f"inside one {level_word(level)}"
        options.append(
            Option(
                axis=Axis.TOPOLOGY,
                before=f"inside one {level_word(within)}",
                after=where,
                sentence=f"If its replicas may stand {where} instead of inside one "
                f"{level_word(within)}, it starts now.",
                demand=replace(demand, topology=Topology(level, prefer)),
                fields=(
                    ("topology.within", None if level is None else level.value),
                    ("topology.prefer", prefer.value),
                ),
            )
        )
    return fixed(options, falling=True)


def _runtimes(snapshot: Snapshot, plan: Plan, demand: Demand, now_ms: int) -> Ladder:
    """Short enough to end before what is kept for others is needed: in whole minutes."""
    times = [each.from_ms for each in plan.reservations if each.workload_id != demand.workload_id]
    times += [each.from_ms for each in snapshot.bookings if each.project != demand.project]
    limit_ms = demand.limit_ms
    minutes = sorted(
        {
            (each - now_ms - SLACK_MS) // _MINUTE_MS
            for each in times
            if each is not None and each > now_ms
        },
        reverse=True,
    )
    values = [
        each * _MINUTE_MS
        for each in minutes
        if each > 0 and (limit_ms is None or each * _MINUTE_MS < limit_ms)
    ]

    def option(at: int) -> Option:
        value = values[at]
        harder = value + SLACK_MS if limit_ms is None else min(value + SLACK_MS, limit_ms)
        before = "no limit" if limit_ms is None else format_duration(limit_ms)
        after = format_duration(value)
        return Option(
            axis=Axis.MAX_RUNTIME,
            before=before,
            after=after,
            sentence=f"With a max_runtime of {after} it starts now, "
            "because it then ends before others need the room.",
            demand=replace(demand, limit_ms=value),
            tried=replace(demand, limit_ms=harder),
            fields=(("max_runtime", f"{value // _MINUTE_MS}m"),),
        )

    return Ladder(values, option, ordered=True)


def _nodes(snapshot: Snapshot, demand: Demand) -> Ladder:
    """Another value of one label, then without it; another pool that is open to the project."""
    request = demand.request
    options = []
    for at, (key, value) in enumerate(request.node_labels):
        others = {theirs for node in snapshot.nodes for name, theirs in node.labels if name == key}
        for other in sorted(others - {value}):
            labels = (*request.node_labels[:at], (key, other), *request.node_labels[at + 1 :])
            words = f"{key}={other}"
            fields = ((f"resources.nodes.{key}", other),)
            options.append(_elsewhere(demand, labels, f"{key}={value}", words, fields))
        rest = (*request.node_labels[:at], *request.node_labels[at + 1 :])
        without: tuple[tuple[str, FieldValue], ...] = ((f"resources.nodes.{key}", None),)
        options.append(_elsewhere(demand, rest, f"{key}={value}", f"any {key}", without))
    if len(request.node_labels) > 1:
        words = listed(f"{key}={value}" for key, value in request.node_labels)
        options.append(_elsewhere(demand, (), words, "any labels", (("resources.nodes", None),)))
    return fixed([*options, *_pools(snapshot, demand)])


def _elsewhere(
    demand: Demand,
    labels: Labels,
    before: str,
    after: str,
    fields: tuple[tuple[str, FieldValue], ...],
) -> Option:
    return Option(
        axis=Axis.NODES,
        before=before,
        after=after,
        sentence=f"On nodes with {after} instead of {before} it starts now.",
        demand=replace(demand, request=replace(demand.request, node_labels=labels)),
        fields=fields,
    )


def _pools(snapshot: Snapshot, demand: Demand) -> list[Option]:
    request = demand.request
    named = named_pools(request)
    if not named or demand.data:
        return []
    # Who is in which team is not known here, so a pool of teams alone counts as closed.
    names = [pool.name for pool in snapshot.pools if pool.open_to(demand.project, None)]
    before = pool_words(named, "or")
    options = [
        Option(
            axis=Axis.NODES,
            before=before,
            after=pool_words((name,)),
            sentence=f"In pool {name} instead of {before} it starts now.",
            demand=replace(demand, request=replace(request, pools=(name,))),
            fields=(("resources.pool", name),),
        )
        for name in names
        if name not in named
    ]
    every = tuple(dict.fromkeys((NO_POOL, *names, *named)))
    options.append(
        Option(
            axis=Axis.NODES,
            before=before,
            after="any pool",
            sentence=f"In any pool instead of {before} it starts now.",
            demand=replace(demand, request=replace(request, pools=every)),
            fields=(("resources.pool", None),),
        )
    )
    return options


def _priorities(view: View, plan: Plan, demand: Demand, priority_max: int) -> Ladder:
    """Just before those for whom something is done, who are the only ones to pass."""
    ids = [each.workload_id for each in plan.reservations]
    ids += [each.workload_id for each in plan.placements]
    ids += [each.in_favour_of for each in plan.preemptions]
    known = (view.demands.get(each) for each in dict.fromkeys(ids))  # a booking is no demand
    theirs = [each.priority for each in known if each is not None]
    if view.ending:  # room that becomes free is held for some, whom no plan names
        theirs += [
            waiting.demands[0].priority for line in view.lines.values() for waiting in line.values()
        ]
    values = sorted(
        {
            each
            for priority in theirs
            for each in (priority, priority + 1)
            if demand.priority < each <= priority_max
        }
    )

    def option(at: int) -> Option:
        return Option(
            axis=Axis.PRIORITY,
            before=str(demand.priority),
            after=str(values[at]),
            sentence=f"With priority {values[at]} instead of {demand.priority} it starts now.",
            demand=replace(demand, priority=values[at]),
            fields=(("priority", values[at]),),
        )

    return Ladder(values, option, ordered=True)
