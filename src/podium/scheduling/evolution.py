"""The next snapshot from the last, at the cost of what changed: `store/picture` and `simulation`
carry their snapshots on with it."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from podium.scheduling.order.queue import queue_key
from podium.scheduling.snapshot import Demand, Hold, Past, Snapshot
from podium.scheduling.space.floor import Floor
from podium.scheduling.space.layout import Layout
from podium.scheduling.view import (
    NOTHING,
    Lines,
    Used,
    View,
    Waiting,
    ask_of,
    expected_end_ms,
    held_of,
    is_endless,
    is_movable,
    preemptible_after,
    used_after,
    view_of,
)

Changes = Sequence[tuple[Hold, int]]
"""Holds that came (1) or went (-1)."""


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
        preemptible=preemptible_after(before.preemptible, changes),
        movable=_movable(before.movable, changes),
        holders=before.holders.changed(
            layout,
            {
                workload_id: [held_of(holds[each]) for each in ids.get(workload_id, ())]
                for workload_id in dict.fromkeys(hold.workload_id for hold, _ in changes)
            },
        ),
        extremes=before.extremes,
        amounts=before.amounts,
    )
    return after


def past_set(snapshot: Snapshot, past: Past) -> Snapshot:
    """The same snapshot with another past; what was found out about it still holds."""
    after = replace(snapshot, past=past)
    after.indexes.update(snapshot.indexes)
    return after


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


def _movable(before: Mapping[str, Hold], changes: Changes) -> Mapping[str, Hold]:
    found = dict(before)
    for hold, sign in changes:
        found.pop(hold.allocation_id, None)
        if sign > 0 and is_movable(hold):
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
        found[hold.project] = used_after(layout, found.get(hold.project, NOTHING), ((hold, sign),))
    return {project: used for project, used in found.items() if used != NOTHING}


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
