"""What a pod that has not begun waits for, as its status and its events tell it: in plain words,
with a cause where something has to be done, and how long that may last."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from msgspec import Struct

from podium.domain.reason import Cause
from podium.engines.kubernetes import names
from podium.engines.kubernetes.connection import Connection
from podium.engines.kubernetes.image_words import image_fault, image_words
from podium.engines.kubernetes.objects import Pod, Waiting

NO_IMAGE = frozenset({"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable"})
BAD_IMAGE = frozenset({"InvalidImageName", "ErrImageNeverPull", "ImageInspectError"})
BAD_CONTAINER = frozenset({"CreateContainerConfigError", "CreateContainerError"})
_QUIET = frozenset({"", "ContainerCreating", "PodInitializing"})
_NO_MOUNT = frozenset({"FailedMount", "FailedAttachVolume", "FailedMapVolume"})
_NO_POD = frozenset({"FailedCreatePodSandBox", "FailedCreatePodContainer"})
_STEPS = frozenset({"Pulling", "Pulled", "Created", "Started"})
_CLAIM = re.compile(r"persistent ?volume", re.IGNORECASE)
_VOLUME = re.compile(r"volume node affinity conflict", re.IGNORECASE)
_TAINT = re.compile(r"taint \{([^}]*)\}")
_LONGEST = 300
IMAGE_MS = 60_000
CONTAINER_MS = 10_000
PLACE_MS = 20_000
MOUNT_MS = 120_000


@dataclass(frozen=True, slots=True)
class Wait:
    """After `patience_ms` the pod is taken back for its `cause`; None: only after its grace."""

    message: str
    cause: Cause | None = None
    patience_ms: int | None = None


class _About(Struct, kw_only=True, frozen=True, rename="camel"):
    creation_timestamp: str | None = None


class Event(Struct, kw_only=True, frozen=True, rename="camel"):
    reason: str = ""
    message: str = ""
    last_timestamp: str | None = None
    event_time: str | None = None
    metadata: _About = _About()

    @property
    def at(self) -> str:
        """RFC 3339, in the order of time."""
        return self.last_timestamp or self.event_time or self.metadata.creation_timestamp or ""


class Events(Struct, kw_only=True):
    items: list[Event] | None = None


async def events_of(connection: Connection, pod: Pod) -> Sequence[Event]:
    """Oldest first."""
    selector = f"involvedObject.uid={pod.metadata.uid}"
    path = f"/api/v1/namespaces/{pod.metadata.namespace}/events"
    answer = await connection.get(path, fieldSelector=selector, limit="100")
    found = msgspec.json.decode(answer, type=Events).items or []
    return sorted(found, key=lambda each: each.at)


def needs_events(pod: Pod) -> bool:
    """Whether what it waits for stands in events alone: nothing is said in its status."""
    if not pod.spec.node_name:
        return False
    waiting = _waiting(pod)
    if waiting is None or waiting.reason in _QUIET:
        return True
    return waiting.reason in NO_IMAGE and not image_fault(_image(pod), waiting.message)


def wait_of(pod: Pod, events: Sequence[Event]) -> Wait | None:
    """None where nothing is known. `events` are its own, oldest first, and may be late."""
    if not pod.spec.node_name:
        return _place_wait(pod)
    waiting = _waiting(pod)
    if waiting is not None and waiting.reason in BAD_IMAGE | NO_IMAGE:
        return _image_wait(pod, waiting, events)
    if waiting is not None and waiting.reason in BAD_CONTAINER:
        words = f"Its container cannot be made: {_cut(waiting.message or waiting.reason)}."
        return Wait(words, Cause.START_FAILED, CONTAINER_MS)
    for status in pod.status.init_container_statuses:
        if status.state.running is not None:
            code = "Its code is being brought into its pod."
            first = f"Its first container {status.name} runs before it."
            return Wait(code if status.name == names.SOURCE else first)
    if waiting is not None and waiting.reason not in _QUIET:
        return Wait(f"{waiting.reason}: {_cut(waiting.message)}".removesuffix(": ") + ".")
    return _event_wait(pod, events)


def _image_wait(pod: Pod, waiting: Waiting, events: Sequence[Event]) -> Wait:
    said = waiting.message
    if waiting.reason in NO_IMAGE and not image_fault(_image(pod), said):
        failed = [each.message for each in events if "ailed to pull image" in each.message]
        said = failed[-1] if failed else said
    words = image_words(_image(pod), waiting.reason, said)
    return Wait(words, Cause.IMAGE_FAILED, IMAGE_MS if waiting.reason in NO_IMAGE else 0)


def _event_wait(pod: Pod, events: Sequence[Event]) -> Wait | None:
    told = [each for each in events if each.reason in _NO_MOUNT | _NO_POD | _STEPS]
    if not told:
        return None
    last = told[-1]
    if last.reason in _NO_MOUNT:
        # "Unable to attach or mount volumes: timed out" stands beside what says why.
        failed = [each.message for each in told if each.reason in _NO_MOUNT]
        why = [each for each in failed if "timed out" not in each] or failed
        words = f"A volume cannot be mounted: {_cut(why[-1])}."
        return Wait(words, Cause.VOLUME_MISSING, MOUNT_MS)
    if last.reason in _NO_POD:
        return Wait(f"Its node cannot make its pod: {_cut(last.message)}.", Cause.START_FAILED)
    if last.reason == "Pulling":
        image = re.search(r'"([^"]+)"', last.message)
        return Wait(f"Its image {image[1] if image else _image(pod)} is being pulled.")
    return None


def _place_wait(pod: Pod) -> Wait | None:
    for each in pod.status.conditions:
        if each.type == "PodScheduled" and each.status == "False":
            return _unplaced(each.message)
    return None


def _unplaced(said: str) -> Wait:
    """The cluster's scheduler says of each node why not; only its own one counts."""
    told = re.sub(r"[.,]? ?preemption: .*$", "", said, flags=re.DOTALL)
    told = re.sub(r"^\d+/\d+ nodes are available: ", "", told).strip(" .")
    parts = [re.sub(r"^\d+ ", "", each) for each in re.split(r", (?=\d+ )", told)]
    own = [each for each in parts if not re.search(r"node affinity(/selector)?$", each)]
    why = "; ".join(map(_place_words, own or parts))
    if any(_CLAIM.search(each) or _VOLUME.search(each) for each in own):
        return Wait(f"A volume is not there for it: {why}.", Cause.VOLUME_MISSING, MOUNT_MS)
    words = f"The cluster's own scheduler does not let it onto its node: {why}."
    return Wait(words, Cause.MISPLACED, PLACE_MS)


def _place_words(said: str) -> str:
    lacks = re.fullmatch(r"Insufficient (\S+)", said)
    if lacks:
        return f"too little {lacks[1]} is free there"
    taint = _TAINT.search(said)
    if taint:
        return f"it has the taint {taint[1].rstrip(': ')}, which work of Podium does not tolerate"
    if "were unschedulable" in said:
        return "it is cordoned in the cluster"
    return _cut(said)


def _waiting(pod: Pod) -> Waiting | None:
    for status in (*pod.status.init_container_statuses, *pod.status.container_statuses):
        if status.state.waiting is not None and status.state.waiting.reason not in (
            "PodInitializing",
        ):
            return status.state.waiting
        if status.name == names.CONTAINER:
            return status.state.waiting
    return None


def _image(pod: Pod) -> str:
    return pod.spec.containers[0].image if pod.spec.containers else ""


def _cut(said: str) -> str:
    return " ".join(said.split())[:_LONGEST].rstrip(" .")
