"""How a pod is made and brought to its beginning, and taken back where it never will begin.
`engine.py` has one."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
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
from podium.domain.reason import Cause
from podium.engines.contract import HeldUpError, Launch, MisplacedError
from podium.engines.kubernetes import names
from podium.engines.kubernetes.admission import Admission
from podium.engines.kubernetes.connection import Connection
from podium.engines.kubernetes.ends import PodEnds
from podium.engines.kubernetes.grants import check_given
from podium.engines.kubernetes.holdups import PodHoldUps
from podium.engines.kubernetes.home import EngineHome
from podium.engines.kubernetes.manifest import Manifest, manifest_of
from podium.engines.kubernetes.meeting import meeting_open
from podium.engines.kubernetes.objects import Pod
from podium.engines.kubernetes.room import Rooms
from podium.engines.kubernetes.sight import Withdrawn, allocation_of, clock_ms
from podium.engines.kubernetes.site import ClusterSite
from podium.engines.kubernetes.source import awaits_source, source_send
from podium.engines.kubernetes.stuck import stuck_why
from podium.engines.kubernetes.view import ClusterView
from podium.engines.kubernetes.waits import Wait

_FED_SECONDS = 3.0
_log = structlog.get_logger(__name__)


class PodStarts:
    def __init__(
        self,
        connection: Connection,
        view: ClusterView,
        site: ClusterSite,
        home: EngineHome,
        ends: PodEnds,
        rooms: Rooms,
        holdups: PodHoldUps,
    ) -> None:
        self._connection = connection
        self._view = view
        self._site = site
        self._home = home
        self._ends = ends
        self._rooms = rooms
        self._holdups = holdups
        self._admission = Admission(site.start_grace_seconds)
        self._doings: dict[str, asyncio.Task[None]] = {}

    async def close(self) -> None:
        tasks = list(self._doings.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def ensure(self, launch: Launch) -> None:
        """As the contract has it, for one that was not settled."""
        allocation_id = launch.allocation_id
        if not self._view.has_node(self._site.own_name(launch.node)):
            raise MisplacedError(
                f"The cluster {self._site.cluster} has no node {launch.node} any more."
            )
        if allocation_id in self._view.mine:
            return
        node = self._view.node(self._site.own_name(launch.node))
        if node is not None and launch.devices:
            check_given(launch.devices, launch.isolation, node)
        manifest = manifest_of(launch, self._site)  # what can never start makes no namespace
        await self._rooms.ready(launch.project)
        if any(name == "MASTER_ADDR" for name, _ in launch.env):
            master = await meeting_open(self._connection, launch, self._site)
            manifest = manifest_of(launch, self._site, master=master)
        if launch.archive_path is not None:
            self._home.source(allocation_id).write_text(launch.archive_path)
        await self._create(manifest, launch)

    def consider(self, pod: Pod, now_ms: int) -> Wait | None:
        """What it waits for; take it back where it never will begin. It is asked of each that has
        not, so what it costs is a comparison; events are read in the background."""
        uid = pod.metadata.uid
        wait, since_ms = self._holdups.of(pod, now_ms)
        if uid in self._doings or pod.metadata.deletion_timestamp:
            return wait
        if awaits_source(pod):
            self._keep(uid, self._feed(pod))
            return wait
        grace_ms = self._site.start_grace_seconds * 1000
        why = stuck_why(pod, wait, since_ms, now_ms, grace_ms)
        if why is not None:
            self._keep(uid, self._withdraw(pod, why))
        return wait

    async def _create(self, manifest: Manifest, launch: Launch) -> None:
        below = f"/api/v1/namespaces/{manifest.namespace}"
        if manifest.secret is not None:
            await self._connection.apply(f"{below}/secrets/{launch.allocation_id}", manifest.secret)
        try:
            made = await self._connection.apply(
                f"{below}/pods/{launch.allocation_id}", manifest.pod
            )
        except (PermanentError, HeldUpError) as error:
            if await self._stands(below, launch.allocation_id):
                return  # an earlier call made it, and something around it changed since
            raise self._admission.refused(launch.allocation_id, error, clock_ms()) from error
        except ConflictError as error:
            raise TemporaryError(error.message) from error
        except NotFoundError as error:  # its namespace is being deleted
            self._rooms.forget(launch.project)
            raise TemporaryError(error.message) from error
        self._admission.forget(launch.allocation_id)
        self._view.take(msgspec.json.decode(made, type=Pod))

    async def _stands(self, below: str, name: str) -> bool:
        try:
            await self._connection.get(f"{below}/pods/{name}")
        except NotFoundError:
            return False
        return True

    def _keep(self, uid: str, doing: Coroutine[None, None, None]) -> None:
        """One thing at a time is done about a pod that has not begun."""
        task = asyncio.create_task(doing)
        self._doings[uid] = task
        task.add_done_callback(lambda _: self._doings.pop(uid, None))

    async def _feed(self, pod: Pod) -> None:
        try:
            place = self._home.source(allocation_of(pod))
            fault = "This server does not know where its code is."
            if place.exists():
                fault = await source_send(self._connection, pod, Path(place.read_text()))
            if fault:
                why = str(Withdrawn(Cause.SOURCE_FAILED, fault))
                await self._ends.take_back(pod, names.WITHDRAWN, why, 1)
            await asyncio.sleep(_FED_SECONDS)  # in which its kubelet tells that it goes on
        except PodiumError as error:
            _log.warning("source_not_sent", pod=pod.metadata.name, reason=error.message)
            await asyncio.sleep(1.0)

    async def _withdraw(self, pod: Pod, why: Withdrawn) -> None:
        try:
            await self._ends.take_back(pod, names.WITHDRAWN, str(why), 1)
        except PodiumError as error:
            _log.warning("pod_not_withdrawn", pod=pod.metadata.name, reason=error.message)
            await asyncio.sleep(1.0)
