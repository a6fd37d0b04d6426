"""Why does mine wait, and what is the smallest change that would start it now? Asked by the API
for one workload, on the snapshot that the last cycle decided on. Costs a few cycles at most."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import islice

from podium.domain.quota import Counted
from podium.domain.reason import Refusal
from podium.domain.resources import Request, most_gpus
from podium.domain.workload import Kind
from podium.scheduling.explain.changes import USUAL, Effort, smallest_changes
from podium.scheduling.explain.nodes import node_groups
from podium.scheduling.explain.raises import limits_beside
from podium.scheduling.explain.rehearsal import Outcome, Rehearsal
from podium.scheduling.explain.room import floor_after
from podium.scheduling.explain.told import constraint_of, front_refusal
from podium.scheduling.explain.values import (
    Constraint,
    Entitled,
    Explanation,
    Holder,
    Position,
)
from podium.scheduling.ground import fairness_of
from podium.scheduling.order.ceilings import Ceilings
from podium.scheduling.order.places import ALL, FIRST_TYPE
from podium.scheduling.order.queue import queue_key
from podium.scheduling.placing.fit import Shape
from podium.scheduling.plan import Placement, Plan
from podium.scheduling.reasons.holders import (
    CPU,
    HOLDERS_MAX,
    Amounts,
    Held,
    Holders,
    kinds_wanted,
    on_nodes,
)
from podium.scheduling.snapshot import Demand, Hold, Snapshot
from podium.scheduling.space.layout import ANY, where_of
from podium.scheduling.view import View, expected_end_ms, held_of, view_of

AHEAD_MAX = 5

_HELD = (
    Constraint.GPUS,
    Constraint.CPUS,
    Constraint.MEMORY,
    Constraint.NODE,
    Constraint.TOPOLOGY,
    Constraint.TURN,
)
"""What somebody holds who could give it back."""


def explanation(
    snapshot: Snapshot,
    plan: Plan | None,
    workload_id: str,
    now_ms: int,
    seed: int = 0,
    *,
    priority_max: int | None = None,
    effort: Effort = USUAL,
) -> Explanation:
    """`plan` is what `decide` said of the snapshot at `now_ms`, if that is known. `priority_max` is
    what a policy allows to the workload at most; None: what its kind may have. KeyError when the
    workload does not wait."""
    demand = view_of(snapshot).demands[workload_id]
    rehearsal = Rehearsal(snapshot, now_ms, seed, workload_id, plan)
    return explained(
        rehearsal,
        demand,
        rehearsal.before(),
        priority_max=priority_max,
        effort=effort,
    )


def explained(
    rehearsal: Rehearsal,
    demand: Demand,
    outcome: Outcome,
    *,
    priority_max: int | None,
    effort: Effort,
) -> Explanation:
    """Of what became of a demand in a cycle."""
    snapshot, view, plan = rehearsal.snapshot, rehearsal.view, outcome.plan
    floor = floor_after(view.floor, plan.placements)
    beside = _beside(view, demand, outcome.placements)
    refusal = outcome.refusal
    constraint = None
    if refusal is not None:
        refusal = front_refusal(snapshot, view, plan, floor, demand, refusal, beside)
        constraint = constraint_of(refusal)
    request = _binding(demand)
    holders: tuple[Holder, ...] = ()
    count = 0
    if constraint is Constraint.QUOTA and refusal is not None:
        holders, count = _holders_of_share(rehearsal, demand, refusal)
    elif constraint in _HELD:
        of_cpu = constraint is Constraint.CPUS
        holders, count = _holders(view, plan, demand, request, of_cpu=of_cpu)
    reservation = next(
        (each for each in plan.reservations if each.workload_id == demand.workload_id), None
    )
    starts = bool(outcome.placements)
    changes = (
        ()
        if starts or outcome.refusal is None
        else smallest_changes(
            rehearsal,
            demand,
            outcome.refusal.reason,
            beside,
            priority_max=priority_max,
            effort=effort,
        )
    )
    return Explanation(
        workload_id=demand.workload_id,
        project=demand.project,
        starts_now=starts,
        refusal=refusal,
        constraint=constraint,
        groups=()
        if refusal is None or constraint is Constraint.ITSELF
        else node_groups(
            demand, request, floor, plan, snapshot.bookings, rehearsal.now_ms, constraint
        ),
        holders=holders,
        holders_in_all=count,
        position=_position(snapshot, view, plan, demand),
        entitled=_entitled(snapshot, view, demand, request),
        changes=changes,
        kept=reservation is not None,
        kept_from_ms=None if reservation is None else reservation.from_ms,
        giving_way=outcome.giving_way,
        decides=rehearsal.decides,
    )


def _binding(demand: Demand) -> Request:
    """What one replica asks for; of unlike groups the one that asks for the most GPUs."""
    requests = [part.request for part in demand.parts] or [demand.request]
    return max(requests, key=most_gpus)


def _beside(view: View, demand: Demand, placements: Sequence[Placement]) -> list[int]:
    """The nodes on which it stands, from before or since now."""
    position = view.layout.position
    names = [view.holds[each].node for each in view.held.get(demand.workload_id, ())]
    names += [each.node for each in placements]
    return [position[name] for name in names if name in position]


def _holders(
    view: View, plan: Plan, demand: Demand, request: Request, *, of_cpu: bool
) -> tuple[tuple[Holder, ...], int]:
    """The largest that hold what is waited for, on the nodes that will do, and how many do."""
    layout = view.layout
    shape = Shape(request, layout.kinds)
    kinds = (CPU,) if of_cpu or not shape.count else kinds_wanted(shape)
    now: dict[str, list[Held]] = {}
    for one in plan.placements:
        if one.workload_id != demand.workload_id:
            project = view.demands[one.workload_id].project
            now.setdefault(one.workload_id, []).append(
                Held(one.workload_id, project, one.node, one.cpu_milli, one.devices)
            )
    where = where_of(request)
    if where == ANY:
        everything = {
            name: [*held, *(held_of(view.holds[each]) for each in view.held.get(name, ()))]
            for name, held in now.items()
        }
        found = view.holders.changed(layout, everything) if now else view.holders
    else:
        held = [*map(held_of, view.holds.values()), *(one for each in now.values() for one in each)]
        found = Holders.of(layout, on_nodes(held, layout, layout.chosen(where)))
    evidence = found.evidence(kinds)
    if not evidence:
        return (), 0
    holders = [
        _holder(view, each.value, each.subject, found.amounts[each.value], now)
        for each in evidence[1:]
    ]
    return tuple(holders), int(evidence[0].value)


def _holder(
    view: View, workload_id: str, project: str, amounts: Amounts, now: Mapping[str, Sequence[Held]]
) -> Holder:
    """`now` are the places of what starts in this cycle."""
    holds = [view.holds[name] for name in view.held.get(workload_id, ())]
    until_ms, sure = _until(holds)
    return Holder(
        workload_id=workload_id,
        project=project,
        gpu_milli=sum(milli for kind, milli in amounts.items() if kind != CPU),
        cpu_milli=amounts.get(CPU, 0),
        replicas=len(holds) + len(now.get(workload_id, ())),
        until_ms=until_ms,
        sure=sure,
        ending=bool(holds) and all(hold.ending for hold in holds),
        starts_now=workload_id in now,
    )


def _holders_of_share(
    rehearsal: Rehearsal, demand: Demand, refusal: Refusal
) -> tuple[tuple[Holder, ...], int]:
    """Who uses up the limit: the largest below the share that has it; of a cap those of the one
    person."""
    snapshot, view = rehearsal.snapshot, rehearsal.view
    facts = {each.fact: each.subject for each in refusal.evidence}
    share = facts.get("limit", facts.get("cap_per_user"))
    owner = facts["used"] if "cap_per_user" in facts else None
    reached = None
    if owner is None and Ceilings.among(snapshot.shares):
        reached = limits_beside(rehearsal, demand).reached(demand, demand.minimum)
    counted = reached.what if reached is not None and reached.share == share else None
    fairness = fairness_of(snapshot, view)
    below: dict[str, bool] = {}
    found: list[tuple[int, str, str]] = []
    for workload_id, project in view.holders.projects.items():
        if project not in below:
            below[project] = any(place.name == share for place in fairness.path(project))
        holds = [view.holds[name] for name in view.held.get(workload_id, ())]
        if below[project] and (owner is None or any(hold.owner == owner for hold in holds)):
            amounts = view.holders.amounts.get(workload_id, {})
            held = sum(amount for kind, amount in amounts.items() if kind != CPU)
            if counted is Counted.CPU:
                held = sum(hold.cpu_milli for hold in holds)
            elif counted is Counted.MEMORY:
                held = sum(hold.memory_bytes for hold in holds)
            elif counted is Counted.WORKSPACES:
                held = sum(hold.kind is Kind.WORKSPACE for hold in holds)
            if held:
                found.append((-held, workload_id, project))
    found.sort()
    return tuple(
        _holder(view, workload_id, project, view.holders.amounts.get(workload_id, {}), {})
        for _, workload_id, project in found[:HOLDERS_MAX]
    ), len(found)


def _until(holds: Sequence[Hold]) -> tuple[int | None, bool]:
    """When the last of them ends, and whether it has to by then."""
    ends = [expected_end_ms(hold) for hold in holds]
    known = [each for each in ends if each is not None]
    if not holds or len(known) < len(ends):
        return None, False
    return max(known), all(hold.ends_at_ms is not None for hold in holds)


def _position(snapshot: Snapshot, view: View, plan: Plan, demand: Demand) -> Position:
    key = queue_key(demand)
    lines = view.lines.get(demand.project, {}).values()
    waiting = len(snapshot.demands) + (demand.workload_id not in view.demands)
    mine = sum(len(each.ids) for each in lines)
    if demand.blocked is not None or demand.workload_id not in view.demands:
        mine += 1
    told = [each.workload_id for each in plan.turns]
    turn = told.index(demand.workload_id) + 1 if demand.workload_id in told else None
    before = told if turn is None else told[: turn - 1]
    return Position(
        in_project=1 + sum(bisect_left(each.demands, key, key=queue_key) for each in lines),
        project_waiting=mine,
        overall=1 + bisect_left(snapshot.demands, key, key=queue_key),
        waiting=waiting,
        turn=turn,
        ahead=tuple(islice((each for each in before if each != demand.workload_id), AHEAD_MAX)),
    )


def _entitled(
    snapshot: Snapshot, view: View, demand: Demand, request: Request
) -> tuple[Entitled, ...]:
    """From its project up, where something is guaranteed or limited: over all types, and of those
    that would do."""
    if not snapshot.shares or not request.wants_gpu:
        return ()
    fairness = fairness_of(snapshot, view)
    shape = Shape(request, view.layout.kinds)
    types = {view.layout.kinds[kind].type for kind in shape.kinds}
    columns = [(ALL, "")]
    columns += [(at, name) for at, name in enumerate(fairness.types, FIRST_TYPE) if name in types]
    return tuple(
        Entitled(
            share=place.name,
            gpu_type=name,
            guarantee_milli=place.guarantees.get(column),
            limit_milli=place.limits.get(column),
            used_milli=place.use[column],
        )
        for place in fairness.path(demand.project)
        for column, name in columns
        if column in place.guarantees or column in place.limits
    )
