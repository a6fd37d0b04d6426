"""Measures what running allocations and devices of this machine really use.

Called by the engine, from a thread, one call at a time. CPU time comes from the kernel: what a
shim's ended children took is in the shim's own record, and the living ones each have theirs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from podium.engines.contract import AllocationMeasure, DeviceMeasure, Measures, Phase
from podium.engines.devices.contract import Reading
from podium.engines.local import folder as names
from podium.engines.local import processes
from podium.engines.local.inventory import Inventory
from podium.engines.local.page import page_read

_WHOLE_MILLI = 1000
_SPAN_MS_MIN = 500  # the kernel counts in ticks of 10 ms


@dataclass(frozen=True, slots=True)
class _Grant:
    """A device in an order, with the part of it that was granted. Of a MIG instance, `gpu` is the
    GPU that it was cut from."""

    uuid: str
    gpu_milli: int
    virtual: bool
    gpu: str = ""

    @property
    def whole(self) -> bool:
        """Whether nobody else is on the device of this UUID."""
        return bool(self.gpu) or self.gpu_milli >= _WHOLE_MILLI

    @property
    def reported(self) -> str:
        """The device under which the inventory knows it."""
        return self.gpu or self.uuid


@dataclass(frozen=True, slots=True)
class _Order:
    """What the meter needs of a `launch.json`."""

    cpu_milli: int
    memory_bytes: int
    devices: tuple[_Grant, ...]


@dataclass(frozen=True, slots=True)
class _Look:
    """CPU time that an allocation had taken at a time of the clock that does not jump."""

    at_ms: int
    cpu_time_ms: int


@dataclass(frozen=True, slots=True)
class _Found:
    """One running allocation: how much CPU it used since the last look, and its processes."""

    allocation_id: str
    order: _Order
    pids: Sequence[int]
    span_ms: int
    cpu_milli: int


class Meter:
    """`active` is the folder of unfinished allocations. Keeps what it saw last."""

    def __init__(self, active: Path, inventory: Inventory) -> None:
        self._active = active
        self._inventory = inventory
        self._orders: dict[str, _Order] = {}
        self._looks: dict[str, _Look] = {}
        self._unknown: set[str] = set()  # UUIDs of devices whose holder was not measured
        self._measured_ms = processes.boottime_ms()

    def measure(self) -> Measures:
        started_ms = processes.boottime_ms()
        span_ms = max(1, started_ms - self._measured_ms)
        found = self._allocations() if processes.LINUX else []
        self._measured_ms = started_ms
        readings = self._readings(span_ms)
        allocations = [_allocation(each, readings) for each in found]
        virtual = _virtual_devices(found) | dict.fromkeys(self._unknown)
        devices: list[DeviceMeasure] = []
        for device in self._inventory.devices:
            told = readings[device.uuid].measure
            if not device.virtual:
                devices.append(told)
            elif processes.LINUX:
                devices.append(replace(told, busy_milli=virtual.get(device.uuid, 0)))
        return Measures(allocations=tuple(allocations), devices=tuple(devices))

    def _readings(self, span_ms: int) -> Mapping[str, Reading]:
        devices = self._inventory.devices
        if not devices:
            return {}
        driver = self._inventory.driver
        uuids = [device.uuid for device in devices]
        uuids += [each.uuid for device in devices for each in device.instances if each.uuid]
        return {uuid: driver.read(uuid, span_ms) for uuid in uuids}

    def _allocations(self) -> list[_Found]:
        looks: dict[str, _Look] = {}
        found: list[_Found] = []
        self._unknown = set()
        for folder in self._active.iterdir():
            looked = self._look(folder)
            if looked is None:
                continue
            look, pids, started_ms = looked
            looks[folder.name] = look
            before = self._looks.get(folder.name)
            if before is None and started_ms >= self._measured_ms:
                before = _Look(started_ms, 0)  # it started since: all that it took is new
            order = self._order(folder)
            span_ms = look.at_ms - before.at_ms if before is not None else 0
            if before is None or span_ms < _SPAN_MS_MIN:
                looks[folder.name] = before or look
                self._unknown.update(each.reported for each in order.devices)
                continue
            if not order.cpu_milli:
                self._unknown.update(each.reported for each in order.devices)
            # A process whose end nobody waited for takes its time with it.
            used_ms = max(0, look.cpu_time_ms - before.cpu_time_ms)
            found.append(_Found(folder.name, order, pids, span_ms, used_ms * 1000 // span_ms))
        self._looks = looks
        self._orders = {key: each for key, each in self._orders.items() if key in looks}
        return found

    def _look(self, folder: Path) -> tuple[_Look, list[int], int] | None:
        """The look, its processes and when it started; None unless it runs now."""
        status = page_read(str(folder / names.STATUS))
        if status is None or status["phase"] != Phase.RUNNING:
            return None
        started_ms = status.get("started_boottime_ms")
        # While the lock is held, the process of this id is the shim.
        if started_ms is None or not names.lock_is_held(str(folder)):
            return None
        shim = int(status["shim_pid"])
        keeper = int(status.get("keeper_pid", 0))
        pids = [pid for pid in processes.descendants(shim) if pid != keeper]
        if not pids:
            return None
        at_ms = processes.boottime_ms()
        waited_for = [shim, keeper] if keeper else [shim]
        taken_ms = sum(processes.cpu_time_ms(pid, own=False) for pid in waited_for)
        taken_ms += sum(processes.cpu_time_ms(pid) for pid in pids)
        return _Look(at_ms, taken_ms), pids, int(started_ms)

    def _order(self, folder: Path) -> _Order:
        known = self._orders.get(folder.name)
        if known is None:
            try:
                order: dict[str, Any] = json.loads((folder / names.LAUNCH).read_bytes())
            except (OSError, ValueError):
                order = {}
            known = self._orders[folder.name] = _Order(
                cpu_milli=int(order.get("cpu_milli", 0)),
                memory_bytes=int(order.get("memory_bytes", 0)),
                devices=tuple(_Grant(**each) for each in order.get("devices", ())),
            )
        return known


def _allocation(found: _Found, readings: Mapping[str, Reading]) -> AllocationMeasure:
    order = found.order
    memory_bytes = processes.resident_bytes(list(found.pids))
    if len(found.pids) > 1 and order.memory_bytes and memory_bytes > order.memory_bytes:
        # Shared pages were counted often: look closely, as the shim does before it judges.
        memory_bytes = processes.held_bytes(list(found.pids))
    real = [each for each in order.devices if not each.virtual]
    busy = _real_busy(found, real, readings) if real else _virtual_busy(found)
    return AllocationMeasure(
        allocation_id=found.allocation_id,
        span_ms=found.span_ms,
        cpu_milli=found.cpu_milli,
        memory_bytes=memory_bytes,
        gpu_busy_milli=busy,
        gpu_memory_bytes=_gpu_memory_bytes(found, real, readings),
    )


def _virtual_busy(found: _Found) -> int | None:
    """None without a device, and without an allotment to measure against."""
    held_milli = sum(each.gpu_milli for each in found.order.devices)
    if not held_milli or not found.order.cpu_milli:
        return None
    return _share_milli(found) * held_milli // _WHOLE_MILLI


def _share_milli(found: _Found) -> int:
    """How much of its allotment of CPU it used, in thousandths, 1000 at most."""
    return min(_WHOLE_MILLI, found.cpu_milli * 1000 // found.order.cpu_milli)


def _virtual_devices(found: Sequence[_Found]) -> dict[str, int]:
    """How busy each virtual device that is held was, by its UUID."""
    busy: dict[str, int] = {}
    for each in found:
        for grant in each.order.devices:
            if grant.virtual and each.order.cpu_milli:
                part = _share_milli(each) * grant.gpu_milli // _WHOLE_MILLI
                busy[grant.reported] = min(_WHOLE_MILLI, busy.get(grant.reported, 0) + part)
    return busy


def _real_busy(
    found: _Found, grants: Sequence[_Grant], readings: Mapping[str, Reading]
) -> int | None:
    """Of a device that is held whole the device's own figure; of a shared one what its processes
    did. None when one of them does not tell."""
    total = 0
    for grant in grants:
        reading = readings.get(grant.uuid)
        if reading is None:
            return None
        if grant.gpu:
            part = reading.measure.busy_milli
            if part is not None:
                part = part * grant.gpu_milli // _WHOLE_MILLI
        elif grant.whole:
            part = reading.measure.busy_milli
        elif reading.busy_milli_by_pid is None:
            part = None
        else:
            by_pid = reading.busy_milli_by_pid
            part = min(_WHOLE_MILLI, sum(by_pid.get(pid, 0) for pid in found.pids))
        if part is None:
            return None
        total += part
    return total


def _gpu_memory_bytes(
    found: _Found, grants: Sequence[_Grant], readings: Mapping[str, Reading]
) -> int | None:
    """None without a real device, and when one of them does not tell."""
    total = 0
    for grant in grants:
        reading = readings.get(grant.uuid)
        if reading is None:
            return None
        if grant.whole:
            part = reading.measure.memory_bytes
        else:
            part = sum(reading.memory_bytes_by_pid.get(pid, 0) for pid in found.pids)
        if part is None:
            return None
        total += part
    return total if grants else None
