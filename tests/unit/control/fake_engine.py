"""An engine in memory that keeps the contract of `engines/contract.py`: a real one for tests that
turn the clock. What runs outlives the server, which is a fresh set of loops over the same engine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from podium.domain.errors import NotFoundError, PodiumError
from podium.domain.node import Node
from podium.domain.reason import Cause
from podium.engines.contract import (
    AllocationMeasure,
    DeviceMeasure,
    Drift,
    Engine,
    Launch,
    LayoutAnswer,
    LayoutOrder,
    LayoutState,
    LogChunk,
    Measures,
    Observation,
    Phase,
    Tenant,
)
from podium.engines.guests import Guest
from turned_clock import TurnedClock


class CrashError(BaseException):
    """The server is gone in this moment. No loop catches it."""


@dataclass
class Process:
    launch: Launch
    started_at_ms: int  # on the steady clock, as every duration here
    stubborn: bool = False  # ignores SIGTERM
    stop_by_ms: int | None = None
    end: Observation | None = None
    settled: bool = False
    saved_at_ms: int | None = None


@dataclass
class FakeEngine:
    """`starts` counts how often each allocation was really started."""

    clock: TurnedClock
    nodes: tuple[Node, ...]
    name: str = "fake"
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    processes: dict[str, Process] = field(default_factory=dict)
    starts: dict[str, int] = field(default_factory=dict)
    stops: list[tuple[str, int]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    refuse: PodiumError | None = None
    held_up: dict[str, tuple[Cause | None, str]] = field(default_factory=dict)
    unmeasured: Exception | None = None
    crash_after_ensure: bool = False
    crash_in_settle: bool = False
    stubborn: bool = False
    ports: int = 40_000
    asking: dict[str, Guest] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)
    orders: list[LayoutOrder] = field(default_factory=list)
    answers: list[LayoutAnswer] = field(default_factory=list)
    modes: list[tuple[str, bool, bool]] = field(default_factory=list)
    mode_refusal: PodiumError | None = None
    tenants: dict[str, Tenant] = field(default_factory=dict)
    kept: list[Tenant] = field(default_factory=list)
    drifts: list[Drift] = field(default_factory=list)
    room_refusal: PodiumError | None = None

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to let go of."""

    async def inventory(self) -> Sequence[Node]:
        return self.nodes

    async def rendezvous_port(self, node: str) -> int:
        if node not in {each.name for each in self.nodes}:
            raise NotFoundError(f"This engine has no node {node}.")
        self.ports += 1
        return self.ports

    async def ensure(self, launch: Launch) -> None:
        if launch.allocation_id not in self.processes:
            if self.refuse is not None:
                raise self.refuse
            self.starts[launch.allocation_id] = self.starts.get(launch.allocation_id, 0) + 1
            self.processes[launch.allocation_id] = Process(
                launch, self.clock.now_ms(), stubborn=self.stubborn
            )
            self.changed.set()
        if self.crash_after_ensure:
            raise CrashError

    async def observe(self) -> Sequence[Observation]:
        self._kill_what_is_over_its_grace()
        return [
            process.end
            or self._held_up(key)
            or Observation(
                allocation_id=key,
                phase=Phase.RUNNING,
                runtime_ms=self.clock.now_ms() - process.started_at_ms,
                saved_at_ms=process.saved_at_ms,
            )
            for key, process in self.processes.items()
            if not process.settled
        ]

    def _held_up(self, key: str) -> Observation | None:
        if key not in self.held_up:
            return None
        cause, message = self.held_up[key]
        return Observation(allocation_id=key, phase=Phase.STARTING, cause=cause, message=message)

    async def measure(self) -> Measures:
        """Every process keeps half a core and half of its GPUs busy."""
        if self.unmeasured is not None:
            raise self.unmeasured
        running = {key: each for key, each in self.processes.items() if each.end is None}
        held = {grant.uuid for each in running.values() for grant in each.launch.devices}
        return Measures(
            allocations=tuple(
                AllocationMeasure(
                    allocation_id=key,
                    span_ms=10_000,
                    cpu_milli=500,
                    memory_bytes=1 << 20,
                    gpu_busy_milli=sum(grant.gpu_milli for grant in each.launch.devices) // 2,
                )
                for key, each in running.items()
            ),
            devices=tuple(
                DeviceMeasure(
                    device_id=device.id, span_ms=10_000, busy_milli=500 * (device.uuid in held)
                )
                for node in self.nodes
                for device in node.devices
            ),
        )

    async def stop(self, allocation_id: str, *, grace_seconds: int) -> None:
        self.stops.append((allocation_id, grace_seconds))
        process = self.processes.get(allocation_id)
        if process is None or process.end is not None:
            return
        if not process.stubborn:
            self.finish(allocation_id, Cause.CANCELLED)
            return
        by_ms = self.clock.now_ms() + grace_seconds * 1000
        process.stop_by_ms = min(by_ms, process.stop_by_ms or by_ms)

    async def settle(self, allocation_ids: Sequence[str]) -> None:
        if self.crash_in_settle:
            raise CrashError
        for each in allocation_ids:
            assert self.processes[each].end is not None, "only what has ended is settled"
            self.processes[each].settled = True

    async def read_log(
        self, allocation_id: str, *, offset: int = 0, limit_bytes: int = 65536
    ) -> LogChunk:
        if allocation_id not in self.processes or allocation_id in self.removed:
            raise NotFoundError(f"There is no log of {allocation_id}.")
        return LogChunk(0, 0, (), 0, complete=True)

    async def remove(self, allocation_ids: Sequence[str]) -> None:
        self.removed.extend(allocation_ids)

    async def layout_step(self, node: str, order: LayoutOrder) -> LayoutAnswer:
        """As told, in that order; then the layout stands."""
        self.orders.append(order)
        return self.answers.pop(0) if self.answers else LayoutAnswer(LayoutState.STANDS)

    async def mig_mode(self, node: str, gpu: str, *, enabled: bool, busy: bool) -> None:
        self.modes.append((gpu, enabled, busy))
        if self.mode_refusal is not None:
            raise self.mode_refusal

    async def guests(self) -> Sequence[Guest]:
        """With those that were started as such, until they are settled."""
        ours = {each.launch.guest: key for key, each in self.processes.items() if each.launch.guest}
        return tuple(
            replace(each, allocation_id=ours.get(uid, ""), told=self.told.get(uid, ""))
            for uid, each in self.asking.items()
        )

    async def guest_tell(self, uid: str, workload_id: str, words: str) -> None:
        del workload_id
        self.told[uid] = words

    async def guest_discard(self, uid: str, words: str) -> None:
        if self.asking.pop(uid, None) is not None:
            self.told[uid] = words

    async def rooms(self) -> Sequence[str]:
        return tuple(self.tenants)

    async def keep_room(self, tenant: Tenant) -> Sequence[Drift]:
        """What drifted is told once."""
        if self.room_refusal is not None:
            raise self.room_refusal
        self.tenants[tenant.project] = tenant
        self.kept.append(tenant)
        told = [each for each in self.drifts if each.project == tenant.project]
        self.drifts = [each for each in self.drifts if each.project != tenant.project]
        return told

    async def remove_room(self, project: str) -> bool:
        """Gone when it is asked for the second time."""
        mine = [each for each in self.processes.values() if each.launch.project == project]
        if any(not each.settled for each in mine):
            return False
        return self.tenants.pop(project, None) is None

    def finish(self, allocation_id: str, cause: Cause = Cause.COMPLETED, message: str = "") -> None:
        """The process ends now, by itself or as told."""
        process = self.processes[allocation_id]
        exit_code = {Cause.COMPLETED: 0, Cause.EXIT_CODE: 3}.get(cause)
        process.end = Observation(
            allocation_id=allocation_id,
            phase=Phase.ENDED,
            runtime_ms=self.clock.now_ms() - process.started_at_ms,
            exit_code=exit_code,
            cause=cause,
            message=message,
            cpu_time_ms=7,
            memory_peak_bytes=11,
            saved_at_ms=process.saved_at_ms,
        )
        self.changed.set()

    def lose(self, allocation_id: str) -> None:
        """Its record is gone, as after a disk was replaced."""
        del self.processes[allocation_id]

    def _kill_what_is_over_its_grace(self) -> None:
        for key, process in self.processes.items():
            due = process.stop_by_ms is not None and process.stop_by_ms <= self.clock.now_ms()
            if due and process.end is None:
                self.finish(key, Cause.CANCELLED)


def _keeps_the_contract(engine: FakeEngine) -> Engine:
    return engine
