"""Why a demand was not placed: one dominant typed reason. The cycle asks when all is placed.

The dominant reason is the first thing that would have to change, from what can never be (type,
size) to what passes by itself (capacity). Messages name no workloads, because people of other
projects read them; holders are evidence, with their project as `subject`, for the API to filter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from podium.domain.node import NodeState
from podium.domain.reason import Evidence, Refusal, WaitReason
from podium.domain.resources import Request, TopologyLevel
from podium.scheduling.placing.fit import Shape, device_matches
from podium.scheduling.placing.gangs import most_together
from podium.scheduling.placing.seats import find_seats
from podium.scheduling.placing.stage import Stage
from podium.scheduling.placing.worths import Worths
from podium.scheduling.plan import Placement
from podium.scheduling.reasons.elsewhere import no_level, not_there
from podium.scheduling.reasons.holders import (
    CPU,
    Held,
    Holders,
    kinds_wanted,
    on_nodes,
)
from podium.scheduling.reasons.impossible import impossible_size, impossible_type
from podium.scheduling.reasons.shortage import Case, shortage
from podium.scheduling.reasons.tally import Tallies
from podium.scheduling.reasons.wording import counted, level_word, listed
from podium.scheduling.snapshot import Demand, Part, Snapshot
from podium.scheduling.space.floor import Floor
from podium.scheduling.space.layout import ANY, Where, where_of
from podium.scheduling.view import View, held_of

FRONT = 10
"""So many refused demands at the head of the queue hear free amounts and holders. Those behind
get sentences that stay the same while work ahead of them comes and goes, as each change of a
refusal is written to the store."""

NODES_MAX = 5
_MEETS = "Ask for fewer or smaller replicas: those of a gang meet, so they run inside one cluster."


class Refusals:
    """Judges demands against the state that a cycle leaves behind."""

    def __init__(
        self,
        snapshot: Snapshot,
        view: View,
        free: Floor,
        placements: Sequence[Placement],
        keeper: Evidence | None,
        shape_of: Callable[[Request], Shape],
    ) -> None:
        """`free` is what nobody holds after the cycle; `keeper` names the first for whom room is
        kept; `shape_of` gives equal requests the same shape."""
        self._shape_of = shape_of
        self._snapshot = snapshot
        self._layout = view.layout
        self._placements = placements
        self._keeper = keeper
        self._whole = view.tallies("whole")
        self._idle = view.tallies("idle")
        self._now = Tallies(free)
        self._view = view
        self._held: dict[Where, Holders] = {}
        self._holders: dict[tuple[object, ...], tuple[Evidence, ...]] = {}
        self._known: dict[tuple[object, ...], Refusal] = {}
        self._hopeless: dict[tuple[object, ...], Refusal | None] = {}

    def of(self, demand: Demand, placed: int, beside: Sequence[int], *, front: bool) -> Refusal:
        """The refusal of what is left of `demand` after `placed` replicas found a place now.
        `beside` are the nodes on which it stands, from before or since now. `front`: it is one of
        the first in the queue."""
        if demand.parts:
            return self._of_groups(demand, beside, front=front)
        rest = placed > 0 or bool(beside)
        need = 1 if placed else demand.minimum
        each = rest or (need == 1 and len(demand.pending_ranks) > 1)
        request = demand.request
        shape = self._shape_of(request)
        case = Case(demand=demand, shape=shape, need=need, each=each, front=front)
        within = demand.topology.within
        if rest and within is not None:  # bound to where it stands: shared with no other demand
            return self._judge(case, beside)
        key = (id(shape), within, need, each, front)
        if key not in self._known:
            self._known[key] = self._judge(case, ())
        return self._known[key]

    def fits(self, demand: Demand, placed: int, beside: Sequence[int]) -> bool:
        """Whether what is left of it would have room now, whatever is kept or not allowed."""
        need = 1 if placed else demand.minimum
        groups = demand.parts or (Part(demand.request, demand.pending_ranks),)
        for part in groups:
            one = replace(
                demand, request=part.request, pending_ranks=part.ranks, parts=(), minimum=1
            )
            least = len(part.ranks) if demand.parts else need
            shape = self._shape_of(part.request)
            case = Case(demand=one, shape=shape, need=least, each=False, front=False)
            if self._unless_fit(case, beside) is not None:
                return False
        return True

    def never(self, demand: Demand, beside: Sequence[int]) -> Refusal | None:
        """Why it could not start even if nothing else ran and everything were up; None where it
        could, and for what stands already."""
        if beside or not self._snapshot.nodes:
            return None
        several = len(demand.pending_ranks) > 1
        key = (demand.request, demand.parts, demand.minimum, demand.topology.within, several)
        if key not in self._hopeless:
            cases = self._cases(demand)
            found = next((why for case in cases if (why := self._hopeless_of(case, ()))), None)
            if found is None and demand.parts:
                found = self._too_many_groups(demand)
            self._hopeless[key] = found
        return self._hopeless[key]

    def _cases(self, demand: Demand, *, front: bool = False) -> Iterator[Case]:
        """Each of its groups for itself."""
        groups = demand.parts or (Part(demand.request, demand.pending_ranks),)
        for part in groups:
            need = len(part.ranks) if demand.parts else demand.minimum
            one = demand
            if demand.parts:
                one = replace(
                    demand, request=part.request, pending_ranks=part.ranks, minimum=need, parts=()
                )
            shape = self._shape_of(part.request)
            each = need == 1 and len(part.ranks) > 1
            yield Case(demand=one, shape=shape, need=need, each=each, front=front)

    def _of_groups(self, demand: Demand, beside: Sequence[int], *, front: bool) -> Refusal:
        """The first group that does not fit even for itself says why; else they do not fit at
        once."""
        for case in self._cases(demand, front=front):
            refusal = self._unless_fit(case, beside)
            if refusal is not None:
                return refusal
        too_many = self._too_many_groups(demand)
        if too_many is not None:
            return too_many
        if self._keeper is not None:
            return self._kept()
        return Refusal(
            WaitReason.FRAGMENTATION,
            "Each of its groups would fit for itself, but not all of them at once.",
            "It starts when more is free; with fewer replicas it starts sooner.",
        )

    def _too_many_groups(self, demand: Demand) -> Refusal | None:
        stage = Stage(Floor(self._layout, all_up=True), Worths(self._whole.floor, ()))
        if find_seats(demand, stage.family, stage.floor):
            return None
        return Refusal(
            WaitReason.IMPOSSIBLE_SIZE,
            "Each of its groups would fit for itself, but all of them at once are more than "
            "the cluster has, even empty.",
            "Ask for fewer replicas, or for less for each.",
        )

    def _judge(self, case: Case, beside: Sequence[int]) -> Refusal:
        return self._unless_fit(case, beside) or self._kept()

    def _unless_fit(self, case: Case, beside: Sequence[int]) -> Refusal | None:
        if not self._snapshot.nodes:
            return Refusal(
                WaitReason.NO_NODES, "No node has joined the cluster yet.", "Add a node."
            )
        return (
            impossible_type(case, self._layout)
            or impossible_size(case, self._whole)
            or self._not_even_empty(case, beside)
            or self._not_now(case, beside)
        )

    def _hopeless_of(self, case: Case, beside: Sequence[int]) -> Refusal | None:
        return (
            impossible_type(case, self._layout)
            or impossible_size(case, self._whole)
            or self._nowhere(case, beside)
        )

    def _nowhere(self, case: Case, beside: Sequence[int]) -> Refusal | None:
        """It would fit, but not on the nodes that it may use, or not together."""
        within = case.demand.topology.within
        if self._whole.room_for(case.shape, where_of(case.demand.request)) < case.need:
            return not_there(case, self._whole, self._snapshot.pools)
        if within is not None:
            together = self._together(self._whole, case, beside)
            if together < case.need:
                return self._topology(case, together, for_ever=True)
        return None

    def _not_even_empty(self, case: Case, beside: Sequence[int]) -> Refusal | None:
        """What stands in the way even when nothing runs."""
        if not self._layout.is_ready.any():
            return self._no_node_ready()
        nowhere = self._nowhere(case, beside)
        if nowhere is not None:
            return nowhere
        where, within = where_of(case.demand.request), case.demand.topology.within
        if self._idle.room_for(case.shape, where) < case.need or (
            within is not None and self._together(self._idle, case, beside) < case.need
        ):
            return self._unhealthy(case)
        return None

    def _together(self, tallies: Tallies, case: Case, beside: Sequence[int]) -> int:
        fits = tallies.fits(case.shape, where_of(case.demand.request))
        return most_together(self._layout, fits, case.demand.topology.within, beside)

    def _not_now(self, case: Case, beside: Sequence[int]) -> Refusal | None:
        within, shape = case.demand.topology.within, case.shape
        where = where_of(case.demand.request)
        now = self._now.of(shape, where)
        together = now.replicas
        if within is not None and now.replicas:
            together = self._together(self._now, case, beside)
        if together >= case.need:
            return None
        if now.replicas >= case.need:
            return self._topology(case, together, for_ever=False)
        short = shortage(case, now, self._idle.of(shape, where))
        if not case.front:
            return short.refusal
        kinds = kinds_wanted(shape) if short.of_gpus else (CPU,)
        if (where, kinds) not in self._holders:
            self._holders[where, kinds] = self._all_held(where).evidence(kinds)
        holders = self._holders[where, kinds]
        return replace(short.refusal, evidence=short.refusal.evidence + holders)

    def _all_held(self, where: Where) -> Holders:
        """What is held on the nodes that will do, from before and by this plan."""
        if where not in self._held:
            demands = self._view.demands
            placed = [
                Held(one.workload_id, demands[one.workload_id].project, one.node, one.cpu_milli,
                     one.devices)
                for one in self._placements
            ]  # fmt: skip
            stood = self._view.holds
            if where != ANY:
                allowed = self._now.allowed(where)
                everything = [*map(held_of, stood.values()), *placed]
                found = Holders.of(self._layout, on_nodes(everything, self._layout, allowed))
            else:
                now: dict[str, list[Held]] = {}
                for one in placed:
                    now.setdefault(one.workload_id, []).append(one)
                for workload_id, ids in self._view.held.items() if now else ():
                    if workload_id in now:
                        now[workload_id] += [held_of(stood[each]) for each in ids]
                found = self._view.holders.changed(self._layout, now) if now else self._view.holders
            self._held[where] = found
        return self._held[where]

    def _no_node_ready(self) -> Refusal:
        nodes = self._layout.nodes
        states = Counter(node.state.value for node in nodes)
        parts = [f"{count} {state}" for state, count in sorted(states.items())]
        words = "The only node takes no new work" if len(nodes) == 1 else "No node takes new work"
        return Refusal(
            WaitReason.NO_NODES,
            f"{words}: {listed(parts)}.",
            "Bring a lost node back, or let a cordoned one take work again.",
            tuple(
                Evidence("node_state", node.state.value, node.name) for node in nodes[:NODES_MAX]
            ),
        )

    def _topology(self, case: Case, together: int, *, for_ever: bool) -> Refusal:
        within = case.demand.topology.within
        assert within is not None
        place = level_word(within)
        at_most = (
            "none fits"
            if together == 0
            else f"at most {together} {'fits' if together == 1 else 'fit'}"
        )
        if for_ever:
            message = no_level(self._layout, within, at_most) or (
                f"No {place} can hold {counted(case.need, 'replica')} together; "
                f"{at_most} into one, even an empty one."
            )
        else:
            message = f"Enough is free, but not inside one {place}."
            if case.front:
                message = f"Enough is free, but not inside one {place}: {at_most} into one now."
        return Refusal(
            WaitReason.TOPOLOGY,
            message,
            _MEETS
            if within is TopologyLevel.CLUSTER
            else "Use topology.prefer in place of topology.within, or ask for fewer replicas.",
            (Evidence("replicas_together", str(together), within.value),)
            if for_ever or case.front
            else (),
        )

    def _unhealthy(self, case: Case) -> Refusal:
        request = case.demand.request
        layout = self._layout
        where = where_of(request)
        fits = self._whole.fits(case.shape, where)
        chosen = [at for at, will_do in enumerate(layout.chosen(where).tolist()) if will_do]
        down = [layout.nodes[at] for at in chosen if not layout.ready[at] and fits[at]]
        ill = [
            device
            for at in chosen
            if layout.ready[at]
            for device, kind in zip(
                layout.devices[at], layout.shelves[layout.shelf[at]], strict=True
            )
            if not device.healthy and device_matches(request, layout.kinds[kind])
        ]
        lost = sum(node.state is NodeState.LOST for node in down)
        counts = (
            (lost, "node", "lost"),
            (len(down) - lost, "node", "cordoned"),
            (len(ill), "GPU", "not healthy"),
        )
        out = listed(
            f"{counted(count, noun)} {'is' if count == 1 else 'are'} {word}"
            for count, noun, word in counts
            if count
        )
        evidence = [Evidence("node_state", node.state.value, node.name) for node in down]
        evidence += [Evidence("gpu_unhealthy", str(device.index), device.node) for device in ill]
        return Refusal(
            WaitReason.UNHEALTHY_NODES,
            f"Would fit if everything were up; now {out}.",
            "Bring the nodes back, or ask for what the others have.",
            tuple(evidence[:NODES_MAX]),
        )

    def _kept(self) -> Refusal:
        assert self._keeper is not None, "a demand that fits is placed unless room is kept"
        if self._keeper.fact == "booking":
            return Refusal(
                WaitReason.RESERVATION,
                "What it needs is free, but booked.",
                "It can start when the booking is over; a limit on its runtime may let it start "
                "before.",
                (self._keeper,),
            )
        return Refusal(
            WaitReason.PRIORITY,
            "What it needs is kept for work ahead of it in the queue, which has waited long.",
            "It can start after that work; a higher priority would put it ahead.",
            (self._keeper,),
        )
