"""What each pod that has not begun waits for, and since when: its events are read in the background
and seldom. `starts.py` has one."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import structlog

from podium.domain.errors import PodiumError
from podium.domain.reason import Cause
from podium.engines.kubernetes.connection import Connection
from podium.engines.kubernetes.objects import Pod
from podium.engines.kubernetes.stuck import placed_at_ms
from podium.engines.kubernetes.waits import Event, Wait, events_of, needs_events, wait_of

_FIRST_MS = 2_000  # most have begun by then, and nobody has to be asked
_AGAIN_MS, _AGAIN_MS_MAX = 3_000, 48_000
_GAP_MS, _GAP_MS_EACH = 250, 2  # API servers look through all events of a namespace for one pod
_log = structlog.get_logger(__name__)


@dataclass(eq=False)
class _Memory:
    wait: Wait | None = None
    since_ms: int = 0
    events: Sequence[Event] = ()
    due_ms: int = 0
    pause_ms: int = _AGAIN_MS
    reading: bool = False


class PodHoldUps:
    def __init__(self, connection: Connection, changed: asyncio.Event) -> None:
        """`changed` is set when events told something."""
        self._connection = connection
        self._changed = changed
        self._known: dict[str, _Memory] = {}
        self._turn_ms = 0
        self._readings: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        for task in self._readings:
            task.cancel()
        await asyncio.gather(*self._readings, return_exceptions=True)

    def of(self, pod: Pod, now_ms: int) -> tuple[Wait | None, int]:
        """What it waits for, and since when."""
        known = self._known.get(pod.metadata.uid)
        if known is None:
            due_ms = placed_at_ms(pod) + _FIRST_MS
            known = self._known[pod.metadata.uid] = _Memory(since_ms=now_ms, due_ms=due_ms)
        due = not known.reading and now_ms >= max(known.due_ms, self._turn_ms)
        if due and needs_events(pod):
            self._turn_ms = now_ms + _GAP_MS + _GAP_MS_EACH * len(self._known)
            known.reading = True
            reading = asyncio.create_task(self._read(pod, known, now_ms))
            self._readings.add(reading)
            reading.add_done_callback(self._readings.discard)
        found = wait_of(pod, known.events)
        before = known.wait
        if found != before and not _is_vaguer(found, before):
            if found is None or before is None or found.cause is not before.cause:
                known.since_ms = now_ms
            known.wait = found
        return known.wait, known.since_ms

    def keep_only(self, uids: Collection[str]) -> None:
        """All others have begun, or are gone."""
        for uid in self._known.keys() - set(uids):
            del self._known[uid]

    async def _read(self, pod: Pod, known: _Memory, now_ms: int) -> None:
        try:
            known.events = await events_of(self._connection, pod)
            self._changed.set()
        except PodiumError as error:
            _log.warning("events_not_read", pod=pod.metadata.name, reason=error.message)
        finally:
            known.due_ms = now_ms + known.pause_ms
            known.pause_ms = min(_AGAIN_MS_MAX, 2 * known.pause_ms)
            known.reading = False


def _is_vaguer(found: Wait | None, before: Wait | None) -> bool:
    """Between two tries a kubelet says that it tries again, and not any more why."""
    if found is None or before is None:
        return False
    again = "ack-off pulling" in found.message
    return again and found.cause is before.cause is Cause.IMAGE_FAILED
