"""Writes down what the engine sees: what runs, what ended, what is gone, what ran too long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog

from podium.control.holdups import HoldUpNews, seen_holdups
from podium.control.left_behind import LeftBehind
from podium.control.machine import Machine
from podium.domain.allocation import Allocation
from podium.domain.errors import TemporaryError
from podium.domain.lifecycle import ReplicaState
from podium.domain.reason import Cause
from podium.engines.contract import Observation, Phase
from podium.store import allocations, holdups, limits, replicas
from podium.store.database import Transaction
from podium.store.replicas import End

_LAUNCHED = (ReplicaState.STARTING, ReplicaState.RUNNING, ReplicaState.STOPPING)
_OPEN_MAX = 100_000
_CHUNK = 100
_SAVES_EVERY_MS = 5_000  # work may save as often as it likes, but that is not worth more writes
_log = structlog.get_logger(__name__)
Item = TypeVar("Item")


class Observer:
    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._saved: dict[str, int] = {}  # as the engine told it and the store has it
        self._saves_due_ms = 0
        self._news = HoldUpNews()
        self._left_behind = LeftBehind(machine)

    async def step(self) -> bool:
        machine = self._machine
        if not machine.leads:
            return False
        # The store first: whatever it calls launched, the engine must know by then.
        held = {each.id: each for each in await self._open()}
        seen = {each.allocation_id: each for each in await machine.engine.observe()}
        await self._note_saves(held, seen)
        await self._record(held, seen)
        await self._note_holdups(held, seen)
        if held.keys() - seen.keys():
            await self._bury()
        await self._left_behind.step(held, seen)
        await self._settle(seen)
        await self._limit(held, seen)
        return False

    async def _open(self) -> list[Allocation]:
        return await self._machine.database.read(
            lambda tx: allocations.allocation_list_open(
                tx, nodes=self._machine.nodes, states=_LAUNCHED, limit=_OPEN_MAX
            )
        )

    async def _record(self, held: dict[str, Allocation], seen: dict[str, Observation]) -> None:
        running = [
            key
            for key, each in seen.items()
            if each.phase is Phase.RUNNING
            and key in held
            and held[key].state is ReplicaState.STARTING
        ]
        ended = [
            _end(each) for key, each in seen.items() if each.phase is Phase.ENDED and key in held
        ]
        for start in range(0, len(running), _CHUNK):
            await self._write(running[start : start + _CHUNK], replicas.replicas_running)
        for start in range(0, len(ended), _CHUNK):
            await self._write(ended[start : start + _CHUNK], replicas.replicas_ended)
        if ended:
            self._machine.hints.wake("schedule", "stop")
        if running or ended:
            self._machine.hints.wake("events")

    async def _note_saves(self, held: dict[str, Allocation], seen: dict[str, Observation]) -> None:
        """Write down what saved since the last time: now and then, or when one of them ended."""
        machine = self._machine
        told = {
            key: each.saved_at_ms
            for key, each in seen.items()
            if each.saved_at_ms is not None and key in held
        }
        news = {key: at_ms for key, at_ms in told.items() if self._saved.get(key) != at_ms}
        now_ms = machine.database.now_ms()
        ended = any(seen[key].phase is Phase.ENDED for key in news)
        if news and (ended or now_ms >= self._saves_due_ms):
            await machine.leadership.fenced(
                machine.lease,
                lambda tx: allocations.saves_record(tx, news, machine.database.now_ms()),
            )
            self._saves_due_ms = now_ms + _SAVES_EVERY_MS
            self._saved |= news
        self._saved = {key: at_ms for key, at_ms in self._saved.items() if key in told}

    async def _note_holdups(
        self, held: dict[str, Allocation], seen: dict[str, Observation]
    ) -> None:
        now_ms = self._machine.database.now_ms()
        news = self._news.of(seen_holdups(held, seen), now_ms)
        for start in range(0, len(news), _CHUNK):
            await self._write(news[start : start + _CHUNK], holdups.holdups_record)
        if news:
            self._machine.hints.wake("events")

    async def _bury(self) -> None:
        """Release what the store calls launched and the engine has no trace of.

        Looked at again while nothing can be started: what was stopped before it started never
        will be, and what vanished is reported as lost.
        """
        machine = self._machine
        async with machine.hands:
            held = await self._open()
            seen = {each.allocation_id for each in await machine.engine.observe()}
            gone = [each for each in held if each.id not in seen]
            await self._write([_gone(each) for each in gone], replicas.replicas_ended)
        if gone:
            machine.hints.wake("schedule", "stop", "events")

    async def _settle(self, seen: dict[str, Observation]) -> None:
        """Let the engine forget ends that are written down, now or before a crash."""
        ended = [key for key, each in seen.items() if each.phase is Phase.ENDED]
        if not ended:
            return
        recorded = await self._machine.database.read(
            lambda tx: sorted(allocations.allocation_released(tx, ended))
        )
        if recorded:
            await self._machine.engine.settle(recorded)

    async def _limit(self, held: dict[str, Allocation], seen: dict[str, Observation]) -> None:
        """Stop what has run for longer than its `max_runtime`, by the engine's steady clock."""
        running = {
            key: each.runtime_ms
            for key, each in seen.items()
            if each.phase is Phase.RUNNING and key in held
        }
        if not running:
            return
        owners = {held[key].workload_id for key in running}
        found = await self._machine.database.read(lambda tx: limits.runtime_limits(tx, owners))
        over = sorted(
            (held[key].workload_id, key)
            for key, runtime_ms in running.items()
            if held[key].workload_id in found
            and held[key].state is ReplicaState.RUNNING
            and runtime_ms >= found[held[key].workload_id] * 1000
        )
        if over:
            await self._write(over, limits.runtime_stop)
            self._machine.hints.wake("stop", "events")

    async def _write(
        self, items: Sequence[Item], record: Callable[[Transaction, Sequence[Item], int], None]
    ) -> None:
        """Record all of `items` in one transaction or, when one of them cannot be, each alone: a
        fault about one workload must not hold up what others wait for."""
        machine = self._machine
        try:
            await machine.leadership.fenced(
                machine.lease, lambda tx: record(tx, items, machine.database.now_ms())
            )
        except TemporaryError:
            raise
        except Exception:
            if len(items) == 1:
                _log.exception("observation_not_recorded", about=str(items[0]))
                return
            for each in items:
                await self._write([each], record)


def _end(seen: Observation) -> End:
    return End(
        allocation_id=seen.allocation_id,
        cause=seen.cause or Cause.LOST,
        stop_seen=seen.stop_seen,
        # An exit code of 0 needs no words.
        message="" if seen.cause is Cause.COMPLETED else seen.message,
        exit_code=seen.exit_code,
        signal=seen.signal,
        runtime_ms=seen.runtime_ms,
        cpu_time_ms=seen.cpu_time_ms,
        memory_peak_bytes=seen.memory_peak_bytes,
    )


def _gone(allocation: Allocation) -> End:
    if allocation.state is ReplicaState.STOPPING and allocation.started_at_ms is None:
        return End(
            allocation_id=allocation.id,
            cause=Cause.CANCELLED,
            message="It was stopped before it had started.",
        )
    return End(
        allocation_id=allocation.id,
        cause=Cause.LOST,
        message=f"Node {allocation.node} has no trace of its process.",
    )
