"""Pods that people submit with kubectl in a project's namespace: found, told why they wait, started
where Podium placed them, or deleted. `engine.py` has one.

A guest has the label `podium.io/queue` and is held by its `schedulerName` or its scheduling gate.
Once it is placed it gets the labels of Podium's own pods, and from then on is one of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import structlog
from msgspec import Struct

from podium.domain.errors import (
    ConflictError,
    NotFoundError,
    PermanentError,
    PodiumError,
    TemporaryError,
)
from podium.engines.contract import Launch, MisplacedError
from podium.engines.guests import Guest
from podium.engines.kubernetes import names
from podium.engines.kubernetes.connection import JSON_PATCH, Connection
from podium.engines.kubernetes.ends import PodEnds, path_of
from podium.engines.kubernetes.manifest import labels_of, pinned
from podium.engines.kubernetes.objects import Metadata, Pod
from podium.engines.kubernetes.reflector import Reflector
from podium.engines.kubernetes.sight import clock_ms
from podium.engines.kubernetes.site import ClusterSite
from podium.engines.kubernetes.submitted import Submitted, guest_of
from podium.engines.kubernetes.view import ClusterView

_AT_ONCE = 16
_WORDS_MAX = 1000
_OURS = (names.OWNER, names.ALLOCATION, names.WORKLOAD, names.PROJECT, names.RANK, names.GENERATION)
_WISHES = (names.GROUP, names.GROUP_SIZE, names.PRIORITY)  # which may change while it waits
_GONE = "Its pod was deleted in the cluster before it began."
_log = structlog.get_logger(__name__)


class _Namespace(Struct, kw_only=True, frozen=True):
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class _Known:
    guest: Guest
    is_held: bool
    wishes: tuple[str, ...]


class PodGuests:
    """Namespaces are watched from the first guest on: those of another Podium are left to it."""

    def __init__(
        self, connection: Connection, view: ClusterView, site: ClusterSite, ends: PodEnds
    ) -> None:
        self._connection = connection
        self._view = view
        self._site = site
        self._ends = ends
        self._namespaces: Reflector[_Namespace] | None = None
        self._known: dict[str, _Known] = {}  # by uid
        self._reading = asyncio.Semaphore(_AT_ONCE)

    async def close(self) -> None:
        if self._namespaces is not None:
            await self._namespaces.close()

    async def seen(self) -> Sequence[Guest]:
        """All that have not ended, oldest first. Raises TemporaryError while the cluster is not
        heard."""
        self._view.check_heard()
        asking = list(self._view.asking.values())
        if not asking:
            self._known.clear()
            return ()
        await self._watch_namespaces()
        answers = await asyncio.gather(*(self._guest(pod) for pod in asking))
        found = [guest for guest in answers if guest is not None]
        alive = {pod.metadata.uid for pod in asking}
        self._known = {key: each for key, each in self._known.items() if key in alive}
        return sorted(found, key=lambda each: (each.made_at_ms, each.name))

    async def start(self, launch: Launch) -> None:
        """Raises as `Engine.ensure`. Labels come before the node, so that a server which is killed
        between the two finds it as placed and goes on."""
        begun = self._view.mine.get(launch.allocation_id)
        if begun is not None and begun.spec.node_name:
            return  # and perhaps it has ended since
        pod = self._view.asking.get(launch.guest)
        if pod is None:
            raise PermanentError(_GONE)
        node = self._site.own_name(launch.node)
        if pod.spec.node_name:
            raise PermanentError("Its pod was bound by somebody else, or by an earlier attempt.")
        if not self._view.has_node(node):
            await self._let_go(pod)
            raise MisplacedError(
                f"The cluster {self._site.cluster} has no node {launch.node} any more."
            )
        submitted = await self._submitted(pod)
        try:
            if pod.metadata.labels.get(names.ALLOCATION) != launch.allocation_id:
                pod = await self._adopt(pod, launch)
            if submitted.is_gated:
                await self._ungate(pod, submitted, node)
            elif submitted.is_held:  # else an earlier call took its gate away
                await self._bind(pod, node)
        except NotFoundError:
            raise PermanentError(_GONE) from None
        except ConflictError as error:
            await self._look_again(pod, node, error)
        words = f"Podium placed it on {node} as {launch.workload_id}."
        with contextlib.suppress(PodiumError):  # it runs, told or not
            await self._event(pod, "Scheduled", words)

    async def tell(self, uid: str, workload_id: str, words: str) -> None:
        """Why it waits, for those who look with kubectl."""
        pod = self._view.asking.get(uid)
        if pod is None:
            return
        notes = {names.REASON: words, names.WORKLOAD: workload_id or None}
        try:
            await self._event(pod, "Waiting", words)
            await self._change(pod, {"annotations": notes})
        except (NotFoundError, ConflictError):
            return  # it is gone, or another one

    async def discard(self, uid: str, words: str) -> None:
        """Delete one that was not started: its workload is over."""
        pod = self._view.asking.get(uid)
        if pod is None or pod.spec.node_name:
            return
        if not pod.metadata.deletion_timestamp:
            await self._event(pod, "Cancelled", words[:_WORDS_MAX])
            await self._ends.take_back(pod, names.STOP, "1", 1)

    # What a pod says

    async def _guest(self, pod: Pod) -> Guest | None:
        meta = pod.metadata
        room = self._room(meta.namespace)
        if room is None or meta.deletion_timestamp:
            return None
        project, unclaimed = room
        said = meta.annotations | meta.labels
        wishes = tuple(said.get(key, "") for key in _WISHES)
        known = self._known.get(meta.uid)
        if known is None or known.wishes != wishes:
            try:
                submitted = await self._submitted(pod)
            except NotFoundError:
                return None
            guest = guest_of(pod, submitted, project, self._site.cluster)
            known = self._known[meta.uid] = _Known(guest, submitted.is_held, wishes)
        mine = meta.labels.get(names.OWNER) == self._site.owner
        adopted = meta.labels.get(names.ALLOCATION, "") if mine else ""
        if not adopted and (not known.is_held or pod.spec.node_name):
            return None
        told = meta.annotations.get(names.REASON, "")
        return replace(known.guest, unclaimed=unclaimed, told=told, allocation_id=adopted)

    def _room(self, namespace: str) -> tuple[str, str] | None:
        """Its project, and what it lacks to be Podium's. None where it is no project's, or another
        Podium's."""
        prefix = self._site.namespace_prefix
        if not namespace.startswith(prefix) or self._namespaces is None:
            return None
        found = self._namespaces.items.get(("", namespace))
        if found is None:
            return None
        project = namespace.removeprefix(prefix)
        owner = found.metadata.labels.get(names.OWNER)
        if owner is None:
            return project, (
                f"Its namespace is not Podium's. Who runs the cluster can give it to Podium: "
                f"kubectl label namespace {namespace} {names.OWNER}={self._site.owner}"
            )
        return (project, "") if owner == self._site.owner else None

    async def _submitted(self, pod: Pod) -> Submitted:
        async with self._reading:
            answer = await self._connection.get(path_of(pod))
        try:
            return msgspec.json.decode(answer, type=Submitted)
        except msgspec.DecodeError as error:  # and all others go on
            _log.warning("guest_not_read", pod=pod.metadata.name, reason=str(error))
            return Submitted()

    async def _watch_namespaces(self) -> None:
        if self._namespaces is None:
            made = Reflector(self._connection, "/api/v1/namespaces", _Namespace, _unheard)
            await made.open()
            self._namespaces = made

    # What is done to it

    async def _adopt(self, pod: Pod, launch: Launch) -> Pod:
        meta = pod.metadata
        given = labels_of(launch, self._site)
        kept = [each for each in meta.finalizers if each != names.KEPT]
        devices = ",".join(each.uuid for each in launch.devices)
        change = {
            "resourceVersion": meta.resource_version,
            "labels": {key: given[key] for key in _OURS},
            "annotations": {
                names.DEVICES: devices,
                names.ADOPTED: str(clock_ms()),
                names.REASON: None,
            },
            "finalizers": [*kept, names.KEPT],
        }
        return await self._change(pod, change)

    async def _let_go(self, pod: Pod) -> None:
        """As it was before it was placed."""
        if names.ALLOCATION not in pod.metadata.labels:
            return
        kept = [each for each in pod.metadata.finalizers if each != names.KEPT]
        nothing = {"labels": dict.fromkeys(_OURS), "finalizers": kept}
        try:
            await self._change(pod, nothing)
        except (NotFoundError, ConflictError):
            return

    async def _bind(self, pod: Pod, node: str) -> None:
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": pod.metadata.name, "uid": pod.metadata.uid},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        }
        await self._connection.post(f"{path_of(pod)}/binding", binding)

    async def _ungate(self, pod: Pod, submitted: Submitted, node: str) -> None:
        """Where it must stand first, and then its gate: the cluster's own scheduler binds it."""
        path = path_of(pod)
        await self._connection.patch(path, {"spec": {"affinity": pinned(node)}})
        gates = [each.name for each in submitted.spec.scheduling_gates]
        place = f"/spec/schedulingGates/{gates.index(names.QUEUE)}"
        test = {"op": "test", "path": place, "value": {"name": names.QUEUE}}
        await self._connection.patch(path, [test, {"op": "remove", "path": place}], JSON_PATCH)

    async def _look_again(self, pod: Pod, node: str, error: ConflictError) -> None:
        """A refusal may mean that an earlier call did it. Raises TemporaryError where not."""
        found = msgspec.json.decode(await self._get(pod), type=Pod)
        if found.metadata.uid != pod.metadata.uid:
            raise PermanentError(_GONE)
        self._view.take(found)
        if found.spec.node_name != node and not found.metadata.deletion_timestamp:
            raise TemporaryError(error.message) from error

    async def _get(self, pod: Pod) -> bytes:
        try:
            return await self._connection.get(path_of(pod))
        except NotFoundError:
            raise PermanentError(_GONE) from None

    async def _change(self, pod: Pod, metadata: dict[str, Any]) -> Pod:
        """Of this very pod: another one of its name is refused as a conflict."""
        change = {"metadata": {"uid": pod.metadata.uid, **metadata}}
        answer = await self._connection.patch(path_of(pod), change)
        changed = msgspec.json.decode(answer, type=Pod)
        self._view.take(changed)
        return changed

    async def _event(self, pod: Pod, reason: str, words: str) -> None:
        meta = pod.metadata
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{meta.name[:200]}.{time.time_ns():x}"},
            "involvedObject": {
                "apiVersion": "v1",
                "kind": "Pod",
                "namespace": meta.namespace,
                "name": meta.name,
                "uid": meta.uid,
            },
            "type": "Normal",
            "reason": reason,
            "message": words,
            "source": {"component": names.MANAGER},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        await self._connection.post(f"/api/v1/namespaces/{meta.namespace}/events", event)


def _unheard(before: _Namespace | None, after: _Namespace | None) -> None:
    """Namespaces are looked at when a guest is."""
    del before, after
