"""How the end of a pod is made, seen, settled and forgotten. `engine.py` has one; `starts.py` takes
back with it what never will begin."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import replace

from podium.domain.errors import ConflictError, NotFoundError, PodiumError, TemporaryError
from podium.engines.contract import Observation, Phase
from podium.engines.kubernetes import names
from podium.engines.kubernetes.away import AwayError
from podium.engines.kubernetes.connection import Connection, SignInError
from podium.engines.kubernetes.home import EngineHome
from podium.engines.kubernetes.logs import LogHeldError, PodLogs
from podium.engines.kubernetes.meeting import meeting_close
from podium.engines.kubernetes.objects import Pod
from podium.engines.kubernetes.sight import (
    allocation_of,
    clock_ms,
    has_said,
    is_guest,
    observation_of,
    outlives_its_stop,
    over_at_ms,
)
from podium.engines.kubernetes.usage import PodUsage
from podium.engines.kubernetes.view import ClusterView

_REMIND_MAX = 30.0
_LOG_PATIENCE_MS = 600_000  # in which a node may come back that has the end of a log
_LOG_AGAIN_MS = 15_000  # in which a node that answers may yet find it
_AWAY = ("dial tcp", "timeout", "timed out", "EOF", "refused")  # of a kubelet, not of the server


def path_of(pod: Pod) -> str:
    return f"/api/v1/namespaces/{pod.metadata.namespace}/pods/{pod.metadata.name}"


class PodEnds:
    def __init__(
        self,
        connection: Connection,
        view: ClusterView,
        home: EngineHome,
        logs: PodLogs,
        usage: PodUsage,
    ) -> None:
        self._connection = connection
        self._view = view
        self._home = home
        self._logs = logs
        self._usage = usage
        self._ended: dict[str, Observation] = {}
        self._reminders: dict[str, asyncio.Task[None]] = {}
        self.settled: set[str] = set()

    async def close(self) -> None:
        tasks = list(self._reminders.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def look(self, pod: Pod, now_ms: int) -> Observation:
        """What is seen of it; an end stays as it was first seen."""
        known = self._ended.get(pod.metadata.uid)
        if known is not None:
            return known
        seen = self._seen(pod, now_ms)
        if seen.phase is Phase.ENDED:
            self._ended[pod.metadata.uid] = seen
        elif outlives_its_stop(pod):
            self._remind(pod)
        return seen

    def is_over(self, pod: Pod) -> bool:
        return self._seen(pod, clock_ms()).phase is Phase.ENDED

    async def take_back(self, pod: Pod, mark: str, value: str, seconds: int) -> None:
        """Write down why first: a server that is killed between the two finds it and goes on."""
        path = path_of(pod)
        try:
            if pod.metadata.annotations.get(mark) != value:
                await self._connection.patch(path, {"metadata": {"annotations": {mark: value}}})
            options = {
                "gracePeriodSeconds": seconds,
                "preconditions": {"uid": pod.metadata.uid},
            }
            await self._connection.delete(path, options)
        except NotFoundError:
            return
        except ConflictError as error:
            raise TemporaryError(error.message) from error

    async def settle(self, allocation_ids: Sequence[str]) -> None:
        answers = await asyncio.gather(
            *(self._settle(each) for each in allocation_ids), return_exceptions=True
        )
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, TemporaryError):
                raise answer

    async def log_finish(self, pod: Pod) -> None:
        """Its log to the end, or what there is of it when its node stays away."""
        allocation_id = allocation_of(pod)
        if self._logs.is_whole(allocation_id):
            return
        why_not = ""
        if not has_said(pod):
            await self._logs.finish(None, allocation_id)
            return
        if self._view.node_gone(pod):
            why_not = "what it said last is lost with its node."
        try:
            await self._logs.finish(pod, allocation_id, why_not=why_not)
        except LogHeldError:
            raise
        except TemporaryError as error:
            away = isinstance(error, (AwayError, SignInError))
            away = away or any(word in error.message for word in _AWAY)
            if clock_ms() - over_at_ms(pod) < (_LOG_PATIENCE_MS if away else _LOG_AGAIN_MS):
                raise
            why_not = f"what it said last is not to be had. {error.message}"
            await self._logs.finish(pod, allocation_id, why_not=why_not)

    def _seen(self, pod: Pod, now_ms: int) -> Observation:
        seen = observation_of(pod, node_gone=self._view.node_gone(pod), now_ms=now_ms)
        return replace(
            seen,
            cpu_time_ms=self._usage.cpu_ms.get(seen.allocation_id, 0),
            memory_peak_bytes=self._usage.memory_peak_bytes.get(seen.allocation_id, 0),
        )

    def _remind(self, pod: Pod) -> None:
        """Kubelets up to 1.21 forget a deletion that comes while they start a container, until
        something of the pod changes. Asked of each that is stopping, less and less often."""
        uid = pod.metadata.uid
        if uid not in self._reminders:
            task = asyncio.create_task(self._reminded(pod))
            self._reminders[uid] = task
            task.add_done_callback(lambda _: self._reminders.pop(uid, None))

    async def _reminded(self, pod: Pod) -> None:
        pause_seconds = 0.5
        while True:
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(_REMIND_MAX, pause_seconds * 2)
            current = self._view.mine.get(allocation_of(pod))
            if current is None or not outlives_its_stop(current):
                return
            note = {"metadata": {"annotations": {names.REMINDED: str(clock_ms())}}}
            with contextlib.suppress(PodiumError):
                await self._connection.patch(path_of(current), note)

    async def _settle(self, allocation_id: str) -> None:
        pod = self._view.mine.get(allocation_id)
        if pod is None or not self.is_over(pod):
            return
        await self.log_finish(pod)
        self._home.settled(allocation_id).touch()
        self.settled.add(allocation_id)
        await self._forget(pod, allocation_id)

    async def _forget(self, pod: Pod, allocation_id: str) -> None:
        path = path_of(pod)
        below = f"/api/v1/namespaces/{pod.metadata.namespace}"
        rest = [each for each in pod.metadata.finalizers if each != names.KEPT]
        if is_guest(pod):
            # Whoever made it may count it, as Jobs do, so it stays until they delete it.
            marks = {
                "labels": {names.ALLOCATION: None},
                "annotations": {names.ENDED: allocation_id},
            }
            with contextlib.suppress(NotFoundError):
                await self._connection.patch(path, {"metadata": {"finalizers": rest, **marks}})
        else:
            with contextlib.suppress(NotFoundError):
                await self._connection.patch(path, {"metadata": {"finalizers": rest}})
            await self._connection.delete(path, {"gracePeriodSeconds": 0})
            await self._connection.delete(f"{below}/secrets/{allocation_id}")
            await meeting_close(self._connection, pod)
        self._ended.pop(pod.metadata.uid, None)
        self._usage.forget(allocation_id)
        self._home.source(allocation_id).unlink(missing_ok=True)
