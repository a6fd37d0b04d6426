"""Who holds what another workload waits for, as evidence of a refusal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from podium.domain.reason import Evidence
from podium.domain.resources import DeviceShare
from podium.scheduling.cluster import NodeRoom
from podium.scheduling.fit import Shape
from podium.scheduling.plan import Placement
from podium.scheduling.snapshot import Snapshot

HOLDERS_MAX = 5


class Held(NamedTuple):
    """A hold, or a placement that becomes one."""

    workload_id: str
    project: str
    node: str
    cpu_milli: int
    devices: tuple[DeviceShare, ...]


def held_in(snapshot: Snapshot, placements: Iterable[Placement]) -> list[Held]:
    """Everything that is held once the placements of a plan on this snapshot count."""
    projects = {demand.workload_id: demand.project for demand in snapshot.demands}
    held = [
        Held(hold.workload_id, hold.project, hold.node, hold.cpu_milli, hold.devices)
        for hold in snapshot.holds
    ]
    held.extend(
        Held(
            placement.workload_id,
            projects[placement.workload_id],
            placement.node,
            placement.cpu_milli,
            placement.devices,
        )
        for placement in placements
    )
    return held


def largest_holders(
    held: Iterable[Held], rooms: Sequence[NodeRoom], shape: Shape, *, of_gpus: bool
) -> tuple[Evidence, ...]:
    """How many workloads hold something of what the shape could use on these nodes, and the
    largest of them: `Evidence("holder", workload id, project)`."""
    names = {room.node.name for room in rooms}
    wanted = {
        (room.node.name, device.device.id)
        for room in rooms
        for device in room.devices
        if shape.grants[device.kind] is not None
    }
    amounts: dict[tuple[str, str], int] = {}
    for one in held:
        if one.node not in names:
            continue
        amount = one.cpu_milli
        if of_gpus:
            amount = sum(
                share.gpu_milli for share in one.devices if (one.node, share.device_id) in wanted
            )
        if amount:
            key = (one.workload_id, one.project)
            amounts[key] = amounts.get(key, 0) + amount
    if not amounts:
        return ()
    largest = sorted(amounts, key=lambda key: (-amounts[key], key))[:HOLDERS_MAX]
    return (
        Evidence("holders", str(len(amounts))),
        *(Evidence("holder", workload_id, project) for workload_id, project in largest),
    )
