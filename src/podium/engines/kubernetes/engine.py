"""The engine for Kubernetes: keeps the promise of `engines/contract.py` with pods.

`server.py` makes one for each cluster; `control/` calls it. What it started is in the cluster: a
pod is named by its allocation and keeps a finalizer until its end is settled, so nobody can take
the end away unseen, and a server that was killed finds everything again. Watches keep a copy of
the pods and nodes here; nothing is polled.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import re
import shutil
from collections import defaultdict
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import structlog

from podium.domain.errors import (
    ConflictError,
    NotFoundError,
    PermanentError,
    PodiumError,
    TemporaryError,
)
from podium.domain.node import Node
from podium.domain.reason import Cause
from podium.engines.contract import (
    Launch,
    LayoutAnswer,
    LayoutOrder,
    LayoutState,
    LogChunk,
    Measures,
    MisplacedError,
    Observation,
    Phase,
)
from podium.engines.kubernetes import names
from podium.engines.kubernetes.connection import Connection, config_of
from podium.engines.kubernetes.logs import PodLogs
from podium.engines.kubernetes.manifest import Manifest, manifest_of
from podium.engines.kubernetes.meeting import meeting_close, meeting_open
from podium.engines.kubernetes.objects import Pod
from podium.engines.kubernetes.sight import (
    Withdrawn,
    allocation_of,
    clock_ms,
    has_said,
    observation_of,
    outlives_its_stop,
    over_at_ms,
)
from podium.engines.kubernetes.site import ClusterSite
from podium.engines.kubernetes.source import awaits_source, source_send
from podium.engines.kubernetes.stuck import events_of, needs_events, stuck_why
from podium.engines.kubernetes.tenancy import room_of
from podium.engines.kubernetes.usage import PodUsage
from podium.engines.kubernetes.view import ClusterView

_ID = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_EVENTS_SECONDS = 10.0
_FED_SECONDS = 3.0
_REMIND_MAX = 30.0
_LOG_PATIENCE_MS = 600_000  # in which a node may come back that has the end of a log
_LOG_AGAIN_MS = 15_000  # in which a node that answers may yet find it
_AWAY = ("dial tcp", "does not answer", "timeout", "timed out", "EOF", "refused")
_FIRST_PORT, _PORTS = 20000, 10000
_log = structlog.get_logger(__name__)


class KubernetesEngine:
    """`kubeconfig` None is the service account of the pod that this runs in. Logs and what was
    settled are kept in `home`, which one server has at a time."""

    def __init__(
        self,
        home: Path,
        *,
        site: ClusterSite,
        kubeconfig: str | None,
        context: str = "",
        log_segment_bytes: int = 8 << 20,
        log_segments: int = 16,
    ) -> None:
        self._home = home
        self._site = site
        self._config = config_of(kubeconfig, context)
        self._log_segment_bytes, self._log_segments = log_segment_bytes, log_segments
        self._changed = asyncio.Event()
        self._ended: dict[str, Observation] = {}
        self._roomed: set[str] = set()
        self._room_locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._settled: set[str] = set()
        self._next_port = 0
        self._doings: dict[str, asyncio.Task[None]] = {}
        self._reminders: dict[str, asyncio.Task[None]] = {}
        self._lock: int | None = None

    @property
    def name(self) -> str:
        return f"kubernetes/{self._site.cluster}"

    @property
    def changed(self) -> asyncio.Event:
        return self._changed

    async def open(self) -> None:
        """Raises TemporaryError while the cluster does not answer or another server uses the same
        home, and PermanentError where a right is missing."""
        (self._home / "logs").mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._home / "settled").mkdir(mode=0o700, exist_ok=True)
        (self._home / "sources").mkdir(mode=0o700, exist_ok=True)
        self._lock_home()
        self._connection = Connection(self._config)
        self._logs = PodLogs(
            self._connection,
            self._home / "logs",
            segment_bytes_max=self._log_segment_bytes,
            segments_max=self._log_segments,
        )
        self._usage = PodUsage(self._connection)
        self._view = ClusterView(self._connection, self._site, self.name, self._changed)
        try:
            await self._view.open()
        except BaseException:
            await self.close()
            raise
        for allocation_id in self._view.mine:
            if self._marker(allocation_id).exists():
                self._settled.add(allocation_id)
        self._changed.set()

    async def close(self) -> None:
        tasks = [*self._doings.values(), *self._reminders.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._doings.clear()
        await self._view.close()
        await self._logs.close()
        await self._connection.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def inventory(self) -> Sequence[Node]:
        """Nodes whose kubelets are heard. Raises TemporaryError while the API server is not."""
        return self._view.nodes()

    async def rendezvous_port(self, node: str) -> int:
        """Pods have addresses of their own, so any port is free."""
        if not self._view.has_node(self._site.own_name(node)):
            raise NotFoundError(f"The cluster {self._site.cluster} has no node {node}.")
        self._next_port = (self._next_port + 1) % _PORTS
        return _FIRST_PORT + self._next_port

    async def ensure(self, launch: Launch) -> None:
        allocation_id = launch.allocation_id
        if _ID.fullmatch(allocation_id) is None:
            raise PermanentError(f"{allocation_id!r} is not the id of an allocation.")
        if self._marker(allocation_id).exists():
            return
        if not self._view.has_node(self._site.own_name(launch.node)):
            raise MisplacedError(
                f"The cluster {self._site.cluster} has no node {launch.node} any more."
            )
        if allocation_id in self._view.mine:
            return
        manifest = manifest_of(launch, self._site)  # what can never start makes no namespace
        await self._room(launch.project)
        if any(name == "MASTER_ADDR" for name, _ in launch.env):
            master = await meeting_open(self._connection, launch, self._site)
            manifest = manifest_of(launch, self._site, master=master)
        if launch.archive_path is not None:
            self._source(allocation_id).write_text(launch.archive_path)
        await self._create(manifest, launch)

    async def _create(self, manifest: Manifest, launch: Launch) -> None:
        below = f"/api/v1/namespaces/{manifest.namespace}"
        if manifest.secret is not None:
            await self._connection.apply(f"{below}/secrets/{launch.allocation_id}", manifest.secret)
        try:
            made = await self._connection.apply(
                f"{below}/pods/{launch.allocation_id}", manifest.pod
            )
        except PermanentError:
            if await self._stands(below, launch.allocation_id):
                return  # an earlier call made it, and something around it changed since
            raise
        except ConflictError as error:
            raise TemporaryError(error.message) from error
        except NotFoundError as error:  # its namespace is being deleted
            self._roomed.discard(launch.project)
            raise TemporaryError(error.message) from error
        self._view.take(msgspec.json.decode(made, type=Pod))

    async def _stands(self, below: str, name: str) -> bool:
        try:
            await self._connection.get(f"{below}/pods/{name}")
        except NotFoundError:
            return False
        return True

    async def observe(self) -> Sequence[Observation]:
        now_ms = clock_ms()
        seen = []
        for allocation_id, pod in list(self._view.mine.items()):
            if allocation_id in self._settled:
                continue
            known = self._ended.get(pod.metadata.uid)
            if known is None:
                known = self._look(pod, now_ms)
                if known.phase is Phase.ENDED:
                    self._ended[pod.metadata.uid] = known
                elif known.phase is Phase.STARTING:
                    self._consider(pod, now_ms)
                elif outlives_its_stop(pod):
                    self._remind(pod)
            seen.append(known)
        return seen

    async def measure(self) -> Measures:
        running: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for pod in self._view.mine.values():
            if pod.spec.node_name and pod.status.phase == "Running":
                running[pod.spec.node_name][pod.metadata.uid] = allocation_of(pod)
        found = await self._usage.measure(running)
        live = {key for pods in running.values() for key in pods.values()}
        return Measures(allocations=tuple(each for each in found if each.allocation_id in live))

    async def stop(self, allocation_id: str, *, grace_seconds: int) -> None:
        pod = self._view.mine.get(allocation_id)
        if pod is None or self._is_over(pod):
            return
        seconds = max(1, grace_seconds)  # with 0 it would be forgotten before it has ended
        await self._take_back(pod, names.STOP, str(seconds), seconds)

    async def settle(self, allocation_ids: Sequence[str]) -> None:
        answers = await asyncio.gather(
            *(self._settle(each) for each in allocation_ids), return_exceptions=True
        )
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, TemporaryError):
                raise answer

    async def read_log(
        self, allocation_id: str, *, offset: int = 0, limit_bytes: int = 65536
    ) -> LogChunk:
        if _ID.fullmatch(allocation_id) is None:
            raise PermanentError(f"{allocation_id!r} is not the id of an allocation.")
        pod = self._view.mine.get(allocation_id)
        if pod is not None and allocation_id not in self._settled:
            if self._is_over(pod):
                await self._log_finish(pod)
            else:
                self._logs.follow(pod, allocation_id)
        chunk = self._logs.read(allocation_id, offset=offset, limit_bytes=max(1, limit_bytes))
        if chunk is not None:
            return chunk
        if pod is None:
            raise NotFoundError(f"There is no log of {allocation_id} in {self._site.cluster}.")
        return LogChunk(0, 0, (), 0, complete=False)

    async def remove(self, allocation_ids: Sequence[str]) -> None:
        for each in allocation_ids:
            if _ID.fullmatch(each) is None:
                continue
            self._logs.remove(each)
            await asyncio.to_thread(shutil.rmtree, self._home / "logs" / each, ignore_errors=True)
            await asyncio.to_thread(self._marker(each).unlink, missing_ok=True)

    async def layout_step(self, node: str, order: LayoutOrder) -> LayoutAnswer:
        del order
        return LayoutAnswer(LayoutState.REFUSED, f"{node} is cut by its cluster's GPU operator.")

    async def mig_mode(self, node: str, gpu: str, *, enabled: bool, busy: bool) -> None:
        del gpu, enabled, busy
        raise ConflictError(f"MIG on {node} is switched by its cluster's GPU operator.")

    # How an end is made and told

    def _look(self, pod: Pod, now_ms: int) -> Observation:
        seen = observation_of(pod, node_gone=self._view.node_gone(pod), now_ms=now_ms)
        return replace(
            seen,
            cpu_time_ms=self._usage.cpu_ms.get(seen.allocation_id, 0),
            memory_peak_bytes=self._usage.memory_peak_bytes.get(seen.allocation_id, 0),
        )

    def _is_over(self, pod: Pod) -> bool:
        return self._look(pod, clock_ms()).phase is Phase.ENDED

    def _consider(self, pod: Pod, now_ms: int) -> None:
        """Take back a pod that never will begin. It is asked of each that has not, so what it
        costs is a comparison; events are read in the background."""
        uid = pod.metadata.uid
        if uid in self._doings or pod.metadata.deletion_timestamp:
            return
        if awaits_source(pod):
            self._keep(uid, self._feed(pod))
            return
        why = stuck_why(pod, (), now_ms, self._site.start_grace_seconds * 1000)
        if why is None and not needs_events(pod, now_ms):
            return
        self._keep(uid, self._withdraw(pod, why))

    def _keep(self, uid: str, doing: Coroutine[None, None, None]) -> None:
        """One thing at a time is done about a pod that has not begun."""
        task = asyncio.create_task(doing)
        self._doings[uid] = task
        task.add_done_callback(lambda _: self._doings.pop(uid, None))

    async def _feed(self, pod: Pod) -> None:
        try:
            place = self._source(allocation_of(pod))
            fault = "This server does not know where its code is."
            if place.exists():
                fault = await source_send(self._connection, pod, Path(place.read_text()))
            if fault:
                why = str(Withdrawn(Cause.SOURCE_FAILED, fault))
                await self._take_back(pod, names.WITHDRAWN, why, 1)
            await asyncio.sleep(_FED_SECONDS)  # in which its kubelet tells that it goes on
        except PodiumError as error:
            _log.warning("source_not_sent", pod=pod.metadata.name, reason=error.message)
            await asyncio.sleep(1.0)

    async def _withdraw(self, pod: Pod, why: Withdrawn | None) -> None:
        try:
            if why is None:
                told = await events_of(self._connection, pod)
                grace_ms = self._site.start_grace_seconds * 1000
                why = stuck_why(pod, told, clock_ms(), grace_ms)
            if why is None:
                await asyncio.sleep(_EVENTS_SECONDS)
                return
            await self._take_back(pod, names.WITHDRAWN, str(why), 1)
        except PodiumError as error:
            _log.warning("pod_not_withdrawn", pod=pod.metadata.name, reason=error.message)
            await asyncio.sleep(1.0)

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
                await self._connection.patch(_path(current), note)

    async def _take_back(self, pod: Pod, mark: str, value: str, seconds: int) -> None:
        """Write down why first: a server that is killed between the two finds it and goes on."""
        path = _path(pod)
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

    async def _settle(self, allocation_id: str) -> None:
        pod = self._view.mine.get(allocation_id)
        if pod is None or not self._is_over(pod):
            return
        await self._log_finish(pod)
        self._marker(allocation_id).touch()
        self._settled.add(allocation_id)
        await self._forget(pod, allocation_id)

    async def _forget(self, pod: Pod, allocation_id: str) -> None:
        path = _path(pod)
        below = f"/api/v1/namespaces/{pod.metadata.namespace}"
        rest = [each for each in pod.metadata.finalizers if each != names.KEPT]
        with contextlib.suppress(NotFoundError):
            await self._connection.patch(path, {"metadata": {"finalizers": rest}})
        await self._connection.delete(path, {"gracePeriodSeconds": 0})
        await self._connection.delete(f"{below}/secrets/{allocation_id}")
        await meeting_close(self._connection, pod)
        self._ended.pop(pod.metadata.uid, None)
        self._usage.forget(allocation_id)
        self._source(allocation_id).unlink(missing_ok=True)

    async def _log_finish(self, pod: Pod) -> None:
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
        except TemporaryError as error:
            away = any(word in error.message for word in _AWAY)
            if clock_ms() - over_at_ms(pod) < (_LOG_PATIENCE_MS if away else _LOG_AGAIN_MS):
                raise
            why_not = f"what it said last is not to be had. {error.message}"
            await self._logs.finish(pod, allocation_id, why_not=why_not)

    # What stands around the pods

    async def _room(self, project: str) -> None:
        """The namespace of a project with all that belongs to it, made once by this server."""
        if project in self._roomed:
            return
        async with self._room_locks[project]:
            if project in self._roomed:
                return
            for path, manifest in room_of(project, self._site):
                await self._connection.apply(path, manifest)
            self._roomed.add(project)

    def _marker(self, allocation_id: str) -> Path:
        return self._home / "settled" / allocation_id

    def _source(self, allocation_id: str) -> Path:
        return self._home / "sources" / allocation_id

    def _lock_home(self) -> None:
        lock = os.open(self._home / "engine.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise TemporaryError(
                f"Another Podium server uses {self._home}. Stop it, or choose another home."
            ) from None
        self._lock = lock


def _path(pod: Pod) -> str:
    return f"/api/v1/namespaces/{pod.metadata.namespace}/pods/{pod.metadata.name}"
