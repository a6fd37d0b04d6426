"""A single demand is placed exactly when trying every assignment finds one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations

from hypothesis import event, given, settings
from hypothesis import strategies as st

from podium.domain.mig import BOARDS, Placed, is_legal
from podium.domain.node import Device, Node, NodeState
from podium.domain.resources import Isolation, Request, Topology, TopologyLevel
from podium.scheduling.decide import decide
from podium.scheduling.plan import Plan
from podium.scheduling.snapshot import Hold, Snapshot
from podium.scheduling.space.topology import place_of
from unit.scheduling.cases import NOW_MS, demand, nodes, requests, snapshot, topologies

Free = dict[str, list[int]]
"""Node name → [cpu, memory]; device id → [milli, bytes]."""


def takes(wants: Request, device: Device) -> tuple[int, int] | None:
    """(milli, bytes) of one grant on this device, None when it cannot serve the request."""
    if not device.healthy or device.board or device.mig_profile != wants.mig_profile:
        return None
    if wants.isolation is Isolation.MIG:
        return None
    if wants.gpu_types and device.type not in upper(wants.gpu_types):
        return None
    if wants.gpu_memory and device.memory_bytes not in wants.gpu_memory:
        return None
    piece = device.share_milli
    if piece:
        whole = wants.gpu_share_bytes == 0 and (wants.gpu_milli or 1000) >= 1000
        if whole or piece == 1000:
            return (1000, device.memory_bytes) if whole and piece == 1000 else None
        size = device.memory_bytes * piece // 1000
        enough = wants.gpu_milli <= piece and wants.gpu_share_bytes <= size
        return (piece, wants.gpu_share_bytes or size) if enough else None
    if wants.gpu_share_bytes:
        for milli in range(1, 1001):
            if device.memory_bytes * milli >= wants.gpu_share_bytes * 1000:
                return milli, wants.gpu_share_bytes
        return None
    milli = min(wants.gpu_milli or 1000, 1000)
    return milli, device.memory_bytes * milli // 1000


def can_place(found: list[Node], free: Free, wants: Request, count: int) -> bool:
    """Depth first over every node and every set of devices for each replica in turn."""
    if count == 0:
        return True
    number = wants.mig_count or wants.gpu_milli // 1000 or int(wants.wants_gpu)
    for node in found:
        cpu, memory = free[node.name]
        if cpu < wants.cpu_milli or memory < wants.memory_bytes:
            continue
        for devices in combinations(node.devices, number):
            grants = [takes(wants, device) for device in devices]
            if any(
                grant is None or free[device.id][0] < grant[0] or free[device.id][1] < grant[1]
                for grant, device in zip(grants, devices, strict=True)
            ):
                continue
            left = {key: list(amounts) for key, amounts in free.items()}
            left[node.name][0] -= wants.cpu_milli
            left[node.name][1] -= wants.memory_bytes
            for grant, device in zip(grants, devices, strict=True):
                assert grant is not None
                left[device.id][0] -= grant[0]
                left[device.id][1] -= grant[1]
            if can_place(found, left, wants, count - 1):
                return True
    return False


def most_instances(device: Device, wants: Request, placed: list[Placed]) -> int:
    """How many instances for the request one GPU takes beside others, by trying each."""
    board = BOARDS[device.board]
    if not device.healthy or (wants.gpu_types and device.type not in upper(wants.gpu_types)):
        return 0
    if wants.gpu_memory and device.memory_bytes not in wants.gpu_memory:
        return 0
    if not wants.mig_profile and wants.isolation is not Isolation.MIG:
        return 0
    stands = {(each.profile, each.start) for each in device.instances}
    most = 0
    for profile in board.profiles:
        does = (
            profile.name == wants.mig_profile
            if wants.mig_profile
            else not profile.media
            and profile.memory_bytes >= wants.gpu_share_bytes
            and profile.memory_slices * 1000 >= wants.gpu_milli * board.memory_slices
            and profile.compute_slices * 1000 >= wants.gpu_milli * board.compute_slices
        )
        for start in profile.starts if does else ():
            if device.pinned and (profile.name, start) not in stands:
                continue
            if placed and start <= placed[-1][1] and not placed_by_others(device, placed[-1]):
                continue  # the order in which they are made does not matter
            if is_legal(board, [*placed, (profile, start)]):
                most = max(most, 1 + most_instances(device, wants, [*placed, (profile, start)]))
    return most


def placed_by_others(device: Device, last: Placed) -> bool:
    return (last[0].name, last[1]) in OTHERS.get(device.id, ())


OTHERS: dict[str, set[tuple[str, int]]] = {}
"""What stands on each GPU before the oracle tries."""


def upper(names: Iterable[str]) -> list[str]:
    return [name.upper() for name in names]


def instances_for(found: list[Node], holds: list[Hold], wants: Request) -> dict[str, int]:
    """By node, on the GPUs that can be cut."""
    sums: dict[str, int] = {}
    for node in found:
        for device in node.devices:
            if not device.board:
                continue
            board = BOARDS[device.board]
            placed = {(each.profile, each.start) for each in device.instances if each.busy}
            placed |= {
                (share.mig_profile, share.mig_start)
                for hold in holds
                for share in hold.devices
                if share.device_id == device.id
            }
            OTHERS[device.id] = placed
            named = [(board.profile(name), start) for name, start in sorted(placed)]
            before = [(profile, start) for profile, start in named if profile is not None]
            more = most_instances(device, wants, before)
            sums[node.name] = sums.get(node.name, 0) + more
    return sums


def fits_cut(
    found: list[Node], free: Free, wants: Request, count: int, cut: dict[str, int]
) -> bool:
    """Equal replicas on nodes whose instances and GPUs are each good for one of `number`."""
    number = wants.mig_count or 1
    total = 0
    for node in found:
        cpu, memory = free[node.name]
        plain = sum(
            (grant := takes(wants, device)) is not None and free[device.id][0] >= grant[0]
            for device in node.devices
        )
        most = (cut.get(node.name, 0) + plain) // number
        if wants.cpu_milli:
            most = min(most, cpu // wants.cpu_milli)
        if wants.memory_bytes:
            most = min(most, memory // wants.memory_bytes)
        total += max(0, most)
    return total >= count


def oracle(found: list[Node], holds: list[Hold], wants: Request, count: int, t: Topology) -> bool:
    free: Free = {}
    for node in found:
        free[node.name] = [node.cpu_milli, node.memory_bytes]
        free |= {device.id: [1000, device.memory_bytes] for device in node.devices}
    for hold in holds:
        free[hold.node][0] -= hold.cpu_milli
        free[hold.node][1] -= hold.memory_bytes
        for share in hold.devices:
            free[share.device_id][0] -= share.gpu_milli
            free[share.device_id][1] -= share.memory_bytes
    usable = [
        node
        for node in found
        if node.state is NodeState.READY and set(wants.node_labels) <= set(node.labels)
    ]
    pools: dict[tuple[str, ...], list[Node]] = {(): usable}
    if t.within is not None:
        pools = {}
        for node in usable:
            pools.setdefault(place_of(node, t.within), []).append(node)
    if wants.mig_profile or wants.isolation is Isolation.MIG:
        cut = instances_for(found, holds, wants)
        return any(fits_cut(pool, free, wants, count, cut) for pool in pools.values())
    return any(can_place(pool, free, wants, count) for pool in pools.values())


@given(
    found=st.lists(st.integers(), max_size=3).flatmap(
        lambda names: st.tuples(*(nodes(f"n{i}") for i in range(len(names))))
    ),
    first=requests,
    wants=requests,
    count=st.integers(1, 3),
    topology=topologies,
)
@settings(max_examples=400, deadline=None)
def test_placed_when_and_only_when_something_fits(
    found: tuple[Node, ...], first: Request, wants: Request, count: int, topology: Topology
) -> None:
    small = [replace(node, devices=node.devices[-5:]) for node in found]
    earlier = decide(snapshot(small, [demand("first", first)]), NOW_MS, 0)
    holds = [
        Hold(
            allocation_id="first/0",
            workload_id="first",
            project="p",
            priority=0,
            node=one.node,
            cpu_milli=one.cpu_milli,
            memory_bytes=one.memory_bytes,
            devices=one.devices,
        )
        for one in earlier.placements
    ]
    plan = decide(snapshot(small, [demand("w", wants, count, topology=topology)], holds), NOW_MS, 0)
    expected = oracle(small, holds, wants, count, topology)
    event(f"fits: {expected}")
    assert (len(plan.placements) == count) == expected


def test_topology_levels_nest() -> None:
    """Two nodes of one rack are in one block; a rack's name counts inside its block only."""
    one = Node(
        name="a", engine="e", state=NodeState.READY, address="", cpu_milli=1, memory_bytes=1,
        rack="r", block="b",
    )  # fmt: skip
    same, other = replace(one, name="b"), replace(one, name="c", block="b2")
    for level in (TopologyLevel.RACK, TopologyLevel.BLOCK):
        assert place_of(one, level) == place_of(same, level) != place_of(other, level)
    assert place_of(one, TopologyLevel.NVLINK) != place_of(same, TopologyLevel.NVLINK)
    alone = replace(one, name="d", rack="", block="")
    assert place_of(alone, TopologyLevel.BLOCK) != place_of(
        replace(alone, name="e"), TopologyLevel.BLOCK
    )


def test_an_empty_snapshot_has_an_empty_plan() -> None:
    assert decide(Snapshot(nodes=(), holds=(), demands=()), NOW_MS, 0) == Plan()
