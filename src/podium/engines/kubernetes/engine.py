"""The engine for Kubernetes: keeps the promise of `engines/contract.py` with pods.

`server.py` makes one for each cluster; `control/` calls it. What it started is in the cluster: a
pod is named by its allocation and keeps a finalizer until its end is settled, so nobody can take
the end away unseen, and a server that was killed finds everything again. Watches keep a copy of
the pods and nodes here; nothing is polled. How a pod begins is in `starts.py`, how it ends in
`ends.py`.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from podium.domain.errors import NotFoundError, PermanentError
from podium.domain.node import Node
from podium.engines.contract import (
    Drift,
    Launch,
    LayoutAnswer,
    LayoutOrder,
    LogChunk,
    Measures,
    Observation,
    Phase,
    Tenant,
)
from podium.engines.guests import Guest
from podium.engines.kubernetes import names
from podium.engines.kubernetes.connection import Connection, config_of
from podium.engines.kubernetes.ends import PodEnds
from podium.engines.kubernetes.guests import PodGuests
from podium.engines.kubernetes.holdups import PodHoldUps
from podium.engines.kubernetes.home import EngineHome
from podium.engines.kubernetes.logs import PodLogs
from podium.engines.kubernetes.relayout import NodeLayouts
from podium.engines.kubernetes.room import Rooms
from podium.engines.kubernetes.sight import allocation_of, clock_ms
from podium.engines.kubernetes.site import ClusterSite
from podium.engines.kubernetes.starts import PodStarts
from podium.engines.kubernetes.usage import PodUsage
from podium.engines.kubernetes.view import ClusterView

_ID = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_FIRST_PORT, _PORTS = 20000, 10000


class KubernetesEngine:
    """`kubeconfig` None is the service account of the pod that this runs in. What was settled is
    kept in `home`, which one server has at a time; `logs` may be a folder that several share, so
    that each can show what another one fetched."""

    def __init__(
        self,
        home: Path,
        *,
        site: ClusterSite,
        kubeconfig: str | None,
        context: str = "",
        logs: Path | None = None,
        log_segment_bytes: int = 8 << 20,
        log_segments: int = 16,
    ) -> None:
        self._home = EngineHome(home, logs)
        self._site = site
        self._config = config_of(kubeconfig, context)
        self._log_segment_bytes, self._log_segments = log_segment_bytes, log_segments
        self._changed = asyncio.Event()
        self._next_port = 0
        self._closing = AsyncExitStack()

    @property
    def name(self) -> str:
        return f"kubernetes/{self._site.cluster}"

    @property
    def changed(self) -> asyncio.Event:
        return self._changed

    async def open(self) -> None:
        """Raises TemporaryError while the cluster does not answer or another server uses the same
        home, and PermanentError where a right is missing."""
        try:
            await self._open()
        except BaseException:
            await self.close()
            raise
        for allocation_id in self._view.mine:
            if self._home.settled(allocation_id).exists():
                self._ends.settled.add(allocation_id)
        self._changed.set()

    async def _open(self) -> None:
        closing = self._closing
        self._home.open()
        closing.callback(self._home.close)
        connection = Connection(self._config)
        closing.push_async_callback(connection.close)
        self._logs = PodLogs(
            connection,
            self._home.logs,
            segment_bytes_max=self._log_segment_bytes,
            segments_max=self._log_segments,
        )
        closing.push_async_callback(self._logs.close)
        self._usage = PodUsage(connection)
        self._view = ClusterView(connection, self._site, self.name, self._changed)
        closing.push_async_callback(self._view.close)
        self._layouts = NodeLayouts(connection, self._view, self._site)
        self._ends = PodEnds(connection, self._view, self._home, self._logs, self._usage)
        closing.push_async_callback(self._ends.close)
        self._rooms = Rooms(connection, self._view, self._site)
        self._holdups = PodHoldUps(connection, self._changed)
        closing.push_async_callback(self._holdups.close)
        self._starts = PodStarts(
            connection,
            self._view,
            self._site,
            self._home,
            self._ends,
            self._rooms,
            self._holdups,
        )
        closing.push_async_callback(self._starts.close)
        self._guests = PodGuests(connection, self._view, self._site, self._ends)
        closing.push_async_callback(self._guests.close)
        await self._view.open()

    async def close(self) -> None:
        await self._closing.aclose()

    async def inventory(self) -> Sequence[Node]:
        """Nodes whose kubelets are heard. Raises TemporaryError while the API server is not."""
        return self._layouts.closed(self._view.nodes())

    async def rendezvous_port(self, node: str) -> int:
        """Pods have addresses of their own, so any port is free."""
        if not self._view.has_node(self._site.own_name(node)):
            raise NotFoundError(f"The cluster {self._site.cluster} has no node {node}.")
        self._next_port = (self._next_port + 1) % _PORTS
        return _FIRST_PORT + self._next_port

    async def ensure(self, launch: Launch) -> None:
        if _ID.fullmatch(launch.allocation_id) is None:
            raise PermanentError(f"{launch.allocation_id!r} is not the id of an allocation.")
        if self._home.settled(launch.allocation_id).exists():
            return
        if launch.guest:
            await self._rooms.ready(launch.project)
            await self._guests.start(launch)
        else:
            await self._starts.ensure(launch)

    async def observe(self) -> Sequence[Observation]:
        now_ms = clock_ms()
        seen, starting = [], []
        for allocation_id, pod in list(self._view.mine.items()):
            if allocation_id in self._ends.settled:
                continue
            known = self._ends.look(pod, now_ms)
            if known.phase is Phase.STARTING:
                starting.append(pod.metadata.uid)
                wait = self._starts.consider(pod, now_ms)
                if wait is not None:
                    known = replace(known, cause=wait.cause, message=wait.message)
            seen.append(known)
        self._holdups.keep_only(starting)
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
        if pod is None or self._ends.is_over(pod):
            return
        seconds = max(1, grace_seconds)  # with 0 it would be forgotten before it has ended
        await self._ends.take_back(pod, names.STOP, str(seconds), seconds)

    async def settle(self, allocation_ids: Sequence[str]) -> None:
        await self._ends.settle(allocation_ids)

    async def read_log(
        self, allocation_id: str, *, offset: int = 0, limit_bytes: int = 65536
    ) -> LogChunk:
        if _ID.fullmatch(allocation_id) is None:
            raise PermanentError(f"{allocation_id!r} is not the id of an allocation.")
        pod = self._view.mine.get(allocation_id)
        if pod is not None and allocation_id not in self._ends.settled:
            if self._ends.is_over(pod):
                await self._ends.log_finish(pod)
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
            await asyncio.to_thread(shutil.rmtree, self._home.logs / each, ignore_errors=True)
            await asyncio.to_thread(self._home.settled(each).unlink, missing_ok=True)

    async def layout_step(self, node: str, order: LayoutOrder) -> LayoutAnswer:
        return await self._layouts.step(node, order)

    async def mig_mode(self, node: str, gpu: str, *, enabled: bool, busy: bool) -> None:
        del gpu, enabled, busy
        await self._layouts.mode(node)

    async def guests(self) -> Sequence[Guest]:
        return await self._guests.seen()

    async def guest_tell(self, uid: str, workload_id: str, words: str) -> None:
        await self._guests.tell(uid, workload_id, words)

    async def guest_discard(self, uid: str, words: str) -> None:
        await self._guests.discard(uid, words)

    async def rooms(self) -> Sequence[str]:
        return await self._rooms.projects()

    async def keep_room(self, tenant: Tenant) -> Sequence[Drift]:
        return await self._rooms.keep(tenant)

    async def remove_room(self, project: str) -> bool:
        return await self._rooms.remove(project)
