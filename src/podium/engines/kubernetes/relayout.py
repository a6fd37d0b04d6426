"""Brings the GPUs of a node to the layout that an operator wants, through the GPU operator's MIG
manager. `engine.py` has one.

The manager reads a label of the node, cuts all GPUs of it alike, and resets them for that; so a
change waits until it is wanted of each of them, and until nothing uses any.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from podium.domain.errors import ConflictError
from podium.domain.mig import BOARDS, Board, board_of
from podium.domain.node import Device, Node, NodeState
from podium.domain.quantity import GPU_MILLI
from podium.engines.contract import LayoutAnswer, LayoutOrder, LayoutState
from podium.engines.kubernetes import names
from podium.engines.kubernetes.connection import Connection
from podium.engines.kubernetes.layouts import (
    AT_WORK,
    CAPABLE,
    CONFIG,
    FAILED,
    SINGLE,
    STATE,
    STRATEGY,
    Instances,
    configs_of,
)
from podium.engines.kubernetes.site import ClusterSite
from podium.engines.kubernetes.view import ClusterView

_FRESH_SECONDS = 30.0  # the loop gives each order anew every two seconds while it is wanted


@dataclass(slots=True)
class _Change:
    """What is wanted of a node. `orders` are the last of each GPU with when they came;
    `closed_at` is since when the node takes no new work for it."""

    orders: dict[str, tuple[LayoutOrder, float]] = field(default_factory=dict)
    closed_at: float | None = None


class NodeLayouts:
    """Nothing of it has to outlive the server: the loop gives its orders again, and what was asked
    of the manager stands on the node."""

    def __init__(
        self,
        connection: Connection,
        view: ClusterView,
        site: ClusterSite,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._view = view
        self._site = site
        self._clock = clock
        self._changes: dict[str, _Change] = {}

    def closed(self, nodes: Iterable[Node]) -> tuple[Node, ...]:
        """The same, where those that wait to be cut anew take no new work."""
        return tuple(
            replace(node, state=NodeState.CORDONED) if self._closes(node.name) else node
            for node in nodes
        )

    async def step(self, name: str, order: LayoutOrder) -> LayoutAnswer:
        """The next step towards the layout, and no more. Raises TemporaryError while the API
        server does not answer."""
        own = self._site.own_name(name)
        node, labels = self._view.node(own), self._view.labels(own)
        if node is None:
            return LayoutAnswer(LayoutState.WAITS, f"Node {name} does not answer.")
        device = next((each for each in node.devices if each.id == order.gpu), None)
        if device is None:
            return LayoutAnswer(LayoutState.WAITS, f"Node {name} does not tell of this GPU now.")
        board = BOARDS.get(device.board) or board_of(device.model, device.memory_bytes)
        unable = _unable(name, node, labels)
        if unable or board is None:
            return LayoutAnswer(LayoutState.REFUSED, unable or "This GPU has no MIG here.")
        target = _config(board, order.wanted)
        if target is None:
            self._forget(name, order.gpu)
            return LayoutAnswer(LayoutState.REFUSED, _no_config(board, order.wanted))
        if labels[STRATEGY] == SINGLE and len({profile for profile, _ in order.wanted}) > 1:
            self._forget(name, order.gpu)
            return LayoutAnswer(
                LayoutState.REFUSED,
                f"The device plugin of {name} gives one kind of instance alone. Set its strategy "
                f"for MIG to mixed ({STRATEGY}), or ask for one kind.",
            )
        stands = tuple((each.profile, each.start) for each in device.instances)
        state = labels[STATE]
        if state in AT_WORK:
            return LayoutAnswer(
                LayoutState.WAITS, f"The GPU operator's MIG manager cuts {name} ({state})."
            )
        if set(stands) == set(configs_of(board)[target]):
            self._forget(name, order.gpu)
            return LayoutAnswer(LayoutState.STANDS)
        self._note(name, order)
        if labels.get(CONFIG) == target:
            if state == FAILED:
                self._changes[name].closed_at = None
            return _asked_already(name, target, state)
        return await self._towards(name, own, node, target, order)

    async def mode(self, name: str) -> None:
        """Raises ConflictError: a node's GPUs are in MIG mode together or not at all."""
        raise ConflictError(
            f"The GPU operator of {name} turns MIG on and off for all of its GPUs together. Set a "
            "layout for each of them; the layout none makes them whole GPUs again."
        )

    async def _towards(
        self, name: str, own: str, node: Node, target: str, order: LayoutOrder
    ) -> LayoutAnswer:
        change = self._changes[name]
        others = self._disagreeing(change, node, target)
        if others:
            change.closed_at = None
            which = _gpus(others)
            return LayoutAnswer(
                LayoutState.WAITS,
                f"The GPU operator cuts all GPUs of {name} alike: set the same layout for {which}.",
            )
        if change.closed_at is None:
            change.closed_at = self._clock()
            return LayoutAnswer(LayoutState.CHANGED, f"{name} takes no new work.")
        # An order from before may not know of work that was placed until then.
        if any(at <= change.closed_at for _, at in change.orders.values()):
            return LayoutAnswer(LayoutState.WAITS, f"Waits for what else is known of {name}.")
        busy = [
            each for each in node.devices if (wish := change.orders[each.id][0]).busy or wish.held
        ]
        if busy:
            return LayoutAnswer(
                LayoutState.WAITS,
                f"Waits for the work on {_gpus(busy)} of {name} to end: all are cut at once.",
                tuple(sorted(order.held)),
            )
        if self._view.uses_gpus(own):
            return LayoutAnswer(
                LayoutState.WAITS, f"Waits for pods that still use GPUs of {name} to end."
            )
        labels = {"metadata": {"labels": {CONFIG: target}}}
        await self._connection.patch(f"/api/v1/nodes/{own}", labels)
        return LayoutAnswer(
            LayoutState.CHANGED, f"Ask the GPU operator's MIG manager of {name} for {target}."
        )

    def _note(self, name: str, order: LayoutOrder) -> None:
        now = self._clock()
        change = self._changes.setdefault(name, _Change())
        for gpu in [gpu for gpu, (_, at) in change.orders.items() if now - at > _FRESH_SECONDS]:
            del change.orders[gpu]
        change.orders[order.gpu] = order, now

    def _forget(self, name: str, gpu: str) -> None:
        change = self._changes.get(name)
        if change is not None:
            change.orders.pop(gpu, None)
            if not change.orders:
                del self._changes[name]

    def _disagreeing(self, change: _Change, node: Node, target: str) -> list[Device]:
        """Those of which not the same is wanted."""
        found = []
        for device in node.devices:
            wish = change.orders.get(device.id)
            board = BOARDS.get(device.board) or board_of(device.model, device.memory_bytes)
            if wish is None or board is None or _config(board, wish[0].wanted) != target:
                found.append(device)
        return found

    def _closes(self, name: str) -> bool:
        change = self._changes.get(name)
        if change is None or change.closed_at is None:
            return False
        last = max((at for _, at in change.orders.values()), default=0.0)
        return self._clock() - last <= _FRESH_SECONDS


def _unable(name: str, node: Node, labels: Mapping[str, str]) -> str:
    """Why its GPUs cannot be cut through its labels, "" where they can."""
    if labels.get(CAPABLE) != "true":
        return f"Node {name} does not say that it is capable of MIG ({CAPABLE})."
    if STATE not in labels:
        return f"No MIG manager of the GPU operator works on {name} (there is no label {STATE})."
    if labels.get(STRATEGY) not in ("mixed", SINGLE):
        return (
            f"The device plugin of {name} does not give MIG instances. Set its strategy for them "
            f"to mixed ({STRATEGY})."
        )
    if labels.get(names.DEVICES) == names.EXACT:
        return f"The GPUs of {name} are given by their numbers ({names.DEVICES}={names.EXACT})."
    if any(each.mig_profile is not None for each in node.devices):
        return (
            f"The GPUs of {name} are not all cut alike. Their operator did that, and may undo it."
        )
    if any(0 < each.share_milli < GPU_MILLI for each in node.devices):
        return f"The device plugin of {name} shares its GPUs."
    return ""


def _config(board: Board, wanted: Instances) -> str | None:
    """The configuration that has these instances, at these starts."""
    found = configs_of(board).items()
    return next((name for name, each in found if set(each) == set(wanted)), None)


def _no_config(board: Board, wanted: Instances) -> str:
    counts = Counter(profile for profile, _ in wanted)
    for name, instances in configs_of(board).items():
        if Counter(profile for profile, _ in instances) == counts:
            starts = ", ".join(f"{profile}@{start}" for profile, start in instances)
            return (
                f"The driver chooses where the instances of {name} lie: leave out their starts, or "
                f"write them as Podium counts them, {starts}."
            )
    asked = ", ".join(f"{count} × {profile}" for profile, count in counts.items())
    known = ", ".join(configs_of(board))
    return (
        f"The GPU operator's MIG manager has no configuration with {asked} on each GPU. It has "
        f"{known}."
    )


def _asked_already(name: str, target: str, state: str) -> LayoutAnswer:
    if state == FAILED:
        return LayoutAnswer(
            LayoutState.REFUSED,
            f"The GPU operator's MIG manager of {name} could not set {target}. The log of its pod "
            f"says why; it tries again when the label {CONFIG} changes.",
        )
    words = f"Waits for the GPU operator's MIG manager of {name}, asked for {target}."
    return LayoutAnswer(LayoutState.WAITS, words)


def _gpus(devices: Iterable[Device]) -> str:
    numbers = [str(each.index) for each in devices]
    if len(numbers) == 1:
        return f"GPU {numbers[0]}"
    return f"GPUs {', '.join(numbers[:-1])} and {numbers[-1]}"
