"""Why a demand was not placed: one dominant typed reason. `decide` asks at the end of a cycle.

The dominant reason is the first thing that would have to change, from what can never be (type,
size) to what passes by itself (capacity). Messages name no workloads, because people of other
projects read them; holders are evidence, with their project as `subject`, for the API to filter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from podium.domain.node import NodeState
from podium.domain.reason import Evidence, Refusal, WaitReason
from podium.scheduling.cluster import Cluster, NodeRoom
from podium.scheduling.fit import Shape, capacity, device_matches
from podium.scheduling.holders import Held, held_in, largest_holders
from podium.scheduling.impossible import impossible_size, impossible_type
from podium.scheduling.packing import most_together, room_for
from podium.scheduling.plan import Placement
from podium.scheduling.shortage import Case, shortage
from podium.scheduling.snapshot import Demand, Snapshot
from podium.scheduling.tally import Tallies
from podium.scheduling.wording import counted, label_words, level_word, listed

FRONT = 10
"""So many refused demands at the head of the queue hear free amounts and holders. Those behind
get sentences that stay the same while work ahead of them comes and goes, as each change of a
refusal is written to the store."""

NODES_MAX = 5


class Refusals:
    """Judges demands against the state that a cycle leaves behind."""

    def __init__(
        self,
        snapshot: Snapshot,
        cluster: Cluster,
        placements: Sequence[Placement],
        head: Demand | None,
    ) -> None:
        self._snapshot = snapshot
        self._cluster = cluster
        self._placements = placements
        self._head = head
        self._everything = Cluster(snapshot.nodes, all_up=True)
        all_up = all(
            node.state is NodeState.READY and all(device.healthy for device in node.devices)
            for node in snapshot.nodes
        )
        self._up = self._everything if all_up else Cluster(snapshot.nodes)
        self._idle = Tallies(self._up)
        self._whole = Tallies(self._everything)
        self._now = Tallies(cluster)
        self._held: list[Held] | None = None
        self._told = 0
        self._known: dict[tuple[object, ...], Refusal] = {}

    def of(self, demand: Demand, placed: int, beside: Sequence[NodeRoom]) -> Refusal:
        """The refusal of what is left of `demand` after `placed` replicas found a place now.
        `beside` are the nodes on which it stands from before."""
        rest = placed > 0 or bool(beside)
        need = 1 if placed else demand.minimum
        each = rest or (need == 1 and len(demand.pending_ranks) > 1)
        front = self._told < FRONT
        self._told += 1
        case = Case(
            demand=demand,
            shape=Shape(demand.request, self._cluster.kinds),
            need=need,
            each=each,
            front=front,
        )
        within = demand.topology.within
        if rest and within is not None:  # bound to where it stands: shared with no other demand
            return self._judge(case, self._stands(demand, beside))
        key = (demand.request, within, need, each, front)
        if key not in self._known:
            self._known[key] = self._judge(case, ())
        return self._known[key]

    def _stands(self, demand: Demand, beside: Sequence[NodeRoom]) -> Sequence[NodeRoom]:
        new = (
            self._cluster.room(placement.node)
            for placement in self._placements
            if placement.workload_id == demand.workload_id
        )
        return [*beside, *(room for room in new if room is not None)]

    def _judge(self, case: Case, beside: Sequence[NodeRoom]) -> Refusal:
        if not self._snapshot.nodes:
            return Refusal(
                WaitReason.NO_NODES, "No node has joined the cluster yet.", "Add a node."
            )
        return (
            impossible_type(case, self._everything)
            or impossible_size(case, self._everything, self._whole)
            or self._not_even_empty(case, beside)
            or self._not_now(case, beside)
        )

    def _not_even_empty(self, case: Case, beside: Sequence[NodeRoom]) -> Refusal | None:
        """What stands in the way even when nothing runs."""
        if not any(room.ready for room in self._up.nodes):
            return self._no_node_ready()
        labels, within = case.demand.request.node_labels, case.demand.topology.within
        labelled = self._everything.eligible(labels)
        if room_for(labelled, case.shape, case.need) < case.need:
            return self._labels(case, labelled)
        if within is not None:
            together = most_together(labelled, case.shape, within, beside)
            if together < case.need:
                return self._topology(case, together, for_ever=True)
        up = self._up.eligible(labels)
        if self._up is not self._everything and (
            room_for(up, case.shape, case.need) < case.need
            or (within is not None and most_together(up, case.shape, within, beside) < case.need)
        ):
            return self._unhealthy(case, labelled)
        return None

    def _not_now(self, case: Case, beside: Sequence[NodeRoom]) -> Refusal:
        within, shape = case.demand.topology.within, case.shape
        labels = case.demand.request.node_labels
        free = self._cluster.eligible(labels)
        now = self._now.of(shape, labels)
        together = now.replicas
        if within is not None and now.replicas:
            together = most_together(free, shape, within, beside)
        if together >= case.need:
            return self._kept()
        if now.replicas >= case.need:
            return self._topology(case, together, for_ever=False)
        short = shortage(case, now, self._idle.of(shape, labels))
        if not case.front:
            return short.refusal
        if self._held is None:
            self._held = held_in(self._snapshot, self._placements)
        holders = largest_holders(self._held, free, shape, of_gpus=short.of_gpus)
        return replace(short.refusal, evidence=short.refusal.evidence + holders)

    def _no_node_ready(self) -> Refusal:
        nodes = [room.node for room in self._up.nodes]
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

    def _labels(self, case: Case, labelled: Sequence[NodeRoom]) -> Refusal:
        words = label_words(case.demand.request)
        if labelled:
            message = f"The nodes with the {words} could not hold it even if empty; others could."
        else:
            message = f"No node has the {words}."
        return Refusal(
            WaitReason.POLICY,
            message,
            "Ask for labels that a node has, or leave node_labels out.",
            tuple(
                Evidence("node_label", f"{key}={value}")
                for key, value in case.demand.request.node_labels
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
            message = (
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
            "Use topology.prefer in place of topology.within, or ask for fewer replicas.",
            (Evidence("replicas_together", str(together), within.value),)
            if for_ever or case.front
            else (),
        )

    def _unhealthy(self, case: Case, labelled: Sequence[NodeRoom]) -> Refusal:
        request = case.demand.request
        down = [
            room.node
            for room in labelled
            if room.node.state is not NodeState.READY and capacity(room, case.shape)
        ]
        ill = [
            device.device
            for room in labelled
            if room.node.state is NodeState.READY
            for device in room.devices
            if not device.device.healthy
            and device_matches(request, self._everything.kinds[device.kind])
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
        head = self._head
        assert head is not None, "a demand that fits is placed unless room is kept"
        return Refusal(
            WaitReason.PRIORITY,
            "What it needs is kept for work ahead of it in the queue, which has waited long.",
            "It can start after that work; a higher priority would put it ahead.",
            (Evidence("holder", head.workload_id, head.project),),
        )
