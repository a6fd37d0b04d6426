"""Why a pod that has not begun never will: what its kubelet and the cluster's scheduler say."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from podium.domain.reason import Cause
from podium.engines.kubernetes import names
from podium.engines.kubernetes.connection import Connection
from podium.engines.kubernetes.objects import Pod, Waiting
from podium.engines.kubernetes.sight import Withdrawn, ms_of

_NO_IMAGE = frozenset({"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable"})
_BAD_IMAGE = frozenset({"InvalidImageName", "ErrImageNeverPull", "ImageInspectError"})
_BAD_CONTAINER = frozenset({"CreateContainerConfigError", "CreateContainerError"})
_IMAGE_MS = 60_000
_CONTAINER_MS = 10_000
_PLACE_MS = 20_000
_MOUNT_MS = 120_000


class Event(Struct, kw_only=True):
    reason: str = ""
    message: str = ""


class Events(Struct, kw_only=True):
    items: list[Event] | None = None


async def events_of(connection: Connection, pod: Pod) -> Sequence[Event]:
    """Oldest first."""
    selector = f"involvedObject.uid={pod.metadata.uid}"
    path = f"/api/v1/namespaces/{pod.metadata.namespace}/events"
    answer = await connection.get(path, fieldSelector=selector, limit="100")
    return msgspec.json.decode(answer, type=Events).items or ()


def needs_events(pod: Pod, now_ms: int) -> bool:
    """Whether what it waits for stands in events alone: nothing is said in its status."""
    waiting = _waiting(pod)
    quiet = waiting is None or waiting.reason in ("", "ContainerCreating", "PodInitializing")
    return quiet and bool(pod.spec.node_name) and _age_ms(pod, now_ms) > _MOUNT_MS


def stuck_why(pod: Pod, events: Sequence[Event], now_ms: int, grace_ms: float) -> Withdrawn | None:
    """None while it may still begin. `events` are its own, oldest first."""
    age_ms = _age_ms(pod, now_ms)
    waiting = _waiting(pod)
    if not pod.spec.node_name:
        for each in pod.status.conditions:
            if each.type == "PodScheduled" and each.status == "False" and age_ms > _PLACE_MS:
                words = f"The cluster's own scheduler does not let it onto its node: {each.message}"
                return Withdrawn(Cause.MISPLACED, words)
    if waiting is not None:
        words = f"{waiting.reason}: {waiting.message}".removesuffix(": ")
        if waiting.reason in _BAD_IMAGE or (waiting.reason in _NO_IMAGE and age_ms > _IMAGE_MS):
            return Withdrawn(Cause.IMAGE_FAILED, f"Its image cannot be had: {words}")
        if waiting.reason in _BAD_CONTAINER and age_ms > _CONTAINER_MS:
            return Withdrawn(Cause.START_FAILED, f"Its container cannot be made: {words}")
    if age_ms > min(grace_ms, _MOUNT_MS):
        for event in reversed(events):
            if event.reason in ("FailedMount", "FailedAttachVolume", "FailedMapVolume"):
                words = f"A volume cannot be mounted: {event.message}"
                return Withdrawn(Cause.VOLUME_MISSING, words)
    if age_ms > grace_ms:
        last = events[-1].message if events else "its node said nothing"
        words = f"It did not begin within {grace_ms / 1000:.0f} s; the last that was heard: {last}"
        return Withdrawn(Cause.START_FAILED, words)
    return None


def _waiting(pod: Pod) -> Waiting | None:
    for status in (*pod.status.init_container_statuses, *pod.status.container_statuses):
        if status.state.waiting is not None and status.state.waiting.reason not in (
            "PodInitializing",
        ):
            return status.state.waiting
        if status.name == names.CONTAINER:
            return status.state.waiting
    return None


def _age_ms(pod: Pod, now_ms: int) -> int:
    return now_ms - ms_of(pod.metadata.creation_timestamp)
