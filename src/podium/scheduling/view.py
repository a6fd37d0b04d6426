"""What a cycle needs of a snapshot, indexed: nodes as arrays, what is free, who waits in which
line, who stands where. Made once for a snapshot; `evolved` makes the next one from what changed.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from podium.domain.resources import Request, Topology
from podium.domain.workload import Kind
from podium.scheduling.floor import Floor
from podium.scheduling.holders import Held, Holders
from podium.scheduling.layout import Layout
from podium.scheduling.queue import queue_key
from podium.scheduling.snapshot import Demand, Hold, Snapshot
from podium.scheduling.tally import Tallies

ENDLESS_KINDS = (Kind.SERVICE, Kind.WORKSPACE)
"""Kinds that end only when a person ends them: nobody waits for their nodes to drain."""


class Ask(NamedTuple):
    """What demands have in common that fit, or do not fit, for the same reason."""

    request: Request
    topology: Topology
    minimum: int
    replicas: int
    limit_ms: int | None
    spread: bool
    elastic: bool
    preempts: bool


class Used(NamedTuple):
    """What one project holds: milli-GPU by type, and CPU and memory."""

    gpu: tuple[tuple[str, int], ...]
    cpu_milli: int
    memory_bytes: int


NOTHING = Used((), 0, 0)


class Waiting:
    """Demands of one project that ask for the same, in the order of the queue. Read only."""

    __slots__ = ("demands", "ids", "key")

    def __init__(self, demands: Sequence[Demand]) -> None:
        self.demands = demands
        self.ids = tuple([demand.workload_id for demand in demands])
        self.key = queue_key(demands[0])


Lines = dict[str, dict[Ask, Waiting]]
"""What waits, by project and by what it asks for."""


@dataclass(frozen=True, slots=True)
class View:
    """Read only: cycles fork the floors and keep their own places in the lines. `holds` are by
    allocation id; `held` are the ids of holds by workload; `demands` by workload id. `drained` is
    the floor once all has ended that ends by itself; `ending` are the holds asked to stop; `ends`
    are the expected ends of the others with the ids of their holds, ascending; `standing` are the
    demands of workloads that hold something already; `preemptible` counts the holds that may be
    stopped for others, by project and priority."""

    layout: Layout
    floor: Floor
    drained: Floor
    lines: Lines
    blocked: Mapping[str, Demand]
    demands: Mapping[str, Demand]
    holds: Mapping[str, Hold]
    held: Mapping[str, tuple[str, ...]]
    ending: Mapping[str, Hold]
    ends: Sequence[tuple[int, str]]
    usage: Mapping[str, Used]
    standing: Mapping[str, Demand]
    preemptible: Mapping[str, Mapping[int, int]]
    holders: Holders
    extremes: dict[str, Tallies]

    def tallies(self, name: str) -> Tallies:
        """Counts of the nodes without any work: as they are up now ("idle"), or with all of them
        up and well ("whole")."""
        found = self.extremes.get(name)
        if found is None:
            floor = Floor(self.layout, all_up=name == "whole")
            found = self.extremes[name] = Tallies(floor)
        return found


def ask_of(demand: Demand) -> Ask:
    return Ask(
        demand.request,
        demand.topology,
        demand.minimum,
        len(demand.pending_ranks),
        demand.limit_ms,
        demand.spread,
        demand.elastic,
        demand.preempts,
    )


def held_of(hold: Hold) -> Held:
    return Held(hold.workload_id, hold.project, hold.node, hold.cpu_milli, hold.devices)


def expected_end_ms(hold: Hold) -> int | None:
    """When it has to end, or will have ended most likely; None = nobody knows."""
    if hold.ends_at_ms is not None:
        return hold.ends_at_ms
    if hold.started_at_ms is None or hold.expected is None:
        return None
    return hold.started_at_ms + hold.expected.most_ms


def is_endless(hold: Hold) -> bool:
    """Nobody should wait for its end."""
    return hold.kind in ENDLESS_KINDS and hold.ends_at_ms is None and not hold.ending


def view_of(snapshot: Snapshot) -> View:
    """The view of a snapshot, made when first asked for."""
    found = snapshot.indexes.get("view")
    if isinstance(found, View):
        return found
    layout = Layout(snapshot.nodes)
    asked: dict[str, dict[Ask, list[Demand]]] = {}
    blocked: dict[str, Demand] = {}
    for demand in snapshot.demands:
        if demand.blocked is not None:
            blocked[demand.workload_id] = demand
        else:
            line = asked.setdefault(demand.project, {})
            line.setdefault(ask_of(demand), []).append(demand)
    lines: Lines = {
        project: {ask: Waiting(sorted(demands, key=queue_key)) for ask, demands in line.items()}
        for project, line in asked.items()
    }
    held: dict[str, list[str]] = {}
    by_project: dict[str, list[Hold]] = {}
    for hold in snapshot.holds:
        held.setdefault(hold.workload_id, []).append(hold.allocation_id)
        by_project.setdefault(hold.project, []).append(hold)
    view = View(
        layout=layout,
        floor=Floor(layout, snapshot.holds),
        drained=Floor(layout, filter(is_endless, snapshot.holds)),
        lines=lines,
        blocked=blocked,
        demands={demand.workload_id: demand for demand in snapshot.demands},
        holds={hold.allocation_id: hold for hold in snapshot.holds},
        held={workload_id: tuple(ids) for workload_id, ids in held.items()},
        ending={hold.allocation_id: hold for hold in snapshot.holds if hold.ending},
        ends=sorted(
            (end_ms, hold.allocation_id)
            for hold in snapshot.holds
            if not hold.ending and (end_ms := expected_end_ms(hold)) is not None
        ),
        usage={
            project: _used(layout, NOTHING, ((hold, 1) for hold in holds))
            for project, holds in by_project.items()
        },
        standing={
            demand.workload_id: demand for demand in snapshot.demands if demand.workload_id in held
        },
        preemptible=_preemptible({}, [(hold, 1) for hold in snapshot.holds]),
        holders=Holders.of(layout, map(held_of, snapshot.holds)),
        extremes={},
    )
    snapshot.indexes["view"] = view
    return view


def evolved(
    snapshot: Snapshot,
    *,
    released: Collection[str] = (),
    held: Iterable[Hold] = (),
    left: Collection[str] = (),
    waiting: Iterable[Demand] = (),
) -> Snapshot:
    """The snapshot after some changes, at a cost that grows with them.

    Allocations `released` by id and newly `held` (or changed, under their old id; released wins);
    workloads that `left` the queue by id, and demands that are new in it or replace those of the
    same workload. What is not known is passed over, so a change that was seen already does no
    harm. Nodes stay as they are; where they change, make a new snapshot.
    """
    before = view_of(snapshot)
    coming = list(waiting)
    holds = dict(before.holds)
    changes: list[tuple[Hold, int]] = []
    for hold in held:
        changed = holds.pop(hold.allocation_id, None)
        if changed is not None:
            changes.append((changed, -1))
        holds[hold.allocation_id] = hold
        changes.append((hold, 1))
    for allocation_id in released:
        gone = holds.pop(allocation_id, None)
        if gone is not None:
            changes.append((gone, -1))
    demands, blocked = dict(before.demands), dict(before.blocked)
    lines = dict(before.lines)
    gone_demands: list[Demand] = []
    for workload_id in (*left, *(demand.workload_id for demand in coming)):
        demand = demands.pop(workload_id, None)
        if demand is not None:
            blocked.pop(workload_id, None)
            gone_demands.append(demand)
            _leave(lines, demand)
    for demand in coming:
        demands[demand.workload_id] = demand
        if demand.blocked is not None:
            blocked[demand.workload_id] = demand
        else:
            _join(lines, demand)
    after = replace(
        snapshot,
        holds=tuple(holds.values()),
        demands=_in_order(snapshot.demands, gone_demands, coming),
    )
    layout = before.layout
    ids = _held(before.held, holds, changes)
    touched = dict.fromkeys(
        (*(hold.workload_id for hold, _ in changes), *left, *(each.workload_id for each in coming))
    )
    after.indexes["view"] = View(
        layout=layout,
        floor=_moved(before.floor, changes),
        drained=_moved(before.drained, [each for each in changes if is_endless(each[0])]),
        lines=lines,
        blocked=blocked,
        demands=demands,
        holds=holds,
        held=ids,
        ending=_ending(before.ending, changes),
        ends=_ends(before.ends, changes),
        usage=_usage(layout, before.usage, changes),
        standing=_standing(before.standing, demands, ids, touched),
        preemptible=_preemptible(before.preemptible, changes),
        holders=before.holders.changed(
            layout,
            {
                workload_id: [held_of(holds[each]) for each in ids.get(workload_id, ())]
                for workload_id in dict.fromkeys(hold.workload_id for hold, _ in changes)
            },
        ),
        extremes=before.extremes,
    )
    return after


Changes = Sequence[tuple[Hold, int]]
"""Holds that came (1) or went (-1)."""


def _moved(floor: Floor, changes: Changes) -> Floor:
    if not changes:
        return floor
    moved = floor.fork()
    layout = floor.layout
    for hold, sign in changes:
        at = layout.position.get(hold.node)
        if at is not None:
            columns = layout.columns(hold.node, hold.devices)
            moved.take(
                at,
                sign * hold.cpu_milli,
                sign * hold.memory_bytes,
                [(column, sign * milli) for column, milli in columns],
            )
    return moved


def _held(
    before: Mapping[str, tuple[str, ...]], holds: Mapping[str, Hold], changes: Changes
) -> Mapping[str, tuple[str, ...]]:
    found = dict(before)
    for hold, sign in changes:
        ids = [each for each in found.pop(hold.workload_id, ()) if each != hold.allocation_id]
        if sign > 0:
            ids.append(hold.allocation_id)
        if ids:
            found[hold.workload_id] = tuple(each for each in ids if each in holds)
    return found


def _ending(before: Mapping[str, Hold], changes: Changes) -> Mapping[str, Hold]:
    found = dict(before)
    for hold, sign in changes:
        found.pop(hold.allocation_id, None)
        if sign > 0 and hold.ending:
            found[hold.allocation_id] = hold
    return found


def _ends(before: Sequence[tuple[int, str]], changes: Changes) -> Sequence[tuple[int, str]]:
    found = list(before)
    for hold, sign in changes:
        end_ms = expected_end_ms(hold)
        if end_ms is None or hold.ending:
            continue
        entry = (end_ms, hold.allocation_id)
        if sign > 0:
            insort(found, entry)
        else:
            at = bisect_left(found, entry)
            assert found[at] == entry
            del found[at]
    return found


def _usage(layout: Layout, before: Mapping[str, Used], changes: Changes) -> Mapping[str, Used]:
    found = dict(before)
    for hold, sign in changes:
        found[hold.project] = _used(layout, found.get(hold.project, NOTHING), ((hold, sign),))
    return {project: used for project, used in found.items() if used != NOTHING}


def _used(layout: Layout, before: Used, changes: Iterable[tuple[Hold, int]]) -> Used:
    gpu = dict(before.gpu)
    _, cpu_milli, memory_bytes = before
    for hold, sign in changes:
        cpu_milli += sign * hold.cpu_milli
        memory_bytes += sign * hold.memory_bytes
        for gpu_type, milli in layout.types(hold.node, hold.devices):
            gpu[gpu_type] = gpu.get(gpu_type, 0) + sign * milli
    return Used(
        tuple(sorted((gpu_type, milli) for gpu_type, milli in gpu.items() if milli)),
        cpu_milli,
        memory_bytes,
    )


def _leave(lines: Lines, demand: Demand) -> None:
    if demand.blocked is not None:
        return
    line = dict(lines[demand.project])
    ask = ask_of(demand)
    queue = list(line[ask].demands)
    del queue[bisect_left(queue, queue_key(demand), key=queue_key)]
    if queue:
        line[ask] = Waiting(queue)
    else:
        del line[ask]
    lines[demand.project] = line
    if not line:
        del lines[demand.project]


def _join(lines: Lines, demand: Demand) -> None:
    line = dict(lines.get(demand.project, {}))
    ask = ask_of(demand)
    queue = list(line[ask].demands) if ask in line else []
    insort(queue, demand, key=queue_key)
    line[ask] = Waiting(queue)
    lines[demand.project] = line


def _in_order(
    before: tuple[Demand, ...], gone: Sequence[Demand], coming: Sequence[Demand]
) -> tuple[Demand, ...]:
    """The order of the queue, from the order before."""
    after = list(before)
    for demand in gone:
        at = bisect_left(after, queue_key(demand), key=queue_key)
        assert after[at] is demand
        del after[at]
    for demand in coming:
        insort(after, demand, key=queue_key)
    return tuple(after)


def _standing(
    before: Mapping[str, Demand],
    demands: Mapping[str, Demand],
    held: Mapping[str, tuple[str, ...]],
    touched: Iterable[str],
) -> Mapping[str, Demand]:
    found = dict(before)
    for workload_id in touched:
        found.pop(workload_id, None)
        if workload_id in held and workload_id in demands:
            found[workload_id] = demands[workload_id]
    return found


def _preemptible(
    before: Mapping[str, Mapping[int, int]], changes: Changes
) -> Mapping[str, Mapping[int, int]]:
    found = dict(before)
    for hold, sign in changes:
        if hold.preemptible and not hold.ending:
            counts = dict(found.pop(hold.project, {}))
            counts[hold.priority] = counts.get(hold.priority, 0) + sign
            counts = {priority: count for priority, count in counts.items() if count}
            if counts:
                found[hold.project] = counts
    return found
