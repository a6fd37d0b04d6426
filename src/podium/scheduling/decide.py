"""The scheduler's decision: snapshot in, plan out. Control, dry runs and simulation call it.

Demands are served in the order of the queue: priority, then age, then id. Each gets the nodes
with the least left over (see `fit.fit_key`); a gang gets at least its minimum at once or nothing.

What is promised about waiting: among work of equal or lower priority nobody overtakes for ever.
Smaller work may pass a blocked workload at first. Once the first blocked workload in the queue
that could run here has waited `PATIENCE_MS`, the nodes with the least to drain are kept for it,
and it starts when the work on them has ended. What is not promised: a time (runtimes are not
looked at), protection from a stream of higher priority, room that services and workspaces hold,
or protection of more than one workload at a time. Reservations with times replace this.
"""

from __future__ import annotations

from podium.domain.reason import Refusal
from podium.domain.resources import DeviceShare
from podium.scheduling.cluster import Cluster, NodeRoom
from podium.scheduling.packing import Packer, Slot
from podium.scheduling.patience import ENDLESS_KINDS, PATIENCE_MS, kept_rooms
from podium.scheduling.plan import Placement, Plan, Refused, Reservation
from podium.scheduling.queue import queue_order
from podium.scheduling.refusals import Refusals
from podium.scheduling.snapshot import Demand, Snapshot


def decide(snapshot: Snapshot, now_ms: int, seed: int) -> Plan:
    """One cycle. Pure: equal arguments give plans of equal digest, and nothing is changed.

    Every demand whose replicas are not all placed has exactly one refusal. `seed` breaks declared
    ties; this version declares none, every tie ends at the node's name. `next_wake_ms` is None:
    time alone never makes room here.
    """
    del seed
    return _Cycle(snapshot, now_ms).plan()


class _Cycle:
    def __init__(self, snapshot: Snapshot, now_ms: int) -> None:
        self._snapshot = snapshot
        self._now_ms = now_ms
        self._cluster = Cluster(snapshot.nodes, snapshot.holds)
        self._packer = Packer(self._cluster)
        self._placements: list[Placement] = []
        self._endless: list[Placement] = []
        self._head: Demand | None = None
        self._reservations: tuple[Reservation, ...] = ()
        self._drained: Cluster | None = None
        self._hopeless: set[tuple[object, ...]] = set()

    def plan(self) -> Plan:
        standing = self._standing()
        unplaced: list[tuple[Demand, int]] = []
        for demand in queue_order(self._snapshot.demands):
            if demand.blocked is not None:
                unplaced.append((demand, 0))
                continue
            beside = standing.get(demand.workload_id, [])
            slots = self._packer.place(demand, beside)
            self._record(demand, slots)
            if len(slots) < len(demand.pending_ranks):
                unplaced.append((demand, len(slots)))
            if not slots and not beside and self._head is None:
                self._keep_room(demand)
        self._cluster.release_kept()
        return Plan(
            placements=tuple(self._placements),
            refusals=self._refusals(unplaced, standing),
            reservations=self._reservations,
        )

    def _standing(self) -> dict[str, list[NodeRoom]]:
        """Nodes on which workloads of the queue stand already."""
        waiting = dict.fromkeys(demand.workload_id for demand in self._snapshot.demands)
        standing: dict[str, list[NodeRoom]] = {}
        for hold in self._snapshot.holds:
            if hold.workload_id in waiting:
                room = self._cluster.room(hold.node)
                if room is not None:
                    standing.setdefault(hold.workload_id, []).append(room)
        return standing

    def _record(self, demand: Demand, slots: list[Slot]) -> None:
        if len(slots) > 1:
            # Neighbours in rank become neighbours in topology.
            slots.sort(key=lambda slot: (slot[0].node.block, slot[0].node.rack, slot[0].position))
        for rank, (room, grant) in zip(demand.pending_ranks, slots, strict=False):
            shares = tuple(
                DeviceShare(device.device.id, milli, size) for device, milli, size in grant.devices
            )
            placement = Placement(
                demand.workload_id,
                rank,
                room.node.name,
                grant.cpu_milli,
                grant.memory_bytes,
                shares,
            )
            self._placements.append(placement)
            if demand.kind in ENDLESS_KINDS:
                self._endless.append(placement)
                if self._drained is not None:
                    _occupy(self._drained, placement)

    def _keep_room(self, demand: Demand) -> None:
        """Make `demand` the head for which nodes are kept, if it has waited long enough and
        waiting can help. A workload that runs in part gets on without."""
        kept_from_ms = demand.queued_at_ms + PATIENCE_MS
        if kept_from_ms > self._now_ms:
            return
        question = (demand.request, demand.topology.within, demand.minimum)
        if question in self._hopeless:
            return
        if self._drained is None:
            endless = [hold for hold in self._snapshot.holds if hold.kind in ENDLESS_KINDS]
            self._drained = Cluster(self._snapshot.nodes, endless)
            for placement in self._endless:
                _occupy(self._drained, placement)
        family = self._packer.request_class(demand.request)
        kept = kept_rooms(self._cluster, self._drained, family.shape, family.rooms, demand)
        if not kept:
            self._hopeless.add(question)
            return
        self._head = demand
        request = demand.request
        for room, replicas in kept:
            self._cluster.keep(
                room,
                request.cpu_milli * replicas,
                request.memory_bytes * replicas,
                gpus=request.wants_gpu,
            )
        nodes = tuple(sorted(room.node.name for room, _ in kept))
        self._reservations = (Reservation(demand.workload_id, nodes, kept_from_ms),)

    def _refusals(
        self, unplaced: list[tuple[Demand, int]], standing: dict[str, list[NodeRoom]]
    ) -> tuple[Refused, ...]:
        """Judged on the state that the whole cycle leaves, so that equal demands hear the same."""
        refusals = Refusals(self._snapshot, self._cluster, self._placements, self._head)
        refused = []
        for demand, placed in unplaced:
            refusal: Refusal | None = demand.blocked
            if refusal is None:
                refusal = refusals.of(demand, placed, standing.get(demand.workload_id, []))
            refused.append(Refused(demand.workload_id, refusal))
        return tuple(refused)


def _occupy(cluster: Cluster, placement: Placement) -> None:
    cluster.occupy(placement.node, placement.cpu_milli, placement.memory_bytes, placement.devices)
