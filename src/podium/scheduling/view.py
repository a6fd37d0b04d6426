"""What a cycle needs of a snapshot, indexed: nodes as arrays, what is free, who waits in which
line, who stands where. Made once for a snapshot; `evolved` makes the next one from what changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from podium.domain.quantity import GPU_MILLI
from podium.domain.resources import Request, Topology
from podium.domain.workload import Kind
from podium.scheduling.order.queue import queue_key
from podium.scheduling.order.service_order import level
from podium.scheduling.placing.fit import Shape
from podium.scheduling.reasons.holders import Held, Holders
from podium.scheduling.reasons.tally import Tallies
from podium.scheduling.snapshot import Demand, Hold, Part, Snapshot
from podium.scheduling.space.floor import Floor
from podium.scheduling.space.layout import Layout

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
    level: int
    parts: tuple[Part, ...] = ()
    owner: str = ""  # where a cap for each person may part who asks for the same
    workspace: bool = False


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
    stopped for others, by project and priority; `movable` are those of work that could as well run
    elsewhere."""

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
    movable: Mapping[str, Hold]
    holders: Holders
    extremes: dict[str, Tallies]
    amounts: dict[Request, int]

    def milli_of(self, request: Request) -> int:
        """The milli-GPU that one replica takes, of the first kind of device that fits."""
        if request.gpu_milli >= GPU_MILLI or (request.gpu_milli and not self.layout.sized):
            return request.gpu_milli
        found = self.amounts.get(request)
        if found is None:
            found = self.amounts[request] = Shape(request, self.layout.kinds).milli
        return found

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
        level(demand.attained_milli_ms) if demand.attained_milli_ms else 0,
        demand.parts,
        demand.owner,
        demand.kind is Kind.WORKSPACE,
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


def is_movable(hold: Hold) -> bool:
    """It saved what it did, stands on one node for itself, and may be stopped."""
    return (
        hold.request is not None
        and hold.saved_at_ms is not None
        and hold.minimum == 1
        and hold.preemptible
        and not hold.ending
    )


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
            project: used_after(layout, NOTHING, ((hold, 1) for hold in holds))
            for project, holds in by_project.items()
        },
        standing={
            demand.workload_id: demand for demand in snapshot.demands if demand.workload_id in held
        },
        preemptible=preemptible_after({}, [(hold, 1) for hold in snapshot.holds]),
        movable={hold.allocation_id: hold for hold in snapshot.holds if is_movable(hold)},
        holders=Holders.of(layout, map(held_of, snapshot.holds)),
        extremes={},
        amounts={},
    )
    snapshot.indexes["view"] = view
    return view


def used_after(layout: Layout, before: Used, changes: Iterable[tuple[Hold, int]]) -> Used:
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


def preemptible_after(
    before: Mapping[str, Mapping[int, int]], changes: Iterable[tuple[Hold, int]]
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
