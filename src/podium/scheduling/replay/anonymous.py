"""A snapshot without names of people, projects or machines, for a bug report: `podium replay
--anonymise` writes it.

Every name becomes a neutral one, the same wherever it stands, and in the same order: most ties of
the scheduler end at a name, so the decisions stay the same up to the names. What is written for
people, as the reasons of others, is left out; the digest changes and is made anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from podium.domain.node import Device, Node
from podium.domain.pool import Pool
from podium.domain.reason import Evidence, Refusal
from podium.domain.resources import DeviceShare, Request
from podium.scheduling.decide import decide
from podium.scheduling.replay.record import Record, recorded
from podium.scheduling.snapshot import Booking, Demand, Hold, Part, Share, Snapshot
from podium.scheduling.space.layout import Labels


def anonymised(snapshot: Snapshot) -> Snapshot:
    """GPU types, amounts and times stay."""
    return _Names(snapshot).snapshot()


def anonymised_record(record: Record) -> Record:
    """Decided anew, so that it replays."""
    snapshot = anonymised(record.snapshot)
    plan = decide(snapshot, record.now_ms, record.seed)
    whole = record.plan is not None
    return recorded(snapshot, record.now_ms, record.seed, record.version, plan, whole=whole)


class _Map:
    """New names for old ones, in the same order; nothing stays nothing."""

    def __init__(self, prefix: str, names: Iterable[str]) -> None:
        known = sorted(set(names) - {""})
        width = len(str(len(known)))
        self._names = {name: f"{prefix}{at:0{width}}" for at, name in enumerate(known, start=1)}
        self._names[""] = ""

    def __call__(self, name: str) -> str:
        return self._names[name]

    def has(self, name: str) -> bool:
        return name in self._names


class _Names:
    def __init__(self, snapshot: Snapshot) -> None:
        self._was = was = snapshot
        requests = [*_requests(was)]
        labels = [label for node in was.nodes for label in node.labels]
        labels += [label for request in requests for label in request.node_labels]
        labels += [label for pool in was.pools for label in pool.labels]
        workloads = [demand.workload_id for demand in was.demands]
        workloads += [hold.workload_id for hold in was.holds]
        self._workload = _Map("workload-", workloads)
        self._allocation = _Map("allocation-", [hold.allocation_id for hold in was.holds])
        projects = [demand.project for demand in was.demands]
        projects += [hold.project for hold in was.holds]
        projects += [booking.project or "" for booking in was.bookings]
        projects += [name for pool in was.pools for name in (*pool.projects, *pool.teams)]
        for share in was.shares:
            projects += [share.name, share.parent or "", share.project or ""]
        # Shares and projects stand beside each other in one tree, so they are in one order.
        self._project = _Map("project-", projects)
        nodes = [node.name for node in was.nodes] + [hold.node for hold in was.holds]
        nodes += [name for booking in was.bookings for name in booking.nodes]
        nodes += [name for demand in was.demands for _, name in demand.stood]
        self._node = _Map("node-", nodes)
        devices = [device.id for node in was.nodes for device in node.devices]
        devices += [share.device_id for hold in was.holds for share in hold.devices]
        self._device = _Map("gpu-", devices)
        uuids = [device.uuid for node in was.nodes for device in node.devices]
        uuids += [
            instance.uuid
            for node in was.nodes
            for device in node.devices
            for instance in device.instances
        ]
        self._uuid = _Map("uuid-", uuids)
        self._key = _Map("label-", [key for key, _ in labels])
        self._value = _Map("value-", [value for _, value in labels])
        pools = [node.pool for node in was.nodes] + [pool.name for pool in was.pools]
        pools += [name for request in requests for name in request.pools]
        self._pool = _Map("pool-", pools)
        places = [name for node in was.nodes for name in (node.block, node.rack, node.nvlink)]
        self._place = _Map("place-", places)
        self._engine = _Map("engine-", [node.engine for node in was.nodes])
        self._booking = _Map("booking-", [booking.name for booking in was.bookings])
        owners = [each.owner for each in was.demands] + [each.owner for each in was.holds]
        self._owner = _Map("person-", owners)
        self._known_requests: dict[Request, Request] = {}

    def snapshot(self) -> Snapshot:
        was = self._was
        return replace(
            was,
            nodes=tuple(map(self._of_node, was.nodes)),
            holds=tuple(map(self._of_hold, was.holds)),
            demands=tuple(map(self._of_demand, was.demands)),
            shares=tuple(map(self._of_share, was.shares)),
            bookings=tuple(map(self._of_booking, was.bookings)),
            pools=tuple(map(self._of_pool, was.pools)),
            mix=tuple((self._of_request(request), count) for request, count in was.mix),
        )

    def _of_node(self, node: Node) -> Node:
        return replace(
            node,
            name=self._node(node.name),
            engine=self._engine(node.engine),
            address="",
            labels=self._labels(node.labels),
            block=self._place(node.block),
            rack=self._place(node.rack),
            nvlink=self._place(node.nvlink),
            pool=self._pool(node.pool),
            devices=tuple(map(self._of_device, node.devices)),
        )

    def _of_device(self, device: Device) -> Device:
        return replace(
            device,
            id=self._device(device.id),
            node=self._node(device.node) if self._node.has(device.node) else "",
            uuid=self._uuid(device.uuid),
            instances=tuple(replace(each, uuid=self._uuid(each.uuid)) for each in device.instances),
            fault="",
        )

    def _of_hold(self, hold: Hold) -> Hold:
        return replace(
            hold,
            allocation_id=self._allocation(hold.allocation_id),
            workload_id=self._workload(hold.workload_id),
            project=self._project(hold.project),
            node=self._node(hold.node),
            devices=tuple(map(self._of_part, hold.devices)),
            request=None if hold.request is None else self._of_request(hold.request),
            owner=self._owner(hold.owner),
        )

    def _of_part(self, share: DeviceShare) -> DeviceShare:
        return replace(share, device_id=self._device(share.device_id))

    def _of_demand(self, demand: Demand) -> Demand:
        return replace(
            demand,
            workload_id=self._workload(demand.workload_id),
            project=self._project(demand.project),
            request=self._of_request(demand.request),
            parts=tuple(Part(self._of_request(part.request), part.ranks) for part in demand.parts),
            stood=tuple((rank, self._node(name)) for rank, name in demand.stood),
            data="data that is bound to them" if demand.data else "",
            blocked=None if demand.blocked is None else self._of_refusal(demand.blocked),
            owner=self._owner(demand.owner),
        )

    def _of_refusal(self, refusal: Refusal) -> Refusal:
        """Sentences may name people's work; facts stay if they are numbers or known names."""
        return Refusal(
            refusal.reason,
            "It may not start yet.",
            "",
            tuple(
                Evidence(each.fact, self._fact(each.value), self._fact(each.subject))
                for each in refusal.evidence
            ),
        )

    def _fact(self, value: str) -> str:
        for names in (self._workload, self._project, self._node):
            if names.has(value):
                return names(value)
        return value if value.isdecimal() else ""

    def _of_request(self, request: Request) -> Request:
        found = self._known_requests.get(request)
        if found is None:
            found = self._known_requests[request] = replace(
                request,
                node_labels=self._labels(request.node_labels),
                pools=tuple(map(self._pool, request.pools)),
            )
        return found

    def _labels(self, labels: Labels) -> Labels:
        return tuple((self._key(key), self._value(value)) for key, value in labels)

    def _of_share(self, share: Share) -> Share:
        return replace(
            share,
            name=self._project(share.name),
            parent=None if share.parent is None else self._project(share.parent),
            project=None if share.project is None else self._project(share.project),
        )

    def _of_booking(self, booking: Booking) -> Booking:
        return replace(
            booking,
            name=self._booking(booking.name),
            nodes=tuple(map(self._node, booking.nodes)),
            project=None if booking.project is None else self._project(booking.project),
        )

    def _of_pool(self, pool: Pool) -> Pool:
        return replace(
            pool,
            name=self._pool(pool.name),
            labels=self._labels(pool.labels),
            projects=tuple(map(self._project, pool.projects)),
            teams=tuple(map(self._project, pool.teams)),
            note="",
            region="",
        )


def _requests(snapshot: Snapshot) -> Iterable[Request]:
    for demand in snapshot.demands:
        yield demand.request
        yield from (part.request for part in demand.parts)
    for hold in snapshot.holds:
        if hold.request is not None:
            yield hold.request
    yield from (request for request, _ in snapshot.mix)
