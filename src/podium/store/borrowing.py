"""How much of what is granted stands beyond guarantees. `store/plans` writes it down with the
grant, and so the bill knows it (`store/metering`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from podium.domain.quantity import GPU_MILLI
from podium.scheduling.order.fairness import Fairness
from podium.scheduling.plan import Placement
from podium.scheduling.snapshot import Snapshot


def borrowed_of(
    snapshot: Snapshot, accepted: Sequence[Placement], projects: Mapping[str, str]
) -> list[tuple[int, ...]]:
    """For each placement the milli-GPU of each of its devices that are borrowed: beyond the
    guarantee of the project and of the places above it, counted after those before it.

    `projects` is by workload. Of a type of which nobody is guaranteed anything nothing is
    borrowed: there is nobody to borrow from.
    """
    promised = {
        gpu_type.casefold()
        for share in snapshot.shares
        for gpu_type, milli in share.guarantees
        if milli > 0
    }
    if not promised or not any(each.devices for each in accepted):
        return [(0,) * len(each.devices) for each in accepted]
    types = {device.id: device.type for node in snapshot.nodes for device in node.devices}
    capacity: dict[str, int] = {}
    for gpu_type in types.values():
        capacity[gpu_type] = capacity.get(gpu_type, 0) + GPU_MILLI
    fairness = Fairness(snapshot.shares, capacity, 0, 0, snapshot.policy.half_life_ms)
    held: dict[str, dict[str, int]] = {}
    for hold in snapshot.holds:
        for share in hold.devices:
            if share.device_id in types:
                mine = held.setdefault(hold.project, {})
                gpu_type = types[share.device_id]
                mine[gpu_type] = mine.get(gpu_type, 0) + share.gpu_milli
    for project, amounts in held.items():
        fairness.add(project, tuple(amounts.items()), 0, 0)
    found = []
    for placement in accepted:
        project = projects[placement.workload_id]
        borrowed = []
        for share in placement.devices:
            gpu_type = types[share.device_id]
            fairness.add(project, ((gpu_type, share.gpu_milli),), 0, 0)
            lent = "" in promised or gpu_type.casefold() in promised
            beyond = fairness.surplus(project, gpu_type) if lent else 0
            borrowed.append(min(share.gpu_milli, beyond))
        found.append(tuple(borrowed))
    return found
