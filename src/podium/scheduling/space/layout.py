"""The nodes of a snapshot as arrays: what stays the same while work comes and goes.

Node positions are indexes in name order, so comparing positions compares names. A device is a
column of its node; columns are in the order of the devices' indexes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from podium.domain.mig import BOARDS
from podium.domain.node import Device, Node, NodeState
from podium.domain.quantity import GPU_MILLI
from podium.domain.resources import DeviceShare, Request, TopologyLevel
from podium.scheduling.placing.slices import free_mask, taken
from podium.scheduling.space.masks import SLICED, less, milli_of, value_of
from podium.scheduling.space.room import Bools, Ints
from podium.scheduling.space.topology import Place, outside_in, place_of

Labels = tuple[tuple[str, str], ...]


class Where(NamedTuple):
    """Which nodes will do: those with all these labels, in one of these pools (empty = any)."""

    labels: Labels = ()
    pools: tuple[str, ...] = ()


ANY = Where()

NO_DEVICE = -1
"""Stands in `Layout.device_kind` where a node has fewer devices than another."""


def where_of(request: Request) -> Where:
    return Where(request.node_labels, request.pools)


class DeviceKind(NamedTuple):
    """What distinguishes devices for a request; most clusters have a handful."""

    type: str
    memory_bytes: int
    mig_profile: str | None
    board: str = ""
    pinned: tuple[tuple[str, int], ...] | None = None
    share_milli: int = 0


class State(NamedTuple):
    """What is free of a node, with devices of one kind in ascending order: nodes in equal states
    are alike for every request that names no labels, no pools and no place. `masks` says what the
    value of a device means."""

    shelf: int
    cpu_milli: int
    memory_bytes: int
    devices: tuple[int, ...]

    @property
    def gpu_milli(self) -> int:
        """Free of all devices."""
        devices = self.devices
        if not devices or max(devices) < SLICED:  # as nearly always, and this is hot
            return sum(devices)
        return sum(map(milli_of, devices))


class States:
    """Gives each state a small number, for good. Numbers tell states apart and nothing else:
    no decision may depend on which came first."""

    def __init__(self) -> None:
        self.of: list[State] = []
        self._numbers: dict[State, int] = {}

    def number(self, state: State) -> int:
        found = self._numbers.get(state)
        if found is None:
            found = self._numbers[state] = len(self.of)
            self.of.append(state)
        return found


class Layout:
    """`shelf[n]` numbers what devices node n has, in order; `shelves[s]` are their kinds. Arrays
    are (N,) or (N, D) with D the most devices that one node has."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = tuple(sorted(nodes, key=lambda node: node.name))
        self.position = {node.name: at for at, node in enumerate(self.nodes)}
        self.devices: list[tuple[Device, ...]] = [
            tuple(sorted(node.devices, key=lambda device: (device.index, device.id)))
            for node in self.nodes
        ]
        self._column = {
            (node.name, device.id): column
            for node, devices in zip(self.nodes, self.devices, strict=True)
            for column, device in enumerate(devices)
            if device.healthy
        }
        self._type = {
            (node.name, device.id): device.type for node in self.nodes for device in node.devices
        }
        self.inventory: dict[str, int] = {}
        for device in (device for node in self.nodes for device in node.devices):
            self.inventory[device.type] = self.inventory.get(device.type, 0) + GPU_MILLI
        self.cpu_milli = sum(node.cpu_milli for node in self.nodes)
        self.memory_bytes = sum(node.memory_bytes for node in self.nodes)
        self.ready = [node.state is NodeState.READY for node in self.nodes]
        self.kinds: list[DeviceKind] = []
        self.shelves: list[tuple[int, ...]] = []
        self.shelf: list[int] = []
        self.states = States()
        self._number_kinds()
        self._segments: list[list[slice] | None] = [_segments(shelf) for shelf in self.shelves]
        widest = max((len(devices) for devices in self.devices), default=0)
        self.device_kind: Ints = np.full((len(self.nodes), widest), NO_DEVICE, dtype=np.int64)
        self.healthy: Bools = np.zeros((len(self.nodes), widest), dtype=np.bool_)
        for at, devices in enumerate(self.devices):
            self.device_kind[at, : len(devices)] = self.shelves[self.shelf[at]]
            self.healthy[at, : len(devices)] = [device.healthy for device in devices]
        self.is_ready: Bools = np.array(self.ready, dtype=np.bool_)
        self.sliced = any(kind.board for kind in self.kinds)
        # Whether some take more for a share than it asks for.
        self.sized = any(0 < kind.share_milli < GPU_MILLI for kind in self.kinds)
        self._places: dict[tuple[TopologyLevel, TopologyLevel | None], Ints] = {}
        self.levels = outside_in(self.nodes)
        self._chosen: dict[Where, Bools] = {}

    def _number_kinds(self) -> None:
        kind_ids: dict[DeviceKind, int] = {}
        shelf_ids: dict[tuple[int, ...], int] = {}
        for devices in self.devices:
            shelf = tuple(kind_ids.setdefault(kind_of(device), len(kind_ids)) for device in devices)
            self.shelf.append(shelf_ids.setdefault(shelf, len(shelf_ids)))
        self.kinds.extend(kind_ids)
        self.shelves.extend(shelf_ids)

    def state(self, shelf: int, cpu_milli: int, memory_bytes: int, devices: tuple[int, ...]) -> int:
        """The number of the state of a node with so much free; less than nothing is nothing."""
        segments = self._segments[shelf]
        if segments is None:
            ordered = tuple(sorted(devices))
        else:
            ordered = tuple(milli for part in segments for milli in sorted(devices[part]))
        return self.states.number(State(shelf, max(0, cpu_milli), max(0, memory_bytes), ordered))

    def idle(self, at: int) -> list[int]:
        """What is free on the devices of a node when nothing runs: nothing of ill ones."""
        return [whole_of(device) if device.healthy else 0 for device in self.devices[at]]

    def whole(self, at: int) -> list[int]:
        """The same if none of them were ill."""
        return [whole_of(device) for device in self.devices[at]]

    def columns(self, node: str, shares: Iterable[DeviceShare]) -> list[tuple[int, int]]:
        """Column and amount of each share; devices that are gone or ill have none."""
        found = self.shares(node, shares)
        if not self.sliced:
            return [(column, share.gpu_milli) for column, share in found]
        devices = self.devices[self.position[node]] if found else ()
        return [(column, _amount(devices[column], share)) for column, share in found]

    def shares(self, node: str, shares: Iterable[DeviceShare]) -> list[tuple[int, DeviceShare]]:
        """The same with the shares themselves."""
        found = []
        for share in shares:
            column = self._column.get((node, share.device_id))
            if column is not None:
                found.append((column, share))
        return found

    def types(self, node: str, shares: Iterable[DeviceShare]) -> list[tuple[str, int]]:
        """GPU type and milli-GPU of each share; devices that are gone have none, ill ones have."""
        found = []
        for share in shares:
            gpu_type = self._type.get((node, share.device_id))
            if gpu_type is not None:
                found.append((gpu_type, share.gpu_milli))
        return found

    def places(self, level: TopologyLevel, inside: TopologyLevel | None = None) -> Ints:
        """The place of `level` in which each node stands, (N,), numbered by its first node. Levels
        need not nest, so with `inside` a place is what it has in common with one of that level."""
        key = level, inside
        found = self._places.get(key)
        if found is None:
            numbers: dict[tuple[Place, Place | None], int] = {}
            named = [
                (place_of(node, level), None if inside is None else place_of(node, inside))
                for node in self.nodes
            ]
            found = self._places[key] = np.array(
                [numbers.setdefault(each, len(numbers)) for each in named], dtype=np.int64
            )
        return found

    def chosen(self, where: Where) -> Bools:
        """The nodes that will do, (N,), whatever their state."""
        found = self._chosen.get(where)
        if found is None:
            labels, pools = where
            found = self._chosen[where] = np.array(
                [
                    (not pools or node.pool in pools)
                    and all(label in node.labels for label in labels)
                    for node in self.nodes
                ],
                dtype=np.bool_,
            )
        return found


def kind_of(device: Device) -> DeviceKind:
    pinned = None
    if device.board and device.pinned:
        pinned = tuple(sorted((each.profile, each.start) for each in device.instances))
    return DeviceKind(
        device.type,
        device.memory_bytes,
        device.mig_profile,
        device.board,
        pinned,
        device.share_milli,
    )


def whole_of(device: Device) -> int:
    """What is free of a device when nobody holds any of it. Instances that somebody uses whom
    Podium does not know are not."""
    board = BOARDS.get(device.board)
    if board is None:
        return GPU_MILLI
    value = value_of(board, free_mask(board))
    for instance in device.instances:
        profile = board.profile(instance.profile)
        if instance.busy and profile is not None:
            value = less(value, taken(profile, instance.start))
    return value


def _amount(device: Device, share: DeviceShare) -> int:
    """What a share takes of the free value of its device. One from before the GPU was cut takes
    all of it."""
    board = BOARDS.get(device.board)
    if board is None:
        return share.gpu_milli
    profile = board.profile(share.mig_profile)
    return free_mask(board) if profile is None else taken(profile, share.mig_start)


def _segments(shelf: tuple[int, ...]) -> list[slice] | None:
    """Runs of equal kinds in a shelf; None when there is only one kind."""
    if len(dict.fromkeys(shelf)) <= 1:
        return None
    starts = [at for at in range(len(shelf)) if at == 0 or shelf[at] != shelf[at - 1]]
    return [slice(start, end) for start, end in zip(starts, [*starts[1:], len(shelf)], strict=True)]
