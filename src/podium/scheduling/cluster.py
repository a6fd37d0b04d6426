"""Free capacity of every node and device during one cycle; packing takes from it and gives back.

Node positions are indexes in name order, so comparing positions compares names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from podium.domain.node import Device, Node, NodeState
from podium.domain.quantity import GPU_MILLI
from podium.domain.resources import DeviceShare
from podium.scheduling.snapshot import Hold

Labels = tuple[tuple[str, str], ...]


class DeviceKind(NamedTuple):
    """What distinguishes devices for a request; most clusters have a handful."""

    type: str
    memory_bytes: int
    mig_profile: str | None


class DeviceRoom:
    """What is free of one device."""

    __slots__ = ("bytes_free", "device", "kind", "milli_free")

    def __init__(self, device: Device, kind: int) -> None:
        self.device = device
        self.kind = kind
        self.milli_free = GPU_MILLI
        self.bytes_free = device.memory_bytes


class NodeRoom:
    """What is free of one node. `devices` holds the healthy ones; `milli_free` is their sum."""

    __slots__ = (
        "cpu_free",
        "devices",
        "gpus_kept",
        "memory_free",
        "milli_free",
        "node",
        "position",
        "ready",
    )

    def __init__(self, node: Node, position: int, *, ready: bool) -> None:
        self.node = node
        self.position = position
        self.ready = ready
        self.cpu_free = node.cpu_milli
        self.memory_free = node.memory_bytes
        self.devices: list[DeviceRoom] = []
        self.milli_free = 0
        self.gpus_kept = False  # for a workload ahead in the queue


class Grant(NamedTuple):
    """What one replica takes from one node: device, milli-GPU and bytes for each device."""

    cpu_milli: int
    memory_bytes: int
    devices: tuple[tuple[DeviceRoom, int, int], ...]


class Cluster:
    """All nodes with what is free on them. `changed` logs positions, oldest first."""

    def __init__(
        self, nodes: Sequence[Node], holds: Iterable[Hold] = (), *, all_up: bool = False
    ) -> None:
        """`all_up` pretends that every node is ready and every device healthy."""
        self.kinds: list[DeviceKind] = []
        self.nodes: list[NodeRoom] = []
        self.changed: list[int] = []
        self._kept: list[tuple[NodeRoom, int, int]] = []
        self._eligible: dict[Labels, list[NodeRoom]] = {}
        self._by_name: dict[str, NodeRoom] = {}
        self._by_device: dict[tuple[str, str], DeviceRoom] = {}
        kind_ids: dict[DeviceKind, int] = {}
        for position, node in enumerate(sorted(nodes, key=lambda node: node.name)):
            room = NodeRoom(node, position, ready=all_up or node.state is NodeState.READY)
            for device in sorted(node.devices, key=lambda device: (device.index, device.id)):
                kind = DeviceKind(device.type, device.memory_bytes, device.mig_profile)
                # Kinds are numbered whatever the health, so that clusters of one cycle agree.
                kind_id = kind_ids.setdefault(kind, len(kind_ids))
                if device.healthy or all_up:
                    device_room = DeviceRoom(device, kind_id)
                    room.devices.append(device_room)
                    room.milli_free += GPU_MILLI
                    self._by_device[node.name, device.id] = device_room
            self.nodes.append(room)
            self._by_name[node.name] = room
        self.kinds.extend(kind_ids)
        for hold in holds:
            self.occupy(hold.node, hold.cpu_milli, hold.memory_bytes, hold.devices)

    def room(self, name: str) -> NodeRoom | None:
        return self._by_name.get(name)

    def eligible(self, labels: Labels) -> list[NodeRoom]:
        """The ready nodes that carry all these labels, in name order, whatever is free."""
        found = self._eligible.get(labels)
        if found is None:
            found = self._eligible[labels] = [
                room
                for room in self.nodes
                if room.ready and all(label in room.node.labels for label in labels)
            ]
        return found

    def occupy(
        self, node: str, cpu_milli: int, memory_bytes: int, devices: tuple[DeviceShare, ...]
    ) -> None:
        """Take what is held already; nodes and devices that are gone or ill give nothing."""
        room = self._by_name.get(node)
        if room is None:
            return
        room.cpu_free -= cpu_milli
        room.memory_free -= memory_bytes
        for share in devices:
            device_room = self._by_device.get((node, share.device_id))
            if device_room is not None:
                device_room.milli_free -= share.gpu_milli
                device_room.bytes_free -= share.memory_bytes
                room.milli_free -= share.gpu_milli

    def take(self, room: NodeRoom, grant: Grant) -> None:
        room.cpu_free -= grant.cpu_milli
        room.memory_free -= grant.memory_bytes
        for device_room, milli, size in grant.devices:
            device_room.milli_free -= milli
            device_room.bytes_free -= size
            room.milli_free -= milli
            assert device_room.milli_free >= 0
            assert device_room.bytes_free >= 0
        assert room.cpu_free >= 0 or grant.cpu_milli == 0
        assert room.memory_free >= 0 or grant.memory_bytes == 0
        self.changed.append(room.position)

    def keep(self, room: NodeRoom, cpu_milli: int, memory_bytes: int, *, gpus: bool) -> None:
        """Withhold from all who come later this cycle, until `release_kept`."""
        room.cpu_free -= cpu_milli
        room.memory_free -= memory_bytes
        room.gpus_kept = room.gpus_kept or gpus
        self._kept.append((room, cpu_milli, memory_bytes))
        self.changed.append(room.position)

    def release_kept(self) -> None:
        for room, cpu_milli, memory_bytes in self._kept:
            room.cpu_free += cpu_milli
            room.memory_free += memory_bytes
            room.gpus_kept = False
            self.changed.append(room.position)
        self._kept.clear()
