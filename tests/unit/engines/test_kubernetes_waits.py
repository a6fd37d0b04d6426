"""What a pod that has not begun waits for: what kubelets, runtimes and the cluster's scheduler say,
in plain words, and when it is taken back for it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from podium.domain.errors import NotFoundError, PermanentError
from podium.domain.reason import Cause
from podium.engines.contract import AdmissionError, HeldUpError
from podium.engines.kubernetes.admission import Admission
from podium.engines.kubernetes.connection import ForbiddenError
from podium.engines.kubernetes.objects import Pod
from podium.engines.kubernetes.stuck import stuck_why
from podium.engines.kubernetes.waits import Event, needs_events, wait_of

IMAGE = "registry.example.com/denied/base:1"
_NO_IMAGE = f'failed to resolve reference "{IMAGE}": '
_LONG_MS = 10_000_000_000_000.0


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


def pod(
    state: dict[str, Any] | None = None,
    *,
    node: str = "gpu-1",
    unplaced: str = "",
    first: dict[str, Any] | None = None,
) -> Pod:
    meta = {"name": "a-1", "uid": "u-1", "creationTimestamp": "2026-09-21T13:46:00Z"}
    status: dict[str, Any] = {"phase": "Pending"}
    if state is not None:
        status["containerStatuses"] = [{"name": "work", "state": state}]
    if first is not None:
        status["initContainerStatuses"] = [{"name": "source", "state": first}]
    if unplaced:
        told = {"type": "PodScheduled", "status": "False", "message": unplaced}
        status["conditions"] = [told]
    spec = {"nodeName": node, "containers": [{"name": "work", "image": IMAGE}]}
    return msgspec.convert({"metadata": meta, "spec": spec, "status": status}, Pod)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("not found", "none of that name and tag"),
        ("manifest unknown: manifest unknown", "none of that name and tag"),
        (
            "pull access denied, repository does not exist: insufficient_scope: not authorized",
            "none of that name, or wants a sign-in",
        ),
        ("unexpected status code 401 Unauthorized", "wants a sign-in"),
        ("429 Too Many Requests - Server message: toomanyrequests", "no more now"),
        ("dial tcp: lookup registry.example.com: no such host", "does not know the registry"),
        ("dial tcp 10.0.0.1:443: connect: connection refused", "cannot reach the registry"),
        ("dial tcp 10.0.0.1:443: i/o timeout", "cannot reach the registry"),
        ("x509: certificate signed by unknown authority", "does not trust"),
        ("no match for platform in manifest: not found", "for the processor of its node"),
        ("write /var/lib/containerd/x: no space left on device", "the disk of its node is full"),
    ],
)
def test_why_an_image_cannot_be_pulled(said: str, words: str) -> None:
    """The name of the image holds a word that a fault is known by."""
    found = wait_of(pod(waiting("ErrImagePull", f"rpc error: {_NO_IMAGE}{said}")), ())
    assert found is not None
    assert found.cause is Cause.IMAGE_FAILED
    assert found.message.startswith(f"The image {IMAGE} cannot be pulled: ")
    assert words in found.message
    late = pod(waiting("ImagePullBackOff", f'Back-off pulling image "{IMAGE}"'))
    assert needs_events(late)
    told = [Event(reason="Failed", message=f'Failed to pull image "{IMAGE}": {_NO_IMAGE}{said}')]
    assert wait_of(late, told) == found, "between two tries it is the same"


@pytest.mark.parametrize(
    ("seen", "cause", "words"),
    [
        (
            pod(
                node="",
                unplaced="0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match "
                "Pod's node affinity.",
            ),
            Cause.MISPLACED,
            "does not let it onto its node: too little cpu is free there.",
        ),
        (
            pod(
                node="",
                unplaced="0/3 nodes are available: 1 node(s) had untolerated taint {mine: yes}, 2 "
                "node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes are "
                "available: 3 Preemption is not helpful for scheduling.",
            ),
            Cause.MISPLACED,
            "the taint mine: yes,",
        ),
        (
            pod(node="", unplaced='persistentvolumeclaim "data" not found'),
            Cause.VOLUME_MISSING,
            'A volume is not there for it: persistentvolumeclaim "data" not found.',
        ),
        (
            pod(
                node="",
                unplaced="0/2 nodes are available: 1 node(s) didn't match Pod's node affinity, 1 "
                "node(s) had volume node affinity conflict.",
            ),
            Cause.VOLUME_MISSING,
            "volume node affinity conflict",
        ),
        (pod(waiting("InvalidImageName", "x")), Cause.IMAGE_FAILED, "cannot be read as the name"),
        (
            pod(waiting("CreateContainerConfigError", 'secret "token" not found')),
            Cause.START_FAILED,
            'cannot be made: secret "token" not found.',
        ),
        (pod(first={"running": {"startedAt": "x"}}), None, "Its code is being brought"),
    ],
)
def test_its_status_says_what_it_waits_for(seen: Pod, cause: Cause | None, words: str) -> None:
    found = wait_of(seen, ())
    assert found is not None
    assert found.cause is cause
    assert words in found.message
    assert not needs_events(seen) or cause is None


def test_what_stands_in_events_alone() -> None:
    seen = pod(waiting("ContainerCreating"))
    assert needs_events(seen)
    assert wait_of(seen, ()) is None
    lost = Event(reason="FailedMount", message='SetUp failed for volume "x" : no export')
    slow = Event(
        reason="FailedMount", message="Unable to attach or mount volumes: timed out waiting"
    )
    found = wait_of(seen, [Event(reason="Scheduled"), lost, slow])
    assert found is not None
    assert found.cause is Cause.VOLUME_MISSING
    assert found.message.endswith("no export.")
    pulls = Event(reason="Pulling", message=f'Pulling image "{IMAGE}"')
    found = wait_of(seen, [lost, slow, pulls])
    assert found is not None
    assert (found.cause, found.message) == (None, f"Its image {IMAGE} is being pulled.")
    assert wait_of(seen, [lost, pulls, Event(reason="Pulled")]) is None


def test_it_is_taken_back_for_what_lasts() -> None:
    """Not for how long ago it was placed: a large image may have been on its way for long."""
    seen = pod(waiting("ErrImagePull", "not found"))
    now_ms = 1_790_000_000_000
    wait = wait_of(seen, ())
    assert stuck_why(seen, wait, now_ms - 59_000, now_ms, _LONG_MS) is None
    found = stuck_why(seen, wait, now_ms - 60_000, now_ms, _LONG_MS)
    assert found is not None
    assert found.cause is Cause.IMAGE_FAILED
    bad = wait_of(pod(waiting("InvalidImageName", "x")), ())
    assert stuck_why(seen, bad, now_ms, now_ms, _LONG_MS) is not None, "that cannot pass"
    slow = wait_of(pod(waiting("ContainerCreating")), [Event(reason="Pulling", message="x")])
    assert stuck_why(seen, slow, now_ms - 60_000, now_ms, _LONG_MS) is None
    over = stuck_why(seen, slow, now_ms - 60_000, now_ms + 90_000_000, 30_000)
    assert over is not None
    assert over.cause is Cause.START_FAILED
    assert "being pulled" in over.message


def test_a_full_quota_is_waited_for_and_a_rule_is_not() -> None:
    admission = Admission(30)
    full = HeldUpError(
        'The cluster says: pods "a-1" is forbidden: exceeded quota: podium, requested: cpu=2, '
        "used: cpu=1, limited: cpu=2",
        Cause.CLUSTER_QUOTA,
    )
    first = admission.refused("a-1", full, 1_000)
    assert isinstance(first, HeldUpError)
    assert first.message == (
        "The quota podium of its namespace has no room for it: it asks for cpu=2, and cpu=1 of "
        "cpu=2 are in use."
    )
    assert isinstance(admission.refused("a-1", full, 30_000), HeldUpError)
    last = admission.refused("a-1", full, 31_000)
    assert isinstance(last, AdmissionError)
    assert last.cause is Cause.CLUSTER_QUOTA
    assert isinstance(admission.refused("a-1", full, 32_000), HeldUpError), "the next attempt"
    rule = ForbiddenError(
        'The cluster says: pods "a-1" is forbidden: maximum memory usage per Container is 1Gi, '
        "but limit is 2Gi"
    )
    found = admission.refused("a-2", rule, 0)
    assert isinstance(found, AdmissionError)
    assert found.cause is Cause.CLUSTER_REFUSED
    assert found.message.endswith(
        "forbids it: maximum memory usage per Container is 1Gi, but limit is 2Gi."
    )
    right = ForbiddenError(
        'The cluster says: pods "a-1" is forbidden: User "podium" cannot patch resource "pods" in '
        'API group "" in the namespace "podium-vision"'
    )
    assert isinstance(admission.refused("a-3", right, 0), HeldUpError)
    for other in (PermanentError("It is no pod."), NotFoundError("It is not there.")):
        assert admission.refused("a-4", other, 0) is other
