"""Brings GPUs in MIG mode to the layouts that operators want, one step at a time.

Nothing is written down that the driver says: each step begins with what stands, so whoever is
killed on the way goes on.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from podium.control.machine import Machine
from podium.domain.errors import PodiumError
from podium.domain.node import Device, Node
from podium.engines.contract import LayoutAnswer, LayoutOrder, LayoutState
from podium.store import layouts, nodes
from podium.store.database import Transaction
from podium.store.layouts import Held, WantedLayout, WantedMode

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Due:
    """`unpinned` are layouts whose device was reported anew."""

    wanted: tuple[WantedLayout, ...]
    modes: tuple[WantedMode, ...]
    unpinned: tuple[WantedLayout, ...]


class Layouts:
    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    async def step(self) -> bool:
        """One step on each GPU that has some to do. True when there may be more."""
        machine = self._machine
        if not machine.leads:
            return False
        due = await machine.database.read(self._due)
        if due.unpinned:
            await machine.leadership.fenced(
                machine.lease, lambda tx: layouts.pins_hold(tx, due.unpinned)
            )
            machine.hints.wake("schedule")
        for mode in due.modes:
            await self._mode(mode)
        changed = [await self._towards(each) for each in due.wanted]
        return any(changed)

    def _due(self, tx: Transaction) -> _Due:
        names = self._machine.nodes
        found = layouts.layouts_fetch(tx, nodes=names)
        since_ms = self._machine.database.now_ms() - layouts.MODE_MS
        modes = tuple(layouts.modes_wanted(tx, names, since_ms))
        if not found:
            return _Due((), modes, ())
        devices = {
            device.id: device
            for node in nodes.node_fetch_many(tx, {each.node for each in found.values()}).values()
            for device in node.devices
        }
        wanted = tuple(
            each for key, each in found.items() if key in devices and _is_due(each, devices[key])
        )
        unpinned = tuple(
            each for key, each in found.items() if key in devices and not devices[key].pinned
        )
        return _Due(wanted, modes, unpinned)

    async def _towards(self, layout: WantedLayout) -> bool:
        """Whether a step was done."""
        machine = self._machine
        async with machine.hands:  # nothing is started meanwhile that the store does not know of
            held = await self._held(layout.device_id)
            order = LayoutOrder(
                gpu=layout.device_id,
                wanted=layout.instances,
                held=held.instances,
                busy=held.whole,
            )
            answer = await machine.engine.layout_step(layout.node, order)
            seen: tuple[Node, ...] = ()
            if answer.state in (LayoutState.CHANGED, LayoutState.STANDS):
                seen = tuple(await machine.engine.inventory())

            def write(tx: Transaction) -> bool:
                return self._answered(tx, layout, answer, seen)

            moved = await machine.leadership.fenced(machine.lease, write)
        if answer.state is LayoutState.REFUSED and answer.words != layout.message:
            _log.warning("layout_refused", gpu=layout.device_id, why=answer.words)
        if seen:
            machine.hints.wake("schedule")
        if moved:
            machine.hints.wake("stop", "events", "schedule")
        return answer.state is LayoutState.CHANGED

    def _answered(
        self,
        tx: Transaction,
        layout: WantedLayout,
        answer: LayoutAnswer,
        seen: tuple[Node, ...],
    ) -> bool:
        """Whether some work is asked to start again elsewhere."""
        now_ms = self._machine.database.now_ms()
        if seen:
            nodes.node_report(tx, self._machine.engine.name, seen, now_ms)
        message = "" if answer.state in (LayoutState.CHANGED, LayoutState.STANDS) else answer.words
        stands = answer.state is LayoutState.STANDS
        layouts.layout_answered(tx, layout, stands=stands, message=message, now_ms=now_ms)
        if not layout.moves or not answer.blocked:
            return False
        inside = layouts.in_instances(tx, layout.device_id, answer.blocked)
        words = "the MIG layout of its GPU changes"
        return bool(layouts.move(tx, sorted(set(inside.values())), words, now_ms))

    async def _mode(self, mode: WantedMode) -> None:
        machine = self._machine
        async with machine.hands:
            held = await self._held(mode.device_id)
            message = ""
            try:
                await machine.engine.mig_mode(
                    mode.node,
                    mode.device_id,
                    enabled=mode.enabled,
                    busy=held.whole or bool(held.instances),
                )
            except PodiumError as error:
                message = error.message
            seen = tuple(await machine.engine.inventory())

            def write(tx: Transaction) -> None:
                now_ms = machine.database.now_ms()
                nodes.node_report(tx, machine.engine.name, seen, now_ms)
                layouts.mode_answered(tx, mode, message)

            await machine.leadership.fenced(machine.lease, write)
        machine.hints.wake("schedule")

    async def _held(self, device_id: str) -> Held:
        found = await self._machine.database.read(lambda tx: layouts.held_of(tx, [device_id]))
        return found.get(device_id, Held())


def _is_due(layout: WantedLayout, device: Device) -> bool:
    """What is kept and stands, as the inventory sees it, needs no step."""
    if not layout.kept or layout.stands_at_ms is None or layout.message:
        return True
    return not layouts.stands(device, layout.instances)
