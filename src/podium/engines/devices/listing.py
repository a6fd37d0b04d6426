"""The devices of a machine as the store knows them: whole GPUs, GPUs in MIG mode with what stands
on them, and MIG instances that stand for themselves.

Called by an engine's inventory, from a thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from podium.domain.mig import Board, board_of
from podium.domain.node import Device, MigInstance
from podium.engines.devices.contract import Driver, Gpu, Instance
from podium.engines.devices.cutting import Cutter, profile_name
from podium.engines.devices.errors import DriverError
from podium.engines.devices.health import fault_of

_SILENT = "The driver does not answer for it."


class Listing:
    """Keeps what was last seen of each GPU, so that one that stops to answer is told of as
    unhealthy rather than gone: work may still hold it.

    With a `cutter`, a GPU in MIG mode is one device with a board. Without one, for a board that is
    not in the table, and for a driver that does not tell where instances lie, its compute
    instances are devices for themselves."""

    def __init__(self, driver: Driver, node: str, cutter: Cutter | None = None) -> None:
        self._driver = driver
        self._node = node
        self._cutter = cutter
        self._known: dict[str, tuple[Device, ...]] = {}

    def devices(self) -> tuple[Device, ...]:
        """All devices now. Raises DriverError when the driver does not answer at all."""
        found: list[Device] = []
        for gpu in self._driver.gpus():
            try:
                self._known[gpu.uuid] = self._looked_at(gpu)
            except DriverError:
                silent = self._known.get(gpu.uuid) or (self._whole(gpu, ""),)
                self._known[gpu.uuid] = tuple(
                    replace(device, healthy=False, fault=device.fault or _SILENT)
                    for device in silent
                )
            found.extend(self._known[gpu.uuid])
        return tuple(replace(device, index=index) for index, device in enumerate(found))

    def _looked_at(self, gpu: Gpu) -> tuple[Device, ...]:
        health = self._driver.health(gpu.uuid)
        fault = fault_of(health)
        if health.lost and gpu.uuid in self._known:
            return tuple(
                replace(device, healthy=False, fault=fault) for device in self._known[gpu.uuid]
            )
        if gpu.mig is None or not gpu.mig.current or health.lost:
            return (self._uncut(gpu, fault),)
        before = 0 if self._cutter is None else self._cutter.known.before()
        instances = self._driver.instances(gpu.uuid)
        board = board_of(gpu.name, gpu.memory_bytes)
        placed = all(each.start is not None for each in instances)
        if self._cutter is not None and board is not None and placed:
            return (self._cut(self._cutter, gpu, board, instances, fault, before),)
        return tuple(
            replace(
                self._whole(gpu, fault),
                id=compute.uuid,
                uuid=compute.uuid,
                memory_bytes=compute.memory_bytes,
                mig_profile=compute.name,
            )
            for instance in instances
            for compute in instance.compute
        )

    def _uncut(self, gpu: Gpu, fault: str) -> Device:
        """A GPU that is not in MIG mode; nothing stands on it."""
        whole = self._whole(gpu, fault)
        if self._cutter is None or gpu.mig is None:
            return whole
        known = self._cutter.known
        drift = known.look(gpu.uuid, (), known.before())
        return replace(whole, drift=drift.words, drift_at_ms=drift.at_ms)

    def _cut(
        self,
        cutter: Cutter,
        gpu: Gpu,
        board: Board,
        instances: Sequence[Instance],
        fault: str,
        before: int,
    ) -> Device:
        at = [(profile_name(board, each), each.start or 0) for each in instances]
        drift = cutter.known.look(gpu.uuid, at, before)
        busy = cutter.busy(self._driver, gpu.uuid, instances)
        return replace(
            self._whole(gpu, fault or cutter.fault(gpu.uuid)),
            board=board.name,
            drift=drift.words,
            drift_at_ms=drift.at_ms,
            instances=tuple(
                MigInstance(
                    profile=profile_name(board, each),
                    start=each.start or 0,
                    uuid=each.compute[0].uuid if each.compute else "",
                    busy=each.id in busy,
                )
                for each in instances
            ),
        )

    def _whole(self, gpu: Gpu, fault: str) -> Device:
        return Device(
            id=gpu.uuid,
            node=self._node,
            index=gpu.index,
            uuid=gpu.uuid,
            type=gpu.type,
            model=gpu.name,
            memory_bytes=gpu.memory_bytes,
            virtual=gpu.virtual,
            healthy=not fault,
            fault=fault,
        )
